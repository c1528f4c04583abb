from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import QcCase


@tagged("post_install", "-at_install")
class TestInspection(QcCase):
    def test_one_of_five_fails(self):
        """5 pieces, one fails: 4 in stock and 1 rejected, owner and lot kept, then returned."""
        self._create_plan()
        free_before = self.raw.free_qty
        inspection = self._receive(5)
        lot = inspection.lot_id
        self.assertEqual(inspection.state, "draft")
        self.assertEqual(inspection.partner_id, self.amina)
        self.assertEqual(inspection.location_dest_id, self.stock)
        self.assertEqual(self._quantity(self.hold, lot, self.amina), 5)
        self.assertEqual(self.raw.free_qty, free_before)

        inspection = inspection.with_user(self.inspector)
        inspection.action_all_pass()
        self.assertEqual(inspection.piece_ids.mapped("result"), ["pass"] * 5)
        inspection.piece_ids[2].defect_ids = self.defect
        self.assertEqual(inspection.piece_ids[2].result, "fail")
        inspection.action_done()

        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (4, 1))
        self.assertEqual((inspection.state, inspection.decision), ("done", "partly"))
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 4)
        self.assertEqual(self._quantity(self.rejected, lot, self.amina), 1)
        self.assertEqual(self._quantity(self.hold), 0)
        self.raw.invalidate_recordset(["free_qty"])
        self.assertEqual(self.raw.free_qty, free_before + 4)

        self.warehouse.soko_qc_return_type_id.unlink()  # it is made again when needed
        action = inspection.action_return_rejected()
        picking = self.env["stock.picking"].browse(action["res_id"])
        self.assertEqual(picking.state, "assigned")
        self.assertEqual(picking.partner_id, self.amina)
        # No delivery: the artisan is not told that an order was shipped.
        self.assertEqual(picking.picking_type_code, "internal")
        self.assertEqual(picking.move_ids.location_dest_id.usage, "supplier")
        self.assertEqual(inspection.qty_returned, 1)
        with self.assertRaises(UserError):
            inspection.action_return_rejected()
        picking.with_user(self.clerk).button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(picking.move_line_ids.owner_id, self.amina)
        self.assertEqual(picking.move_line_ids.lot_id, lot)
        self.assertEqual(self._quantity(self.rejected, lot), 0)

    def test_two_pickings_of_two_types_at_once(self):
        """One type is inspected and one is not: each picking is judged by its own."""
        plain_type = self.receipts.copy({"name": "Plain", "soko_qc_required": False})
        plain_type.sequence_code = "PLN"
        inspected = self._create_receipt(3, self.amina, "A")
        plain = self._create_receipt(2, self.juma, "B", picking_type=plain_type)
        (inspected | plain).button_validate()
        self.assertEqual(len(inspected.soko_inspection_ids), 1)
        self.assertEqual(inspected.soko_inspection_ids.quantity, 3)
        self.assertFalse(plain.soko_inspection_ids)
        self.assertEqual(self._quantity(self.hold, owner=self.amina), 3)
        self.assertEqual(self._quantity(self.stock, owner=self.juma), 2)

    def test_two_inspections_decided_at_once(self):
        first = self._receive(2, self.amina, "A")
        second = self._receive(3, self.juma, "B")
        both = first | second
        both.action_start()
        second.piece_ids[0].defect_ids = self.defect
        both.action_all_pass()
        both.action_done()
        self.assertEqual(both.mapped("qty_accepted"), [2, 2])
        self.assertEqual(both.mapped("qty_rejected"), [0, 1])
        self.assertEqual(self._quantity(self.stock, first.lot_id, self.amina), 2)
        self.assertEqual(self._quantity(self.stock, second.lot_id, self.juma), 2)

    def test_without_plan_each_piece_gets_a_plain_look(self):
        inspection = self._receive(2)
        self.assertFalse(inspection.plan_id)
        inspection.action_start()
        self.assertEqual(inspection.piece_ids.mapped("number"), [1, 2])
        with self.assertRaisesRegex(UserError, "still open"):
            inspection.action_done()
        inspection.piece_ids[0].action_pass()
        inspection.piece_ids[1].result = "fail"
        with self.assertRaisesRegex(UserError, "without a reason"):
            inspection.action_done()
        inspection.piece_ids[1].defect_ids = self.defect
        inspection.action_done()
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (1, 1))

    def test_untracked_pieces_are_inspected_too(self):
        bead = self._create_product("Bead", tracking="none")
        inspection = self._receive(3, product=bead)
        self.assertFalse(inspection.lot_id)
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(self._quantity(self.stock, product=bead, owner=self.amina), 3)

    def test_own_pieces_without_owner(self):
        inspection = self._receive(2, self.env["res.partner"])
        self.assertFalse(inspection.owner_id)
        self.assertEqual(inspection.partner_id, self.amina)
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(self._quantity(self.stock, inspection.lot_id), 2)

    def test_minor_defect_is_noted_and_passes(self):
        inspection = self._receive(1)
        inspection.action_all_pass()
        inspection.piece_ids.defect_ids = self.scratch
        self.assertEqual(inspection.piece_ids.result, "pass")
        inspection.action_done()
        self.assertEqual(inspection.decision, "accepted")

    def test_readings_are_judged_and_required(self):
        plan = self._create_plan()
        plan.criterion_ids[1].reading_required = True
        inspection = self._receive(3)
        inspection.action_all_pass()
        self.assertEqual(inspection.todo_count, 3)
        widths = inspection.result_ids.filtered(lambda r: r.type == "measure")
        for width, value in zip(widths, (20.5, 19.5, 20.6), strict=True):
            width.value = value
        self.assertEqual(widths.mapped("verdict"), ["pass", "pass", "fail"])
        plan.criterion_ids[1].tolerance_plus = 5  # a later change leaves this inspection alone
        self.assertEqual(widths[2].upper, 20.5)
        inspection.action_done()
        self.assertEqual(inspection.qty_rejected, 1)

    def test_sample_decides_for_the_rest(self):
        self._create_plan(sampling="first_n", sample_size=2, new_maker_lots=0)
        good, bad = self._receive(10, lot_name="GOOD"), self._receive(10, lot_name="BAD")
        (good | bad).action_start()
        self.assertEqual(len(good.piece_ids), 2)
        bad.piece_ids[0].defect_ids = self.defect
        (good | bad).action_all_pass()
        (good | bad).action_done()
        self.assertEqual((good.qty_accepted, good.qty_rejected), (10, 0))
        self.assertEqual((bad.qty_accepted, bad.qty_rejected), (1, 9))
        self.assertEqual(self._quantity(self.rejected, bad.lot_id), 9)

    def test_more_pieces_than_the_lot_are_refused(self):
        inspection = self._receive(1)
        inspection.action_start()
        inspection.piece_ids.create({"inspection_id": inspection.id, "number": 2, "result": "pass"})
        inspection.action_all_pass()
        with self.assertRaisesRegex(UserError, "only 1"):
            inspection.action_done()
        self.assertEqual(inspection.state, "in_progress")

    def test_decided_inspection_is_a_record(self):
        self._create_plan()
        inspection = self._receive(1)
        inspection.action_all_pass()
        inspection.action_done()
        for change in (
            lambda: inspection.piece_ids.write({"result": "fail"}),
            lambda: inspection.result_ids[0].write({"verdict": "fail"}),
            lambda: inspection.piece_ids.unlink(),
            inspection.action_done,
            inspection.action_cancel,
            inspection.unlink,
        ):
            with self.assertRaises(UserError):
                change()
        self.assertEqual(self._quantity(self.stock, inspection.lot_id), 1)

    def test_cancelled_inspection_is_taken_up_again(self):
        inspection = self._receive(2)
        inspection.action_start()
        inspection.action_cancel()
        self.assertEqual(self._quantity(self.hold, inspection.lot_id), 2)
        inspection.action_draft()
        self.assertFalse(inspection.piece_ids)
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(self._quantity(self.stock, inspection.lot_id), 2)

    def test_partial_receipt_keeps_its_destination(self):
        """What comes later is not sent to hold before it is there, nor forgotten afterwards."""
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": self.stock.id})
        picking = self._create_receipt(5, self.amina, "PART")
        picking.move_ids.location_dest_id = shelf
        picking.move_line_ids.write({"quantity": 2, "location_dest_id": shelf.id})
        picking.move_ids.picked = True
        picking._action_done()
        later = picking.backorder_ids
        self.assertEqual(later.move_ids.location_dest_id, self.stock)
        later.move_ids.quantity = 3
        later.move_ids.move_line_ids.lot_id = picking.move_line_ids.lot_id
        later.move_ids.picked = True
        later._action_done()
        first, second = picking.soko_inspection_ids, later.soko_inspection_ids
        self.assertEqual((first.quantity, first.location_dest_id), (2, shelf))
        self.assertEqual((second.quantity, second.location_dest_id), (3, shelf))
        self.assertEqual(self._quantity(self.hold), 5)

    def test_two_step_receipt_goes_on_after_the_inspection(self):
        self.warehouse.reception_steps = "two_steps"
        inspection = self._receive(2)
        self.assertEqual(inspection.location_dest_id, self.warehouse.wh_input_stock_loc_id)
        moves = self.env["stock.move"].search([("product_id", "=", self.raw.id)])
        self.assertFalse(moves.filtered(lambda m: m.location_dest_id == self.stock))
        inspection.action_all_pass()
        inspection.action_done()
        put_away = self.env["stock.move"].search(
            [("product_id", "=", self.raw.id), ("location_dest_id", "=", self.stock.id)]
        )
        self.assertEqual(put_away.state, "assigned")
        self.assertEqual(put_away.move_line_ids.owner_id, self.amina)

    def test_decision_checks_what_is_on_hold(self):
        inspection = self._receive(2)
        inspection.action_all_pass()
        quant = self.env["stock.quant"].search(
            [("location_id", "=", self.hold.id), ("lot_id", "=", inspection.lot_id.id)]
        )
        quant.with_user(self.manager).with_context(inventory_mode=True).inventory_quantity = 1
        quant.with_user(self.manager).action_apply_inventory()
        with self.assertRaisesRegex(UserError, "only 1.0 are on hold"):
            inspection.action_done()

    def test_hooks_are_called(self):
        """The contract of the hooks, with a fake override."""
        Inspection = type(self.env["soko.qc.inspection"])
        told = []
        with (
            patch.object(Inspection, "_qc_get_responsible_partner", lambda i: self.juma),
            patch.object(Inspection, "_qc_on_result", lambda records: told.append(records)),
        ):
            inspection = self._receive(1)
            self.assertEqual(inspection.partner_id, self.juma)
            inspection.action_all_pass()
            inspection.action_done()
        self.assertEqual(told, [inspection])

    def test_form_of_the_bench(self):
        """Start, mark the failing piece, pass the rest: as a person does it."""
        self._create_plan()
        inspection = self._receive(2).with_user(self.inspector)
        inspection.action_all_pass()
        with Form(inspection) as form, form.piece_ids.edit(1) as piece:
            piece.defect_ids.add(self.defect)
            piece.note = "Burr at the left end"
        self.assertEqual(inspection.piece_ids.mapped("result"), ["pass", "fail"])

    def test_certificate_of_several_inspections(self):
        self._create_plan()
        both = self._receive(1, lot_name="CERT-A") | self._receive(1, lot_name="CERT-B")
        both.action_all_pass()
        both.action_done()
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "soko_qc.report_inspection", both.ids
        )
        for expected in ("CERT-A", "CERT-B", "Edges are smooth", both[0].name, both[1].name):
            self.assertIn(expected, html.decode())

    def test_many_inspections_cost_few_queries(self):
        """Receiving ten lots asks for the plans once: queries don't grow lot by lot."""
        self._create_plan()
        pickings = self.env["stock.picking"]
        for number in range(10):
            pickings |= self._create_receipt(1, self.amina, f"MANY-{number}")
        lines = pickings.move_line_ids
        lines.soko_intended_location_id = self.stock
        self.env.flush_all()
        with self.assertQueryCount(__system__=45):
            self.env["soko.qc.inspection"]._create_from_move_lines(lines)
            self.env.flush_all()
