import base64
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from . import statement_samples as samples
from .common import MpesaCase
from .fake_daraja import drop, payment_result, status_result

RECEIPT = "SG632NMUAB"


class StatementCase(MpesaCase):
    """Makes statements of what happened, and imports them as an approver."""

    def setUp(self):
        super().setUp()
        self.balance = 100_000
        self.now = fields.Datetime.now()

    def row(self, make, receipt, amount, minutes=0, **more):
        """Return a row of the statement after the ones before; `amount` is signed."""
        self.balance += amount
        return make(receipt, abs(amount), self.balance, at=samples.at(
            self.now + timedelta(minutes=minutes)), **more)

    def paid(self, receipt=RECEIPT, amount=1500, **more):
        return self.row(samples.payment, receipt, -amount, **more)

    def charged(self, receipt=RECEIPT, amount=5, **more):
        return self.row(samples.fee, receipt, -amount, **more)

    def came(self, receipt, amount, minutes=0, **more):
        self.balance += amount
        return samples.line(receipt, amount, self.balance, at=samples.at(
            self.now + timedelta(minutes=minutes)), **more)

    def topped_up(self, receipt="SG63TOPUP0", amount=50_000, **more):
        return self.came(receipt, amount, **{"Reason Type": "Organization Settlement", **more})

    def upload(self, rows, raw=None, user=None, **options):
        return self.env["soko.mpesa.statement"].with_user(user or self.approver).create({
            "account_id": self.account.id, "filename": "statement.csv",
            "file": base64.b64encode(raw or samples.make_csv(rows, **options)),
        })

    def load(self, *rows, user=None, **options):
        statement = self.upload(rows, user=user, **options)
        statement.action_check()
        self.assertFalse(statement.problems)
        statement.action_import()
        self.assertEqual(statement.state, "imported")
        return statement.with_env(self.env)

    def kinds(self, statement):
        return sorted(statement.difference_ids.mapped("kind"))

    def lines(self):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.account.journal_id.id)], order="id")

    def booked(self):
        return {line.soko_mpesa_key: line.amount for line in self.lines()}

    def pay(self, amount=1500, receipt=RECEIPT):
        """A payment that the callback has proven. :return: (bill, payment, payout)"""
        bill, payment, payout = self.make_payout(amount)
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, receipt))
        self.assertEqual(payout.state, "paid")
        return bill, payment, payout

    def lose(self, amount=1500):
        """A payment whose outcome is unknown. :return: (bill, payment, payout)"""
        bill, payment, payout = self.make_payout(amount)
        self.daraja.script.append(drop())
        self.send()
        self.assertEqual(payout.attempt_ids.state, "unknown")
        return bill, payment, payout

    def age(self, payout, **how):
        """Let the payout have been sent earlier."""
        payout.attempt_ids.sent_at = fields.Datetime.subtract(self.now, **how)

    def page(self):
        return self.env["soko.mpesa.reconciliation"].create({"account_id": self.account.id})

    def assertExplained(self, difference=None):
        """The page explains the difference to the cent, and nothing is unexplained."""
        page = self.page()
        self.assertEqual(page.currency_id.compare_amounts(page.explained, page.difference), 0)
        self.assertNotIn("gap", page.line_ids.mapped("kind"))
        if difference is not None:
            self.assertEqual(page.difference, difference)
        return page


