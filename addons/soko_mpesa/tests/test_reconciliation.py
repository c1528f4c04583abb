import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..tools import statement_invariants
from .fake_daraja import payment_result, status_result
from .test_statement import RECEIPT, StatementCase

# What would break each invariant of the books, if somebody got at the tables.
SABOTAGE = {
    "I-6 what is booked of a row of the statement is its amount":
        "UPDATE account_bank_statement_line SET amount = 1 WHERE soko_mpesa_key IS NOT NULL",
    "I-6 a movement of M-Pesa's is booked as it is, and stays posted":
        "UPDATE account_move SET state = 'draft' WHERE statement_line_id IS NOT NULL",
    "I-6 a confirmed payment has the statement's receipt and amount":
        "UPDATE soko_mpesa_payout SET receipt = 'SG63OTHER0' WHERE statement_row_id IS NOT NULL",
    "I-6 what isn't booked of the statement is listed":
        "UPDATE soko_mpesa_statement_row SET state = 'new'",
    "I-13 two persons declared, and neither made the payment":
        "UPDATE soko_mpesa_declaration SET declared_by = %(maker)s",
    "I-15 rows of the statement are guarded":
        "DROP TRIGGER soko_mpesa_statement_row_whole ON soko_mpesa_statement_row",
    "I-19 a sound statement adds up":
        "UPDATE soko_mpesa_statement SET total = 1 WHERE state = 'imported'",
}


@tagged("post_install", "-at_install", "mpesa")
class TestReconciliation(StatementCase):
    def open_with(self, amount):
        """Book what M-Pesa held before the first statement."""
        equity = self.env["account.account"].search([
            ("account_type", "=", "equity"), ("company_ids", "=", self.company.id)], limit=1)
        move = self.env["account.move"].create({
            "journal_id": self.account.journal_id.id, "line_ids": [
                Command.create({"account_id": self.account.journal_id.default_account_id.id,
                                "balance": amount}),
                Command.create({"account_id": equity.id, "balance": -amount})]})
        move.action_post()

    def test_nothing_to_explain(self):
        self.open_with(100_000)
        self.pay()
        self.load(self.paid(), self.charged())
        page = self.assertExplained(0)
        self.assertEqual((page.provider_balance, page.books_balance), (98_495, 98_495))

    def test_why_they_differ(self):
        self.open_with(100_000)
        self.pay()
        self.load(self.paid(), self.charged())
        self.pay(700, "SG63LATER0")
        self.lose(400)
        page = self.assertExplained(705)
        self.assertEqual((page.in_flight_amount, page.in_flight_count), (400, 1))
        by_name = {line.name: (line.amount, line.reason) for line in page.line_ids}
        self.assertEqual(by_name["SG63LATER0 payment"][0], 700)
        self.assertEqual(by_name["SG63LATER0 fee"][0], 5)
        self.assertIn("estimate", by_name["SG63LATER0 fee"][1])

    def test_without_a_statement(self):
        self.pay()
        page = self.page()
        self.assertEqual((page.statement_id.id, page.difference, page.books_balance),
                         (False, 0, -1505))
        self.assertFalse(page.line_ids)

    def test_balance_query(self):
        self.open_with(100_000)
        self.pay()
        self.account.write({
            "float_amount": 98_500, "charges_amount": -5, "float_at": fields.Datetime.now()})
        page = self.page()
        self.assertEqual((page.queried_balance, page.queried_difference), (98_495, 0))

    def test_cents(self):
        self.load(self.came("SG63CENTS0", 0.1), self.came("SG63CENTS1", 0.2))
        self.assertExplained(100_000)
        self.assertNoViolation()

    def test_page_for_each_role_and_its_print(self):
        self.pay()
        self.load(self.paid(), self.charged())
        for user in (self.maker, self.approver, self.manager):
            action = self.account.with_user(user).action_reconciliation()
            page = self.env[action["res_model"]].with_user(user).browse(action["res_id"])
            self.assertEqual(page.difference, page.explained)
        with self.assertRaises(AccessError):
            self.account.with_user(self.accountant).action_reconciliation()
        form = Form(self.env["soko.mpesa.reconciliation"].with_user(self.approver))
        self.assertEqual(form.account_id.id, self.account.id)
        html = self.env["ir.actions.report"]._render_qweb_html(
            "soko_mpesa.soko_mpesa_reconciliation_document", page.ids)[0].decode()
        self.assertIn("98,495.00", html)
        self.assertIn("Before the first statement", html)

    def test_each_invariant_is_seen_broken(self):
        self.assertEqual(set(SABOTAGE), set(statement_invariants.queries()))
        self.pay()
        self.load(self.paid(), self.charged(), self.topped_up())
        lost = self.lose(400)[2]
        self.age(lost, hours=25)
        self.env["soko.mpesa.declaration"].with_user(self.approver).create({
            "payout_id": lost.id, "outcome": "paid", "receipt": "SG63LOST00"})
        self.assertNoViolation()
        for name, statement in SABOTAGE.items():
            for thorough in (False, True):
                with self.subTest(name), contextlib.suppress(ZeroDivisionError), \
                        self.env.cr.savepoint():
                    self.env.cr.execute(statement, {"maker": self.maker.id})
                    found = self.env["soko.mpesa.payout"]._invariant_violations(thorough)
                    self.assertIn(name, found)
                    raise ZeroDivisionError
                self.env.invalidate_all(flush=False)


