from datetime import date

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools.payday import last_payday
from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAdvance(ArtisanCase):
    """Advances are paid out through the books, and paid back by settlements, never below zero."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 20)

    def _advance(self, amount=1000, paid_out=True, **values):
        advance = self.env["soko.advance"].create(
            {"artisan_id": self.amina.id, "amount": amount, "note": "Brass", **values}
        )
        if paid_out:
            advance.with_user(self.manager).action_grant()
            self._pay(advance)
            self._prove(advance.bill_id)
            self.assertEqual(advance.state, "paid_out")
        return advance

    def _prove(self, bill):
        """Books without a bank statement call a bill paid or in payment: both end as paid here."""
        bill.matched_payment_ids.filtered(lambda p: p.state == "in_process").action_validate()

    def _debt(self):
        """What Amina owes by the books."""
        account = self.company._soko_get_advance_account()
        items = self.env["account.move.line"].search(
            [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        )
        return sum(items.mapped("balance"))

    def _settle_sale(self, quantity):
        return self._settle_received(self._sell(quantity))

    def test_share_of_each_settlement(self):
        advance = self._advance(1000, repay_percent=50)
        self.assertEqual(self._debt(), 1000)
        first = self._settle_sale(2)
        self.assertEqual((first.amount_total, first.amount_deducted), (700, 350))
        self.assertEqual(first.bill_id.amount_total, 350)
        line = first.bill_id.invoice_line_ids.filtered(lambda item: item.price_unit < 0)
        self.assertIn(advance.name, line.name)
        self.assertEqual((advance.balance, self._debt()), (650, 650))
        second = self._settle_sale(6)
        self.assertEqual((second.amount_deducted, second.bill_id.amount_total), (650, 1450))
        self.assertEqual((advance.balance, advance.state, self._debt()), (0, "repaid", 0))
        self.assertFalse(self._settle_sale(1).amount_deducted)

    def test_never_below_zero_and_the_rest_is_carried(self):
        advance = self._advance(1000, repay_type="fixed", repay_amount=900)
        settlement = self._settle_sale(1)
        self.assertEqual((settlement.amount_deducted, settlement.amount_payable), (350, 0))
        self.assertEqual(settlement.bill_id.amount_total, 0)
        self.assertEqual((settlement.bill_id.state, advance.balance), ("posted", 650))

    def test_several_advances_oldest_first(self):
        late = self._advance(500, repay_percent=100, date="2026-02-01")
        early = self._advance(300, repay_percent=100, date="2026-01-01")
        settlement = self._settle_sale(1)
        self.assertEqual((early.balance, late.balance), (0, 450))
        self.assertEqual(settlement.amount_payable, 0)

    def test_money_that_never_left_is_not_taken_back(self):
        advance = self._advance(1000, paid_out=False)
        self.assertFalse(self._settle_sale(1).amount_deducted)
        advance.with_user(self.manager).action_grant()
        self.assertEqual(advance.state, "granted")
        self.assertFalse(self._settle_sale(1).amount_deducted)

    def test_cancelled_settlement_owes_it_again(self):
        advance = self._advance(1000)
        settlement = self._settle_sale(2)
        self.assertEqual(advance.balance, 650)
        settlement.bill_id.button_cancel()
        self.assertEqual((settlement.state, advance.balance), ("cancelled", 1000))
        self.assertEqual(self._debt(), 1000)
        settlement.with_user(self.manager).action_release_lines()
        again = self.env["soko.settlement.line"].search([("state", "=", "due")])._settle()
        self.assertEqual((again.amount_deducted, advance.balance), (350, 650))

    def test_loan_needs_consent(self):
        loan = self._advance(1000, paid_out=False, purpose="loan")
        with self.assertRaisesRegex(UserError, "must agree first"):
            loan.with_user(self.manager).action_grant()
        loan.write({"consent_date": "2026-01-05", "consent_note": "Paper 12"})
        loan.with_user(self.manager).action_grant()
        self.assertEqual(loan.state, "granted")
        with self.assertRaisesRegex(UserError, "granted already"):
            loan.with_user(self.manager).action_grant()

    def test_message_tells_about_the_deduction(self):
        self._advance(1000)
        settlement = self._settle_sale(2)
        text = settlement._get_paid_text(settlement.line_ids)
        self.assertIn("Advance paid back: 350, left: 650", text)

    def test_one_repayment_a_settlement(self):
        self._advance(1000)
        settlement = self._settle_sale(2)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            settlement.repayment_ids.copy()

    def test_roles(self):
        advance = self._advance(1000)
        settlement = self._settle_sale(1)
        portal = self._create_user("amina", "base.group_portal")
        other = self._create_user("baraka", "base.group_portal")
        clerk = self._create_user("clerk", "stock.group_stock_user")
        self.amina.partner_id = portal.partner_id
        repayment = settlement.repayment_ids
        self.assertEqual(advance.with_user(portal).balance, advance.balance)
        self.assertEqual(repayment.with_user(portal).amount, 175)
        for user in (other, clerk):
            for record in (advance, repayment):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    record.with_user(user).read(["amount"])
        with self.assertRaises(AccessError):
            advance.with_user(self.officer).action_grant()
        with self.assertRaises(AccessError):
            advance.with_user(self.manager).amount = 5
        with self.assertRaises(AccessError):
            repayment.with_user(self.manager).write({"amount": 1})
        with self.assertRaises(UserError):
            advance.unlink()

    # === WHEN AND HOW MUCH === #

    def test_smallest_payout(self):
        self.company.soko_minimum_payout = 1000
        first = self._sell(2)
        self.assertFalse(self._settle_received(first))
        settlement = self._settle_received(self._sell(1))
        self.assertFalse(settlement)
        lines = self.env["soko.settlement.line"].search([("state", "=", "due")])
        self.assertEqual(lines._settle().amount_total, 1050)

    def test_a_manager_pays_less_than_the_smallest_payout(self):
        self.company.soko_minimum_payout = 1000
        picking = self._sell(1)
        picking._soko_mark_received("staff")
        action = self._lines_of(picking).with_user(self.manager).action_settle_now()
        self.assertTrue(action["res_id"])

    def test_paydays(self):
        friday, monday = date(2026, 11, 27), date(2026, 11, 30)
        self.assertEqual(last_payday(friday, "at_once"), friday)
        self.assertEqual(last_payday(monday, "weekly", weekday=4), friday)
        self.assertEqual(last_payday(friday, "weekly", weekday=4), friday)
        self.assertEqual(last_payday(date(2026, 2, 28), "monthly", monthday=31), date(2026, 2, 28))
        self.assertEqual(last_payday(date(2026, 3, 30), "monthly", monthday=31), date(2026, 2, 28))
        self.assertEqual(last_payday(date(2026, 1, 3), "monthly", monthday=5), date(2025, 12, 5))

    def test_run_waits_for_the_payday(self):
        today = self.company._soko_today()
        self.company.soko_settle_schedule = "weekly"
        self.company.soko_settle_weekday = str((today.weekday() + 1) % 7)
        picking = self._sell(1)
        picking._soko_mark_received("staff")
        groups = self.env["soko.settlement"]._get_payday_groups()
        self.assertNotIn(self._lines_of(picking), [lines for *_key, lines in groups])
        self._lines_of(picking).due_date = fields.Date.subtract(today, days=6)
        groups = self.env["soko.settlement"]._get_payday_groups()
        self.assertIn(self._lines_of(picking), [lines for *_key, lines in groups])

    # === BOOKS === #

    def test_own_journal_and_numbers(self):
        bills = self._settle_sale(1).bill_id | self._settle_sale(1).bill_id
        self.assertEqual(bills.journal_id, self.company.soko_settlement_journal_id)
        self.assertTrue(all(bill.name.startswith("SETT/") for bill in bills))

    def test_withholding_from_the_fiscal_position(self):
        """5 % withheld from an artisan with a tax number; without a position nothing changes."""
        usual = self.env["account.tax"].create(
            {"name": "VAT in", "amount": 16, "type_tax_use": "purchase"}
        )
        self.cuff.supplier_taxes_id = usual
        self.assertEqual(self._settle_sale(2).bill_id.amount_total, 700)
        position = self.env["account.fiscal.position"].create({"name": "Withholding"})
        self.env["account.tax"].create(
            {
                "name": "Withheld",
                "amount": -5,
                "type_tax_use": "purchase",
                "fiscal_position_ids": [Command.link(position.id)],
                "original_tax_ids": [Command.link(usual.id)],
            }
        )
        self.amina.partner_id.property_account_position_id = position
        settlement = self._settle_sale(2)
        self.assertEqual(settlement.bill_id.amount_untaxed, 700)
        self.assertEqual(settlement.bill_id.amount_total, 665)
        settlement._check_bill_amount()
