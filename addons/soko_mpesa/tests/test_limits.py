from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools import eat
from .common import MpesaCase
from .fake_daraja import payment_result, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestLimits(MpesaCase):
    """Each cap is driven above by one shilling."""

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def test_payee_s_day(self):
        self.account.payee_day_limit = 1000
        first, second, third = (self.make_payout(amount)[2] for amount in (600, 400, 10))
        self.send()
        self.assertEqual([payout.state for payout in (first, second, third)],
                         ["in_flight", "in_flight", "approved"], "1,000 go, 1,010 don't")
        self.assertIn("1000 of 1000", third.waiting_reason)
        self.assertEqual(third.attempt_ids.not_before, eat.next_day(fields.Datetime.now()))
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)
        yesterday = fields.Datetime.now() - timedelta(days=1)
        (first | second).attempt_ids.sent_at = yesterday
        third.attempt_ids.not_before = False
        self.send()
        self.assertEqual((third.state, third.waiting_reason), ("in_flight", False))

    def test_one_shilling_above_the_payee_s_day(self):
        self.account.payee_day_limit = 1000
        self.make_payout(500)
        above = self.make_payout(501)[2]
        self.send()
        self.assertEqual((len(self.daraja.payments), above.state), (1, "approved"))

    def test_what_was_not_paid_does_not_count(self):
        self.account.payee_day_limit = 1000
        first = self.make_payout(900)[2]
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request, code="SFC_IC0003"))
        second = self.make_payout(200)[2]
        self.send()
        self.assertEqual(second.state, "approved", "one voice isn't proof: it may be paid yet")
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(first.state, "failed")
        second.attempt_ids.not_before = False
        self.send()
        self.assertEqual(second.state, "in_flight")

    def test_more_than_a_day_holds(self):
        self.account.payee_day_limit = 100
        payout = self.make_payout(101)[2]
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))

    def test_own_limits_stay_within_safaricom_s(self):
        for values in ({"payee_day_limit": 500_001}, {"payee_day_limit": 9},
                       {"auto_approve_day_limit": -1}):
            with self.subTest(values=values), mute_logger("odoo.sql_db"), \
                    self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.account.write(values)
                self.account.flush_recordset()

    def test_policy_s_day(self):
        self.account.auto_approve_day_limit = 1000
        states = [self.make_payout(amount)[2].state for amount in (600, 400, 10)]
        self.assertEqual(states, ["approved", "approved", "submitted"])

    def test_one_shilling_above_the_policy_s_day(self):
        self.account.auto_approve_day_limit = 1000
        self.make_payout(600)
        self.assertEqual(self.make_payout(401)[2].state, "submitted")
        self.assertEqual(self.make_payout(400)[2].state, "approved")

    def test_one_shilling_above_the_policy_s_payment(self):
        self.assertEqual(self.make_payout(2000)[2].state, "approved")
        self.assertEqual(self.make_payout(2001)[2].state, "submitted")

    def test_low_float_stops_the_pass(self):
        told_at = fields.Datetime.now() - timedelta(minutes=1)
        self.account.sudo().write({"float_amount": 1003, "float_at": told_at})
        payout = self.make_payout(999)[2]
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("approved", []), "fee: 5")
        self.assertIn("1003.00 KES left", self.account.waiting_reason)
        watch = self.env["soko.mpesa.watch"]
        told = [row for row in watch._find_account(self.account) if row.kind == "short"]
        self.assertEqual([(row.severity, row.calls) for row in told], [("1", True)])
        said = self.env["soko.mpesa.attention"]._say("short", told[0].facts)
        self.assertIn("1003.00 KES left", said[0])
        self.assertEqual(payout.attempt_ids.send_count, 0, "no attempt is burnt")
        self.account.sudo().float_amount = 1004
        self.send()
        self.assertEqual((payout.state, self.account.waiting_reason), ("in_flight", False))
        other = self.make_payout(100)[2]
        self.send()
        self.assertEqual(other.state, "approved", "what was sent since is not in the float")

    def test_old_float_stops_nothing(self):
        self.account.sudo().write({
            "float_amount": 1, "float_at": fields.Datetime.now() - timedelta(minutes=61)})
        payout = self.make_payout(100)[2]
        self.send()
        self.assertEqual(payout.state, "in_flight")


