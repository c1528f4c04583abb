from psycopg2 import IntegrityError

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .test_plating_points import PointsCase


@tagged("post_install", "-at_install")
class TestPlatingInput(PointsCase):
    """What people mistype: each is refused in words that say what to do."""

    def _refuse(self, record, vals, message):
        """The database refuses it; compare what the user is told."""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError) as caught,
            self.cr.savepoint(),
        ):
            record.write(vals)
            record.flush_recordset()
        record.invalidate_recordset()
        self.assertRegex(record._sql_error_to_message(caught.exception), message)

    def test_figures_below_zero(self):
        run = self.env["soko.plating.run"].create({"bath_id": self.bath.id})
        for record, vals, message in (
            (run, {"current_a": -1}, "Current.* cannot be negative"),
            (run, {"minutes": -1}, "minutes.* cannot be negative"),
            (run, {"rectifier_ah": -0.1}, "ampere-hours.* cannot be negative"),
            (run, {"volts": -1}, "voltage.* cannot be negative"),
            (self.plated.product_tmpl_id, {"soko_plating_area_cm2": -1}, "area cannot be negative"),
            (self.process, {"fineness": 1.08}, "24 karat is 100 %"),
            (self.bath, {"volume_l": -1}, "Volume.* cannot be negative"),
            (self.tank, {"max_current_a": -1}, "cannot be negative"),
        ):
            with self.subTest(vals=vals):
                self._refuse(record, vals, message)

    def test_form_bears_what_is_typed(self):
        """A wrong figure is refused when it is saved; typing it breaks nothing."""
        run, _first, _second = self._load()
        for field in ("current_a", "minutes", "rectifier_ah"):
            form = Form(run)
            form[field] = -1
            self.assertGreaterEqual(form.suggested_minutes, 0)
            with (
                self.subTest(field),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                form.save()
            run.invalidate_recordset()

    def test_area_is_missing(self):
        run, _first, _second = self._load()
        self.plated.soko_plating_area_cm2 = 0
        self.assertIn("no plated area", run.warning)
        with self.assertRaisesRegex(UserError, "no plated area. Enter it on the product"):
            run.action_start()
        self.plated.soko_plating_area_cm2 = 40
        run.action_start()
        # Taken away while the pieces are in the bath, metal would be booked that costs nothing.
        run.minutes = 2
        self.plated.soko_plating_area_cm2 = 0
        with self.assertRaisesRegex(UserError, "no plated area. Enter it on the product"):
            run.action_finish()
        self.plated.soko_plating_area_cm2 = 50
        run.action_finish()
        self.assertEqual(run.area_cm2, 150)

    def test_area_that_is_put_right_later(self):
        """A finished run took what it took."""
        run, _first, _second = self._load()
        self._finish(run, measured_thickness_um=0.5)
        before = (run.area_cm2, run.piece_count, run.fine_mass_g, run.metal_cost)
        self.assertEqual(before[:2], (120, 3))
        self.plated.soko_plating_area_cm2 = 80
        self.env.flush_all()
        run.invalidate_recordset()
        self.assertEqual((run.area_cm2, run.piece_count, run.fine_mass_g, run.metal_cost), before)

    def test_readings_in_a_wrong_unit(self):
        run, first, _second = self._load()
        self._finish(run)
        message = "400.* more than fifty times the target of 0.5 um. Check the unit"
        with self.assertRaisesRegex(ValidationError, message), self.cr.savepoint():
            self._read(run, first, 400)
        with self.assertRaisesRegex(ValidationError, message), self.cr.savepoint():
            run.measured_thickness_um = 400
        with self.assertRaisesRegex(ValidationError, message), self.cr.savepoint():
            self._import(run, "thickness", b"lot,um\nA,0.52\nJ,400\n")
        run.invalidate_recordset()
        self.assertFalse(run.reading_ids, "a file is taken over whole or not at all")

    def test_karat(self):
        for karat in (25, 750, 0, -1):
            with self.assertRaisesRegex(ValidationError, f"{karat} karat does not exist"):
                self.process.karat = karat
            self.process.invalidate_recordset()
        self.process.karat = 14
        self.assertAlmostEqual(self.process.fineness, 14 / 24, 4)

    def test_decimal_commas(self):
        run, first, _second = self._load()
        self._finish(run)
        for content in (b"lot,um\nA,0,52\n", b'lot,um\nA,"0,52"\n', b"lot;um\nA;1.000,52\n"):
            with (
                self.subTest(content),
                self.assertRaisesRegex(UserError, "line 2.*two ways.*semicolons"),
            ):
                self._import(run, "thickness", content)
        self._import(run, "thickness", b"lot;um\nA;0,52\n")
        self.assertEqual(first.soko_reading_ids.mapped("thickness_um"), [0.52])

    def test_bath_is_changed_while_pieces_are_in_it(self):
        run, _first, _second = self._load()
        run.action_start()
        other = self.env["soko.plating.bath"].create(
            {"name": "Other", "process_id": self.process.id}
        )
        with self.assertRaisesRegex(UserError, "facts"):
            run.bath_id = other
        for record, vals in (
            (self.bath, {"volume_l": 5}),
            (self.bath, {"active": False}),
            (self.process, {"density": 15}),
            (self.process, {"fineness": 0.75}),
            (self.process, {"karat": 18}),
            (self.process, {"metal": "silver"}),
        ):
            message = f"{run.name} is in {self.bath.name} right now. Take it out or cancel it"
            with self.subTest(vals), self.assertRaisesRegex(UserError, message):
                record.write(vals)
            record.invalidate_recordset()
        # Learning goes on, and the run keeps what it began with.
        self.bath.efficiency = 0.5
        self.assertEqual(run.efficiency, 0.9)
        run.action_cancel()
        self.process.fineness = 0.75
