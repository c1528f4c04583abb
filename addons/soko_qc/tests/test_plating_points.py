import base64
import importlib.util
from pathlib import Path

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import PlatingCase


class PointsCase(PlatingCase):
    """Two owners' lots on one run, a tank with limits and a salt in stock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tank = cls.env["soko.plating.tank"].create(
            {"name": "Tank 1", "max_current_a": 1, "max_area_cm2": 200, "max_voltage_v": 6}
        )
        cls.bath.write({"tank_id": cls.tank.id, "metal_content_g_l": 4})
        cls.salt = cls.env["product.product"].create(
            {
                "name": "Potassium gold cyanide",
                "is_storable": True,
                "uom_id": cls.env.ref("soko_qc.uom_milligram").id,
            }
        )

    def _load(self):
        """A run with one piece of Amina's and two of Juma's; their work orders."""
        amina = self._accept(1, self.amina, "A")
        juma = self._accept(2, self.juma, "J")
        run = self._order_plating(amina, 1)
        self._order_plating(juma, 2, run_id=run.id)
        orders = run.workorder_ids
        first = orders.filtered(lambda w: w.production_id.origin == "A")
        return run, first, orders - first

    def _finish(self, run, **vals):
        run.action_start()
        run.write({"minutes": 2, **vals})
        run.action_finish()

    def _read(self, run, workorder, *values):
        return self.env["soko.plating.reading"].with_user(self.inspector).create(
            [
                {
                    "run_id": run.id,
                    "workorder_id": workorder.id,
                    "piece": piece,
                    "thickness_um": value,
                }
                for piece, value in enumerate(values, 1)
            ]
        )

    def _log(self, **vals):
        log = self.env["soko.plating.bath.log"].with_user(self.inspector)
        return log.create({"bath_id": self.bath.id, **vals})

    def _import(self, run, kind, content):
        wizard = self.env["soko.plating.import"].with_user(self.inspector)
        return wizard.create(
            {"run_id": run.id, "kind": kind, "file": base64.b64encode(content)}
        ).action_import()


@tagged("post_install", "-at_install")
class TestPlatingRunPoints(PointsCase):
    def test_mixed_run_costs_by_area_and_thickness(self):
        """Each piece keeps owner and lot and costs what is on it; together what the run took."""
        run, first, second = self._load()
        run.action_start()
        run.minutes = 2
        self._read(run, first, 0.6)
        self._read(run, second, 0.5, 0.7)
        run.action_finish()
        self.assertAlmostEqual(run.measured_thickness_um, 0.6, 9)
        self._check_cost(run, first, 0.6)
        self._check_cost(run, second, 0.6)
        total = first.soko_metal_cost_unit + 2 * second.soko_metal_cost_unit
        self.assertAlmostEqual(total, run.metal_cost, delta=0.02)
        for workorder, owner, raw, count in (
            (first, self.amina, "A", 1), (second, self.juma, "J", 2)
        ):
            lot = workorder.production_id.lot_producing_ids
            self.assertEqual(lot.soko_origin_lot_id.name, raw)
            self.assertEqual(self._quantity(self.stock, lot, owner), count)

    def _check_cost(self, run, workorder, thickness):
        expected = 40 * thickness * 1e-4 * 19.3 * 14000
        self.assertAlmostEqual(workorder.soko_metal_cost_unit, expected, delta=0.01)
        if "extra_cost" in workorder.production_id._fields:
            self.assertAlmostEqual(workorder.production_id.extra_cost, expected, delta=0.01)

    def test_thin_piece_cannot_be_sold_as_plated(self):
        run, first, second = self._load()
        self._finish(run)
        self._read(run, first, 0.55)
        self._read(run, second, 0.6, 0.4)
        thin = second.production_id.lot_producing_ids
        good = first.production_id.lot_producing_ids
        self.assertEqual((thin.soko_plating_verdict, good.soko_plating_verdict), ("under", "pass"))
        self.assertIn(second.production_id.name, run.warning)
        self._deliver(good, self.amina)
        with self.assertRaisesRegex(UserError, "too thin"):
            self._deliver(thin, self.juma)
        with self.assertRaises(AccessError):
            thin.with_user(self.inspector).write({"soko_plating_released_by_id": self.inspector.id})
        with self.assertRaises(AccessError):
            thin.with_user(self.inspector).action_soko_release_plating()
        thin.with_user(self.manager).action_soko_release_plating()
        self.assertEqual(thin.soko_plating_released_by_id, self.manager)
        self._deliver(thin, self.juma)
        self.assertEqual(self._quantity(self.stock, thin), 1)

    def test_unmeasured_piece_waits_where_the_process_says_so(self):
        lot = self._plate(self._accept(2), 2)
        self.assertEqual(lot.soko_plating_verdict, "unmeasured")
        self._deliver(lot, self.amina)
        self.process.measure_required = True
        with self.assertRaisesRegex(UserError, "not measured"):
            self._deliver(lot, self.amina)

    def _deliver(self, lot, owner):
        places = {"location_id": self.stock.id, "location_dest_id": self.customers.id}
        line = {
            "product_id": lot.product_id.id,
            "lot_id": lot.id,
            "owner_id": owner.id,
            "quantity": 1,
            "picked": True,
            **places,
        }
        move = self.env["stock.move"].create(
            {
                "product_id": lot.product_id.id,
                "product_uom": lot.product_id.uom_id.id,
                "product_uom_qty": 1,
                "picked": True,
                "move_line_ids": [Command.create(line)],
                **places,
            }
        )
        move._action_confirm()
        move._action_done()

    def test_surface_class_has_its_own_thickness(self):
        self.plated.soko_surface_class = "wear"
        self.process.target_ids = [
            Command.create({"surface_class": "wear", "target_um": 1, "minimum_um": 0.8})
        ]
        run, first, _second = self._load()
        # Twice the layer of the process's own target takes twice the time.
        self.assertAlmostEqual(run.suggested_minutes, 3.5, 1)
        self._finish(run)
        self._read(run, first, 0.79)
        self.assertEqual(first._soko_get_plating_verdict(), "under")

    def test_limits_of_tank_and_rectifier_are_pointed_out(self):
        run, _first, _second = self._load()
        self.assertAlmostEqual(run.area_load, 120 / 200)
        self.assertFalse(run.warning)
        run.write({"current_a": 1.5, "volts": 7})
        self.tank.max_area_cm2 = 100
        self.assertAlmostEqual(run.current_load, 1.5)
        run.invalidate_recordset(["warning"])
        for text in ("1 A at most", "6 V at most", "100 cm2 at most"):
            self.assertIn(text, run.warning)
        self.bath.metal_content_g_l = 0.001
        run.invalidate_recordset(["warning"])
        self.assertIn("less metal", run.warning)

    def test_price_of_the_day(self):
        self.env["soko.metal.price"].create(
            [
                {"metal": "gold", "date": "2026-03-01", "price_per_gram": 100},
                {"metal": "gold", "date": "2026-03-05", "price_per_gram": 200},
                {"metal": "silver", "date": "2026-03-02", "price_per_gram": 1},
            ]
        )
        run = self._order_plating(self._accept(1))
        with freeze_time("2026-03-04 09:00:00"):
            self._finish(run)
        self.assertEqual(run.price_per_gram, 100)
        prices = self.env["soko.metal.price"]
        early = fields.Date.to_date("2026-02-01")
        self.assertIsNone(prices._get_price(self.company, "gold_1", early))

    def test_finished_once(self):
        run, first, _second = self._load()
        self._finish(run)
        before = (run.metal_cost, run.date_finished, first.production_id.qty_produced)
        with self.assertRaisesRegex(UserError, "already.*Nothing was booked a second time"):
            run.with_user(self.manager).action_finish()
        self.assertEqual(
            (run.metal_cost, run.date_finished, first.production_id.qty_produced), before
        )

    def test_bath_stays_while_a_run_is_in_it(self):
        run, _first, _second = self._load()
        run.action_start()
        other = self.process.copy({"name": "Other"})
        for vals in ({"process_id": other.id}, {"tank_id": False}, {"active": False}):
            with self.assertRaisesRegex(UserError, "right now"):
                self.bath.write(vals)
        self.assertEqual(self.bath.process_id, self.process)
        run.minutes = 2
        run.action_finish()
        self.bath.tank_id = False

    def test_bad_readings(self):
        run, first, _second = self._load()
        self._finish(run)
        with self.assertRaisesRegex(ValidationError, "microinch"), self.cr.savepoint():
            self._read(run, first, 400)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self._read(run, first, -0.1)
        other = self._order_plating(self._accept(1, lot_name="C"))
        with self.assertRaisesRegex(ValidationError, "was not on"), self.cr.savepoint():
            self._read(run, other.workorder_ids, 0.5)
        reading = self._read(run, first, 0.5)
        with self.assertRaisesRegex(UserError, "evidence"):
            reading.unlink()

    def test_karat_above_24(self):
        with self.assertRaisesRegex(ValidationError, "fine gold is 24"):
            self.process.karat = 25
        self.process.karat = 18
        self.assertAlmostEqual(self.process.fineness, 0.75)

    def test_files_of_instruments(self):
        run, first, second = self._load()
        run.action_start()
        self._import(run, "rectifier", b"minutes;amps;volts\n0;0,6;3,0\n2;0,6;3,0\n")
        self.assertAlmostEqual(run.charge_ah, 0.02, 9)
        self.assertAlmostEqual(run.volts, 3)
        run.action_finish()
        with self.assertRaisesRegex(UserError, "two ways"):
            self._import(run, "thickness", b"lot,um\nA,0,52\n")
        with self.assertRaisesRegex(UserError, "Nothing was taken over"):
            self._import(run, "thickness", b"lot,um\nA,0.52\nNOBODY,0.5\n")
        self.assertFalse(run.reading_ids)
        self._import(run, "thickness", b"lot;place;um\nA;rim;0,52\nj;rim;0,5\nJ;rim;0,6\n")
        self.assertEqual(first.soko_reading_ids.mapped("thickness_um"), [0.52])
        self.assertEqual(second.soko_reading_ids.mapped("piece"), [1, 2])
        self.assertAlmostEqual(second.soko_thickness_min_um, 0.5)

    def test_recipe_becomes_operations(self):
        self.process.step_ids = [
            Command.create({"kind": kind, "sequence": index, "workcenter_id": self.workcenter.id})
            for index, kind in enumerate(("polish", "plate", "rinse", "inspect"))
        ]
        bom = self.bom.copy({"operation_ids": False, "soko_plating_process_id": self.process.id})
        bom.operation_ids.unlink()
        bom.action_soko_apply_recipe()
        steps = bom.operation_ids.sorted("sequence")
        self.assertEqual(steps.mapped("soko_step"), ["polish", "plate", "rinse", "inspect"])
        self.assertEqual(steps[1].soko_plating_process_id, self.process)
        self.assertFalse((steps - steps[1]).soko_plating_process_id)
        self.assertEqual(steps[2].blocked_by_operation_ids, steps[1])
        with self.assertRaisesRegex(UserError, "operations already"):
            bom.action_soko_apply_recipe()

    def test_certificate(self):
        run, first, _second = self._load()
        self._finish(run)
        self._read(run, first, 0.537)
        lot = first.production_id.lot_producing_ids
        report = self.env["ir.actions.report"].with_user(self.inspector)
        html, _type = report._render_qweb_html("soko_qc.report_plating_certificate", lot.ids)
        for text in (b"A-P1", b"0.537", run.name.encode(), b"</span>/1000", b"Thick enough"):
            self.assertIn(text, html)


@tagged("post_install", "-at_install")
class TestPlatingBathPoints(PointsCase):
    def test_log_is_judged_and_kept(self):
        self.process.write({"metal_min": 3, "metal_max": 5, "ph_min": 6, "ph_max": 8})
        entry = self._log(kind="analysis", metal_content_g_l=4.2, ph=7)
        self.assertEqual((entry.verdict, self.bath.metal_content_g_l), ("pass", 4.2))
        self.assertEqual(self._log(kind="check", ph=7.9).verdict, "warn")
        bad = self._log(kind="analysis", metal_content_g_l=2.5)
        self.assertEqual((bad.verdict, self.bath.metal_content_g_l), ("fail", 2.5))
        self._log(kind="analysis", metal_content_g_l=2.4)
        self.assertEqual(len(self.bath.activity_ids), 1)
        with self.assertRaises(AccessError):
            bad.metal_content_g_l = 4
        with self.assertRaisesRegex(UserError, "log of a bath is kept"):
            bad.sudo().unlink()
        for vals in ({"kind": "addition"}, {"kind": "check"}):
            with self.assertRaises(UserError):
                self._log(**vals)

    def test_only_named_people_work_with_a_bath(self):
        self.bath.user_ids = self.manager
        run = self._order_plating(self._accept(1))
        with self.assertRaisesRegex(AccessError, "may work with"):
            run.action_start()
        with self.assertRaisesRegex(AccessError, "may work with"):
            self._log(kind="check", ph=7)
        run.with_user(self.manager).action_start()
        self.assertEqual(run.state, "progress")

    def test_maintenance_by_ampere_hours(self):
        self.process.maintenance_ah = 0.01
        self._plate(self._accept(1), minutes=4)  # 0.2 A x 4 min = 0.0133 Ah
        self.bath.invalidate_recordset()
        self.assertAlmostEqual(self.bath.ampere_hours, 0.2 * 4 / 60, 5)
        self.assertTrue(self.bath.is_maintenance_due)
        self.assertEqual(len(self.bath.activity_ids), 1)
        self._log(kind="maintenance")
        self.bath.invalidate_recordset()
        self.assertFalse(self.bath.is_maintenance_due)
        self.assertFalse(self.bath.activity_ids)

    def test_one_bath_a_tank(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self.bath.copy()
        self.bath.active = False
        self.env.flush_all()
        self.assertEqual(self.bath.copy({"active": True}).tank_id, self.tank)

    def test_uncertainty_is_shown(self):
        for name, thickness in (("A", 0.5), ("B", 0.52)):
            run = self._order_plating(self._accept(1, lot_name=name))
            self._finish(run, measured_thickness_um=thickness)
        ideal = 7.349 * 0.2 * 2 / 60
        masses = [40 * t * 1e-4 * 19.3 for t in (0.5, 0.52)]
        self.assertAlmostEqual(self.bath.efficiency, sum(masses) / 2 / ideal, 3)
        # The mean of two: half their difference.
        self.assertAlmostEqual(
            self.bath.efficiency_error, (masses[1] - masses[0]) / 2 / ideal, 3
        )

    def test_salt_is_moved_and_nothing_is_lost(self):
        self.process.write({"salt_product_id": self.salt.id, "salt_share": 0.5})
        self.env["stock.quant"]._update_available_quantity(self.salt, self._main_stock(), 5000)
        self._log(kind="addition", metal_g=1)
        place = self.bath.location_id
        self.assertEqual(self._quantity(place, product=self.salt), 2000)
        self.assertEqual(self._quantity(self._main_stock(), product=self.salt), 3000)
        run = self._order_plating(self._accept(1, lot_name="A"))
        self._finish(run, measured_thickness_um=0.5)
        self._check_salt(place, 40 * 0.5e-4 * 19.3)
        # A later measurement charges the difference with the next run, less or more.
        run.measured_thickness_um = 0.45
        run.action_measure()
        second = self._order_plating(self._accept(1, lot_name="B"))
        self._finish(second, measured_thickness_um=0.5)
        self._check_salt(place, 40 * 0.95e-4 * 19.3)

    def _main_stock(self):
        return self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        ).lot_stock_id

    def _check_salt(self, place, metal_g):
        """Moved salt and carried rest are, together, the metal of the runs."""
        gone = (2000 - self._quantity(place, product=self.salt)) / 1000
        self.assertAlmostEqual(gone + self.bath.unbooked_salt_g, metal_g / 0.5, 5)
        self.assertLess(abs(self.bath.unbooked_salt_g), 0.00002)

    def test_salt_is_kept_by_weight(self):
        with self.assertRaisesRegex(ValidationError, "by weight"):
            self.process.salt_product_id = self.raw

    def test_balance(self):
        with freeze_time("2026-03-02 09:00:00"):
            self._log(kind="analysis", metal_content_g_l=4)
            self._log(kind="addition", metal_g=2)
            self._log(kind="sample", metal_g=0.05)
            run = self._order_plating(self._accept(1))
            self._finish(run, measured_thickness_um=0.5)
            gone = 40 * 0.5e-4 * 19.3
            self.process.drag_out_share = 0.1
            self._log(kind="analysis", metal_content_g_l=(40 + 2 - 0.05 - 1.1 * gone) / 10)
        balance = self.env["soko.plating.balance"].with_user(self.manager).create(
            {
                "bath_id": self.bath.id,
                "date_from": "2026-03-01",
                "date_to": "2026-03-31",
                "opening_g": 40,
            }
        )
        balance.action_close()
        self.assertAlmostEqual(balance.deposited_g, gone, 5)
        self.assertAlmostEqual(balance.drag_out_g, gone / 10, 5)
        # The titration has three decimals of g/l in 10 l.
        self.assertAlmostEqual(balance.gap_g, 0, delta=0.005)
        with self.assertRaisesRegex(UserError, "stays as it is"):
            balance.closing_g = 1
        following = balance.copy({"date_from": "2026-04-01", "date_to": "2026-04-30"})
        self.assertAlmostEqual(following.opening_g, balance.closing_g, 5)
        following.closing_g = 0
        with self.assertRaisesRegex(UserError, "Nobody measured"):
            following.action_close()
        with self.assertRaisesRegex(UserError, "covers a part"):
            balance.copy({"date_from": "2026-03-10", "date_to": "2026-03-12"})

    def test_roles(self):
        tank, price = self.tank, self.env["soko.metal.price"]
        with self.assertRaises(AccessError):
            tank.with_user(self.inspector).max_current_a = 99
        with self.assertRaises(AccessError):
            price.with_user(self.inspector).create({"price_per_gram": 1})
        with self.assertRaises(AccessError):
            self.env["soko.plating.balance"].with_user(self.inspector).create(
                {"bath_id": self.bath.id, "date_from": "2026-03-01", "date_to": "2026-03-02"}
            )
        tank.with_user(self.manager).max_current_a = 3
        price.with_user(self.manager).create({"price_per_gram": 1})
        with self.assertRaises(AccessError):
            self._log(kind="check", ph=7).with_user(self.clerk).read(["ph"])


@tagged("post_install", "-at_install")
class TestPlatingPointsMigration(PointsCase):
    def _migrate(self, version="19.0.1.0.0"):
        path = Path(__file__).parents[1] / "migrations/19.0.1.1.0/pre-plating-runs.py"
        spec = importlib.util.spec_from_file_location("pre_plating_runs", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        script.migrate(self.cr, version)

    def _as_before(self):
        """Take away what the version before did not have."""
        self.env.flush_all()
        self.cr.execute(
            "ALTER TABLE soko_plating_run DROP COLUMN date_planned, DROP COLUMN booked_metal_g"
        )

    def _get_rows(self, runs):
        self.cr.execute(
            """SELECT date_planned, booked_metal_g, fine_mass_g FROM soko_plating_run
                WHERE id = ANY(%s) ORDER BY id""",
            [runs.ids],
        )
        return self.cr.fetchall()

    def test_old_runs_are_planned_and_booked(self):
        """A finished run is booked for the day it began, one that is loading not yet."""
        done = self._order_plating(self._accept(1, lot_name="A"))
        with freeze_time("2026-03-04 09:00:00"):
            self._finish(done)
        waiting = self._order_plating(self._accept(1, lot_name="B"))
        self._as_before()
        self._migrate()
        first, second = self._get_rows(done | waiting)
        self.assertEqual(first[0], fields.Date.to_date("2026-03-04"))
        self.assertGreater(first[1], 0.04)
        self.assertEqual(first[1], first[2])
        self.assertEqual(second[:2], (waiting.create_date.date(), 0))
        # A second pass changes nothing: the columns are there.
        self.cr.execute("UPDATE soko_plating_run SET booked_metal_g = 7, date_planned = NULL")
        self._migrate()
        self.assertEqual([row[:2] for row in self._get_rows(done | waiting)], [(None, 7)] * 2)

    def test_a_late_reading_charges_the_difference_only(self):
        """What was taken before the update is not taken from the salt a second time."""
        run = self._order_plating(self._accept(1))
        self._finish(run, measured_thickness_um=0.5)
        self._as_before()
        self._migrate()
        self.env.invalidate_all()
        self.process.write({"salt_product_id": self.salt.id, "salt_share": 0.5})
        run.measured_thickness_um = 0.6
        run.action_measure()
        moves = self.env["stock.move"].search([("product_id", "=", self.salt.id)])
        taken = moves.quantity / 1000 + self.bath.unbooked_salt_g
        self.assertAlmostEqual(taken, 40 * 0.1e-4 * 19.3 / 0.5, 6)

    def test_new_database_is_left_alone(self):
        self._as_before()
        self._migrate(version=None)
        self.cr.execute(
            """SELECT count(*) FROM information_schema.columns
                WHERE table_name = 'soko_plating_run' AND column_name = 'date_planned'"""
        )
        self.assertEqual(self.cr.fetchone(), (0,))
