from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import PlatingCase


@tagged("post_install", "-at_install")
class TestPlating(PlatingCase):
    def test_one_of_four_is_plated(self):
        """The finished piece keeps its owner and its lot remembers the raw one."""
        # A lot of somebody else is older: Odoo would reserve that one.
        other = self._accept(4, self.juma, "OLD")
        lot = self._accept(4, self.amina, "DROP-7")
        run = self._order_plating(lot, 1)
        order = run.production_ids
        self.assertEqual(order.move_raw_ids.move_line_ids.lot_id, lot)
        self.assertEqual(order.move_raw_ids.move_line_ids.owner_id, self.amina)
        self.assertEqual(run.area_cm2, 40)
        self.assertAlmostEqual(run.suggested_current_a, 0.2)
        self.assertAlmostEqual(run.suggested_minutes, 1.75, 2)

        run.action_start()
        self.assertEqual(order.workorder_ids.state, "progress")
        self.assertAlmostEqual(run.current_a, 0.2)
        run.minutes = 2
        run.action_finish()

        self.assertEqual((run.state, order.state, order.workorder_ids.state), ("done",) * 3)
        finished = order.lot_producing_ids
        self.assertEqual(finished.product_id, self.plated)
        self.assertEqual(finished.soko_origin_lot_id, lot)
        self.assertEqual(finished.name, "DROP-7-P1")
        self.assertEqual(self._quantity(self.stock, finished, self.amina), 1)
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 3)
        self.assertEqual(self._quantity(self.stock, other, self.juma), 4)
        # Faraday's law to the last digit: nothing was rounded on the way to the money.
        grams = 196.967 * 0.2 * 120 / 96485.33212 * 0.9
        self.assertAlmostEqual(run.charge_ah, 0.2 * 2 / 60, 12)
        self.assertAlmostEqual(run.deposit_mass_g, grams, 12)
        self.assertEqual(run.metal_cost, self.company.currency_id.round(grams * 14000))
        self.assertAlmostEqual(order.workorder_ids.soko_metal_cost_unit, grams * 14000, 7)

    def test_second_plating_gets_its_own_lot(self):
        lot = self._accept(4)
        first, second = self._plate(lot, 1), self._plate(lot, 2)
        self.assertEqual((first | second).mapped("name"), ["DROP-1-P1", "DROP-1-P2"])
        self.assertEqual(lot.soko_derived_lot_ids, first | second)
        self.assertEqual(self._quantity(self.stock, second, self.amina), 2)

    def test_one_run_for_orders_of_two_owners(self):
        lots = [self._accept(2, self.amina, "A"), self._accept(2, self.juma, "B")]
        run = self._order_plating(lots[0], 2)
        self.assertEqual(self._order_plating(lots[1], 1, run_id=run.id), run)
        self.assertEqual(run.area_cm2, 120)
        run.action_start()
        run.minutes = 2
        run.action_finish()
        self.assertEqual(run.production_ids.mapped("state"), ["done", "done"])
        for lot, owner, quantity in ((lots[0], self.amina, 2), (lots[1], self.juma, 1)):
            self.assertEqual(
                self._quantity(self.stock, lot.soko_derived_lot_ids, owner), quantity
            )

    def _create_order(self, quantity, lines):
        """A manufacturing order that takes the given ``(lot, owner, quantity)``."""
        order = self.env["mrp.production"].create(
            {
                "product_id": self.plated.id,
                "bom_id": self.bom.id,
                "product_qty": quantity,
                "picking_type_id": self.warehouse.manu_type_id.id,
            }
        )
        order.action_confirm()
        order.move_raw_ids._do_unreserve()
        for lot, owner, taken in lines:
            order.move_raw_ids._update_reserved_quantity(
                taken, self.stock, lot_id=lot, owner_id=owner, strict=True
            )
        order.move_raw_ids._recompute_state()
        return order

    def test_order_of_two_owners_is_refused(self):
        first, second = self._accept(1, self.amina, "A"), self._accept(1, self.juma, "B")
        order = self._create_order(2, [(first, self.amina, 1), (second, self.juma, 1)])
        run = self.env["soko.plating.run"].create({"bath_id": self.bath.id})
        order.workorder_ids.soko_plating_run_id = run
        with self.assertRaisesRegex(UserError, "Amina Mfano, Juma Mfano"):
            run.action_start()
        # Nor past the run, by closing the order itself.
        order.workorder_ids.soko_plating_run_id = False
        with self.assertRaisesRegex(UserError, "several owners"):
            order.button_mark_done()
        self.assertEqual(self._quantity(self.stock, product=self.plated), 0)

    def test_order_of_owned_and_own_pieces_is_refused(self):
        nobody = self.env["res.partner"]
        first, second = self._accept(1, self.amina, "A"), self._accept(1, nobody, "B")
        order = self._create_order(2, [(first, self.amina, 1), (second, nobody, 1)])
        with self.assertRaisesRegex(UserError, "several owners"):
            order.button_mark_done()

    def test_order_of_two_lots_is_refused(self):
        first, second = self._accept(1, lot_name="A"), self._accept(1, lot_name="B")
        order = self._create_order(2, [(first, self.amina, 1), (second, self.amina, 1)])
        with self.assertRaisesRegex(UserError, "several lots: A, B"):
            order.button_mark_done()

    def test_order_closed_without_a_run_keeps_owner_and_lot(self):
        lot = self._accept(2)
        order = self._create_order(1, [(lot, self.amina, 1)])
        order.lot_producing_ids = self.env["stock.lot"].create(
            {"name": "BY-HAND", "product_id": self.plated.id}
        )
        order.with_context(skip_redirection=True).button_mark_done()
        self.assertEqual(order.state, "done")
        self.assertEqual(order.lot_producing_ids.name, "BY-HAND")
        self.assertEqual(order.lot_producing_ids.soko_origin_lot_id, lot)
        self.assertEqual(self._quantity(self.stock, order.lot_producing_ids, self.amina), 1)

    def test_flagged_line_is_the_piece(self):
        """A clasp with a lot comes first, the flag says that the cuff is the piece."""
        clasp = self._create_product("Clasp")
        clasp_lot = self._accept(2, self.juma, "CLASP", product=clasp)
        self.bom.bom_line_ids.sequence = 5
        self.bom.bom_line_ids.soko_is_piece = True
        self.bom.bom_line_ids = [Command.create({"product_id": clasp.id, "sequence": 1})]
        finished = self._plate(self._accept(1, self.amina, "CUFF"))
        self.assertEqual(finished.soko_origin_lot_id.name, "CUFF")
        self.assertEqual(self._quantity(self.stock, finished, self.amina), 1)
        self.assertEqual(self._quantity(self.stock, clasp_lot), 1)

    def test_other_orders_are_left_alone(self):
        """An order that makes a new thing behaves as Odoo's own."""
        self.bom.operation_ids.soko_plating_process_id = False
        lot = self._accept(1)
        order = self._create_order(1, [(lot, self.amina, 1)])
        order.with_context(skip_redirection=True).button_mark_done()
        self.assertEqual(order.state, "done")
        self.assertFalse(order.lot_producing_ids.soko_origin_lot_id)

    def test_wizard_refuses_what_is_not_free(self):
        with self.assertRaisesRegex(UserError, "No bill of materials"):
            self._order_plating(self._accept(1, lot_name="P", product=self.plated))
        held = self._receive(2, lot_name="HELD").lot_id
        with self.assertRaisesRegex(UserError, "Only 0.0 pieces"):
            self._order_plating(held, 1)
        lot = self._accept(2)
        with self.assertRaisesRegex(UserError, "Only 2.0 pieces"):
            self._order_plating(lot, 3)
        with self.assertRaisesRegex(UserError, "at least one"):
            self._order_plating(lot, 0)
        self._order_plating(lot, 2)
        with self.assertRaisesRegex(UserError, "Only 0.0 pieces"):
            self._order_plating(lot, 1)

    def test_wizard_form_from_the_lot(self):
        lot = self._accept(3)
        action = lot.with_user(self.inspector).action_plate()
        order = self.env["soko.plating.order"].with_user(self.inspector)
        form = Form(order.with_context(**action["context"]))
        self.assertEqual(form.product_id, self.raw)
        self.assertEqual((form.bom_id, form.bath_id), (self.bom, self.bath))
        self.assertEqual((form.available_quantity, form.owner_id), (3, self.amina))
        form.quantity = 2
        run = self.env["soko.plating.run"].browse(form.save().action_confirm()["res_id"])
        self.assertEqual(run.piece_count, 2)

    def test_measured_thickness_teaches_the_bath(self):
        lot = self._accept(1)
        run = self._order_plating(lot)
        run.action_start()
        run.write({"minutes": 2, "measured_thickness_um": 0.4})
        run.action_finish()
        ideal = 7.349 * 0.2 * 2 / 60
        measured = 40 * 0.4e-4 * 19.3
        self.assertAlmostEqual(self.bath.efficiency, measured / ideal, 3)
        self.assertAlmostEqual(run.deposit_mass_g, measured, 6)
        self.assertEqual(run.efficiency, 0.9)
        self.assertIn("thinner", run.warning)
        run.measured_thickness_um = 0.45
        run.action_measure()
        self.assertAlmostEqual(self.bath.efficiency, 40 * 0.45e-4 * 19.3 / ideal, 3)

    def test_earlier_steps_come_first_and_later_ones_stay(self):
        self.bom.allow_operation_dependencies = True
        plate = self.bom.operation_ids
        polish, rinse = self.env["mrp.routing.workcenter"].create(
            [
                {"name": name, "workcenter_id": self.workcenter.id, "bom_id": self.bom.id}
                for name in ("Polish", "Rinse")
            ]
        )
        plate.blocked_by_operation_ids = polish
        rinse.blocked_by_operation_ids = plate
        lot = self._accept(1)
        run = self._order_plating(lot)
        order = run.production_ids
        self.assertEqual(run.workorder_ids.operation_id, plate)
        with self.assertRaisesRegex(UserError, "not ready"):
            run.action_start()
        first = order.workorder_ids.filtered(lambda w: w.operation_id == polish)
        first.button_start()
        first.button_finish()
        run.action_start()
        run.minutes = 2
        run.action_finish()
        self.assertEqual(run.state, "done")
        self.assertNotEqual(order.state, "done")
        last = order.workorder_ids.filtered(lambda w: w.operation_id == rinse)
        last.button_start()
        last.button_finish()
        order.with_context(skip_redirection=True).button_mark_done()
        self.assertEqual(order.state, "done")
        self.assertEqual(order.lot_producing_ids.soko_origin_lot_id, lot)
        self.assertEqual(self._quantity(self.stock, order.lot_producing_ids, self.amina), 1)

    def test_run_checks_its_load(self):
        empty = self.env["soko.plating.run"].create({"bath_id": self.bath.id})
        with self.assertRaisesRegex(UserError, "at least one work order"):
            empty.action_start()
        run = self._order_plating(self._accept(1))
        self.plated.soko_plating_area_cm2 = 0
        with self.assertRaisesRegex(UserError, "no plated area"):
            run.action_start()
        self.plated.soko_plating_area_cm2 = 40
        run.action_start()
        with self.assertRaisesRegex(UserError, "current and the minutes"):
            run.action_finish()
        with self.assertRaisesRegex(UserError, "facts"):
            run.bath_id = self.bath.copy()
        run.minutes = 2
        run.action_finish()
        with self.assertRaises(UserError):
            run.action_finish()
        with self.assertRaises(UserError):
            run.minutes = 3
        with self.assertRaises(UserError):
            run.workorder_ids.soko_plating_run_id = False

    def test_work_order_of_another_process_is_refused(self):
        process = self.process.copy({"name": "Silver", "metal": "silver"})
        bath = self.bath.copy({"process_id": process.id})
        run = self._order_plating(self._accept(1))
        other = self.env["soko.plating.run"].create({"bath_id": bath.id})
        with self.assertRaisesRegex(UserError, "not a step of the process"):
            run.workorder_ids.soko_plating_run_id = other

    def test_cancelled_run_frees_its_work_orders(self):
        run = self._order_plating(self._accept(1))
        workorder = run.workorder_ids
        run.action_start()
        run.action_cancel()
        self.assertFalse(workorder.soko_plating_run_id)
        again = self.env["soko.plating.run"].create(
            {"bath_id": self.bath.id, "workorder_ids": [Command.link(workorder.id)]}
        )
        again.action_start()
        again.minutes = 2
        again.action_finish()
        self.assertEqual(workorder.production_id.state, "done")

    def test_bad_figures_are_refused(self):
        run = self.env["soko.plating.run"].create({"bath_id": self.bath.id})
        with self.assertRaisesRegex(ValidationError, "microinch"):
            run.measured_thickness_um = 400
        for record, vals in (
            (run, {"current_a": -1}),
            (self.process, {"fineness": 1.08}),
            (self.process, {"target_thickness_um": 0}),
            (self.bath, {"efficiency": 0}),
            (self.plated.product_tmpl_id, {"soko_plating_area_cm2": -1}),
        ):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                record.write(vals)
                record.flush_recordset()
            record.invalidate_recordset()

    def test_constants_follow_the_metal(self):
        process = self.process
        process.metal = "silver"
        self.assertAlmostEqual(process.equivalent_mass, 107.868, 3)
        process.equivalent_mass = 100
        process.metal = "gold_3"
        self.assertAlmostEqual(process.equivalent_mass, 65.656, 3)
        self.assertAlmostEqual(process.density, 19.3, 3)

    def test_old_bath_is_pointed_out(self):
        self.process.max_age_days = 30
        today = fields.Date.context_today(self.bath)
        self.bath.date_makeup = fields.Date.subtract(today, days=30)
        self.assertFalse(self.bath.is_too_old)
        self.bath.date_makeup = fields.Date.subtract(today, days=31)
        self.assertTrue(self.bath.is_too_old)
        run = self.env["soko.plating.run"].create({"bath_id": self.bath.id})
        self.assertIn("older", run.warning)

    def test_hook_of_the_finished_lot(self):
        """The contract of the hook, with a fake override."""
        Production = type(self.env["mrp.production"])
        original = Production._plating_prepare_finished_lot_vals

        def fake(production, component_lot):
            return {**original(production, component_lot), "ref": component_lot.name}

        with patch.object(Production, "_plating_prepare_finished_lot_vals", fake):
            finished = self._plate(self._accept(1))
        self.assertEqual(finished.ref, "DROP-1")