@tagged("post_install", "-at_install", "mpesa")
class TestHashLock(StatementCase):
    def test_final_entries_are_locked(self):
        _bill, payment, _payout = self.pay()
        self.load(self.topped_up(), self.paid(), self.charged())
        self.run_cron("soko.mpesa.account", "_cron_secure")
        moves = self.lines().move_id | payment.move_id
        moves.invalidate_recordset()
        self.assertTrue(all(move.inalterable_hash for move in moves))
        for move in moves:
            with self.assertRaises(UserError):
                move.button_draft()
            with self.assertRaisesRegex(UserError, "hash|locked"):
                move.write({"date": "2020-01-01"})
        self.env.user.group_ids += self.env.ref("account.group_account_user")
        result = self.company._check_hash_integrity()["results"]
        name = self.account.journal_id.name
        own = [line for line in result if line["journal_name"].startswith(name)]
        self.assertTrue(own)
        self.assertEqual({line["status"] for line in own}, {"verified"})
        self.assertNoViolation()

    def test_what_is_not_final_stays_open(self):
        """A payment can be withdrawn before it is sent, and be rejected after it."""
        _bill, payment, _payout = self.make_payout()
        self.account._secure_entries()
        self.assertFalse(payment.move_id.inalterable_hash)
        payment.with_user(self.maker).action_draft()
        payment.with_user(self.maker).action_cancel()
        self.assertEqual(payment.state, "canceled")
        bill, payment, payout = self.lose()
        self.account._secure_entries()
        self.assertFalse(payment.move_id.inalterable_hash)
        payout.attempt_ids._lock()
        payout.attempt_ids._become_not_paid(payout.attempt_ids.evidence_ids[0])
        self.account._secure_entries()
        self.assertEqual((payment.state, bill.payment_state), ("rejected", "not_paid"))
        self.assertTrue(payment.move_id.inalterable_hash)

    def test_locked_again_and_again(self):
        for number in range(3):
            self.pay(300 + number, f"SG63PAY{number}00")
            self.account._secure_entries()
            self.account._secure_entries()
        self.assertTrue(all(self.lines().move_id.mapped("inalterable_hash")))