@tagged("post_install", "-at_install", "mpesa")
class TestPayAgain(MpesaCase):
    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def fail_payout(self, payout):
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code="SFC_IC0003"))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(payout.state, "failed")

    def test_pay_again(self):
        bill, payment, payout = self.make_payout(700.5)
        self.fail_payout(payout)
        self.assertEqual(bill.amount_residual, 700.5)
        with self.assertRaises(AccessError):
            payout.with_user(self.approver).action_pay_again()
        payout.with_user(self.maker).action_pay_again()
        again = payout.replaced_by_ids
        self.assertEqual((again.amount, again.state, bill.payment_state),
                         (700, "in_process", "in_payment"))
        self.assertNotEqual(again, payment)
        self.assertEqual(again.soko_mpesa_payout_id.maker_id, self.maker)
        with self.assertRaisesRegex(UserError, "already"):
            payout.with_user(self.maker).action_pay_again()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(bill.payment_state, "paid")

    def test_a_part_is_paid_again_as_a_part(self):
        bill = self.make_bill(900)
        payment = self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id, "amount": 300,
                "payment_method_line_id": self.method_line.id})._create_payments()
        payout = payment.with_env(self.env).soko_mpesa_payout_id
        self.fail_payout(payout)
        payout.with_user(self.maker).action_pay_again()
        self.assertEqual((payout.replaced_by_ids.amount, bill.amount_residual), (300, 600))

    def test_a_maker_without_accounting(self):
        """She is told what she lacks, and doesn't see the buttons in the first place."""
        _bill, _payment, payout = self.make_payout(700)
        self.fail_payout(payout)
        run = self.env["soko.mpesa.run"].with_user(self.manager).create(
            {"account_id": self.account.id})
        for act in (payout.with_user(self.manager).action_pay_again, run.action_confirm):
            with self.assertRaisesRegex(AccessError, "no role in accounting"):
                act()
        for record, button in ((payout, "action_pay_again"), (run, "action_confirm")):
            for user, sees in ((self.manager, False), (self.maker, True), (self.approver, False)):
                arch = record.with_user(user).get_view(view_type="form")["arch"]
                with self.subTest(button=button, user=user.login):
                    self.assertEqual(button in arch, sees)

    def test_not_before_the_last_word(self):
        _bill, _payment, payout = self.make_payout(700)
        self.send()
        with self.assertRaisesRegex(UserError, "can't be done now"):
            payout.with_user(self.maker).action_pay_again()

    def test_bill_that_was_paid_in_another_way(self):
        bill, _payment, payout = self.make_payout(700)
        self.fail_payout(payout)
        self.pay_bill(bill)
        with self.assertRaisesRegex(UserError, "another way"):
            payout.with_user(self.maker).action_pay_again()

    def match_by_hand(self, bill):
        """Make a payment by itself and match it with `bill`. :return: its payout"""
        payment = self.env["account.payment"].with_user(self.maker).create({
            "payment_type": "outbound", "partner_type": "supplier", "partner_id": self.payee.id,
            "amount": 700, "journal_id": self.account.journal_id.id,
            "payment_method_line_id": self.method_line.id,
        })
        payment.action_post()
        (bill.line_ids + payment.move_id.line_ids).filtered(
            lambda item: item.account_type == "liability_payable").reconcile()
        return payment.with_env(self.env).soko_mpesa_payout_id

    def test_matched_by_hand_and_settled_meanwhile(self):
        bill = self.make_bill(700)
        payout = self.match_by_hand(bill)
        self.fail_payout(payout)
        self.assertEqual((payout._get_bills(), bill.payment_state), (bill, "not_paid"))
        self.pay_bill(bill)
        with self.assertRaisesRegex(UserError, "another way"):
            payout.with_user(self.maker).action_pay_again()

    def test_matched_by_hand_and_still_open(self):
        bill = self.make_bill(700)
        payout = self.match_by_hand(bill)
        self.fail_payout(payout)
        payout.with_user(self.maker).action_pay_again()
        self.assertEqual((payout.replaced_by_ids.amount, payout.replaced_by_ids.invoice_ids,
                          bill.payment_state), (700, bill, "in_payment"))

    def test_matched_by_hand_and_proven_late(self):
        """It was paid after all: that pays the bill that it was matched with."""
        bill = self.make_bill(700)
        payout = self.match_by_hand(bill)
        self.fail_payout(payout)
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.paid_late, bill.payment_state), (True, "paid"))

    def test_payment_without_a_bill(self):
        payment = self.env["account.payment"].with_user(self.maker).create({
            "payment_type": "outbound", "partner_type": "supplier", "partner_id": self.payee.id,
            "amount": 300, "journal_id": self.account.journal_id.id,
            "payment_method_line_id": self.method_line.id,
        })
        payment.action_post()
        payout = payment.with_env(self.env).soko_mpesa_payout_id
        self.fail_payout(payout)
        payout.with_user(self.maker).action_pay_again()
        self.assertEqual(payout.replaced_by_ids.amount, 300)
        self.assertEqual(payout.replaced_by_ids.soko_mpesa_payout_id.state, "approved")