@tagged("post_install", "-at_install", "mpesa")
class TestBankLines(StatementCase):
    def test_fee_is_a_line_of_its_own(self):
        _bill, _payment, payout = self.pay()
        self.assertEqual(
            self.booked(), {f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5})
        fee = self.lines()[-1]
        self.assertIn(self.account.fee_account_id, fee.move_id.line_ids.account_id)
        self.assertEqual((payout.fee, payout.fee_source), (5, "tariff"))
        self.assertNoViolation()

    def test_no_line_for_a_fee_of_nothing(self):
        _bill, _payment, payout = self.pay(100)
        self.assertEqual(self.booked(), {f"{RECEIPT}/payment": -100})
        self.assertEqual((payout.fee, payout.fee_source), (0, "tariff"))

    def test_fee_of_the_status_query(self):
        _bill, _payment, payout = self.lose()
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(self.daraja.payments[-1]))
        self.assertEqual((payout.state, payout.fee, payout.fee_source), ("paid", 9, "status"))
        self.assertEqual(self.booked(), {f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -9})

    def test_status_query_after_the_callback(self):
        """The estimate is corrected by a line beside it; repeated answers change nothing."""
        _bill, _payment, payout = self.pay()
        payout.attempt_ids._conclude("positive", None)
        raw = status_result(self.daraja.payments[-1])
        for _time in range(2):
            payout.attempt_ids._hear_status(raw)
        self.assertEqual(self.booked(), {
            f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5, f"{RECEIPT}/fee+1": -4})

    def test_lines_are_kept_as_they_are(self):
        bill, _payment, _payout = self.pay()
        line = self.lines()[0]
        keyed = line.with_user(self.accountant)
        for vals in ({"amount": -1}, {"soko_mpesa_key": False}, {"date": "2020-01-01"},
                     {"soko_mpesa_row_id": False}):
            with self.subTest(vals), self.assertRaises(UserError):
                keyed.write(vals)
        for act in (line.unlink, line.action_undo_reconciliation, line.move_id.button_draft,
                    line.move_id._reverse_moves):
            with self.assertRaisesRegex(UserError, "M-Pesa's books"):
                act()
        with self.assertRaises(AccessError):
            self.env["account.bank.statement.line"].with_user(self.accountant).create({
                "journal_id": self.account.journal_id.id, "amount": 1,
                "soko_mpesa_key": "SG63FORGED/payment"})
        self.assertEqual((line.amount, bill.payment_state), (-1500, "paid"))

    def test_same_movement_twice_is_refused_by_the_database(self):
        self.pay()
        with self.assertRaises(UniqueViolation) as caught, mute_logger("odoo.sql_db"), \
                self.env.cr.savepoint():
            self.env["account.bank.statement.line"].create({
                "journal_id": self.account.journal_id.id, "amount": -1500,
                "soko_mpesa_key": f"{RECEIPT}/payment"})
            self.env.flush_all()
        self.assertIn("soko_mpesa_key", str(caught.exception))

    def test_books_that_refuse_are_tried_again(self):
        bill, payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        self.company.fiscalyear_lock_date = self.company.hard_lock_date = False
        with patch.object(type(payment), "_soko_mpesa_settle",
                          side_effect=UserError("locked")), \
                self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payment.state), ("exception", "in_process"))
        with self.assertRaises(AccessError):
            payout.with_user(self.maker).action_book_again()
        payout.with_user(self.approver).action_book_again()
        self.assertEqual((payout.state, payment.state), ("paid", "paid"))
        self.assertEqual((bill.payment_state, payout.booking_error), ("paid", False))
        with self.assertRaises(UserError):
            payout.with_user(self.approver).action_book_again()
        self.assertNoViolation()

    def test_the_sweep_books_what_was_refused(self):
        _bill, payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        with patch.object(type(payment), "_soko_mpesa_settle",
                          side_effect=UserError("locked")), \
                self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            self.post(request["ResultURL"], payment_result(request))
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual(payout.state, "exception", "not at once again")
        payout.book_again_at = fields.Datetime.subtract(fields.Datetime.now(), minutes=1)
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual((payout.state, payment.state), ("paid", "paid"))


