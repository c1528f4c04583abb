import os
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestGolive(MpesaCase):
    def setUp(self):
        super().setUp()
        self.account.with_user(self.manager).action_open_golive()
        self.lines = self.env["soko.mpesa.golive"].search([("account_id", "=", self.account.id)])
        self.before = self.lines.filtered(lambda line: line.stage == "1_before")
        self.by_hand = self.before.filtered(lambda line: not line.check_code)
        self.two = self.by_hand.filtered("needs_two")[0]
        self.one = self.by_hand.filtered(lambda line: not line.needs_two)[0]

    def be_checked(self, status="ok", environment="sandbox"):
        """Leave a finished check of which every point has this status."""
        check = self.env["soko.mpesa.check"].create({
            "account_id": self.account.id, "user_id": self.manager.id, "environment": environment,
        })
        for code in check._get_titles():
            check._set_line(code, status)
        check._finish()
        self.lines.invalidate_recordset(["state"])

    def tick_all(self):
        self.by_hand.with_user(self.manager).action_tick()
        self.by_hand.filtered("needs_two").with_user(self.approver).action_tick()

    def test_list(self):
        self.assertGreater(len(self.before), 15)
        self.assertGreater(len(self.lines - self.before), 4)
        self.assertEqual(set(self.lines.mapped("state")), {"open"})
        self.account.with_user(self.approver).action_open_golive()
        self.assertEqual(self.env["soko.mpesa.golive"].search_count(
            [("account_id", "=", self.account.id)]), len(self.lines), "made once")
        codes = self.env["soko.mpesa.check"]._get_titles()
        for line in self.lines:
            self.assertTrue(line.how)
            self.assertTrue(not line.check_code or line.check_code in codes, line.check_code)

    def test_one_person(self):
        with self.assertRaises(AccessError):
            self.one.with_user(self.maker).action_tick()
        with self.assertRaisesRegex(AccessError, "manager"):
            self.one.with_user(self.approver).action_tick()
        self.one.with_user(self.manager).action_tick()
        self.assertEqual((self.one.state, self.one.done_by_id), ("done", self.manager))
        self.one.with_user(self.approver).action_untick()
        self.assertEqual((self.one.state, self.one.done_by_id.id), ("open", False))

    def test_two_persons(self):
        both = new_test_user(
            self.env, "mpesa_manager_approver", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_manager,soko_mpesa.soko_mpesa_group_approver")
        self.two.with_user(both).action_tick()
        self.assertEqual(self.two.state, "half")
        for user in (both, self.manager):
            with self.assertRaisesRegex(AccessError, "somebody else"):
                self.two.with_user(user).action_tick()
        self.two.with_user(self.approver).action_tick()
        self.assertEqual((self.two.state, self.two.second_id), ("done", self.approver))
        with self.assertRaises(IntegrityError), self.cr.savepoint(), mute_logger("odoo.sql_db"):
            self.two.second_id = self.two.done_by_id
            self.two.flush_recordset()

    def test_what_the_check_sees_is_not_ticked(self):
        seen = self.before.filtered("check_code")[0]
        with self.assertRaisesRegex(UserError, "Check set-up"):
            seen.with_user(self.manager).action_tick()
        self.be_checked("problem")
        self.assertEqual(seen.state, "open")
        self.be_checked("warning")
        self.assertEqual(seen.state, "done")
        self.be_checked("problem")
        self.assertEqual(seen.state, "open", "the last check counts")

    def test_rights_of_fields(self):
        for user in (self.manager, self.approver):
            line = self.one.with_user(user)
            line.write({"note": "seen by Amina Mfano"})
            for values in ({"done_by_id": user.id}, {"second_id": user.id},
                           {"item_id": self.two.item_id.id}, {"account_id": self.account.id}):
                with self.assertRaises(AccessError):
                    line.write(values)
            with self.assertRaises(AccessError):
                line.unlink()
            with self.assertRaises(AccessError):
                line.item_id.write({"needs_two": False})
        with self.assertRaises(AccessError):
            self.one.with_user(self.maker).write({"note": "x"})

    def test_production_waits_for_the_list(self):
        account = self.account
        account.with_user(self.manager).environment = "production"
        with patch.dict(os.environ, {"SOKO_MPESA_BASE_URL": ""}):
            [reason] = account._get_guard_reasons()
            self.assertIn("go-live list", reason)
            self.tick_all()
            self.be_checked(environment="sandbox")
            self.assertTrue(account._get_guard_reasons(), "the sandbox's check says nothing")
            self.be_checked(environment="production")
            self.assertEqual(account._get_guard_reasons(), [])
            self.assertEqual(account.golive_open_count, 0)
            self.be_checked("problem", environment="production")
            self.assertEqual(account._get_guard_reasons(), [], "a live line isn't stopped by that")
            self.one.with_user(self.manager).action_untick()
            self.assertTrue(account._get_guard_reasons())

    def test_another_shortcode_is_another_account(self):
        self.tick_all()
        self.be_checked()
        self.assertTrue(self.account.golive_is_complete)
        self.account.with_user(self.manager).shortcode = "600992"
        self.assertTrue(self.account.golive_is_complete, "nothing changed")
        self.account.with_user(self.manager).shortcode = "600993"
        self.assertFalse(self.account.golive_is_complete)

    def test_sandbox_needs_no_list(self):
        self.assertEqual(self.account._get_blocking_reasons(), [])
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.assertEqual(payout.state, "in_flight")

    def test_other_company_sees_nothing(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_golive_elsewhere", company_id=other.id,
            company_ids=[(6, 0, other.ids)],
            groups="soko_mpesa.soko_mpesa_group_manager,soko_mpesa.soko_mpesa_group_approver")
        self.be_checked()
        self.env["soko.mpesa.lost.claim"].create({
            "account_id": self.account.id, "originator_id": "A" * 20, "amount": 100})
        for name in ("soko.mpesa.golive", "soko.mpesa.check", "soko.mpesa.check.line",
                     "soko.mpesa.balance", "soko.mpesa.lost.claim"):
            model = self.env[name].with_user(stranger).with_context(
                allowed_company_ids=other.ids)
            self.assertFalse(model.search([]), name)
        with self.assertRaises(AccessError):
            self.one.with_user(stranger).with_context(
                allowed_company_ids=other.ids).action_tick()

    def test_strangers(self):
        for login, groups in (("golive_portal", "base.group_portal"),
                              ("golive_staff", "base.group_user")):
            user = new_test_user(self.env, login, groups=groups)
            for name in ("soko.mpesa.golive", "soko.mpesa.golive.item", "soko.mpesa.check",
                         "soko.mpesa.check.line", "soko.mpesa.balance", "soko.mpesa.lost.claim"):
                with self.subTest(login=login, name=name), self.assertRaises(AccessError):
                    self.env[name].with_user(user).search([]).read()

    def test_views_open_for_every_role(self):
        for user in (self.maker, self.approver, self.manager):
            for name in ("soko.mpesa.golive", "soko.mpesa.check", "soko.mpesa.lost.claim"):
                kinds = ("form", "list", "search")
                views = [(False, kind) for kind in kinds]
                got = self.env[name].with_user(user).get_views(views)["views"]
                self.assertEqual(set(got), set(kinds))
            self.assertTrue(self.account.with_user(user).read(
                ["golive_open_count", "lost_claim_count", "password_expires_on"]))
