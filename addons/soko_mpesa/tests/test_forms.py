from odoo import Command
from odoo.tests import Form, new_test_user, tagged

from .fake_daraja import payment_result
from .test_statement import StatementCase

ROLES = ("maker", "approver", "manager")


@tagged("post_install", "-at_install", "mpesa")
class TestForms(StatementCase):
    """Whoever may read a record can open its form and its list, with no other right than the role.

    A form reads relations, too: one field of a model that a role can't read, and nothing opens.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alone = {role: new_test_user(
            cls.env, f"forms_{role}", groups=f"soko_mpesa.soko_mpesa_group_{role}",
            context={"no_reset_password": True}, company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)]) for role in ROLES}

    def fill(self):
        """Make a payout that is paid, one that failed and was paid again, and what goes with it."""
        self.age(self.lose(1700)[2], hours=3)
        self.pay()
        self.load(self.paid(), self.charged(), self.came("SG63GIFT01", 1234))
        failed = self.make_payout(1600)[2]
        self.send()
        request = self.daraja.payments[-1]
        self.balance += 1600
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.load({**self.row_of_failure(), "Transaction Status": "Failed"})
        self.assertEqual(failed.state, "failed")
        failed.with_user(self.maker).action_pay_again()
        self.env["soko.mpesa.run"].with_user(self.maker).create(
            {"account_id": self.account.id}).action_collect()
        self.account.with_user(self.manager).action_check_setup()
        self.account.with_user(self.manager).action_open_golive()
        self.env["soko.mpesa.attention"].sudo()._refresh()
        self.env.flush_all()
        return failed

    def row_of_failure(self):
        return self.paid("SG63FAIL00", 1600)

    def models(self):
        return sorted(
            name for name, model in self.env.registry.items()
            if name.startswith("soko.mpesa.") and model._module == "soko_mpesa"
            and not model._abstract and not model._transient)

    def open_all(self, role):
        """Open a form and a list of everything that a role reads; return the models."""
        opened, user = set(), self.alone[role]
        for name in self.models():
            model = self.env[name].with_user(user)
            if not model.has_access("read"):
                continue
            with self.subTest(role=role, model=name):
                for record in model.search([], limit=20):
                    self.env.invalidate_all()
                    Form(record)
                    opened.add(name)
                columns = model.get_views([(False, "list")])["models"][name]["fields"]
                model.web_search_read([], {column: {} for column in columns}, limit=20)
        return opened

    def test_everything_opens(self):
        failed = self.fill()
        every = {"soko.mpesa.account", "soko.mpesa.payout", "soko.mpesa.attempt",
                 "soko.mpesa.evidence", "soko.mpesa.attention"}
        wanted = {"maker": every | {"soko.mpesa.run"}, "manager": every | {"soko.mpesa.check"},
                  "approver": every | {"soko.mpesa.statement", "soko.mpesa.difference"}}
        for role in ROLES:
            opened = self.open_all(role)
            self.assertLessEqual(wanted[role], opened, role)
        seen = failed.with_user(self.alone["approver"])
        self.assertEqual(seen.replaced_by, failed.replaced_by_ids.display_name)
        failed.replaced_by_ids.action_cancel()
        self.assertFalse(seen.replaced_by, "what was taken back doesn't stand in the way")
