from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import PlatingCase


@tagged("post_install", "-at_install")
class TestGate(PlatingCase):
    """Nothing leaves hold or rejected except through its inspection."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.inspection = cls._receive(3)
        cls.lot = cls.inspection.lot_id

    def _prepare_move(self, location, destination, **values):
        common = {
            "product_id": self.raw.id,
            "location_id": location.id,
            "location_dest_id": destination.id,
            "picked": True,
        }
        line = {
            **common,
            "quantity": 1,
            "lot_id": self.lot.id,
            "owner_id": self.amina.id,
        }
        return {
            **common,
            "product_uom": self.raw.uom_id.id,
            "product_uom_qty": 1,
            "move_line_ids": [Command.create(line)],
            **values,
        }

    def _move(self, location, destination, **values):
        return self.env["stock.move"].create(self._prepare_move(location, destination, **values))

    def _reject(self):
        self.inspection.action_start()
        self.inspection.piece_ids.defect_ids = self.defect
        self.inspection.action_done()

    def test_plain_moves_are_refused(self):
        elsewhere = self.stock.copy({"name": "Elsewhere"})
        for destination in (self.customers, self.stock, elsewhere, self.suppliers):
            with self.assertRaisesRegex(UserError, "on hold or rejected"):
                self._move(self.hold, destination)._action_done()
        self.assertEqual(self._quantity(self.hold, self.lot), 3)

    def test_delivery_of_a_held_lot_is_refused(self):
        """Also from a shelf that hasn't got it: stock would go below zero."""
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "location_id": self.stock.id,
                "location_dest_id": self.customers.id,
                "move_ids": [Command.create(self._prepare_move(self.stock, self.customers))],
            }
        )
        with self.assertRaisesRegex(UserError, "on hold or rejected"):
            picking.button_validate()
        with self.assertRaisesRegex(UserError, "on hold or rejected"):
            picking._action_done()
        self.assertEqual(self._quantity(self.hold, self.lot), 3)

    def test_location_below_hold_is_guarded(self):
        shelf = self.env["stock.location"].create({"name": "Box", "location_id": self.hold.id})
        with self.assertRaises(UserError):
            self._move(shelf, self.customers)._action_done()

    def test_consumption_is_refused(self):
        order = self.env["mrp.production"].create(
            {"product_id": self.plated.id, "bom_id": self.bom.id, "product_qty": 1}
        )
        order.location_src_id = self.hold
        order.action_confirm()
        order.action_assign()
        self.assertEqual(order.move_raw_ids.move_line_ids.lot_id, self.lot)
        order.qty_producing = 1
        order._set_qty_producing()
        with self.assertRaisesRegex(UserError, "on hold or rejected"):
            order.button_mark_done()

    def _scrap(self, location, user):
        scrap = self.env["stock.scrap"].with_user(user)
        return scrap.create(
            {
                "product_id": self.raw.id,
                "scrap_qty": 1,
                "lot_id": self.lot.id,
                "owner_id": self.amina.id,
                "location_id": location.id,
            }
        ).do_scrap()

    def test_scrap_is_a_managers_decision_on_rejected_pieces(self):
        for user in (self.clerk, self.inspector, self.manager):
            with self.assertRaises(UserError):
                self._scrap(self.hold, user)
        self._reject()
        self.assertEqual(self._quantity(self.rejected, self.lot), 3)
        for user in (self.clerk, self.inspector):
            with self.assertRaises(UserError):
                self._scrap(self.rejected, user)
        self._scrap(self.rejected, self.manager)
        self.assertEqual(self._quantity(self.rejected, self.lot), 2)

    def test_count_is_corrected_by_a_manager_only(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.hold.id), ("lot_id", "=", self.lot.id)]
        ).with_context(inventory_mode=True)
        stock_manager = self._create_user("stock_manager", "stock.group_stock_manager")
        quant.inventory_quantity = 2
        with self.assertRaises(UserError):
            quant.with_user(stock_manager).action_apply_inventory()
        quant.with_user(self.manager).action_apply_inventory()
        self.assertEqual(self._quantity(self.hold, self.lot), 2)

    def test_relocation_is_refused(self):
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.hold.id), ("lot_id", "=", self.lot.id)]
        )
        with self.assertRaises(UserError):
            quant.move_quants(location_dest_id=self.stock)
        with self.assertRaises(UserError):
            self.lot.location_id = self.stock

    def test_bypass_by_vals_or_context_is_refused(self):
        """The field that opens the gate is the superuser's alone."""
        moves = self.env["stock.move"].with_user(self.clerk)
        vals = self._prepare_move(self.hold, self.stock)
        with self.assertRaises(AccessError):
            moves.create({**vals, "soko_inspection_id": self.inspection.id})
        move = moves.create(vals)
        with self.assertRaises(AccessError):
            move.soko_inspection_id = self.inspection
        # A context that reaches a sudoed create somewhere in Odoo.
        context = {"default_soko_inspection_id": self.inspection.id}
        move = self.env["stock.move"].sudo().with_context(**context).create(vals)
        self.assertFalse(move.soko_inspection_id)
        with self.assertRaises(UserError):
            move._action_done()

    def test_done_receipt_cannot_be_rewritten(self):
        line = self.inspection.move_line_id
        for vals in (
            {"location_dest_id": self.stock.id},
            {"quantity": 1},
            {"owner_id": self.juma.id},
        ):
            with self.assertRaises(UserError):
                line.write(vals)
        with self.assertRaises(UserError):
            self.env["stock.move.line"].create(
                {
                    "move_id": line.move_id.id,
                    "product_id": self.raw.id,
                    "lot_id": self.lot.id,
                    "owner_id": self.amina.id,
                    "quantity": 1,
                    "location_id": self.hold.id,
                    "location_dest_id": self.customers.id,
                }
            )
        self.assertEqual(self._quantity(self.hold, self.lot), 3)

    def test_return_transfer_may_only_be_the_return(self):
        self._reject()
        action = self.inspection.action_return_rejected()
        picking = self.env["stock.picking"].browse(action["res_id"])
        picking.move_ids.location_dest_id = self.stock
        picking.move_line_ids.location_dest_id = self.stock
        with self.assertRaises(UserError):
            picking.button_validate()
        self.assertEqual(self._quantity(self.rejected, self.lot), 3)

    def test_accepted_pieces_are_free(self):
        self.inspection.action_all_pass()
        self.inspection.action_done()
        self._move(self.stock, self.customers)._action_done()
        self.assertEqual(self._quantity(self.stock, self.lot), 2)
