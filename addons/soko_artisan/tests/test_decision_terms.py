from odoo import Command
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestDecisionTerms(ArtisanCase):
    """Pieces that leave unsold are paid by the terms of their agreement, and only once."""

    def _move_out(self, lot, usage, quantity=1):
        target = self.env["stock.location"].search(
            [("usage", "=", usage), ("company_id", "in", (self.company.id, False))], limit=1
        )
        places = {
            "location_id": self.warehouse.lot_stock_id.id,
            "location_dest_id": target.id,
            "product_id": lot.product_id.id,
        }
        line = {
            "lot_id": lot.id,
            "owner_id": lot.soko_artisan_id.partner_id.id,
            "quantity": quantity,
            **places,
        }
        move = self.env["stock.move"].create(
            {
                "product_uom": lot.product_id.uom_id.id,
                "product_uom_qty": quantity,
                "move_line_ids": [Command.create(line)],
                "picked": True,
                **places,
            }
        )
        move._action_done()
        return self.env["soko.settlement.line"].search(
            [("move_line_id", "in", move.move_line_ids.ids)]
        )

    def _find_again(self, lot, quantity):
        """Count more than there is: the pieces are theirs again."""
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", lot.id), ("location_id", "=", self.warehouse.lot_stock_id.id)]
        )
        quant = quant.with_context(inventory_mode=True, soko_decision={"reason": "Found"})
        quant.inventory_quantity = quant.quantity + quantity
        quant.action_apply_inventory()

    def _share(self, basis, *pairs):
        tiers = [Command.create({"threshold": at, "percent": pc}) for at, pc in pairs]
        line = {
            "price_type": "split", "split_percent": 50, "tier_basis": basis, "tier_ids": tiers
        }
        self._create_agreement(self.amina, line=line)
        return self._drop_off(self.amina, 10).move_line_ids.lot_id

    def test_used_once_owed_once(self):
        self._create_agreement(self.amina, debt_trigger="used", hold_days=2)
        lot = self._drop_off(self.amina, 2).move_line_ids.lot_id
        used = self._move_out(lot, "production")
        self.assertEqual((used.kind, used.amount, used.state), ("use", 350, "due"))
        used._settle()
        picking = self._sell(1)
        sold = self._lines_of(picking)
        self.assertEqual((sold.kind, sold.amount, sold.state), ("sale", 350, "due"))
        picking._soko_mark_received("shopper")
        lines = self.env["soko.settlement.line"].search([("lot_id", "=", lot.id)])
        self.assertEqual(lines, used | sold, "two pieces, two debts")
        self.assertEqual(sum(lines.mapped("quantity_kept")), 2)
        self.assertEqual(used.state, "settled", "shipping the other one changes nothing")

    def test_share_by_price_is_one_of_the_list_price(self):
        lot = self._share("price", (1500, 60))
        self.assertEqual(self._move_out(lot, "inventory").price_unit, 900)
        self.cuff.list_price = 1400
        self.assertEqual(self._move_out(lot, "inventory").price_unit, 700)

    def test_lost_and_found_pieces_are_no_sales(self):
        lot = self._share("month", (3, 60))
        self._sell(2, price=1000)
        lost = self._move_out(lot, "inventory")
        self.assertEqual(lost.price_unit, 750, "the share that sales begin with")
        lost._settle()
        self._find_again(lot, 1)
        back = self.env["soko.settlement.line"].search([("origin_line_id", "=", lost.id)])
        self.assertEqual((back.kind, back.amount), ("return", -750))
        sold = self._lines_of(self._sell(2, price=1000))
        self.assertEqual(sold.price_unit, 550, "pieces three and four: one at 50 %, one at 60 %")

    def test_another_currency_is_converted_on_the_day_of_the_loss(self):
        currency = self.env["res.currency"].create(
            {"name": "XTS", "symbol": "T", "rounding": 0.01}
        )
        rate = {"currency_id": currency.id, "name": self.env.company._soko_today()}
        self.env["res.currency.rate"].create(
            {**rate, "inverse_company_rate": 130, "company_id": self.company.id}
        )
        self._create_agreement(self.amina, line={"price_fixed": 2.5}, currency_id=currency.id)
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        lost = self._move_out(lot, "inventory")
        self.assertEqual((lost.price_unit, lost.agreed_price), (325, 2.5))
        self.assertAlmostEqual(lost.agreed_rate, 130, 4)
        decision = self.env["soko.stock.decision"].search([("lot_id", "=", lot.id)])
        self.assertEqual(decision.value, 325)

    def test_price_filled_in_later(self):
        """A loss without a price gets one, and a sale of the same lot its own."""
        self._create_agreement(self.amina)
        lot = self._drop_off(self.amina, 3).move_line_ids.lot_id
        lot.soko_price_type = False
        lost, sold = self._move_out(lot, "inventory"), self._lines_of(self._sell(1, price=1000))
        self.assertEqual((lost.price_unit, sold.price_unit), (0, 0))
        lot.write({"soko_price_type": "split", "soko_split_percent": 50, "soko_unit_price": 0})
        self.assertEqual((lost.price_unit, sold.price_unit), (750, 500))
