from odoo import Command
from odoo.tests import HttpCase, tagged

from .common import QcCase


@tagged("post_install", "-at_install")
class TestTour(QcCase, HttpCase):
    def test_inspector_rejects_one_of_five(self):
        """From the list of what waits to the decision, as an inspector sees it on the screen."""
        self._create_plan(
            criterion_ids=[Command.create({"name": "Edges are smooth", "severity": "critical"})],
        )
        inspection = self._receive(5, lot_name="LOT-TOUR")
        self.start_tour("/odoo", "soko_qc_inspection", login=self.inspector.login)
        self.env.invalidate_all()
        self.assertEqual((inspection.state, inspection.decision), ("done", "partly"))
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (4, 1))
        self.assertEqual(inspection.user_id, self.inspector)
        rejected = inspection.piece_ids.filtered(lambda piece: piece.result == "fail")
        self.assertEqual((rejected.number, rejected.defect_ids), (5, self.defect))
        self.assertEqual(self._quantity(self.stock, inspection.lot_id, self.amina), 4)
        self.assertEqual(self._quantity(self.rejected, inspection.lot_id, self.amina), 1)

    def test_control_chart_is_drawn(self):
        """From the menu to the red point, as an inspector sees it on the screen."""
        self._create_plan(product_tmpl_ids=self.raw.product_tmpl_id.ids)
        inspection = self._receive(10)
        inspection.action_start()
        readings = inspection.result_ids.filtered(lambda result: result.type == "measure")
        readings[:9].value = 20.1
        readings[1:9:2].value = 20.2
        readings[9].value = 29
        inspection.action_all_pass()
        inspection.action_done()
        self.start_tour("/odoo", "soko_qc_control_chart", login=self.inspector.login)
        self.assertEqual(inspection.decision, "partly")
