from odoo import fields
from odoo.tests import tagged

from .test_run import RunCase

MANY, SENT, FEW = 500, 5, 50


@tagged("post_install", "-at_install", "mpesa")
class TestWithdrawMany(RunCase):
    """F57: a person approves a great many payouts and takes them back while they leave."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.auto_approve_limit = 0

    def make_waiting(self, count):
        """:return: payouts, without bills, that wait for an approver"""
        partners = self.make_payees(50)
        payments = self.env["account.payment"].with_user(self.maker).with_context(
            tracking_disable=True).create([{
                "payment_type": "outbound", "partner_type": "supplier",
                "partner_id": partners[number % len(partners)].id, "amount": 100,
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id, "date": fields.Date.today(),
            } for number in range(count)])
        payments.action_post()
        return payments.soko_mpesa_payout_ids.with_env(self.env).sorted("id")

    def withdraw(self, payouts):
        """:return: (statements that were needed, what the person is told)"""
        self.env.flush_all()
        self.env.invalidate_all()
        self.cr.execute("ANALYZE account_move, account_move_line, account_payment")
        before = self.cr.sql_log_count
        action = payouts.with_user(self.approver).action_cancel_unsent()
        self.env.flush_all()
        return self.cr.sql_log_count - before, action["params"]["message"]

    def test_approve_five_hundred_then_withdraw(self):
        payouts = self.make_waiting(MANY)
        payouts.with_user(self.approver).action_approve()
        self.assertEqual(set(payouts.mapped("state")), {"approved"})
        payouts[SENT:].sudo().attempt_ids.not_before = fields.Datetime.add(
            fields.Datetime.now(), hours=1)
        self.send()
        self.assertEqual(len(self.daraja.payments), SENT)
        few, _message = self.withdraw(payouts[-FEW:])
        many, message = self.withdraw(payouts[:-FEW])
        left = MANY - FEW - SENT
        self.assertIn(f"{left} payouts of {left * 100} KES", message)
        self.assertIn(f"{SENT} stay", message)
        self.assertEqual(payouts.mapped("state"),
                         ["in_flight"] * SENT + ["cancelled"] * (MANY - SENT))
        self.assertEqual(payouts.payment_id.grouped("state").keys(), {"in_process", "canceled"})
        self.assertEqual(set(payouts[SENT:].attempt_ids.mapped("state")), {"cancelled"})
        self.assertLessEqual(many / left, few / FEW, "a bigger batch costs no more for each")
        self.assertLessEqual(many / left, 25)  # each opens its bill again
        payouts.sudo().attempt_ids.not_before = False
        self.send()
        self.assertEqual(len(self.daraja.payments), SENT, "nothing that was withdrawn leaves")
        self.assertNoViolation()
