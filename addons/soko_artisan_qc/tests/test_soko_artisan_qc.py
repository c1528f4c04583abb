from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.soko_artisan_qc import post_init_hook

from .common import ArtisanQcCase


@tagged("post_install", "-at_install")
class TestArtisanQc(ArtisanQcCase):
    def test_from_drop_off_to_settlement_of_a_plated_piece(self):
        """Five cuffs, one fails, one is plated and sold: its maker gets the price of that day."""
        picking = self._drop_off(self.amina, 5, user=self.officer)
        inspection = picking.soko_inspection_ids
        self.assertEqual(inspection.artisan_id, self.amina)
        self.assertEqual(inspection.partner_id, self.amina.partner_id)
        self.assertEqual(self.cuff.free_qty, 0)
        self._inspect(picking, failing=1)
        self.cuff.invalidate_recordset(["free_qty"])
        self.assertEqual(self.cuff.free_qty, 4)

        # A new price is for new pieces only.
        self.agreement.line_ids.price_fixed = 500
        raw_lot = inspection.lot_id
        lot = self._plate(raw_lot)
        today = self.env.company._soko_today()
        self.assertEqual(lot.soko_origin_lot_id, raw_lot)
        self.assertEqual(lot.soko_artisan_id, self.amina)
        self.assertEqual(lot.soko_agreement_line_id, self.agreement.line_ids)
        self.assertEqual((lot.soko_price_type, lot.soko_unit_price), ("fixed", 350))
        self.assertEqual(lot.soko_drop_off_date, today)
        self.assertEqual(self._stock_of(self.amina, self.plated), 1)

        delivery = self._sell(1, product=self.plated, price=4500)
        line = self._lines_of(delivery)
        self.assertEqual((line.artisan_id, line.lot_id), (self.amina, lot))
        self.assertEqual((line.price_unit, line.amount), (350, 350))
        self.assertFalse(line._get_blocking_reasons())
        settlement = self._settle_received(delivery)
        self.assertEqual(settlement.payee_id, self.amina.partner_id)
        self.assertEqual(settlement.amount_total, 350)

    def test_piece_without_accepted_inspection_is_not_settled(self):
        """A drop-off that bypassed inspection (its type was not flagged) is held, and said why."""
        self.warehouse.soko_drop_off_type_id.soko_qc_required = False
        picking = self._drop_off(self.amina, 2)
        lot = picking.move_line_ids.lot_id
        self.assertFalse(picking.soko_inspection_ids)
        delivery = self._sell(1)
        line = self._lines_of(delivery)
        self.assertEqual(len(line), 1)
        self.assertIn(lot.name, line._get_blocking_reasons()[0])
        self.assertFalse(self._settle_received(delivery))
        self.assertEqual(line.state, "due")
        self.assertEqual(self._get_owed_status(), "3_held")
        lot.with_user(self.manager).soko_qc_waived = True
        self.assertFalse(line._get_blocking_reasons())
        self.assertEqual(self._get_owed_status(), "4_due")
        self.assertEqual(line._settle().amount_total, 350)

    def _get_owed_status(self):
        report = self.env["soko.owed.report"].with_user(self.officer)
        report.invalidate_model()  # the same row, read anew
        return report.search([("artisan_id", "=", self.amina.id)]).status

    def test_queries_do_not_grow_with_the_lines(self):
        self._inspect(self._drop_off(self.amina, 6))
        lines = self.env["soko.settlement.line"]
        for _number in range(6):
            lines |= self._lines_of(self._sell(1))
        self.assertEqual(len(lines), 6)
        one = self._count_queries(lines.browse(lines[0].id))
        self.assertLessEqual(self._count_queries(lines), one + 1)

    def _count_queries(self, lines):
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        for line in lines:
            self.assertFalse(line._get_blocking_reasons())
        return self.cr.sql_log_count - before

    def test_return_is_never_held_back(self):
        self._inspect(self._drop_off(self.amina, 1))
        delivery = self._sell(1)
        self._settle_received(delivery)
        back = self._return(delivery, 1)
        line = self._lines_of(back)
        self.assertEqual(line.kind, "return")
        line.lot_id.soko_inspection_ids.qty_accepted = 0
        self.assertFalse(line.lot_id.soko_qc_cleared)
        self.assertFalse(line._get_blocking_reasons())

    def test_rejected_pieces_are_told_to_the_artisan(self):
        before = len(self._sms_to(self.amina))
        self._inspect(self._drop_off(self.amina, 2))
        self.assertEqual(len(self._sms_to(self.amina)), before)
        inspection = self._inspect(self._drop_off(self.amina, 5), failing=2)
        messages = self._sms_to(self.amina)
        self.assertEqual(len(messages), before + 1)
        message = messages.sorted("id")[-1]
        self.assertIn("3 of your 5", message.body)
        self.assertIn(self.defect.name, message.body)
        self.assertEqual(inspection.sudo().artisan_id, self.amina)

    def test_pieces_to_be_mended_are_told_to_the_artisan(self):
        inspection = self._drop_off(self.amina, 3).soko_inspection_ids.with_user(self.inspector)
        inspection.action_start()
        inspection.piece_ids[0].defect_ids = self.defect
        inspection.piece_ids[0].action_rework()
        inspection.action_all_pass()
        before = len(self._sms_to(self.amina))
        inspection.action_done()
        messages = self._sms_to(self.amina)
        self.assertEqual(len(messages), before + 1)
        body = messages.sorted("id")[-1].body
        self.assertIn("1 of your 3", body)
        self.assertIn(self.defect.name, body)
        inspection.action_hand_out()
        again = inspection._take_back(1)
        self.assertEqual(again.sudo().artisan_id, self.amina)

    def test_rejected_pieces_go_back_without_a_debt(self):
        inspection = self._inspect(self._drop_off(self.amina, 3), failing=3)
        self.assertFalse(inspection.lot_id.soko_qc_cleared)
        action = inspection.action_return_rejected()
        picking = self.env["stock.picking"].browse(action["res_id"])
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(self._stock_of(self.amina), 0)
        self.assertFalse(self._lines_of(picking))

    def test_held_pieces_cannot_be_sold(self):
        self._drop_off(self.amina, 2)
        order = self._order(1)
        self.assertNotEqual(order.picking_ids.state, "assigned")
        move = order.picking_ids.move_ids
        move.move_line_ids = [
            fields.Command.create(
                {
                    "product_id": self.cuff.id,
                    "quantity": 1,
                    "lot_id": self.env["stock.lot"].search(
                        [("product_id", "=", self.cuff.id)], limit=1
                    ).id,
                    "owner_id": self.amina.partner_id.id,
                    "location_id": self.warehouse.lot_stock_id.id,
                    "location_dest_id": move.location_dest_id.id,
                }
            )
        ]
        with self.assertRaisesRegex(UserError, "on hold or rejected"):
            self._ship(order)

    def test_pass_rate_of_artisans(self):
        self._create_agreement(self.baraka)
        self._inspect(self._drop_off(self.amina, 4), failing=1)
        self._inspect(self._drop_off(self.baraka, 2))
        both = self.amina | self.baraka
        both.invalidate_recordset(["qc_piece_count", "qc_pass_rate"])
        self.assertEqual(both.mapped("qc_piece_count"), [4, 2])
        self.assertEqual(both.mapped("qc_pass_rate"), [0.75, 1.0])
        domain = self.amina.action_view_inspected_pieces()["domain"]
        self.assertEqual(self.env["soko.qc.inspection.piece"].search_count(domain), 4)

    def test_plating_of_a_plated_lot_is_cleared_through_the_chain(self):
        self._inspect(self._drop_off(self.amina, 2))
        lot = self._plate(self.env["stock.lot"].search([("product_id", "=", self.cuff.id)]))
        again = self.env["stock.lot"].create(
            {"name": "AGAIN", "product_id": self.plated.id, "soko_origin_lot_id": lot.id}
        )
        self.assertTrue(again.soko_qc_cleared)
        lot.soko_origin_lot_id.sudo().soko_inspection_ids.qty_accepted = 0
        self.assertFalse(again.soko_qc_cleared)

    def test_drop_off_types_are_inspected(self):
        """New warehouses by themselves, those that were there by the installation."""
        warehouse = self.env["stock.warehouse"].create({"name": "Kisumu", "code": "KSM"})
        self.assertTrue(warehouse.soko_drop_off_type_id.soko_qc_required)
        self.assertFalse(warehouse.in_type_id.soko_qc_required)
        old = self._drop_off(self.amina, 1).move_line_ids.lot_id
        warehouse.soko_drop_off_type_id.soko_qc_required = False
        self.assertFalse(old.soko_qc_cleared)
        post_init_hook(self.env)
        self.assertTrue(warehouse.soko_drop_off_type_id.soko_qc_required)
        self.assertTrue(old.soko_qc_cleared)
