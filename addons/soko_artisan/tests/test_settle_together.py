from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

from ..models import soko_settlement
from .common import ArtisanCase

# Measured: 28 a payee in a hundred, some more with 40; bill, payment and matching included.
STATEMENTS = 33


@tagged("post_install", "-at_install")
class TestSettleTogether(ArtisanCase):
    """Many payees are settled in one step, with the outcome that each has alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.soko_auto_pay = True
        cls.Settlement = cls.env["soko.settlement"]
        cls.journal = cls.env["account.journal"].create(
            {"name": "Payouts", "type": "bank", "code": "PAYO"}
        )
        cls.method_line = cls.journal.outbound_payment_method_line_ids[:1]

    def _owe(self, payees, lines=1, **values):
        """Make artisans who have a payment method and due lines; return the artisans."""
        artisans = self.env["soko.artisan"].create(
            [{"name": f"Payee {number} Mfano"} for number in range(payees)]
        )
        artisans.partner_id.property_outbound_payment_method_line_id = self.method_line
        self.env["soko.settlement.line"].create(
            [
                {
                    "artisan_id": artisan.id,
                    "payee_id": artisan.partner_id.id,
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "date": "2026-01-02",
                    "due_date": "2026-01-02",
                    "product_id": self.cuff.id,
                    "quantity": 1,
                    "price_unit": 350,
                    "state": "due",
                    **values,
                }
                for artisan in artisans
                for _line in range(lines)
            ]
        )
        return artisans

    def _settlements(self, artisans):
        return self.Settlement.search([("payee_id", "in", artisans.partner_id.ids)])

    def _run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("soko_artisan.ir_cron_settle_due").method_direct_trigger()

    def _count(self, payees, lines=1):
        """Return the statements that it takes to settle so many payees."""
        artisans = self._owe(payees, lines)
        due = self.env["soko.settlement.line"].search([("artisan_id", "in", artisans.ids)])
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        settlements = due._settle()
        settlements._process()
        self.env.flush_all()
        counted = self.env.cr.sql_log_count - before
        self.assertEqual(len(settlements.filtered("payment_ids")), payees)
        return counted

    # === WHAT IT COSTS === #

    def test_statements_of_many_payees(self):
        self._count(2)  # fills Odoo's own caches
        few, many = self._count(10), self._count(40)
        self.assertLessEqual(many, few * 4, "a payee more costs what the others cost")
        self.assertLessEqual(many / 40, STATEMENTS)

    def test_statements_of_many_lines(self):
        self._count(2)
        one, ten = self._count(10), self._count(10, lines=10)
        self.assertLessEqual(ten, one * 1.1)

    # === WHAT COMES OF IT === #

    def test_each_payee_has_a_bill_and_a_payment(self):
        artisans = self._owe(5, lines=3)
        self._run_cron()
        settlements = self._settlements(artisans)
        self.assertEqual(len(settlements), 5)
        for settlement in settlements:
            bill, payment = settlement.bill_id, settlement.payment_ids
            self.assertEqual((len(payment), payment.amount), (1, 1050))
            self.assertEqual((bill.partner_id, bill.amount_residual), (settlement.payee_id, 0))
            self.assertEqual(payment.partner_id, settlement.payee_id)
            self.assertIn(settlement.state, ("in_payment", "paid"))
            self.assertEqual(bill.matched_payment_ids, payment)
            self.assertIn(settlement.name, "".join(bill.message_ids.mapped("body")))
        self.assertEqual(len(set(settlements.bill_id.mapped("name"))), 5)

    def test_pieces_of_one_price_are_one_bill_line(self):
        artisan = self._owe(1, lines=20)
        dear = self.env["soko.settlement.line"].search([("artisan_id", "=", artisan.id)])[0]
        dear.price_unit = 500
        settlement = dear.search([("artisan_id", "=", artisan.id)])._settle()
        settlement._process()
        bill_lines = settlement.bill_id.invoice_line_ids
        figures = bill_lines.mapped(lambda item: (item.quantity, item.price_unit))
        self.assertEqual(sorted(figures), [(1, 500), (19, 350)])
        self.assertEqual(settlement.bill_id.amount_total, 19 * 350 + 500)

    def test_rounding_keeps_lines_apart(self):
        """Three times a third of a shilling is 0.99 as earned, and 1.00 in one line."""
        self.company.tax_calculation_rounding_method = "round_per_line"
        artisan = self._owe(1, lines=3, quantity=0.33, price_unit=1.01)
        lines = self.env["soko.settlement.line"].search([("artisan_id", "=", artisan.id)])
        earned = sum(lines.mapped("amount"))
        self.assertAlmostEqual(earned, 0.99)
        settlement = lines._settle()
        settlement._process()
        self.assertFalse(settlement.failure)
        self.assertAlmostEqual(settlement.bill_id.amount_total, earned)

    # === WHAT GOES WRONG === #

    def test_one_broken_payee_among_many(self):
        artisans = self._owe(9)
        broken = artisans[4].partner_id
        original = type(self.Settlement)._prepare_bill_vals

        def prepare(settlement):
            if settlement.payee_id == broken:
                raise UserError("The payee has no account")
            return original(settlement)

        with patch.object(type(self.Settlement), "_prepare_bill_vals", prepare):
            self._run_cron()
        settlements = self._settlements(artisans)
        failed = settlements.filtered("failure")
        self.assertEqual((failed.payee_id, failed.state), (broken, "draft"))
        self.assertEqual(failed.failure, "The payee has no account")
        self.assertEqual(len((settlements - failed).payment_ids), 8)
        self.assertEqual(len(failed.activity_ids), 1)
        self._run_cron()
        self.assertEqual(len(settlements.payment_ids), 9)
        self.assertEqual(len(self._settlements(artisans)), 9)

    def test_one_payment_that_can_not_be_made(self):
        """Its bill stays posted, and no other payee is paid twice or not at all."""
        artisans = self._owe(5)
        stuck = artisans[2].partner_id
        Payment = type(self.env["account.payment"])
        original = Payment.action_post

        def post(payments):
            if stuck in payments.partner_id:
                raise UserError("Float is empty")
            return original(payments)

        with patch.object(Payment, "action_post", post):
            self._run_cron()
        settlements = self._settlements(artisans)
        failed = settlements.filtered("failure")
        self.assertEqual((failed.payee_id, failed.state), (stuck, "billed"))
        self.assertEqual((len(settlements.payment_ids), len(settlements.bill_id)), (4, 5))
        bill = failed.bill_id
        self._run_cron()
        self.assertEqual((failed.bill_id, len(failed.payment_ids)), (bill, 1))
        self.assertEqual(len(settlements.payment_ids), 5)

    def test_stopped_between_two_chunks(self):
        """What was committed stays, what wasn't is done by the next run, and nothing twice."""
        artisans = self._owe(6)
        groups = self.Settlement._get_payday_groups()
        self.Settlement._settle_payees(groups[:2])._process()
        # committed by the run, and stopped before the bills
        halted = self.Settlement._settle_payees(groups[2:4])
        self.assertEqual(len(self._settlements(artisans).payment_ids), 2)
        self.assertEqual(set(halted.mapped("state")), {"draft"})
        self._run_cron()
        self._run_cron()
        settlements = self._settlements(artisans)
        self.assertEqual((len(settlements), len(settlements.payment_ids)), (6, 6))
        self.assertEqual(sum(settlements.payment_ids.mapped("amount")), 6 * 350)

    def test_chunks(self):
        artisans = self._owe(5)
        original, seen = type(self.Settlement)._process, []

        def process(settlements):
            seen.append(len(settlements))
            return original(settlements)

        with (
            patch.object(soko_settlement, "CHUNK", 2),
            patch.object(type(self.Settlement), "_process", process),
        ):
            self._run_cron()
        self.assertEqual([size for size in seen if size], [2, 2, 1])
        self.assertEqual(len(self._settlements(artisans).payment_ids), 5)

    def test_two_settlements_share_one_advance(self):
        """Her own and her group's settlement at once never pay back more than was lent."""
        group = self.env["res.partner"].create({"name": "Workshop Mfano"})
        advance = self.env["soko.advance"].create(
            {"artisan_id": self.amina.id, "amount": 300, "repay_percent": 100}
        )
        advance.with_user(self.manager).action_grant()
        self._pay(advance)
        advance.bill_id.matched_payment_ids.filtered(
            lambda payment: payment.state == "in_process"
        ).action_validate()
        artisans = self._owe(2)
        lines = self.env["soko.settlement.line"].search([("artisan_id", "in", artisans.ids)])
        lines.artisan_id = self.amina
        lines[0].payee_id = group
        settlements = lines._settle()
        self.assertEqual(len(settlements), 2)
        self.assertEqual(sum(settlements.mapped("amount_deducted")), 300)
        self.assertEqual((advance.balance, sum(settlements.mapped("amount_payable"))), (0, 400))


@tagged("post_install", "-at_install")
class TestSettleTogetherLocked(TransactionCase):
    def test_a_locked_settlement_is_passed_over(self):
        """Two real transactions: what another worker has is left to that one."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env["res.partner"].create({"name": "Locked Mfano"})
            settlement = env["soko.settlement"].create(
                {"payee_id": partner.id, "company_id": env.company.id}
            )
            ids = settlement.id, partner.id
        self.addCleanup(self._clean_up, *ids)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            first.execute("SELECT id FROM soko_settlement WHERE id = %s FOR UPDATE", ids[:1])
            other = api.Environment(second, SUPERUSER_ID, {})["soko.settlement"].browse(ids[0])
            other._process()
            self.assertFalse(other.bill_id)
            self.assertFalse(other.failure)

    def _clean_up(self, settlement, partner):
        """These rows were really committed, and a settlement has no delete."""
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM soko_settlement WHERE id = %s", [settlement])
            api.Environment(cr, SUPERUSER_ID, {})["res.partner"].browse(partner).unlink()
