from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestMarginReport(ArtisanCase):
    """Margins compared with sums made by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 12)
        cls.settler = cls._create_user("settler", "soko_artisan.soko_artisan_group_settler")
        cls.box = cls.env["product.product"].create(
            {
                "name": "Box",
                "is_storable": True,
                "standard_price": 80,
                "taxes_id": [Command.clear()],
            }
        )
        cls.env["stock.quant"]._update_available_quantity(
            cls.box, cls.warehouse.lot_stock_id, 20
        )

    def _of(self, *pickings):
        orders = self.env["sale.order"].union(*(p.sale_id for p in pickings))
        [figures] = self.env["soko.margin.report"].with_user(self.settler)._read_group(
            [("order_id", "in", orders.ids)],
            aggregates=["quantity:sum", "revenue:sum", "cost:sum", "margin:sum"],
        )
        return tuple(round(figure, 2) for figure in figures)

    def test_artisan_s_piece(self):
        picking = self._sell(2, price=1500)
        self.assertEqual(self._of(picking), (2, 3000, 700, 2300))
        row = self.env["soko.margin.report"].search([("order_id", "=", picking.sale_id.id)])
        self.assertEqual((row.whose, row.artisan_id), ("artisan", self.amina))
        self.assertEqual(row.product_id, self.cuff)

    def test_net_of_discount_and_tax(self):
        tax = self.env["account.tax"].create(
            {"name": "Test VAT", "amount": 16, "price_include_override": "tax_included"}
        )
        picking = self._sell(2, price=1160, discount=10, tax_ids=[Command.set(tax.ids)])
        self.assertEqual(self._of(picking), (2, 1800, 700, 1100))

    def test_our_own_piece(self):
        picking = self._sell(3, product=self.box, price=200)
        self.assertEqual(self._of(picking), (3, 600, 240, 360))
        self.box.standard_price = 999
        self.assertEqual(self._of(picking), (3, 600, 240, 360), "its value when it left")
        row = self.env["soko.margin.report"].search([("order_id", "=", picking.sale_id.id)])
        self.assertEqual((row.whose, row.artisan_id.id), ("house", False))

    def test_by_the_dozen(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        picking = self._sell(1, product=self.box, price=1200, product_uom_id=dozen.id)
        self.assertEqual(self._of(picking), (12, 1200, 960, 240))
        picking = self._sell(1, price=12000, product_uom_id=dozen.id)
        self.assertEqual(self._of(picking), (12, 12000, 4200, 7800))

    def test_returns(self):
        before, after = self._sell(3), self._sell(3)
        self._return(before, 1)
        self.assertEqual(self._of(before), (2, 3000, 700, 2300))
        self._settle_received(after)
        self._return(after, 1)
        self.assertEqual(self._of(after), (2, 3000, 700, 2300))
        own = self._sell(3, product=self.box, price=200)
        self._return(own, 1)
        self.assertEqual(self._of(own), (2, 400, 160, 240))

    def test_dollars(self):
        usd = self.env.ref("base.USD" if self.company.currency_id.name != "USD" else "base.EUR")
        usd.active = True
        usd.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": usd.id, "name": "2020-01-01", "rate": 0.01}
        )
        self.shopper.property_product_pricelist = self.env["product.pricelist"].create(
            {"name": "Usd", "currency_id": usd.id}
        )
        picking = self._sell(1, price=20)
        self.assertEqual(self._of(picking), (1, 2000, 350, 1650))

    def test_loss_and_use_are_no_sales(self):
        lot = self.env["stock.lot"].search([("soko_artisan_id", "=", self.amina.id)])
        quant = lot.quant_ids.filtered(lambda q: q.location_id.usage == "internal")
        quant.with_context(inventory_mode=True).inventory_quantity = quant.quantity - 1
        quant.with_context(
            soko_decision={"action": "pay", "reason": "broken"}
        ).action_apply_inventory()
        loss = self.env["soko.settlement.line"].search([("kind", "=", "loss")])
        self.assertEqual(loss.amount, 350)
        rows = self.env["soko.margin.report"].search([("product_id", "=", self.cuff.id)])
        self.assertFalse(rows)

    def test_roles_and_companies(self):
        self._sell(1)
        Report = self.env["soko.margin.report"]
        self.assertTrue(Report.with_user(self.settler).search([]))
        for user in (self.officer, self._create_user("stranger", "base.group_user")):
            with self.assertRaises(AccessError):
                Report.with_user(user).search([])
        other = self.env["res.company"].create({"name": "Other"})
        self.settler.company_ids |= other
        there = Report.with_user(self.settler).with_context(allowed_company_ids=other.ids)
        self.assertFalse(there.search([]))
