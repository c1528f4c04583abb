from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result, status_result

TOUCH = "odoo.addons.soko_mpesa.models.soko_mpesa_account.touch"


@tagged("post_install", "-at_install", "mpesa")
class TestWholeShillings(MpesaCase):
    """What the register wizard makes of cents, of too much and of too little."""

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def pay(self, bills, **values):
        """Pay as another add-on does. :return: the payments"""
        return self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bills.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id, **values,
            })._create_payments().with_env(self.env)

    def carried(self, partner=None):
        partner = partner or self.payee
        return float(self.account._get_carried(partner).get(partner.id, 0))

    def prove(self, payment, receipt="SG632NMUAB"):
        request = next(request for request in self.daraja.payments if request[
            "OriginatorConversationID"] == payment.soko_mpesa_payout_id.attempt_ids.originator_id)
        self.post(request["ResultURL"], payment_result(request, receipt=receipt))

    def refuse(self, payment):
        """Let M-Pesa prove, by two voices, that it didn't pay."""
        attempt = payment.soko_mpesa_payout_id.attempt_ids
        request = next(request for request in self.daraja.payments if request[
            "OriginatorConversationID"] == attempt.originator_id)
        self.post(request["ResultURL"], payment_result(request, code="SFC_IC0003"))
        asked = len(self.daraja.queries)
        self.ask()
        query = next(query for query in self.daraja.queries[asked:] if query[
            "OriginalConversationID"] == attempt.originator_id)
        self.post(query["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(attempt.state, "not_paid")

    # === CENTS === #

    def test_cents_are_carried_and_paid_with_the_next_bill(self):
        first, second = self.make_bill(100.5), self.make_bill(100.7)
        payment = self.pay(first)
        self.assertEqual((payment.amount, payment.soko_mpesa_payout_id.amount), (100, 100))
        self.assertEqual((first.amount_residual, first.payment_state), (0, "in_payment"))
        self.assertEqual(self.carried(), 0.5)
        payment = self.pay(second)
        self.assertEqual((payment.amount, second.amount_residual), (101, 0))
        self.assertAlmostEqual(self.carried(), 0.2)
        cents = payment.move_id.line_ids.filtered(
            lambda line: line.account_id == self.account.remainder_account_id)
        self.assertEqual((cents.partner_id, cents.debit), (self.payee, 0.3))
        self.assertEqual(self.account.remainder_account_id.account_type, "liability_current")
        self.send()
        self.assertEqual([request["Amount"] for request in self.daraja.payments], ["100", "101"])
        self.prove(payment)
        self.assertEqual((payment.state, second.payment_state), ("paid", "paid"))

    def test_several_bills_of_one_payee_grouped_or_not(self):
        grouped = self.pay(self.make_bill(60.6) | self.make_bill(50.6), group_payment=True)
        self.assertEqual((grouped.mapped("amount"), self.carried()), ([111], 0.2))
        bills = self.make_bill(60.6) | self.make_bill(50.6)
        single = self.pay(bills, group_payment=False)
        self.assertEqual(sorted(single.mapped("amount")), [51, 60], "the second takes a shilling")
        self.assertAlmostEqual(self.carried(), 0.4)
        self.assertEqual(bills.mapped("amount_residual"), [0, 0])

    def test_carried_cents_are_each_payee_s_own(self):
        other = self.env["res.partner"].create({"name": "Baraka Mfano"})
        bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": other.id, "acc_number": "0700000042", "acc_type": "mpesa"})
        bank.with_user(self.approver).action_soko_mpesa_verify()
        first = self.make_bill(20.9)
        mine, self.payee = self.payee, other
        second = self.make_bill(30.9)
        self.payee = mine
        payments = self.pay(first | second)
        self.assertEqual(sorted(payments.mapped("amount")), [20, 30])
        self.assertEqual((self.carried(), self.carried(other)), (0.9, 0.9))

    def test_typed_cents_stay_refused(self):
        bill = self.make_bill(300.5)
        with self.assertRaisesRegex(UserError, "whole shillings"):
            self.pay(bill, amount=100.25)
        payment = self.pay(bill, amount=100)
        self.assertEqual((payment.amount, self.carried()), (100, 0), "a part carries nothing")
        payment = self.pay(bill)
        self.assertEqual((payment.amount, bill.amount_residual, self.carried()), (200, 0, 0.5))

    def test_without_the_account_as_before(self):
        self.account.remainder_account_id = False
        with self.assertRaisesRegex(UserError, "whole shillings"):
            self.pay(self.make_bill(100.5))

    def test_set_up_journal_makes_the_account_once(self):
        before = self.account.remainder_account_id
        self.account.with_user(self.manager).action_set_up_journal()
        self.assertEqual(self.account.remainder_account_id, before)
        self.assertEqual(before.name, "M-Pesa remainders owed")

    def test_rejection_brings_the_cents_back(self):
        first, second = self.make_bill(100.5), self.make_bill(100.7)
        self.pay(first)
        taking = self.pay(second)
        self.send()
        self.refuse(taking)
        self.assertEqual((taking.state, second.amount_residual), ("rejected", 100.7))
        self.assertEqual(self.carried(), 0.5)
        again = self.pay(second)
        self.assertEqual((again.amount, second.amount_residual), (101, 0))
        self.assertAlmostEqual(self.carried(), 0.2)

    def test_rejection_of_cents_that_were_paid_already(self):
        """The first bill is open again, less the cents of it that went with the second one."""
        first, second = self.make_bill(100.5), self.make_bill(100.7)
        leaving = self.pay(first)
        self.pay(second)
        self.send()
        self.refuse(leaving)
        self.assertEqual(self.carried(), 0)
        self.assertAlmostEqual(first.amount_residual, 100.2)
        again = self.pay(first)
        self.assertEqual((again.amount, first.amount_residual), (100, 0))
        self.assertAlmostEqual(self.carried(), 0.2, msg="201 of 201.20 are paid")

    def test_rejection_after_the_account_was_archived(self):
        first, second = self.make_bill(100.7), self.make_bill(100.5)
        leaving = self.pay(first)
        self.assertEqual(self.pay(second).amount, 101)
        self.send()
        self.archive_account()
        self.refuse(leaving)
        self.assertEqual(self.carried(), 0)
        self.assertAlmostEqual(first.amount_residual, 100.2)

    def test_withdrawal_brings_the_cents_back(self):
        first = self.make_bill(100.5)
        payment = self.pay(first)
        payment.soko_mpesa_payout_id.with_user(self.maker).action_cancel()
        self.assertEqual((first.amount_residual, self.carried()), (100.5, 0))

    def test_draft_that_would_take_cents_twice(self):
        self.pay(self.make_bill(100.5))
        taking = self.pay(self.make_bill(100.7))
        taking.with_user(self.maker).action_draft()
        self.assertEqual(self.carried(), 0.5)
        self.pay(self.make_bill(20.5))
        self.assertEqual(self.carried(), 0)
        with self.assertRaisesRegex(UserError, "meanwhile"):
            taking.with_user(self.maker).action_post()

    def test_two_at_once_do_not_take_the_same_cents(self):
        """Each writes the payee's row: PostgreSQL lets only one go on, Odoo repeats the other."""
        with patch(TOUCH) as touch:
            self.pay(self.make_bill(50))
            self.assertFalse(touch.mock_calls, "whole shillings make nobody wait")
        place = self.get_place()
        self.account._touch_carried(self.payee)
        self.assertNotEqual(self.get_place(), place)
        with patch(TOUCH) as touch:
            self.pay(self.make_bill(50.6))
            touch.assert_called_once_with(self.env.cr, "res_partner", self.payee.ids)

    def get_place(self):
        """:return: where the payee's row lies; another place after each write"""
        self.env.flush_all()
        self.env.cr.execute("SELECT ctid FROM res_partner WHERE id = %s", [self.payee.id])
        return self.env.cr.fetchone()[0]

    # === TOO MUCH === #

    def test_split(self):
        bill = self.make_bill(250_005.5)
        payments = self.pay(bill)
        self.assertEqual(payments.mapped("amount"), [249_995, 10])
        self.assertEqual(payments.soko_mpesa_payout_ids.mapped("amount"), [249_995, 10])
        self.assertEqual((bill.amount_residual, bill.payment_state), (0, "in_payment"))
        self.assertEqual(self.carried(), 0.5)

    def test_split_is_in_payment_until_the_last_part_is_proven(self):
        self.account.payment_limit = 1000
        bill = self.make_bill(2500)
        payments = self.pay(bill)
        self.assertEqual(payments.mapped("amount"), [1000, 1000, 500])
        self.send()
        for number, payment in enumerate(payments):
            self.assertEqual(bill.payment_state, "in_payment")
            self.prove(payment, f"SG632NMUA{number}")
        self.assertEqual(bill.payment_state, "paid")
        self.assertEqual(payments.mapped("state"), ["paid"] * 3)

    def test_rejected_part_is_paid_again_alone(self):
        self.account.payment_limit = 1000
        bill = self.make_bill(2500)
        payments = self.pay(bill)
        self.send()
        self.refuse(payments[1])
        self.prove(payments[0], "SG632NMUA0")
        self.assertEqual((bill.payment_state, bill.amount_residual), ("partial", 1000))
        again = self.pay(bill)
        self.assertEqual((again.amount, bill.payment_state), (1000, "in_payment"))
        self.send()
        self.prove(payments[2], "SG632NMUA2")
        self.assertEqual(bill.payment_state, "in_payment")
        self.prove(again, "SG632NMUA3")
        self.assertEqual(bill.payment_state, "paid")

    def test_grouped_bills_are_split_together(self):
        self.account.payment_limit = 1000
        bills = self.make_bill(700) | self.make_bill(800.5)
        payments = self.pay(bills, group_payment=True)
        self.assertEqual((payments.mapped("amount"), self.carried()), ([1000, 500], 0.5))
        self.assertEqual(bills.mapped("amount_residual"), [0, 0])

    def test_typed_part_is_split_too(self):
        self.account.payment_limit = 1000
        bill = self.make_bill(5000)
        payments = self.pay(bill, amount=1500)
        self.assertEqual((payments.mapped("amount"), bill.amount_residual), ([1000, 500], 3500))

    def test_direct_payment_over_the_limit_names_the_way(self):
        payment = self.env["account.payment"].create({
            "payment_type": "outbound", "partner_id": self.payee.id, "amount": 250_001,
            "journal_id": self.account.journal_id.id,
            "payment_method_line_id": self.method_line.id,
        })
        with self.assertRaisesRegex(UserError, "open the bill and press Pay"):
            payment.action_post()

    # === TOO LITTLE === #

    def test_less_than_ten_shillings_wait_and_add_up(self):
        first = self.make_bill(6)
        with self.assertRaisesRegex(UserError, "paid together with the payee's next bills"):
            self.pay(first)
        self.assertEqual(first.payment_state, "not_paid")
        bills = first | self.make_bill(5.5)
        self.assertEqual(self.pay(bills, group_payment=True).amount, 11)
        self.assertEqual((bills.mapped("amount_residual"), self.carried()), ([0, 0], 0.5))
