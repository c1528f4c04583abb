from odoo import Command
from odoo.tests import tagged

from .common import ArtisanQcCase


@tagged("post_install", "-at_install")
class TestOwnedPieces(ArtisanQcCase):
    """The measured trap T11: production takes makers' pieces in, and nobody is owed for them."""

    def _decisions(self):
        return self.env["soko.stock.decision"].search(
            [("owner_id", "in", (self.amina | self.baraka).partner_id.ids)]
        )

    def test_parts_of_something_new_are_paid(self):
        """Amina's 3 and Baraka's 1 become 4 necklaces of ours."""
        self._create_agreement(self.baraka, line={"price_fixed": 400})
        for artisan, count in ((self.amina, 3), (self.baraka, 1)):
            receipt = self._drop_off(artisan, count)
            self._inspect(receipt)
        necklace = self.env["product.product"].create({"name": "Necklace", "is_storable": True})
        bom = self.env["mrp.bom"].create(
            {
                "product_tmpl_id": necklace.product_tmpl_id.id,
                "bom_line_ids": [Command.create({"product_id": self.cuff.id, "product_qty": 1})],
            }
        )
        order = self.env["mrp.production"].create({"bom_id": bom.id, "product_qty": 4})
        order.action_confirm()
        order.action_assign()
        order.qty_producing = 4
        order.move_raw_ids.picked = True
        order.button_mark_done()
        self.assertEqual(order.state, "done")
        decisions = self._decisions()
        self.assertEqual(set(decisions.mapped("cause")), {"use"})
        lines = decisions.settlement_line_id
        self.assertEqual(
            {(li.artisan_id, li.kind, li.quantity, li.amount, li.state) for li in lines},
            {(self.amina, "use", 3, 1050, "due"), (self.baraka, "use", 1, 400, "due")},
        )
        self.assertFalse(order.move_finished_ids.move_line_ids.owner_id, "these are ours")

    def test_plated_pieces_stay_their_makers(self):
        receipt = self._drop_off(self.amina, 2)
        self._inspect(receipt)
        plated = self._plate(receipt.move_line_ids.lot_id)
        self.assertEqual(plated.soko_artisan_id, self.amina)
        self.assertEqual(self._stock_of(self.amina, self.plated), 1)
        self.assertFalse(self._decisions(), "nobody buys her piece by plating it")

    def test_rejected_pieces_go_back_without_a_debt(self):
        receipt = self._drop_off(self.amina, 2)
        inspection = self._inspect(receipt, failing=1)
        back = inspection.sudo()._create_return(
            self.amina.partner_id, inspection.sudo()._get_return_picking_type()
        )
        back.action_assign()
        back.move_ids.picked = True
        back._action_done()
        decision = self._decisions()
        self.assertEqual((decision.cause, decision.action), ("return", "return"))
        self.assertFalse(decision.settlement_line_id)