@tagged("post_install", "-at_install", "mpesa")
class TestStatement(StatementCase):
    def test_confirms_what_is_paid(self):
        bill, _payment, payout = self.pay()
        statement = self.load(self.topped_up(minutes=-9), self.paid(), self.charged())
        self.assertEqual(payout.statement_row_id.receipt, RECEIPT)
        self.assertEqual(statement.row_ids.mapped("state"), ["booked"] * 3)
        self.assertEqual(self.kinds(statement), [])
        self.assertEqual((payout.fee_source, bill.payment_state), ("statement", "paid"))
        self.assertEqual(self.booked(), {
            f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5, "SG63TOPUP0/top_up": 50_000})
        top_up = self.lines()[-1]
        self.assertIn(self.company.transfer_account_id, top_up.move_id.line_ids.account_id)
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_nothing_is_written_by_the_check(self):
        bill, _payment, payout = self.lose()
        statement = self.upload([self.paid(), self.charged(), self.topped_up()])
        before = self.lines()
        statement.action_check()
        self.assertEqual(statement.state, "checked")
        self.assertIn("proven paid", statement.preview)
        self.assertFalse(statement.row_ids | statement.row_ids)
        self.assertEqual(
            (self.lines(), payout.state, bill.payment_state), (before, "in_flight", "in_payment"))

    def test_fee_other_than_expected(self):
        _bill, _payment, payout = self.pay()
        statement = self.load(self.paid(), self.charged(amount=13))
        self.assertEqual((payout.fee, payout.fee_source), (13, "statement"))
        self.assertEqual(self.booked()[f"{RECEIPT}/fee+1"], -8)
        self.assertEqual([(d.kind, d.amount) for d in statement.difference_ids], [("fee", -8)])
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_fee_lower_than_expected(self):
        self.pay()
        self.load(self.paid(), self.charged("SG63FEE000", 2, **{"Linked Transaction ID": RECEIPT}))
        self.assertEqual(self.booked(), {
            f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5, f"{RECEIPT}/fee+1": 3})
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_proves_an_unknown_payment(self):
        for details in ("", "Original conversation ID is %s."):
            with self.subTest(details):
                bill, payment, payout = self.lose()
                receipt = f"SG63PROOF{len(details) % 7}"
                named = {"Details": details % payout.attempt_ids.originator_id} if details else {}
                statement = self.load(self.paid(receipt, **named), self.charged(receipt))
                self.assertEqual((payout.state, payout.receipt), ("paid", receipt))
                self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))
                self.assertEqual(payout.statement_row_id.statement_id, statement)
                evidence = payout.evidence_ids.filtered(lambda e: e.kind == "statement")
                self.assertEqual((evidence.verdict, evidence.channel), ("positive", "import"))
                self.assertNoViolation()
        self.assertExplained(100_000)

    def test_callback_after_the_statement(self):
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.load(self.paid(), self.charged())
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, len(self.lines())), ("paid", 2))
        self.assertNoViolation()

    def test_statement_first_and_payment_not_recognised(self):
        """Booked as a stranger; the callback carries it over from the clearing account."""
        bill, payment, payout = self.make_payout()
        self.send()
        masked = {"Other Party Info": "2547*****041 - A", "Details": ""}
        self.load(self.paid(**masked), self.charged())
        self.assertEqual(payout.state, "in_flight")
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payout.exception_reason), ("paid", False))
        self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))
        self.assertEqual(
            self.booked(), {f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5})
        self.assertEqual(self.account._get_balance_of(self.account.clearing_account_id), 0)
        self.assertNoViolation()

    def test_two_payments_fit(self):
        first, second = self.lose()[2], self.lose()[2]
        statement = self.load(self.paid())
        self.assertEqual(statement.row_ids.state, "listed")
        self.assertEqual(self.kinds(statement), ["several"])
        self.assertEqual({first.state, second.state}, {"in_flight"})
        self.assertExplained(100_000 - 1500)
        # the query tells which one it was; then the row is clear
        self.ask()
        request = self.daraja.payments[0]
        url = next(q["ResultURL"] for q in self.daraja.queries
                   if q["OriginalConversationID"] == request["OriginatorConversationID"])
        self.post(url, status_result(request))
        row = statement.row_ids
        with self.assertRaises(AccessError):
            row.with_user(self.maker).action_try_again()
        row.with_user(self.approver).action_try_again()
        self.assertEqual((row.state, row.payout_id.state), ("booked", "paid"))
        self.assertNoViolation()

    def test_amount_differs(self):
        """F32: M-Pesa paid another amount than it was told to."""
        bill, _payment, payout = self.lose()
        named = {"Details": f"ID {payout.attempt_ids.originator_id}"}
        statement = self.load(self.paid(amount=1400, **named))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "unknown"))
        self.assertTrue(self.account.stopped_reason)
        self.assertEqual(self.kinds(statement), ["contradiction"])
        self.assertEqual(bill.payment_state, "in_payment")
        self.assertEqual(self.booked(), {f"{RECEIPT}/payment": -1400})
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_paid_twice(self):
        """F33: a second receipt for what is paid; the payee owes it."""
        _bill, _payment, payout = self.pay()
        named = {"Details": f"ID {payout.attempt_ids.originator_id}"}
        statement = self.load(
            self.paid(), self.charged(), self.paid("SG63SECOND", **named))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "paid"))
        self.assertEqual(self.kinds(statement), ["twice"])
        line = self.lines()[-1]
        owed = line.move_id.line_ids.filtered(
            lambda item: item.account_id.account_type == "liability_payable")
        self.assertEqual((owed.balance, owed.partner_id), (1500, self.payee))
        self.assertExplained(100_000)
        self.assertNoViolation()

    def refuse(self, payout):
        """Two voices say that it wasn't paid."""
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(payout.state, "failed")

    def test_late_success_pays_the_open_bill(self):
        bill, _payment, payout = self.make_payout()
        self.send()
        self.refuse(payout)
        self.assertEqual(bill.payment_state, "not_paid")
        statement = self.load(self.paid(), self.charged())
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "paid"))
        self.assertIn("declared not paid", payout.exception_reason)
        self.assertEqual((bill.payment_state, bill.amount_residual), ("paid", 0))
        self.assertEqual(bill.soko_mpesa_receipt, RECEIPT)
        self.assertEqual(self.kinds(statement), ["late"])
        payout.with_user(self.approver).action_resolve()
        self.assertEqual(payout.state, "paid")
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_late_success_after_the_bill_was_paid_again(self):
        bill, _payment, payout = self.make_payout()
        self.send()
        self.refuse(payout)
        again = self.pay_bill(bill).soko_mpesa_payout_id
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, "SG63AGAIN0"))
        self.assertEqual((again.state, bill.payment_state), ("paid", "paid"))
        self.load(self.paid(), self.charged(), self.paid("SG63AGAIN0"), self.charged("SG63AGAIN0"))
        self.assertEqual((payout.state, again.state), ("exception", "paid"))
        owed = self.env["account.move.line"].search([
            ("partner_id", "=", self.payee.id), ("reconciled", "=", False),
            ("account_id.account_type", "=", "liability_payable"),
            ("parent_state", "=", "posted"), ("amount_residual", "!=", 0)])
        self.assertEqual(sum(owed.mapped("amount_residual")), 1500)
        self.assertExplained(100_000)
        self.assertNoViolation()

    def reverse(self, receipt="SG63BACK00", amount=1500, **more):
        return self.came(receipt, amount, **{
            "Reason Type": "Transaction Reversal", "Details": f"Reversal of {RECEIPT}", **more})

    def test_reversal(self):
        """T15, F34: the bill is open again and can be paid once more."""
        bill, payment, payout = self.pay()
        self.account._secure_entries()
        statement = self.load(self.paid(), self.charged(), self.reverse(minutes=5))
        self.assertEqual((payout.state, payout.reversal_receipt), ("reversed", "SG63BACK00"))
        self.assertEqual((payment.state, bill.payment_state), ("rejected", "not_paid"))
        self.assertEqual(bill.amount_residual, 1500)
        self.assertEqual(self.booked()["SG63BACK00/reversal"], 1500)
        self.assertTrue(payout.activity_ids)
        self.assertFalse(payout.exception_reason)
        self.assertEqual(statement.row_ids.mapped("state"), ["booked"] * 3)
        open_items = self.env["account.move.line"].search([
            ("account_id", "=", self.method_line.payment_account_id.id),
            ("reconciled", "=", False), ("parent_state", "=", "posted")])
        self.assertFalse(open_items)
        again = self.pay_bill(bill).soko_mpesa_payout_id
        self.assertEqual(again.state, "approved")
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(payout.state, "reversed", "a repeated callback doesn't bring it back")
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_reversal_of_a_late_payment(self):
        bill, _payment, payout = self.make_payout()
        self.send()
        self.refuse(payout)
        self.load(self.paid(), self.charged(), self.reverse(minutes=5))
        self.assertEqual(payout.attempt_ids.state, "reversed")
        self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 1500))
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_reversal_of_a_part(self):
        bill, _payment, payout = self.pay()
        statement = self.load(self.paid(), self.charged(), self.reverse(amount=500))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "paid"))
        self.assertEqual((bill.payment_state, self.kinds(statement)), ("paid", ["contradiction"]))
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_strangers_wait_to_be_cleared(self):
        """Payments made by hand in the portal, and shoppers' money."""
        statement = self.load(
            self.paid("SG63HAND00", 700), self.charged("SG63HAND00"),
            self.came("SG63SHOP00", 300, **{"Reason Type": "Pay Bill Online"}),
            self.row(samples.line, "SG63ODD000", 0, **{"Reason Type": "Something new"}))
        self.assertEqual(sorted(statement.row_ids.mapped("state")),
                         ["booked", "unmatched", "unmatched", "unmatched"])
        self.assertEqual(self.kinds(statement), ["stranger"] * 3)
        self.assertEqual(self.account._get_balance_of(self.account.clearing_account_id), 400)
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_somebody_says_what_it_is(self):
        """A payment made by hand in the portal pays a bill; shoppers' money is income."""
        bill = self.make_bill(700)
        statement = self.load(
            self.paid("SG63HAND00", 700),
            self.came("SG63SHOP00", 300, **{"Reason Type": "Pay Bill Online"}))
        hand, shop = statement.row_ids.sorted("receipt")
        payable = bill.line_ids.filtered(
            lambda line: line.account_id.account_type == "liability_payable")
        income = bill.invoice_line_ids.account_id

        def clear(row, user, account, partner=None):
            self.env["soko.mpesa.clearing"].with_user(user).with_context(
                active_ids=row.ids).create({
                    "account_id": account.id, "note": "by hand",
                    "partner_id": partner and partner.id}).action_clear()

        for user in (self.approver, self.accountant):
            with self.assertRaises(AccessError):
                clear(hand, user, payable.account_id, self.payee)
        with self.assertRaisesRegex(UserError, "whose account"):
            clear(hand, self.maker, payable.account_id)
        clear(hand, self.maker, payable.account_id, self.payee)
        clear(shop, self.maker, income)
        self.assertEqual(statement.row_ids.mapped("state"), ["booked"] * 2)
        self.assertEqual(self.account._get_balance_of(self.account.clearing_account_id), 0)
        owed = self.env["account.move.line"].search([
            ("partner_id", "=", self.payee.id), ("account_id", "=", payable.account_id.id),
            ("move_id.journal_id", "=", self.account.journal_id.id)])
        (owed | payable).reconcile()
        self.assertEqual(bill.payment_state, "paid")
        with self.assertRaises(UserError):
            clear(shop, self.maker, income)
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_lines_of_before_the_update(self):
        """Payments that were settled before lines had keys get theirs, and nothing twice."""
        _bill, _payment, payout = self.pay()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_bank_statement_line SET soko_mpesa_key = NULL WHERE journal_id = %s "
            "AND soko_mpesa_key LIKE '%%payment'", [self.account.journal_id.id])
        self.env.invalidate_all()
        self.load(self.paid(), self.charged())
        self.assertEqual(
            self.booked(), {f"{RECEIPT}/payment": -1500, f"{RECEIPT}/fee": -5})
        self.assertTrue(payout.statement_row_id)
        self.assertExplained(100_000)

    def test_again_overlapping_and_reordered(self):
        """F53: each row counts once."""
        self.pay()
        rows = [self.topped_up(minutes=-9), self.paid(), self.charged()]
        self.load(*rows)
        before = self.booked()
        for again in (rows, rows[::-1], rows[1:]):
            statement = self.load(*again)
            self.assertEqual((self.booked(), len(statement.row_ids)), (before, 0))
        more = [*rows[2:], self.came("SG63SHOP00", 300, minutes=3)]
        self.assertEqual(self.load(*more).row_ids.receipt, "SG63SHOP00")
        xlsx = self.upload([], raw=samples.make_xlsx(rows))
        xlsx.action_check()
        xlsx.action_import()
        self.assertFalse(xlsx.row_ids)
        self.assertExplained(100_000)

    def test_edited_row_is_refused(self):
        self.pay()
        self.load(self.topped_up(minutes=-9), self.paid(), self.charged())
        before = self.booked()
        edited = [self.topped_up(amount=60_000, minutes=-9)]
        statement = self.load(*edited)
        self.assertEqual((self.kinds(statement), self.booked()), (["edited"], before))
        self.assertIn("never changes", statement.difference_ids.reason)

    def test_row_left_out_is_seen(self):
        rows = [self.topped_up(minutes=-9), self.paid("SG63HAND00", 700),
                self.topped_up("SG63TOP2")]
        statement = self.load(rows[0], rows[2])
        self.assertFalse(statement.sound)
        self.assertEqual(self.kinds(statement), ["gap"])
        page = self.page()
        gap = page.line_ids.filtered(lambda line: line.kind == "gap")
        self.assertEqual((gap.amount, page.explained), (-700, page.difference))

    def test_foreign_shortcode(self):
        statement = self.upload([self.paid()], preamble=[["Short Code:", "600111"]])
        statement.action_check()
        self.assertIn("600111", statement.problems)
        self.assertEqual(statement.state, "draft")
        with self.assertRaises(UserError):
            statement.action_import()

    def test_bad_files_are_explained(self):
        for raw, words in (
            (b"\x00\x01garbage", "can't be read"), (b"<html></html>", "column names"),
            (samples.make_csv([{**self.paid(), "Withdrawn": "abc"}]), "Row 6, Withdrawn"),
            (samples.make_csv([{**self.paid(), "Details": "=1+1"}]), "formula"),
        ):
            with self.subTest(words):
                statement = self.upload([], raw=raw)
                statement.action_check()
                self.assertIn(words, statement.problems)
                self.assertEqual(statement.state, "draft")

    def test_absence_beside_a_failure_callback(self):
        """1.5: an explicit failure and a statement that doesn't have it."""
        bill, _payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.age(payout, hours=3)
        self.load(self.shown(), self.topped_up(minutes=-30), preamble=[[
            "Time Period:", "From %s To %s" % (
            samples.at(self.now - timedelta(hours=9)), samples.at(self.now))]])
        self.assertEqual((payout.state, bill.payment_state), ("failed", "not_paid"))
        self.assertNoViolation()

    def shown(self):
        """Return the row of another payment of ours: the file is of the paying account."""
        self.pay(200, "SG63SHOWN0")
        return self.paid("SG63SHOWN0", 200, minutes=-100)

    def test_absence_from_another_account_s_statement(self):
        """The working account has the same shortcode, and no payout ever shows there."""
        _bill, _payment, payout = self.lose()
        self.age(payout, hours=3)
        self.load(self.topped_up("SG63TOP1", minutes=-600), self.topped_up(minutes=-30))
        self.assertFalse(payout.evidence_ids.filtered(lambda e: e.verdict == "absent"))
        self.load(self.topped_up("SG63TOP2", minutes=-600), self.shown(),
                  self.topped_up("SG63TOP3", minutes=-30))
        self.assertTrue(payout.evidence_ids.filtered(lambda e: e.verdict == "absent"))
        self.assertEqual(payout.state, "in_flight")

    def test_callback_alone_is_provisional(self):
        """S1: who forged the call can't forge the statement."""
        _bill, _payment, payout = self.pay()
        self.assertTrue(payout.is_provisional)
        self.load(self.paid())
        self.assertFalse(payout.is_provisional)

    def test_absence_alone_proves_nothing(self):
        _bill, _payment, payout = self.lose()
        self.age(payout, hours=3)
        self.load(self.topped_up("SG63TOP1", minutes=-600), self.shown(),
                  self.topped_up(minutes=-30))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("in_flight", "unknown"))
        self.assertEqual(payout.evidence_ids[0].verdict, "absent")
        self.assertNoViolation()

    def test_absence_with_three_not_found(self):
        _bill, _payment, payout = self.lose()
        self.age(payout, hours=3)
        request = self.daraja.payments[-1]
        for _time in range(3):
            self.ask()
            self.post(self.daraja.queries[-1]["ResultURL"], status_result(
                request, "", code=2, description="The transaction does not exist"))
        self.assertEqual(payout.attempt_ids.state, "unknown")
        self.load(self.topped_up("SG63TOP1", minutes=-600), self.shown(),
                  self.topped_up(minutes=-30))
        self.assertEqual(payout.state, "failed")
        self.assertNoViolation()

    def test_absence_that_does_not_count(self):
        """Sent before or after what the statement covers, or it doesn't add up."""
        _bill, _payment, payout = self.lose()
        rows = [self.topped_up("SG63TOP1", minutes=-120), self.topped_up(minutes=-10)]
        for number, (age, given) in enumerate((
            ({"hours": 3}, rows), ({"minutes": 60}, rows),
            ({"minutes": 100}, [{**rows[0], "Balance": "1.00"}, rows[1]]),
        )):
            self.age(payout, **age)
            renamed = [{**row, "Receipt No.": f"{row['Receipt No.']}{number}"} for row in given]
            self.load(*renamed)
            self.assertFalse(payout.evidence_ids.filtered(lambda e: e.kind == "statement"))

    def test_maker_does_not_bring_negative_proof(self):
        self.maker.group_ids += self.env.ref("soko_mpesa.soko_mpesa_group_manager")
        _bill, _payment, payout = self.make_payout()
        payout.with_user(self.approver).action_approve()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code=1037))
        failed = {"Transaction Status": "Failed"}
        self.load(self.came("SG63X", 1, minutes=-300) | {"Receipt No.": "SG63XX0"},
                  {**self.paid("SG63FAIL00"), **failed}, user=self.maker)
        self.assertEqual(payout.attempt_ids.state, "unknown")
        self.balance += 1500
        self.load({**self.paid("SG63FAIL01"), **failed})
        self.assertEqual(payout.state, "failed")

    def test_paid_here_and_not_there(self):
        _bill, _payment, payout = self.pay()
        self.age(payout, hours=3)
        statement = self.load(
            self.topped_up("SG63TOP1", minutes=-600), self.shown(),
            self.topped_up(minutes=-30))
        self.assertEqual(self.kinds(statement), ["missing"])
        self.assertEqual(statement.difference_ids.payout_id, payout)
        self.assertTrue(payout.activity_ids)
        self.assertEqual(payout.state, "paid")

    def test_file_of_another_account_lists_one_difference(self):
        """The charges account shows no payout: that is told once, and no payout is accused."""
        payouts = [self.pay(1500, f"SG63PAID{number:02}")[2] for number in range(2)]
        for payout in payouts:
            self.age(payout, hours=3)
        statement = self.load(
            self.topped_up("SG63TOP1", minutes=-600), self.topped_up(minutes=-30))
        self.assertEqual(self.kinds(statement), ["missing"])
        self.assertFalse(statement.difference_ids.payout_id)
        self.assertIn("2 payouts of this period", statement.difference_ids.reason)
        self.assertFalse(payouts[0].activity_ids | payouts[1].activity_ids)

    def test_many_rows_by_the_job(self):
        rows = [self.came(f"SG63C{number:05}", 10) for number in range(230)]
        statement = self.upload(rows)
        statement.action_check()
        with patch("odoo.addons.soko_mpesa.models.soko_mpesa_statement.CHUNK", 40):
            statement.action_import()
            self.assertEqual((statement.state, statement.done_count), ("importing", 0))
            self.run_cron("soko.mpesa.statement", "_cron_import")
        statement.invalidate_recordset()
        self.assertEqual((statement.state, statement.done_count), ("imported", 230))
        self.assertExplained(100_000)

    def test_absence_is_heard_by_the_job_some_at_a_time(self):
        """An attempt that is busy must not undo what the others have heard; nobody hears twice."""
        lost = [self.lose(amount)[2] for amount in (1500, 1600, 1700)]
        for payout in lost:
            self.age(payout, hours=3)
        rows = [self.topped_up(f"SG63TOP{number:03}", minutes=-600) for number in range(6)]
        statement = self.upload([*rows, self.shown(), self.topped_up(minutes=-30)])
        statement.action_check()
        module = "odoo.addons.soko_mpesa.models.soko_mpesa_statement"
        votes, hear = [], type(statement)._vote_absence
        with patch(f"{module}.CHUNK", 1), patch(f"{module}.VOTES", 1), patch.object(
                type(statement), "_vote_absence", lambda self, limit=None: (
                    votes.append(limit), hear(self, limit))[1]):
            statement.action_import()
            self.run_cron("soko.mpesa.statement", "_cron_import")
        self.assertEqual(statement.state, "imported")
        self.assertGreaterEqual(votes.count(1), 3)
        for payout in lost:
            absent = payout.evidence_ids.filtered(lambda fact: fact.verdict == "absent")
            self.assertEqual(len(absent), 1)
        self.assertNoViolation()

    def test_lock_date(self):
        """What happened in a closed period is booked on the first open day, as Odoo does it."""
        lock = fields.Date.today() - timedelta(days=10)
        self.company.fiscalyear_lock_date = lock
        statement = self.load(self.topped_up(minutes=-40 * 24 * 60))
        self.assertEqual(statement.row_ids.state, "booked")
        self.assertGreater(self.lines().date, lock)
        self.assertEqual(statement.row_ids.completed_at.date(),
                         fields.Date.today() - timedelta(days=40))
        self.assertExplained(100_000)

    def test_books_refuse_a_row(self):
        account = self.env.registry["soko.mpesa.account"]
        with patch.object(account, "_book_line", side_effect=UserError("closed")):
            statement = self.load(self.topped_up())
        row = statement.row_ids
        self.assertEqual((row.state, self.kinds(statement)), ("failed", ["failed"]))
        self.assertIn("closed", row.note)
        self.assertExplained(150_000)
        row.with_user(self.approver).action_try_again()
        self.assertEqual(row.state, "booked")
        self.assertExplained(100_000)

    def test_rows_are_append_only(self):
        statement = self.load(self.topped_up())
        for query in ("UPDATE soko_mpesa_statement_row SET amount = 1 WHERE id = %s",
                      "DELETE FROM soko_mpesa_statement_row WHERE id = %s"):
            with self.assertRaisesRegex(Exception, "never changes"), \
                    mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.env.cr.execute(query, [statement.row_ids.id])
        with self.assertRaises(UserError):
            statement.with_user(self.approver).write({"file": b"eA=="})
        with self.assertRaises(UserError):
            statement.with_user(self.approver).unlink()

    def test_rights(self):
        statement = self.upload([self.topped_up()])
        for user in (self.maker, self.accountant):
            with self.assertRaises(AccessError):
                self.upload([], user=user)
            for act in ("action_check", "action_import"):
                with self.assertRaises(AccessError):
                    getattr(statement.with_user(user), act)()
        self.assertTrue(statement.with_user(self.maker).name)
        with self.assertRaises(AccessError):
            statement.with_user(self.approver).write({"state": "imported"})
        with self.assertRaises(UserError):
            statement.with_user(self.approver).action_import()
        statement.with_user(self.manager).action_check()
        statement.with_user(self.manager).action_import()
        for model in ("soko.mpesa.statement.row", "soko.mpesa.difference"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.manager).create({})
        with self.assertRaises(AccessError):
            statement.row_ids.with_user(self.approver).write({"state": "new"})

    def test_views_open_for_every_role(self):
        for user in (self.maker, self.approver, self.manager):
            for name, kinds in (
                ("soko.mpesa.statement", ("form", "list", "search")),
                ("soko.mpesa.statement.row", ("form", "list", "search")),
                ("soko.mpesa.difference", ("list", "search")),
                ("soko.mpesa.declaration", ("form", "list", "search")),
                ("soko.mpesa.reconciliation", ("form",)),
            ):
                views = [(False, kind) for kind in kinds]
                got = self.env[name].with_user(user).get_views(views)["views"]
                self.assertEqual(set(got), set(kinds))
