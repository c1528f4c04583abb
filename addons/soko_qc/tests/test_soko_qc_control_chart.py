from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, freeze_time, tagged

from odoo.addons.soko_qc.tools import chart
from odoo.addons.soko_qc.wizards import soko_qc_control_chart

from .common import QcCase

# NIST/SEMATECH e-Handbook 6.3.2.2: ten flow rates.
FLOW = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


@tagged("post_install", "-at_install")
class TestSokoQcControlChart(QcCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._create_plan(product_tmpl_ids=cls.raw.product_tmpl_id.ids)
        cls.edges, cls.width = cls.plan.criterion_ids
        cls.width.write({"target": 50, "tolerance_minus": 5, "tolerance_plus": 5})

    def _measure(self, values, lot_name="DROP-1", **kwargs):
        """Decide an inspection whose pieces have these readings."""
        inspection = self._receive(len(values), lot_name=lot_name, **kwargs)
        inspection.action_start()
        readings = inspection.result_ids.filtered(lambda r: r.criterion_id == self.width)
        for reading, value in zip(readings.sorted("piece_number"), values, strict=True):
            reading.value = value
        inspection.action_all_pass()
        inspection.action_done()
        return inspection

    def _chart(self, user=None, **values):
        charts = self.env["soko.qc.control.chart"].with_user(user or self.inspector)
        return charts.create({"criterion_id": self.width.id, **values}).chart

    def test_known_numbers_through_the_form(self):
        """The handbook gives 45.8159, 50.81 and 55.8041, and nothing that stands out."""
        self._measure(FLOW)
        form = Form(self.env["soko.qc.control.chart"].with_user(self.inspector))
        self.assertIn("Choose a measure", form.chart)
        form.criterion_id = self.width
        for text in ("45.8159 mm", "50.8100 mm", "55.8041 mm", "1.8778 mm", "Limits of 10 points"):
            self.assertIn(text, form.chart)
        for text in ("Lower tolerance: <b>45.0000 mm", "Upper tolerance: <b>55.0000 mm"):
            self.assertIn(text, form.chart)
        self.assertEqual(form.chart.count('class="o_soko_point"'), 10 + 9)
        self.assertIn("Nothing: the points scatter", form.chart)

    def test_what_stands_out_is_marked_and_told(self):
        """By hand: mean 11.4, mean way 2, so 11.4 +- 3 x 2 / 1.128; ways up to 3.267 x 2."""
        self.width.write({"target": 11, "tolerance_minus": 2, "tolerance_plus": 2})
        inspection = self._measure([10, 11, 10, 11, 10, 11, 10, 11, 10, 20])
        shown = self._chart()
        for text in ("11.4000 mm", "16.7191 mm", "6.0809 mm", "6.5340 mm"):
            self.assertIn(text, shown)
        self.assertEqual(shown.count('class="o_soko_marked"'), 3 + 1)
        self.assertIn(
            "beyond a control limit; too far from the reading before; outside the tolerance", shown
        )
        self.assertEqual(shown.count("eight points in a row"), 2)
        link = f'href="/odoo/action-soko_qc.soko_qc_inspection_action/{inspection.id}"'
        self.assertEqual(shown.count(link), 3)

    def test_means_and_ranges(self):
        """By hand: means 10 and 12, ranges 2 and 4, so 11 +- 1.023 x 3 and up to 2.574 x 3."""
        self._measure([9, 10, 11, 10], "DROP-1")
        self._measure([10, 12, 14, 12], "DROP-2")
        shown = self._chart(subgroup_size="3")
        for text in ("7.9310 mm", "11.0000 mm", "14.0690 mm", "3.0000 mm", "7.7220 mm"):
            self.assertIn(text, shown)
        self.assertIn("2 readings fill no point", shown)
        self.assertIn("Too few: 8 readings make 0 points", self._chart(subgroup_size="5"))

    def test_readings_that_are_all_alike(self):
        self._measure([20.1] * 3)
        self.assertIn("no scatter to make limits of", self._chart())

    def test_empty_and_too_few(self):
        self.assertIn("No decided inspection has a reading of Width", self._chart())
        self._measure([50])
        self.assertIn("Too few: 1 readings make 1 points", self._chart())
        waiting = self._receive(2, lot_name="OPEN")
        waiting.action_start()
        waiting.result_ids.filtered(lambda r: r.criterion_id == self.width).value = 49
        self.assertIn("Too few: 1 readings", self._chart())

    def test_order_period_maker_and_product(self):
        with freeze_time("2026-03-01 20:59:59"):
            self._measure([41, 42], "EARLY")
        with freeze_time("2026-03-01 21:00:00"):  # midnight in Nairobi
            self._measure([51, 52], "LATE", owner=self.juma)
        self.inspector.tz = "Africa/Nairobi"
        shown = self._chart()
        order = [shown.index(f">{n}: {value}.0000 mm") for n, value in
                 enumerate((41, 42, 51, 52), start=1)]
        self.assertEqual(order, sorted(order))
        late, early = self._chart(date_from="2026-03-02"), self._chart(date_to="2026-03-01")
        self.assertIn("1: 51.0000 mm", late)
        self.assertNotIn("41.0000", late)
        self.assertIn("1: 41.0000 mm", early)
        self.assertNotIn("51.0000", early)
        self.assertNotIn("41.0000", self._chart(partner_id=self.juma.id))
        self.assertIn("No decided inspection", self._chart(product_id=self.plated.id))

    def test_only_the_newest_are_drawn(self):
        self._measure(FLOW)
        with patch.object(soko_qc_control_chart, "MOST_READINGS", 3):
            shown = self._chart()
        self.assertIn("The newest 3 of 10 readings.", shown)
        self.assertIn(">1: 52.4000 mm", shown)

    def test_readings_in_another_unit_are_left_out(self):
        self._measure(FLOW)
        self.width.unit = "um"
        self.assertIn("No decided inspection", self._chart())

    def test_texts_are_escaped(self):
        self.width.unit = "<i>mm</i>"
        self._measure([50, 90], "<b>LOT</b>")
        shown = self._chart()
        self.assertIn("&lt;b&gt;LOT&lt;/b&gt;", shown)
        self.assertIn("&lt;i&gt;mm&lt;/i&gt;", shown)
        self.assertNotIn("<i>", shown)

    def test_bad_input(self):
        with self._refuses("has no readings", ValidationError):
            self._chart(criterion_id=self.edges.id)
        with self._refuses("ends before it begins", ValidationError):
            self._chart(date_from="2026-03-02", date_to="2026-03-01")
        with self._refuses("Wrong value", ValueError):
            self._chart(subgroup_size="11")

    def test_rights(self):
        self._measure(FLOW)
        self.assertIn("50.8100", self._chart(self.manager))
        with self.assertRaises(AccessError):
            self._chart(self.clerk)
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.assertIn("No decided inspection", self._chart())

    def test_opened_from_the_criterion(self):
        action = self.width.with_user(self.inspector).action_view_chart()
        self.assertEqual(action["context"]["default_criterion_id"], self.width.id)
        shown = self.width.with_context(soko_qc_show_plan=True).display_name
        self.assertEqual((shown, self.width.display_name), ("Cuffs: Width", "Width"))


@tagged("post_install", "-at_install")
class TestChartTools(QcCase):
    def test_drawing(self):
        drawing = chart.draw([0, 10], [5])
        right, bottom = chart.WIDTH - chart.RIGHT, chart.HEIGHT - chart.BOTTOM
        self.assertEqual(drawing.points, [(chart.LEFT, bottom), (right, chart.TOP)])
        self.assertEqual(drawing.heights, [(chart.TOP + bottom) / 2])
        self.assertEqual(chart.draw([5], [5]).points, [(chart.LEFT, chart.TOP)])

    def test_subgroups_stay_in_their_batch(self):
        readings = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5)]
        self.assertEqual(chart.subgroups(readings, 2), [("a", [1, 2]), ("b", [4, 5])])
