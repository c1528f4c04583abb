from odoo.tests import new_test_user, tagged

from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestCallees(MpesaCase):
    """A task goes to somebody who is here and can do something about it."""

    def setUp(self):
        super().setUp()
        self.boss = new_test_user(
            self.env, "mpesa_boss", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_manager")
        self.account.responsible_id = self.boss

    def leave(self):
        self.boss.active = False

    def lose_role(self):
        self.boss.group_ids = self.env.ref("base.group_user")

    def lose_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.boss.company_ids += other
        self.boss.company_id = other
        self.boss.company_ids = other

    def called(self, record):
        return record.activity_ids.user_id

    def find_responsible(self):
        found = [one for one in self.env["soko.mpesa.watch"].sudo()._find()
                 if one.subject == f"soko.mpesa.account,{self.account.id}"
                 and one.kind == "responsible"]
        self.env["soko.mpesa.attention"].sudo()._sync(found, {"responsible"})
        return self.env["soko.mpesa.attention"].search([("kind", "=", "responsible")])

    def test_who_is_in_charge_is_called(self):
        payout = self.make_payout()[2]
        payout._alert("look")
        self.account._stop("wrong password")
        self.assertEqual(self.called(payout) | self.called(self.account), self.boss)
        self.assertFalse(self.find_responsible())

    def test_managers_are_called_instead(self):
        """Archived, without a role, or not in the company any more."""
        for change in (self.leave, self.lose_role, self.lose_company):
            with self.subTest(change.__name__), self.env.cr.savepoint() as savepoint:
                payout = self.make_payout()[2]
                change()
                payout._raise_exception("look")
                self.account._stop("wrong password")
                for record in (payout, self.account):
                    self.assertIn(self.manager, self.called(record))
                    self.assertNotIn(self.boss, self.called(record))
                row = self.find_responsible()
                self.assertEqual((row.severity, row.res_id), ("2", self.account.id))
                self.assertRegex(row.name, "mpesa_boss.*Test paybill")
                self.assertIn(self.manager, self.called(row))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_managers_of_other_companies_are_not(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_elsewhere", company_id=other.id, company_ids=[(6, 0, other.ids)],
            groups="soko_mpesa.soko_mpesa_group_manager")
        self.leave()
        called = self.account._get_callees()
        self.assertIn(self.manager, called)
        self.assertNotIn(stranger, called)

    def test_when_there_is_nobody_the_task_is_there_all_the_same(self):
        self.patch(type(self.env["soko.mpesa.watch"]), "_get_managers",
                   lambda watch, company=None: watch.env["res.users"])
        self.leave()
        payout = self.make_payout()[2]
        payout._alert("look")
        self.assertEqual(len(payout.activity_ids), 1)
