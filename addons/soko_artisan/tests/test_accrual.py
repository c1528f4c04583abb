from contextlib import contextmanager

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.soko_artisan.tools.accrual import cover

from .common import ArtisanCase

END = "2026-01-31"


@tagged("post_install", "-at_install")
class TestCover(BaseCase):
    def test_first_ones_first(self):
        pieces = [("a", 2), ("b", 3)]
        for invoiced, shares in ((0, (0, 0)), (1, (1, 0)), (4, (2, 2)), (9, (2, 3)), (-2, (0, 0))):
            self.assertEqual(tuple(cover(pieces, invoiced).values()), shares)


@tagged("post_install", "-at_install")
class TestAccrual(ArtisanCase):
    """The cost of a sale stands in the period of its sale, and once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "Africa/Nairobi"
        cls.settler = cls._create_user("settler", "soko_artisan.soko_artisan_group_settler")
        cls.expense = cls.cuff.product_tmpl_id.get_product_accounts()["expense"]
        with freeze_time("2026-01-05 09:00:00"):
            cls._create_agreement(cls.amina)
            cls._drop_off(cls.amina, 20)

    @contextmanager
    def _on(self, day):
        with freeze_time(f"{day} 09:00:00"):
            yield

    def _invoice(self, order, quantity=None):
        invoice = order._create_invoices()
        if quantity is not None:
            invoice.invoice_line_ids.quantity = quantity
        invoice.action_post()
        return invoice

    def _sold(self, quantity=2, day="2026-01-20", invoiced=True):
        """Order, ship and invoice on one day; return the delivery."""
        with self._on(day):
            picking = self._sell(quantity)
            if invoiced:
                self._invoice(picking.sale_id)
        return picking

    def _wizard(self, date=END, user=None, **values):
        Wizard = self.env["soko.accrual"].with_user(user or self.settler)
        return Wizard.create({"date": date, **values})

    def _accrue(self, date=END, on="2026-02-03", **values):
        with self._on(on):
            action = self._wizard(date, **values).action_accrue()
            domain = action.get("domain") or [("id", "=", action["res_id"])]
            return self.env["account.move"].search(domain).sorted("date")

    def _costs(self, start, end):
        """Return what the expense account says of a period: the cost of consigned sales."""
        self.env.flush_all()
        [[balance]] = self.env["account.move.line"]._read_group(
            [
                ("account_id", "=", self.expense.id),
                ("parent_state", "=", "posted"),
                ("date", ">=", start),
                ("date", "<=", end),
                ("company_id", "=", self.company.id),
            ],
            aggregates=["balance:sum"],
        )
        return balance or 0

    def _january(self):
        return self._costs("2026-01-01", "2026-01-31")

    def _february(self):
        return self._costs("2026-02-01", "2026-02-28")

    # === THE RIGHT PERIOD, ONCE === #

    def test_billed_in_the_next_month(self):
        picking = self._sold(2)
        entry, back = self._accrue()
        self.assertEqual((str(entry.date), str(back.date)), (END, "2026-02-01"))
        self.assertEqual({entry.state, back.state}, {"posted"})
        self.assertEqual((self._january(), self._february()), (700, -700))
        with self._on("2026-02-10"):
            self._settle_received(picking)
        self.assertEqual((self._january(), self._february()), (700, 0))
        credit = entry.line_ids.filtered("credit")
        self.assertEqual(credit.account_id, self.company.soko_accrual_account_id)
        self.assertEqual(credit.partner_id, self.amina.partner_id)
        self.assertEqual(sum(self._owed(entry.company_id).mapped("balance")), 0)

    def _owed(self, company):
        return self.env["account.move.line"].search(
            [("account_id", "=", company.soko_accrual_account_id.id)]
        )

    def test_invoiced_before_it_was_sent(self):
        """The web order is paid and invoiced in January and leaves in February."""
        self.cuff.invoice_policy = "order"
        with self._on("2026-01-30"):
            order = self._order(2)
            invoice = self._invoice(order)
        self.assertFalse(invoice.line_ids.filtered(lambda li: li.display_type == "cogs"))
        with self.assertRaisesRegex(UserError, "Nothing to accrue"):
            self._accrue()
        with self._on("2026-02-04"):
            picking = self._ship(order)
        february = self._accrue("2026-02-28", on="2026-03-02")
        self.assertEqual((self._january(), self._february()), (0, 700))
        with self._on("2026-03-05"):
            self._settle_received(picking)
        self.assertEqual(self._costs("2026-03-01", "2026-03-31"), 0)
        self.assertEqual(self._costs("2026-01-01", "2026-12-31"), 700, "never twice")
        self.assertEqual(len(february), 2)

    def test_invoiced_before_and_sent_in_the_same_month(self):
        self.cuff.invoice_policy = "order"
        with self._on("2026-01-10"):
            order = self._order(2)
            self._invoice(order)
        with self._on("2026-01-20"):
            self._ship(order)
        self._accrue()
        self.assertEqual(self._january(), 700)

    def test_billed_in_time(self):
        picking = self._sold(2)
        with self._on("2026-01-28"):
            self._settle_received(picking)
        with self.assertRaisesRegex(UserError, "Nothing to accrue"):
            self._accrue()
        self.assertEqual(self._january(), 700)

    def test_not_invoiced(self):
        self._sold(2, invoiced=False)
        with self.assertRaisesRegex(UserError, "Nothing to accrue"):
            self._accrue()
        self._accrue(include_uninvoiced=True)
        self.assertEqual(self._january(), 700)

    def test_invoiced_in_part(self):
        picking = self._sold(5, invoiced=False)
        with self._on("2026-01-21"):
            self._invoice(picking.sale_id, 2)
        with self._on("2026-02-01"):
            self._invoice(picking.sale_id)
        self._accrue()
        self.assertEqual(self._january(), 700)

    def test_sold_later(self):
        self._sold(2, day="2026-02-01")
        with self.assertRaisesRegex(UserError, "Nothing to accrue"):
            self._accrue()

    def test_draft_invoice_is_no_income(self):
        picking = self._sold(2, invoiced=False)
        with self._on("2026-01-21"):
            picking.sale_id._create_invoices()
        with self.assertRaisesRegex(UserError, "Nothing to accrue"):
            self._accrue()

    # === RETURNS, LOSSES, CANCELLED BILLS === #

    def test_return_before_settlement(self):
        picking = self._sold(3)
        with self._on("2026-01-25"):
            self._return(picking, 1)
        self._accrue()
        self.assertEqual(self._january(), 700)

    def test_return_after_settlement(self):
        picking = self._sold(3, day="2026-01-10")
        with self._on("2026-01-15"):
            self._settle_received(picking)
        with self._on("2026-01-25"):
            self._return(picking, 1)
        self._accrue()
        self.assertEqual(self._january(), 1050 - 350)

    def test_return_of_what_is_settled_and_not_billed(self):
        picking = self._sold(3, day="2026-01-10")
        with self._on("2026-01-15"):
            picking._soko_mark_received("staff")
            self._lines_of(picking)._settle()
        with self._on("2026-01-25"):
            self._return(picking, 1)
            refund = picking.sale_id.invoice_ids._reverse_moves([{"invoice_date": "2026-01-25"}])
            refund.invoice_line_ids.quantity = 1
            refund.action_post()
        self.assertEqual(refund.invoice_line_ids.sale_line_ids, picking.sale_id.order_line)
        self.assertEqual(refund.move_type, "out_refund")
        self._accrue()
        self.assertEqual(self._january(), 700)

    def test_loss_waits_for_no_invoice(self):
        lot = self.env["stock.lot"].search([("soko_artisan_id", "=", self.amina.id)])
        quant = lot.quant_ids.filtered(lambda q: q.location_id.usage == "internal")
        with self._on("2026-01-25"):
            quant.with_context(inventory_mode=True).inventory_quantity = quant.quantity - 1
            quant.with_context(
                soko_decision={"action": "pay", "reason": "broken"}
            ).action_apply_inventory()
        self._accrue()
        self.assertEqual(self._january(), 350)

    def test_reversed_bill_is_no_bill(self):
        picking = self._sold(2, day="2026-01-10")
        with self._on("2026-01-15"):
            settlement = self._settle_received(picking)
        with self._on("2026-01-20"):
            settlement.bill_id._reverse_moves(
                [{"date": "2026-01-20", "invoice_date": "2026-01-20"}], cancel=True
            )
        self._accrue()
        self.assertEqual(self._january(), 700)

    # === ONCE === #

    def test_twice_is_once(self):
        self._sold(2)
        first = self._accrue()
        self._sold(1, day="2026-01-22")
        self.assertEqual(self._accrue(), first)
        self.assertEqual(self._january(), 700)
        with self._on("2026-02-03"):
            self.assertEqual(self._wizard().existing_id, first[0])

    def test_the_database_keeps_one(self):
        self._sold(2)
        first = self._accrue()[0]
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            first.copy({"soko_accrual_date": first.soko_accrual_date})
        self.assertFalse(first.copy().soko_accrual_date)

    def test_anew_after_cancelling(self):
        self._sold(2)
        moves = self._accrue()
        moves.button_draft()
        moves.button_cancel()
        self._sold(1, day="2026-01-22")
        self._accrue()
        self.assertEqual((self._january(), self._february()), (1050, -1050))

    def test_two_periods(self):
        self._sold(2)
        self._accrue()
        self._sold(1, day="2026-02-20")
        self._accrue("2026-02-28", on="2026-03-02")
        self.assertEqual((self._january(), self._february()), (700, 350))

    def test_period_is_not_over(self):
        self._sold(2)
        with self.assertRaisesRegex(UserError, "not over yet"):
            self._accrue(on="2026-01-25")

    def test_default_period(self):
        with self._on("2026-02-03"):
            wizard = self.env["soko.accrual"].with_user(self.settler).create({})
        self.assertEqual(str(wizard.date), END)

    def test_preview_is_what_is_posted(self):
        self._sold(2)
        with self._on("2026-02-03"):
            wizard = self._wizard()
            self.assertEqual((wizard.quantity, wizard.amount), (2, 700))
            self.assertFalse(wizard.existing_id)
        entry = self._accrue()[0]
        self.assertEqual(sum(entry.line_ids.mapped("debit")), 700)
        debit = entry.line_ids.filtered("debit")
        self.assertIn("2 x", debit.name)
        self.assertIn(self.cuff.display_name, debit.name)

    def test_account_of_the_bill(self):
        special = self.expense.copy({"name": "Cost of consigned sales"})
        self.cuff.property_account_expense_id = special
        self._sold(2)
        entry = self._accrue()[0]
        self.assertEqual(entry.line_ids.filtered("debit").account_id, special)

    # === RIGHTS AND COMPANIES === #

    def test_roles(self):
        self._sold(2)
        stranger = self._create_user("stranger", "account.group_account_invoice")
        for user in (self.officer, stranger):
            with self.assertRaises(AccessError):
                self._wizard(user=user).action_accrue()

    def test_other_company_s_sales_stay_out(self):
        self._sold(2)
        other = self.env["res.company"].create(
            {"name": "Other", "currency_id": self.company.currency_id.id}
        )
        self.settler.write({"company_ids": [Command.link(other.id)]})
        Wizard = self.env["soko.accrual"].with_user(self.settler).with_company(other)
        with self._on("2026-02-03"):
            wizard = Wizard.new({"date": END, "company_id": other.id})
            self.assertEqual(wizard.amount, 0)
