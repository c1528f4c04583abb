from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, new_test_user, tagged

from .test_plating_points import PointsCase

GRAMS_A_UM = 40 * 1e-4 * 19.3  # of gold on one cuff


@tagged("post_install", "-at_install")
class TestPlatingAgain(PointsCase):
    """20 cuffs were plated, 3 of them are too thin."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tank.max_area_cm2 = 1000
        cls.thick, cls.thin = [0.6] * 17, [0.3, 0.2, 0.4]

    def _plate_thin(self, *values, name="DROP-1"):
        """Plate as many pieces as there are thicknesses; return the plated lot."""
        run = self._order_plating(self._accept(len(values), lot_name=name), len(values))
        self._finish(run)
        self._read(run, run.workorder_ids, *values)
        run.action_measure()
        return run.production_ids.lot_producing_ids

    def _open(self, lot, **values):
        action = lot.with_user(self.inspector).action_plate_again()
        wizard = self.env[action["res_model"]].with_user(self.inspector)
        return wizard.with_context(**action["context"]).create(values)

    def _order_again(self, lot, **values):
        action = self._open(lot, **values).action_confirm()
        return self.env["soko.plating.run"].with_user(self.inspector).browse(action["res_id"])

    def _again(self, lot, *values, **order):
        """Plate the thin pieces of a lot again and measure them; return their new lot."""
        run = self._order_again(lot, **order)
        run.action_start()
        run.minutes = 2
        self._read(run, run.workorder_ids, *values)
        run.action_finish()
        return run.production_ids.lot_producing_ids

    def test_three_of_twenty(self):
        lot = self._plate_thin(*self.thick, *self.thin)
        raw = lot.soko_origin_lot_id
        self.assertEqual(lot.soko_plating_verdict, "under")
        with Form(self.env["soko.plating.again"].with_user(self.inspector).with_context(
            **lot.with_user(self.inspector).action_plate_again()["context"]
        )) as form:
            self.assertEqual((form.product_id, form.owner_id), (self.plated, self.amina))
            self.assertEqual((form.process_id, form.bath_id), (self.process, self.bath))
            self.assertEqual((form.quantity, form.available_quantity), (3, 20))
            self.assertAlmostEqual(form.thickness_before_um, 0.3, 9)
        run = self._order_again(lot)
        workorder = run.workorder_ids
        self.assertEqual((run.piece_count, run.area_cm2), (3, 120))
        self.assertAlmostEqual(workorder.soko_thickness_before_um, 0.3, 9)
        # What is missing is suggested, not a whole layer.
        missing = 3 * GRAMS_A_UM * 0.2
        seconds = missing * 96485.33212 / (0.6 * 196.967 * self.bath.efficiency)
        self.assertAlmostEqual(run.suggested_minutes, seconds / 60, 9)

        run.action_start()
        run.minutes = 2
        self._read(run, workorder, 0.5, 0.6, 0.55)
        self.assertEqual(self._verdict(lot), "under", "they are still in the bath")
        run.action_finish()
        again = run.production_ids.lot_producing_ids
        self.assertEqual((again.name, again.product_id), ("DROP-1-P1-A1", self.plated))
        self.assertEqual((again.soko_origin_lot_id, again.soko_thin_lot_id), (raw, lot))
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 17)
        self.assertEqual(self._quantity(self.stock, again, self.amina), 3)
        self.assertEqual((self._verdict(lot), self._verdict(again)), ("pass", "pass"))
        self.assertEqual(len(workorder.soko_replated_reading_ids), 3)

        # 0.55 um on them now, 0.3 um before: this run deposited 0.25 um.
        self.assertAlmostEqual(run.measured_thickness_um, 0.25, 9)
        self.assertAlmostEqual(run.fine_mass_g, 3 * GRAMS_A_UM * 0.25, 9)
        self.assertAlmostEqual(workorder.soko_metal_cost_unit, GRAMS_A_UM * 0.25 * 14000, 6)
        self._check_learnt(lot, run)

    def _verdict(self, lot):
        lot.invalidate_recordset(["soko_plating_verdict"])
        return lot.soko_plating_verdict

    def _check_learnt(self, lot, run):
        """The bath learns from what each run added, not from the layer that was there."""
        first = lot._soko_get_plating_steps().soko_plating_run_id
        added = 20 * GRAMS_A_UM * (17 * 0.6 + 0.9) / 20 + 3 * GRAMS_A_UM * 0.25
        ideal = first._get_efficiency_pair()[1] + run._get_efficiency_pair()[1]
        self.assertAlmostEqual(self.bath.efficiency, min(added / ideal, 1), 6)

    def test_twice_again(self):
        """The second time counts from the layer of the first; the raw lot is always the same."""
        lot = self._plate_thin(0.2)
        once = self._again(lot, 0.35)
        self.assertEqual(self._verdict(once), "under")
        twice = self._again(once, 0.5)
        step = twice._soko_get_plating_steps()
        self.assertAlmostEqual(step.soko_thickness_before_um, 0.35, 9)
        self.assertAlmostEqual(step.soko_plating_run_id.fine_mass_g, GRAMS_A_UM * 0.15, 9)
        self.assertEqual(twice.name, "DROP-1-P1-A1-A1")
        self.assertEqual(twice.soko_origin_lot_id, lot.soko_origin_lot_id)
        self.assertEqual((twice.soko_thin_lot_id, self._verdict(twice)), (once, "pass"))
        self.assertEqual(self._quantity(self.stock, twice, self.amina), 1)
        # Another piece of the raw lot is no third plating.
        self.assertEqual(lot.soko_origin_lot_id.soko_derived_lot_ids, lot | once | twice)

    def test_the_rest_is_judged_by_its_own_readings(self):
        """Only some of the thin ones are taken: what stays is still too thin."""
        lot = self._plate_thin(0.6, 0.4, 0.2)
        again = self._again(lot, 0.55, quantity=1)
        self.assertAlmostEqual(again._soko_get_plating_steps().soko_thickness_before_um, 0.2, 9)
        self.assertEqual(self._verdict(lot), "under")
        second = self._again(lot, 0.6)
        self.assertEqual(second.name, "DROP-1-P1-A2")
        self.assertEqual(self._verdict(lot), "pass")

    def test_thin_ones_speak_for_those_nobody_measured(self):
        run = self._order_plating(self._accept(3), 3)
        self._finish(run)
        self._read(run, run.workorder_ids, 0.2)
        lot = run.production_ids.lot_producing_ids
        self._again(lot, 0.6)
        self.assertEqual(self._quantity(self.stock, lot), 2)
        self.assertEqual(self._verdict(lot), "under")
        self.env["soko.plating.reading"].create(
            {"run_id": run.id, "workorder_id": run.workorder_ids.id, "piece": 2,
             "thickness_um": 0.5}
        )
        self.assertEqual(self._verdict(lot), "pass")

    def test_measured_as_a_whole(self):
        """A test strip tells what a run put on; the layer before is added to it."""
        run = self._order_plating(self._accept(2), 2)
        self._finish(run, measured_thickness_um=0.3)
        lot = run.production_ids.lot_producing_ids
        wizard = self._open(lot)
        self.assertEqual((wizard.quantity, wizard.thickness_before_um), (2, 0.3))
        second = self._order_again(lot)
        self._finish(second, measured_thickness_um=0.2)
        again = second.production_ids.lot_producing_ids
        self.assertEqual(self._verdict(again), "pass")
        self.assertAlmostEqual(second.fine_mass_g, 2 * GRAMS_A_UM * 0.2, 9)

    def test_raw_and_thin_pieces_share_a_run(self):
        lot = self._plate_thin(0.3)
        run = self._order_plating(self._accept(1, self.juma, "RAW"))
        raw = run.workorder_ids
        self.assertEqual(self._order_again(lot, run_id=run.id), run)
        thin = run.workorder_ids - raw
        run.action_start()
        run.minutes = 2
        self._read(run, raw, 0.5)
        self._read(run, thin, 0.7)
        run.action_finish()
        self.assertAlmostEqual(run.measured_thickness_um, (0.5 + 0.4) / 2, 9)
        self.assertAlmostEqual(run.fine_mass_g, GRAMS_A_UM * 0.9, 9)
        costs = [w.soko_metal_cost_unit for w in (raw, thin)]
        self.assertAlmostEqual(costs[0], GRAMS_A_UM * 0.5 * 14000, 6)
        self.assertAlmostEqual(costs[1], GRAMS_A_UM * 0.4 * 14000, 6)
        self.assertEqual(self._quantity(self.stock, thin.finished_lot_ids, self.amina), 1)
        self.assertEqual(self._quantity(self.stock, raw.finished_lot_ids, self.juma), 1)

    def test_balance_and_salt_take_what_was_added(self):
        with freeze_time("2026-03-02 09:00:00"):
            self.process.salt_product_id = self.salt
            self._log(kind="addition", metal_g=5)
            lot = self._plate_thin(0.3)
            self._again(lot, 0.7)
        gone = GRAMS_A_UM * 0.7
        balance = self.env["soko.plating.balance"].create(
            {
                "bath_id": self.bath.id,
                "date_from": "2026-03-01",
                "date_to": "2026-03-31",
                "opening_g": 10,
                "closing_g": 15 - gone,
            }
        )
        balance.action_close()
        self.assertAlmostEqual(balance.deposited_g, gone, 5)
        self.assertAlmostEqual(balance.gap_g, 0, 5)
        left = self._quantity(self.bath.location_id, product=self.salt)
        milligrams = self.bath.unbooked_salt_g * 1000
        self.assertAlmostEqual(left - milligrams, (5 - gone) / 0.683 * 1000, delta=0.5)

    def test_thinner_than_before_is_pointed_out(self):
        lot = self._plate_thin(0.3)
        run = self._order_again(lot)
        run.action_start()
        run.minutes = 2
        self._read(run, run.workorder_ids, 0.25)
        self.assertIn("Thinner than before", run.warning)
        self.assertEqual(run.workorder_ids._soko_get_added_thickness(), 0)

    def test_finished_once(self):
        lot = self._plate_thin(0.3)
        run = self._order_again(lot)
        self._finish(run)
        with self.assertRaisesRegex(UserError, "somebody finished it before you"):
            run.action_finish()
        self.assertEqual(self._quantity(self.stock, product=self.plated), 1)

    def test_cancelled_run_and_order(self):
        lot = self._plate_thin(0.3, 0.6)
        run = self._order_again(lot)
        order = run.production_ids
        with self.assertRaisesRegex(UserError, "Only 1.0 pieces"):
            self._order_again(lot, quantity=2)
        run.action_start()
        run.action_cancel()
        self.assertEqual(self._verdict(lot), "under")
        order.action_cancel()
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 2)
        again = self._again(lot, 0.5)
        self.assertEqual((self._verdict(lot), self._verdict(again)), ("pass", "pass"))

    def test_what_is_refused(self):
        lot = self._plate_thin(0.3, 0.6)
        for quantity, text in (
            (3, "Only 2.0 pieces"), (0, "at least one"), (-1, "at least one"), (1.5, "whole pieces")
        ):
            with self.subTest(quantity=quantity), self._refuses(text):
                self._order_again(lot, quantity=quantity)
        with self._refuses("No plating run made"):
            self._order_again(lot.soko_origin_lot_id)
        unmeasured = self._plate(self._accept(1, lot_name="U"))
        with self._refuses("was not measured"):
            self._order_again(unmeasured)
        with self._refuses("thick enough"):
            self._order_again(self._plate_thin(0.5, name="GOOD"))
        silver = self.process.copy({"name": "Silver", "metal": "silver"})
        bath = self.bath.copy({"process_id": silver.id, "tank_id": False})
        with self._refuses("was plated by Gold, 0.5 um"):
            self._order_again(lot, bath_id=bath.id)
        done = lot._soko_get_plating_steps().soko_plating_run_id
        with self._refuses("still loading"):
            self._order_again(lot, run_id=done.id)

    def test_another_company_sees_nothing_of_it(self):
        lot = self._plate_thin(0.3)
        other = self.env["res.company"].create({"name": "Kisumu"})
        process = self.process.copy({"company_id": other.id})
        bath = self.bath.copy({"process_id": process.id, "tank_id": False})
        with self._refuses("Choose a bath of this process"):
            self.env["soko.plating.again"].create(
                {"lot_id": lot.id, "bath_id": bath.id}
            ).action_confirm()
        lot.company_id = self.company
        group = "soko_qc.soko_qc_group_inspector"
        stranger = new_test_user(
            self.env, "qc_stranger", group, company_id=other.id, company_ids=[(6, 0, other.ids)]
        )
        with self.assertRaises(AccessError):
            self.env["soko.plating.again"].with_user(stranger).create(
                {"lot_id": lot.id, "quantity": 1}
            ).action_confirm()

    def test_roles(self):
        lot = self._plate_thin(0.3)
        with self.assertRaises(AccessError):
            self.env["soko.plating.again"].with_user(self.clerk).create({"lot_id": lot.id})
        run = self._order_again(lot)
        reading = run.workorder_ids.soko_replated_reading_ids
        for user in (self.inspector, self.manager):
            with self.assertRaises(AccessError):
                reading.with_user(user).replated_workorder_id = False
            with self.assertRaises(AccessError):
                lot.with_user(user).soko_thin_lot_id = lot
        with self.assertRaises(UserError):
            reading.with_user(self.inspector).thickness_um = 0.6

    def test_certificate(self):
        again = self._again(self._plate_thin(0.6, 0.3), 0.55)
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "soko_qc.report_plating_certificate", again.ids
        )
        for expected in ("Plated again from", "DROP-1-P1", "Layer before", "0.300", "0.550"):
            self.assertIn(expected, html.decode())
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "soko_qc.report_plating_certificate", again.soko_thin_lot_id.ids
        )
        self.assertIn("0.600", html.decode())
        self.assertNotIn("0.300", html.decode())