@tagged("post_install", "-at_install", "mpesa")
class TestPaidOnce(StatementCase):
    def register(self, bill, **values):
        return self.env["account.payment.register"].with_user(self.accountant).with_context(
            active_model="account.move", active_ids=bill.ids).create(values)

    def test_no_second_payment(self):
        bill, payment, _payout = self.make_payout()
        with self.assertRaisesRegex(UserError, "being paid by M-Pesa already"):
            bill.with_user(self.accountant).action_register_payment()
        with self.assertRaisesRegex(UserError, "being paid by M-Pesa already"):
            bill.with_user(self.accountant).action_force_register_payment()
        with self.assertRaises(UserError):
            self.register(bill)
        other = self.env["account.journal"].search([
            ("type", "=", "bank"), ("company_id", "=", self.company.id),
            ("id", "!=", self.account.journal_id.id)], limit=1)
        payable = bill.line_ids.filtered(
            lambda line: line.account_id.account_type == "liability_payable")
        line = self.env["account.bank.statement.line"].create({
            "journal_id": other.id, "amount": -1500, "payment_ref": "by bank",
            "counterpart_account_id": payable.account_id.id, "partner_id": self.payee.id})
        item = line.move_id.line_ids.filtered(lambda i: i.account_id == payable.account_id)
        with self.assertRaisesRegex(UserError, "being paid by M-Pesa already"):
            (payable | item).reconcile()
        self.assertEqual((bill.payment_state, payment.state), ("in_payment", "in_process"))

    def test_only_the_open_rest_is_offered(self):
        bill = self.make_bill(1500)
        self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id, "amount": 1000,
            })._create_payments()
        self.assertEqual((bill.payment_state, bill.amount_residual), ("partial", 500))
        bill.with_user(self.accountant).action_register_payment()
        self.assertEqual(self.register(bill).amount, 500)

    def test_several_bills_of_which_one_is_with_mpesa(self):
        bill = self.make_payout()[0]
        free = self.make_bill(300)
        with self.assertRaisesRegex(UserError, bill.name):
            (bill | free).with_user(self.accountant).action_register_payment()

    def test_after_the_proof(self):
        """Paid reads as paid, and not paid can be paid by the bank."""
        bill, _payment, payout = self.lose()
        payout.attempt_ids._lock()
        payout.attempt_ids._become_not_paid(payout.attempt_ids.evidence_ids[0])
        other = self.env["account.journal"].search([
            ("type", "=", "bank"), ("company_id", "=", self.company.id),
            ("id", "!=", self.account.journal_id.id)], limit=1)
        self.register(bill, journal_id=other.id)._create_payments()
        self.assertEqual(bill.amount_residual, 0)

    def test_bills_can_be_found(self):
        bill = self.make_payout()[0]
        paid = self.pay(300, "SG63PAID00")[0]
        view = self.env.ref("soko_mpesa.account_move_view_search_bill")
        self.assertIn("soko_mpesa", view.arch)
        found = self.env["account.move"].search([
            ("payment_state", "=", "in_payment"),
            ("matched_payment_ids.payment_method_code", "=", "mpesa_b2c")])
        self.assertIn(bill, found)
        self.assertNotIn(paid, found)


