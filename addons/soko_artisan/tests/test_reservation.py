from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestReservation(ArtisanCase):
    """The measured traps T1, T2, T2b and T3 of plain Odoo, with the same set-up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls._create_agreement(cls.baraka, line={"price_fixed": 400})
        cls._drop_off(cls.amina, 2)
        cls._drop_off(cls.baraka, 5)

    def _delivery(self, quantity, **values):
        locations = {
            "location_id": self.warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        move = {
            "product_id": self.cuff.id,
            "product_uom_qty": quantity,
            "product_uom": self.cuff.uom_id.id,
            **locations,
        }
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "move_ids": [Command.create(move | values.pop("move", {}))],
                **locations,
                **values,
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking

    def test_first_dropped_off_first_sold(self):
        order = self._order(4)
        lines = order.picking_ids.move_line_ids
        self.assertEqual(
            {(ml.owner_id, ml.quantity) for ml in lines},
            {(self.amina.partner_id, 2), (self.baraka.partner_id, 2)},
        )
        picking = self._ship(order)
        self.assertEqual(
            {(li.artisan_id, li.quantity, li.amount) for li in self._lines_of(picking)},
            {(self.amina, 2, 700), (self.baraka, 2, 800)},
        )
        self.assertEqual((self._stock_of(self.amina), self._stock_of(self.baraka)), (0, 3))

    def test_owner_of_the_delivery_is_honoured(self):
        picking = self._delivery(1, owner_id=self.baraka.partner_id.id)
        self.assertEqual(picking.move_line_ids.owner_id, self.baraka.partner_id)
        picking.move_ids.picked = True
        picking._action_done()
        self.assertEqual((self._stock_of(self.amina), self._stock_of(self.baraka)), (2, 4))
        self.assertEqual(self._lines_of(picking).artisan_id, self.baraka)

    def test_owner_of_the_move_is_honoured(self):
        picking = self._delivery(1, move={"restrict_partner_id": self.baraka.partner_id.id})
        self.assertEqual(picking.move_line_ids.owner_id, self.baraka.partner_id)

    def test_never_more_than_the_owner_has(self):
        picking = self._delivery(3, owner_id=self.amina.partner_id.id)
        self.assertEqual(picking.move_ids.quantity, 2)
        picking.move_line_ids.quantity = 3
        picking.move_ids.picked = True
        with self.assertRaisesRegex(UserError, "Amina Mfano has too few pieces"):
            picking._action_done()

    def test_another_owner_reserves_again(self):
        picking = self._delivery(2)
        self.assertEqual(picking.move_line_ids.owner_id, self.amina.partner_id)
        picking.owner_id = self.baraka.partner_id
        self.assertEqual(picking.move_line_ids.owner_id, self.baraka.partner_id)
        self.assertEqual(picking.move_ids.quantity, 2)
        reserved = self.env["stock.quant"].search(
            [("product_id", "=", self.cuff.id), ("reserved_quantity", ">", 0)]
        )
        self.assertEqual(reserved.owner_id, self.baraka.partner_id)
        picking.move_ids.picked = True
        picking._action_done()
        self.assertEqual((self._stock_of(self.amina), self._stock_of(self.baraka)), (2, 3))

    def test_owner_forced_on_picked_pieces_is_refused(self):
        picking = self._delivery(1)
        picking.move_ids.picked = True
        picking.owner_id = self.baraka.partner_id
        with self.assertRaisesRegex(UserError, "too few pieces"):
            picking._action_done()
        self.assertFalse(self._lines_of(picking))

    def test_lot_taken_without_its_owner_is_refused(self):
        picking = self._delivery(1)
        picking.move_line_ids.owner_id = False
        picking.move_ids.picked = True
        with self.assertRaisesRegex(UserError, "our own stock"):
            picking._action_done()

    def test_our_own_pieces_make_no_debt(self):
        plain = self._create_product("Box", soko_consigned=False, tracking="none")
        self.env["stock.quant"]._update_available_quantity(
            plain, self.warehouse.lot_stock_id, 5
        )
        picking = self._sell(2, product=plain)
        self.assertEqual(picking.state, "done")
        self.assertFalse(self._lines_of(picking))
