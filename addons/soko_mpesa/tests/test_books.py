from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestBooks(MpesaCase):
    def post_payment(self, amount, **values):
        payment = self.env["account.payment"].with_user(self.maker).create({
            "payment_type": "outbound", "partner_type": "supplier", "partner_id": self.payee.id,
            "amount": amount, "journal_id": self.account.journal_id.id,
            "payment_method_line_id": self.method_line.id, **values,
        })
        payment.action_post()
        return payment.with_env(self.env)

    def test_amounts(self):
        for amount, words in ((9, "from 10 to"), (250_001, "from 10 to"), (100.5, "whole")):
            with self.subTest(amount=amount), self.assertRaisesRegex(UserError, words):
                self.post_payment(amount)
        self.account.payment_limit = 500
        with self.assertRaisesRegex(UserError, "to 500 KES"):
            self.post_payment(501)
        for amount in (10, 500):
            self.assertEqual(self.post_payment(amount).soko_mpesa_payout_id.amount, amount)

    def test_payee_must_be_verified(self):
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        with self.assertRaisesRegex(UserError, "verified"):
            self.post_payment(100)
        stranger = self.env["res.partner"].create({"name": "No Number"})
        with self.assertRaisesRegex(UserError, "no M-Pesa number"):
            self.post_payment(100, partner_id=stranger.id)

    def test_mpesa_number_goes_before_a_bank_account(self):
        self.env["res.partner.bank"].create({
            "partner_id": self.payee.id, "acc_number": "123456789", "sequence": 0})
        self.assertEqual(self.post_payment(100).partner_bank_id, self.bank)

    def test_number_of_somebody_else(self):
        other = self.env["res.partner"].create({"name": "Juma Mfano"})
        with self.assertRaises(UserError):
            self.post_payment(100, partner_id=other.id, partner_bank_id=self.bank.id)

    def test_accountant_without_role(self):
        bill = self.make_bill()
        with self.assertRaisesRegex(AccessError, "Maker"):
            self.pay_bill(bill, self.accountant)
        self.assertEqual(bill.payment_state, "not_paid")

    def test_accountant_reads_bills_and_payments(self):
        bill, payment, _payout = self.make_payout()
        bill.with_user(self.accountant).read(["payment_state", "soko_mpesa_receipt"])
        values = payment.with_user(self.accountant).read()[0]
        self.assertNotIn("soko_mpesa_payout_id", values)

    def test_only_proof_makes_it_paid(self):
        bill, payment, payout = self.make_payout()
        for act in (
            lambda: payment.action_validate(), lambda: payment.action_reject(),
            lambda: payment.write({"state": "paid"}), lambda: payment.write({"state": "draft"}),
            lambda: payment.write({"amount": 1}),
            lambda: payment.write({"payment_reference": "SG00FORGED"}),
            lambda: payment.write({"partner_bank_id": False}),
            lambda: payment.move_id.button_draft(), lambda: payment.move_id.button_cancel(),
            lambda: payment.move_id._reverse_moves(cancel=True),
            lambda: bill.line_ids.remove_move_reconcile(),
        ):
            with self.assertRaises(UserError):
                act()
        self.assertEqual((payment.state, payout.state), ("in_process", "approved"))
        self.assertEqual(bill.payment_state, "in_payment")

    def test_a_doubt_proves_nothing(self):
        """Silent for a day, so a person must look: nobody may say meanwhile how it ended."""
        bill, payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        payout._raise_exception("silent for a day")
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "accepted"))
        for act in ("action_validate", "action_reject"):
            with self.subTest(act=act), self.assertRaisesRegex(UserError, "Only proof"):
                getattr(payment.with_user(self.accountant), act)()
        self.assertEqual((payment.state, bill.payment_state), ("in_process", "in_payment"))
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Failed"))
        payout.with_user(self.approver).action_resolve()
        self.assertEqual((payout.state, payment.state), ("failed", "rejected"))
        self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 1500))
        with self.assertRaisesRegex(UserError, "Only proof"):
            payment.with_user(self.accountant).action_validate()
        self.assertNoViolation()

    def _match_by_hand(self, payment):
        """Match `payment` with a line as an imported statement has it."""
        in_flight = payment._seek_for_lines()[0]
        line = self.env["account.bank.statement.line"].create({
            "journal_id": self.account.journal_id.id, "date": fields.Date.today(),
            "payment_ref": "by hand", "amount": -1500,
            "counterpart_account_id": in_flight.account_id.id,
        })
        opposite = line.move_id.line_ids.filtered(
            lambda item: item.account_id == in_flight.account_id)
        (in_flight | opposite).reconcile()

    def test_manual_statement_line_is_no_proof(self):
        """Whoever matches the payment with a statement by hand doesn't make it paid."""
        bill, payment, _payout = self.make_payout()
        self._match_by_hand(payment)
        self.assertEqual((payment.state, bill.payment_state), ("in_process", "in_payment"))

    def test_proof_after_an_imported_statement(self):
        """The statement came before the result: booked once, with the receipt."""
        bill, payment, payout = self.make_payout()
        self.send()
        self._match_by_hand(payment)
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payout.exception_reason), ("paid", False))
        self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))
        self.assertEqual(payment.payment_reference, payout.receipt)
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.account.journal_id.id)])
        self.assertEqual(lines.mapped("amount"), [-5, -1500], "the payment once, and its charge")
        self.assertNoViolation()

    def test_posted_payment_does_not_become_mpesa(self):
        """It would read as handed over, and nobody would send it."""
        bill = self.make_bill()
        other = self.env["account.payment.method.line"].create({
            "name": "By hand", "journal_id": self.account.journal_id.id,
            "payment_method_id": self.env.ref("account.account_payment_method_manual_out").id,
            "payment_account_id": self.method_line.payment_account_id.id,
        })
        payment = self.env["account.payment.register"].with_user(self.accountant).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id, "payment_method_line_id": other.id,
            })._create_payments()
        with self.assertRaisesRegex(UserError, "Reset it to draft"):
            payment.write({"payment_method_line_id": self.method_line.id})
        draft = payment.copy()
        with self.assertRaisesRegex(UserError, "Reset it to draft"):
            draft.write({"payment_method_line_id": self.method_line.id, "state": "in_process"})
        draft.write({"payment_method_line_id": self.method_line.id})
        self.assertEqual(draft.state, "draft")

    def test_withdraw_before_sending(self):
        _bill, payment, payout = self.make_payout()
        payment.with_user(self.maker).action_draft()
        self.assertEqual((payout.state, payment.state), ("cancelled", "draft"))
        self.send()
        self.assertEqual(self.daraja.payments, [])
        payment.with_user(self.maker).action_post()
        self.assertEqual(len(payment.soko_mpesa_payout_ids), 2)
        self.assertEqual(payment.soko_mpesa_payout_id.state, "approved")

    def test_cancel_before_sending(self):
        """On the payment or on its payout: the bill can be paid in another way."""
        for press in (lambda payment, payout: payment.with_user(self.maker).action_cancel(),
                      lambda payment, payout: payout.with_user(self.approver).action_cancel()):
            bill, payment, payout = self.make_payout()
            press(payment, payout)
            self.assertEqual((payout.state, payment.state), ("cancelled", "canceled"))
            self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 1500))

    def test_no_withdrawal_after_sending(self):
        _bill, payment, payout = self.make_payout()
        self.send()
        for act in (payment.action_draft, payment.action_cancel,
                    payout.with_user(self.approver).action_cancel, payment.unlink):
            with self.assertRaises(UserError):
                act()
        self.assertEqual((payout.state, payment.state), ("in_flight", "in_process"))

    def test_other_methods_are_untouched(self):
        bank = self.env["account.journal"].search([
            ("type", "=", "bank"), ("company_id", "=", self.company.id),
            ("id", "!=", self.account.journal_id.id)], limit=1)
        bill = self.make_bill()
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids).create({"journal_id": bank.id})
        payment = wizard._create_payments()
        self.assertFalse(payment.soko_mpesa_payout_ids)
        self.assertEqual(bill.payment_state, "paid", "as in plain Odoo Community")

    def test_two_bills_one_payment(self):
        bills = self.make_bill(400) | self.make_bill(600)
        wizard = self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bills.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id, "group_payment": True,
            })
        payment = wizard._create_payments().with_env(self.env)
        self.assertEqual(payment.soko_mpesa_payout_id.amount, 1000)
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(bills.mapped("payment_state"), ["paid", "paid"])
        self.assertEqual(set(bills.mapped("soko_mpesa_receipt")), {"SG632NMUAB"})

    def test_partial_payment_with_cents_left(self):
        bill = self.make_bill(100.5)
        wizard = self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id, "amount": 100,
            })
        wizard._create_payments()
        self.assertEqual((bill.payment_state, bill.amount_residual), ("partial", 0.5))

    def test_books_that_refuse_keep_the_proof(self):
        _bill, payment, payout = self.make_payout()
        self.send()
        self.account.journal_id.suspense_account_id = False
        self.account.journal_id.active = False
        self.company.fiscalyear_lock_date = fields.Date.add(fields.Date.today(), days=1)
        request = self.daraja.payments[0]
        with self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            self.patch(type(payment), "_soko_mpesa_settle",
                       lambda self, receipt: (_ for _ in ()).throw(UserError("locked")))
            self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.attempt_ids.state, payout.state), ("paid", "exception"))
        self.assertIn("locked", payout.exception_reason)
        self.assertTrue(payout.activity_ids)

    def test_journal_without_account(self):
        other = self.env["account.journal"].create({
            "name": "Another bank", "type": "bank", "code": "XBNK",
            "company_id": self.company.id, "outbound_payment_method_line_ids": [Command.create({
                "payment_method_id": self.method_line.payment_method_id.id, "name": "M-Pesa"})]})
        line = other.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c")
        with self.assertRaisesRegex(UserError, "no M-Pesa account"):
            self.post_payment(100, journal_id=other.id, payment_method_line_id=line.id)