@tagged("post_install", "-at_install", "mpesa")
class TestDollarCompany(StatementCase):
    """The company counts in dollars; M-Pesa moves shillings."""

    @classmethod
    def _make_company(cls):
        res = super()._make_company()
        cls.usd = cls.env.ref("base.USD")
        cls.usd.active = True
        cls.company.currency_id = cls.usd
        cls.kes = cls.env.ref("base.KES")
        cls.env["res.currency.rate"].create({
            "currency_id": cls.kes.id, "name": "2020-01-01", "rate": 130,
            "company_id": cls.company.id})
        return res

    def make_bill(self, amount=1500, currency=None):
        currency = currency or self.kes
        bill = self.env["account.move"].create({
            "move_type": "in_invoice", "partner_id": self.payee.id, "currency_id": currency.id,
            "invoice_date": fields.Date.today(), "journal_id": self.env["account.journal"].search(
                [("type", "=", "purchase"), ("company_id", "=", self.company.id)], limit=1).id,
            "invoice_line_ids": [Command.create({
                "name": "Two cuffs", "quantity": 1, "price_unit": amount, "tax_ids": []})],
        })
        bill.action_post()
        return bill

    def test_whole_way(self):
        bill, payment, payout = self.pay()
        self.assertEqual((payment.currency_id, payment.amount), (self.kes, 1500))
        self.assertEqual(bill.payment_state, "paid")
        statement = self.load(self.topped_up(minutes=-9), self.paid(), self.charged(amount=7))
        self.assertEqual((payout.fee, self.kinds(statement)), (7, ["fee"]))
        self.assertEqual(sum(self.booked().values()), 50_000 - 1507)
        page = self.assertExplained(100_000)
        self.assertEqual(page.books_balance, 50_000 - 1507)
        self.assertEqual(page.currency_id, self.kes)
        self.assertNoViolation()

    def fail_payout(self, payout):
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.ask()
        query = next(query for query in self.daraja.queries if (
            query["OriginalConversationID"] == request["OriginatorConversationID"]))
        self.post(query["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(payout.state, "failed")
        # the jobs' transactions drew numbers of entries that this one doesn't know
        self.env.cr.precommit.data.pop("sequence.mixin", None)

    def pay_part(self, bill, amount):
        """Pay `amount` shillings of `bill`, have it refused. :return: the payout"""
        payout = self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id, "amount": amount,
                "currency_id": self.kes.id, "payment_method_line_id": self.method_line.id,
            })._create_payments().with_env(self.env).soko_mpesa_payout_id
        self.assertEqual(payout.amount, amount)
        self.fail_payout(payout)
        return payout

    def pay_again(self, payout):
        """:return: how many shillings were paid again"""
        payout.with_user(self.maker).action_pay_again()
        return payout.replaced_by_ids.soko_mpesa_payout_ids.amount

    def test_a_part_is_paid_again_as_a_part(self):
        """1,500 shillings are 11.54 dollars: shillings are compared with shillings."""
        bill = self.make_bill(1500)
        self.assertEqual(self.pay_again(self.pay_part(bill, 100)), 100)
        self.assertEqual(bill.amount_residual, 1400)

    def test_all_is_paid_again_with_its_cents(self):
        bill = self.make_bill(700.5)
        payout = self.pay_bill(bill).soko_mpesa_payout_id
        self.fail_payout(payout)
        self.assertEqual(self.pay_again(payout), 700)
        self.assertEqual(bill.amount_residual, 0)

    def test_bill_in_dollars(self):
        """Its shillings are those that were to be paid, and never more than it is worth today."""
        bill = self.make_bill(100, self.usd)  # 13,000 shillings
        self.account.sudo().auto_approve_limit = 50_000
        self.assertEqual(self.pay_again(self.pay_part(bill, 1300)), 1300)
        self.assertEqual(bill.amount_residual, 90)
        last = self.pay_part(bill, 11700)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.env["account.journal"].search([
                    ("type", "=", "bank"), ("company_id", "=", self.company.id),
                    ("id", "!=", self.account.journal_id.id)], limit=1).id,
                "amount": 50, "currency_id": self.usd.id})._create_payments()
        self.assertEqual(bill.amount_residual, 40)
        self.assertEqual(self.pay_again(last), 5200)
        self.assertEqual(bill.amount_residual, 0)

    def test_reversal(self):
        bill, payment, payout = self.pay()
        self.load(self.paid(), self.charged(), self.came(
            "SG63BACK00", 1500, **{"Reason Type": "Transaction Reversal",
                                   "Details": f"Reversal of {RECEIPT}"}))
        self.assertEqual((payout.state, bill.payment_state), ("reversed", "not_paid"))
        self.assertEqual((payment.state, bill.amount_residual), ("rejected", 1500))
        self.assertExplained(100_000)
        self.assertNoViolation()


@tagged("post_install", "-at_install", "mpesa")
class TestLockDates(StatementCase):
    def test_proof_in_a_closed_period(self):
        """The payment was made in a period that was closed before the statement came."""
        _bill, payment, payout = self.lose()
        self.age(payout, days=2)
        lock = fields.Date.today() - timedelta(days=1)
        self.company.fiscalyear_lock_date = lock
        statement = self.load(self.paid(minutes=-2 * 24 * 60 + 1))
        self.assertEqual((payout.state, payment.state), ("paid", "paid"))
        self.assertEqual(statement.row_ids.state, "booked")
        self.assertTrue(all(line.date > lock for line in self.lines()))
        self.assertNoViolation()

    def test_proof_that_the_books_refuse(self):
        """It stays proven, and is booked later; then the row is confirmed as well."""
        _bill, payment, payout = self.lose()
        with patch.object(type(payment), "_soko_mpesa_settle", side_effect=UserError("no")), \
                self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            statement = self.load(self.paid())
        self.assertEqual((payout.attempt_ids.state, payout.state), ("paid", "exception"))
        self.assertTrue(payout.booking_error)
        self.assertEqual(statement.row_ids.state, "failed")
        self.assertExplained(100_000 - 1500)
        payout.with_user(self.approver).action_book_again()
        self.assertEqual((payout.state, payment.state), ("paid", "paid"))
        statement.row_ids.with_user(self.approver).action_try_again()
        self.assertEqual(statement.row_ids.state, "booked")
        self.assertNoViolation()

    def test_callback_is_booked_on_its_day(self):
        self.company.fiscalyear_lock_date = fields.Date.today() - timedelta(days=1)
        _bill, _payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(payout.state, "paid")
