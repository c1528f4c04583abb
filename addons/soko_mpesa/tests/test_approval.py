import time
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .fake_daraja import payment_result
from .test_run import RunCase

REQUEST = "odoo.addons.soko_mpesa.models.res_users.request"
CORE_REQUEST = "odoo.addons.base.models.res_users.request"


@tagged("post_install", "-at_install", "mpesa")
class TestApproval(RunCase):
    """Many payouts at once, and by whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.auto_approve_limit = 0

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def make_waiting(self, *amounts):
        """:return: payouts that wait for an approver"""
        return self.env["soko.mpesa.payout"].union(
            *(self.make_payout(amount)[2] for amount in amounts))

    def open(self, payouts, user=None):
        """:return: the wizard"""
        action = payouts.with_user(user or self.approver).action_open_approval()
        return self.env[action["res_model"]].with_user(user or self.approver).browse(
            action["res_id"])

    def serve(self, **session):
        """Pretend that a request is being served."""
        served = SimpleNamespace(session=SimpleNamespace(
            uid=session.pop("uid", self.approver.id),
            get=lambda key, default=None: session.get(key.replace("-", "_"), default)))
        self.patch_request(served)
        return served

    def patch_request(self, served):
        for name in (REQUEST, CORE_REQUEST):
            patcher = patch(name, served)
            patcher.start()
            self.addCleanup(patcher.stop)

    # === THE WHOLE === #

    def test_summary_and_approval(self):
        self.account.sudo().write({"float_amount": 5000, "float_at": fields.Datetime.now()})
        payouts = self.make_waiting(100, 200, 1700)
        wizard = self.open(payouts)
        self.assertEqual((wizard.count, wizard.total, wizard.fees, wizard.left_count),
                         (3, 2000, 14, 0))
        self.assertEqual((wizard.float_amount, wizard.float_after), (5000, 5000 - 2014))
        self.assertEqual(wizard.news_count, 3)
        wizard.action_approve()
        self.assertEqual(set(payouts.mapped("state")), {"approved"})
        self.assertEqual(payouts.approver_id, self.approver)
        self.assertEqual((wizard.state, wizard.approved_count, wizard.approved_total),
                         ("done", 3, 2000))
        with self.assertRaisesRegex(UserError, "was done"):
            wizard.action_approve()

    def test_new_payees_come_first(self):
        paid, old = self.make_waiting(100), self.bank
        paid.with_user(self.approver).action_approve()
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        old.sudo().soko_mpesa_verified_at = fields.Datetime.subtract(
            fields.Datetime.now(), days=31)
        known = self.make_waiting(900)
        self.payee = self.make_payees(1)
        new = self.make_waiting(50)
        wizard = self.open(known | new)
        self.assertEqual(wizard.line_ids.mapped("payout_id.id"), [new.id, known.id])
        self.assertEqual(wizard.line_ids.mapped("news"), ["First payment", ""])
        old.sudo().soko_mpesa_verified_at = fields.Datetime.now()
        self.assertIn("verified on", self.open(known).line_ids.news)

    def test_those_that_are_not_hers(self):
        both = new_test_user(
            self.env, "mpesa_bulk_both", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver,"
                   "account.group_account_invoice")
        own = self.pay_bill(self.make_bill(300), both).soko_mpesa_payout_id
        others = self.make_waiting(400)
        wizard = self.open(own | others, both)
        self.assertEqual((wizard.count, wizard.total, wizard.left_count), (1, 400, 1))
        wizard.action_approve()
        self.assertEqual((own.state, others.state), ("submitted", "approved"))
        self.assertEqual(wizard.approved_total, 400)

    def test_changed_between_look_and_approval(self):
        payouts = self.make_waiting(100, 200)
        wizard = self.open(payouts)
        payouts[0].with_user(self.maker).action_cancel()
        wizard.action_approve()
        self.assertEqual((wizard.approved_count, wizard.approved_total), (1, 200))
        self.assertIn("meanwhile", wizard.line_ids.filtered("reason").reason)

    def test_number_changed_between_look_and_approval(self):
        payouts = self.make_waiting(100)
        wizard = self.open(payouts)
        self.bank.with_user(self.maker).write({"acc_number": "0711000077"})
        wizard.action_approve()
        self.assertEqual((payouts.state, wizard.approved_count), ("submitted", 0))

    def test_all_that_wait(self):
        self.make_waiting(100, 200)
        action = self.env["soko.mpesa.payout"].with_user(
            self.approver).action_open_approval_of_all()
        self.assertEqual(self.env["soko.mpesa.approval"].browse(action["res_id"]).total, 300)

    def test_approve_many_then_withdraw(self):
        """F57: what was sent stays, the others are withdrawn, and the totals are exact."""
        partners = self.make_payees(12)
        self.make_bills(partners, 100)
        run = self.make_run()
        run.action_confirm()
        self.work()
        payouts = run.line_ids.payment_ids.soko_mpesa_payout_ids
        self.open(payouts).action_approve()
        later = payouts[5:].sudo().attempt_ids
        later.not_before = fields.Datetime.add(fields.Datetime.now(), hours=1)
        self.send()
        self.assertEqual(len(self.daraja.payments), 5)
        action = payouts.with_user(self.approver).action_cancel_unsent()
        self.assertIn("7 payouts of 700 KES", action["params"]["message"])
        self.assertIn("5 stay", action["params"]["message"])
        self.assertEqual(payouts.mapped("state"), ["in_flight"] * 5 + ["cancelled"] * 7)
        bills = run.line_ids.move_line_ids.move_id
        self.assertEqual(sum(bills.mapped("amount_residual")), 700)
        self.send()
        self.assertEqual(len(self.daraja.payments), 5)

    # === WHO === #

    def test_roles(self):
        payouts = self.make_waiting(100)
        for user in (self.maker, self.manager, self.accountant):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                payouts.with_user(user).action_open_approval()
        wizard = self.open(payouts)
        for user in (self.maker, self.manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                wizard.with_user(user).action_approve()

    def test_lines_cannot_be_made_up(self):
        """A line without a reason is no right to approve."""
        both = new_test_user(
            self.env, "mpesa_bulk_own", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver,"
                   "account.group_account_invoice")
        own = self.pay_bill(self.make_bill(300), both).soko_mpesa_payout_id
        wizard = self.env["soko.mpesa.approval"].with_user(both).create(
            {"line_ids": [(0, 0, {"payout_id": own.id, "amount": 300})]})
        wizard.action_approve()
        self.assertEqual((own.state, wizard.approved_count), ("submitted", 0))

    def test_another_login_of_the_same_person(self):
        twin = new_test_user(
            self.env, "mpesa_twin", company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
            groups="soko_mpesa.soko_mpesa_group_approver")
        twin.partner_id = self.maker.partner_id
        payouts = self.make_waiting(100)
        with self.assertRaisesRegex(AccessError, "somebody else"):
            payouts.with_user(twin).action_approve()

    # === IDENTITY === #

    def test_password_is_asked_for(self):
        payouts = self.make_waiting(100)
        wizard = self.open(payouts)
        self.serve()
        for record in (payouts.with_user(self.approver), wizard):
            action = record.action_approve()
            self.assertEqual(action["res_model"], "res.users.identitycheck")
        with self.assertRaisesRegex(AccessError, "Confirm your password"):
            payouts.sudo()._approve(self.approver)
        self.assertEqual(payouts.state, "submitted")

    def test_password_that_was_just_entered(self):
        payouts = self.make_waiting(100)
        self.serve(identity_check_last=time.time() - 60)
        payouts.with_user(self.approver).action_approve()
        self.assertEqual(payouts.state, "approved")

    def test_old_password_check(self):
        payouts = self.make_waiting(100)
        self.serve(identity_check_last=time.time() - 601)
        action = payouts.with_user(self.approver).action_approve()
        self.assertEqual(action["res_model"], "res.users.identitycheck")

    def test_api_key_does_not_approve(self):
        payouts = self.make_waiting(100)
        self.serve(uid=None)
        with self.assertRaisesRegex(AccessError, "API key"):
            payouts.with_user(self.approver).action_approve()
        self.assertEqual(payouts.state, "submitted")

    def test_call_that_carries_the_password(self):
        payouts = self.make_waiting(100)
        self.approver.password = "a long word of the approver"
        served = SimpleNamespace(session=SimpleNamespace(uid=None))
        with patch(REQUEST, served):
            self.env["res.users"]._check_uid_passwd(
                self.approver.id, "a long word of the approver")
        self.patch_request(served)
        self.assertEqual(served.soko_mpesa_identity_shown, self.approver.id)
        payouts.with_user(self.approver).action_approve()
        self.assertEqual(payouts.state, "approved")

    def test_policy_needs_no_password(self):
        self.account.auto_approve_limit = 500
        self.serve()
        self.assertEqual(self.make_payout(100)[2].state, "approved")
