from contextlib import contextmanager

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestTraps(ArtisanCase):
    """What plain Odoo gets wrong with owned goods, each with the set-up it was measured with.

    T2, T2b and T3 (whose piece is taken) are in test_reservation; T11 (production) with the
    module that knows manufacturing and, without it, in test_decision.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls._create_agreement(cls.baraka, line={"price_fixed": 400})
        cls.stock = cls.warehouse.lot_stock_id
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.suppliers = cls.env.ref("stock.stock_location_suppliers")

    def _own(self, quantity, product=None):
        product = product or self.cuff
        lot = self.env["stock.lot"].create({"name": f"OWN-{quantity}", "product_id": product.id})
        self.env["stock.quant"]._update_available_quantity(
            product, self.stock, quantity, lot_id=lot if product.tracking == "lot" else None
        )

    @contextmanager
    def _refused(self, error, text):
        """The step is refused with these words, and leaves nothing behind."""
        with self.assertRaisesRegex(error, text), self.env.cr.savepoint():
            yield

    def _product(self, cost=15, owned=0, tracking="none", **category):
        """A product with a category of its own, not ticked as consigned."""
        categ = self.env["product.category"].create({"name": "Test", **category})
        product = self._create_product(
            "Trap",
            soko_consigned=False,
            categ_id=categ.id,
            standard_price=cost,
            tracking=tracking,
        )
        if owned:
            self._take_in(product, owned)
        return product

    def _take_in(self, product, quantity, owner=None):
        """Receive pieces of an owner past the drop-off dialog, as any app could."""
        lot = self.env["stock.lot"]
        if product.tracking == "lot":
            lot = lot.create({"name": "TRAP", "product_id": product.id})
        move = self.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom_qty": quantity,
                "product_uom": product.uom_id.id,
                "location_id": self.suppliers.id,
                "location_dest_id": self.stock.id,
                "move_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": quantity,
                            "lot_id": lot.id,
                            "owner_id": (owner or self.amina.partner_id).id,
                            "location_id": self.suppliers.id,
                            "location_dest_id": self.stock.id,
                        }
                    )
                ],
                "picked": True,
            }
        )
        move._action_done()
        return move

    def test_t1_the_sale_makes_the_debt(self):
        self._drop_off(self.amina, 2)
        self._drop_off(self.baraka, 5)
        self._own(3)
        picking = self._sell(4)
        lines = self._lines_of(picking)
        self.assertEqual(
            {(li.artisan_id, li.quantity, li.amount) for li in lines},
            {(self.amina, 2, 700), (self.baraka, 2, 800)},
        )
        self.assertEqual(picking.move_ids.value, 0)
        self.assertEqual(self.cuff.total_value, 0)

    def test_t4b_invoice_before_delivery_books_no_cost(self):
        """The cost is the settlement's bill, once; Odoo's own cost of goods adds nothing."""
        self.company.anglo_saxon_accounting = True
        self._drop_off(self.amina, 4)
        self.cuff.invoice_policy = "order"
        order = self._order(4)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertFalse(invoice.line_ids.filtered(lambda li: li.display_type == "cogs"))
        picking = self._ship(order)
        settlement = self._settle_received(picking)
        expense = settlement.bill_id.invoice_line_ids.account_id
        items = (invoice | settlement.bill_id).line_ids
        costs = items.filtered(lambda item: item.account_id == expense)
        self.assertEqual(sum(costs.mapped("balance")), 1400)

    def test_t4c_half_own_half_consigned(self):
        self.company.anglo_saxon_accounting = True
        self._drop_off(self.amina, 1)
        self._own(1)
        self.cuff.invoice_policy = "order"
        order = self._order(2)
        picking = self._ship(order)
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertFalse(invoice.line_ids.filtered(lambda li: li.display_type == "cogs"))
        self.assertEqual(self._lines_of(picking).mapped("amount"), [350])

    def test_t4_perpetual_product_takes_no_owned_goods(self):
        product = self._product(property_valuation="real_time")
        with self._refused(UserError, "valued periodically"):
            self._take_in(product, 4)

    def test_t5_fifo_takes_no_owned_goods(self):
        product = self._product(property_cost_method="fifo")
        with self._refused(UserError, "standard cost"):
            self._take_in(product, 10)
        self.assertEqual(product.total_value, 0)

    def test_t5b_switching_to_fifo_with_owned_goods_inside(self):
        product = self._product(cost=0, owned=10)
        for vals in ({"property_cost_method": "fifo"}, {"property_valuation": "real_time"}):
            with self.subTest(vals), self._refused(ValidationError, "belong to others"):
                product.categ_id.write(vals)
        with self._refused(ValidationError, "belong to others"):
            product.standard_price = 15
        other = self.env["product.category"].create(
            {"name": "Fifo", "property_cost_method": "fifo"}
        )
        with self._refused(ValidationError, "belong to others"):
            product.categ_id = other
        self.assertEqual(product.total_value, 0)

    def test_t5c_the_period_closes_without_owned_goods(self):
        self._drop_off(self.amina, 10)
        vals = self.company.with_context(active_test=False)
        value = vals.stock_value(at_date=self.company._soko_today())
        before = sum(line["value"] if isinstance(line, dict) else 0 for line in value.values())
        self._drop_off(self.amina, 5)
        value = vals.stock_value(at_date=self.company._soko_today())
        after = sum(line["value"] if isinstance(line, dict) else 0 for line in value.values())
        self.assertEqual(before, after)
        owned = self.env["stock.quant"].search([("owner_id", "=", self.amina.partner_id.id)])
        self.assertEqual(sum(owned.mapped("value")), 0)

    def test_t6_own_and_consigned_in_one_product(self):
        """With a cost, Odoo shows a fifth of the value of our own: so there's no cost."""
        product = self._product(cost=10)
        self._own(2, product)
        with self._refused(UserError, "cost must be 0"):
            self._take_in(product, 8)
        quant = self.env["stock.quant"].search(
            [("product_id", "=", product.id), ("location_id", "=", self.stock.id)]
        )
        self.assertEqual((quant.value, product.total_value), (20, 20))

    def test_t7_lot_valuated(self):
        product = self._product(cost=0, owned=0, tracking="lot")
        product.lot_valuated = True
        with self._refused(UserError, "valued by lot"):
            self._take_in(product, 3)
        template = self.cuff.product_tmpl_id
        self._drop_off(self.amina, 3)
        with self.assertRaises(ValidationError):
            template.write({"soko_consigned": False, "lot_valuated": True})

    def test_t8_purchase_order_with_an_owner(self):
        product = self._product(cost=0)
        order = self.env["purchase.order"].create(
            {
                "partner_id": self.amina.partner_id.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_qty": 5, "price_unit": 30}
                    )
                ],
            }
        )
        order.button_confirm()
        receipt = order.picking_ids
        receipt.owner_id = self.amina.partner_id
        receipt.move_ids.picked = True
        with self._refused(UserError, "buys these pieces"):
            receipt._action_done()
        receipt.owner_id = False
        receipt.move_line_ids.owner_id = False
        receipt.move_ids.restrict_partner_id = False
        receipt.move_ids.picked = True
        receipt._action_done()
        self.assertEqual(order.order_line.qty_received, 5)

    def test_t9_return_goes_back_to_its_owner(self):
        self._drop_off(self.amina, 2)
        back = self._return(self._sell(2), 2)
        self.assertEqual(back.move_line_ids.owner_id, self.amina.partner_id)
        self.assertEqual(self._stock_of(self.amina), 2)
        decisions = self.env["soko.stock.decision"].search(
            [("owner_id", "=", self.amina.partner_id.id)]
        )
        self.assertFalse(decisions, "a shopper's return needs no decision")

    def test_t10_owned_pieces_are_not_bought_besides(self):
        """Pieces of makers can be sold: an old rule buys nothing, a new one is refused."""
        values = {
            "product_id": self.cuff.id,
            "product_min_qty": 3,
            "product_max_qty": 6,
            "location_id": self.stock.id,
        }
        Rule = self.env["stock.warehouse.orderpoint"]
        self.cuff.soko_consigned = False
        rule = Rule.create(values)
        self.assertEqual(rule.qty_to_order, 6)
        self.cuff.soko_consigned = True
        self._drop_off(self.amina, 5)
        rule.invalidate_recordset()
        self.assertEqual(rule._get_qty_to_order(), 0)
        rule.unlink()
        with self._refused(ValidationError, "never bought"):
            Rule.create(values)
        self.assertEqual(self.cuff.free_qty, 5, "the shop can sell them")

    def test_t12_scrap_asks_and_pays(self):
        lot = self._drop_off(self.baraka, 5).move_line_ids.lot_id
        scrap = self.env["stock.scrap"].create(
            {
                "product_id": self.cuff.id,
                "lot_id": lot.id,
                "owner_id": self.baraka.partner_id.id,
                "scrap_qty": 1,
            }
        )
        with self._refused(UserError, "belong to Baraka Mfano"):
            scrap.action_validate()
        self.assertEqual(self._stock_of(self.baraka), 5)
        scrap.soko_decision = "pay"
        scrap.action_validate()
        decision = self.env["soko.stock.decision"].search(
            [("move_line_id", "in", scrap.move_ids.move_line_ids.ids)]
        )
        self.assertEqual(
            (decision.cause, decision.action, decision.quantity, decision.value),
            ("scrap", "pay", 1, 400),
        )
        line = decision.settlement_line_id
        self.assertEqual((line.kind, line.amount, line.state), ("loss", 400, "due"))
        self.assertEqual(self._stock_of(self.baraka), 4)
        self.assertEqual(line._settle().amount_total, 400)

    def test_t12_scrap_form_knows_the_owner(self):
        lot = self._drop_off(self.baraka, 1).move_line_ids.lot_id
        form = Form(self.env["stock.scrap"])
        form.product_id = self.cuff
        form.lot_id = lot
        self.assertEqual(form.owner_id, self.baraka.partner_id)
