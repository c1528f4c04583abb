from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import QcCase
from .test_soko_qc_rework import PIXEL


@tagged("post_install", "-at_install")
class TestInspectedWorkorder(QcCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        bench = cls.env["mrp.workcenter"].create({"name": "Polishing bench"})
        cls.bom = cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.plated.product_tmpl_id.id,
                "picking_type_id": cls.warehouse.manu_type_id.id,
                "operation_ids": [
                    Command.create({"name": "Polish", "workcenter_id": bench.id}),
                    Command.create({"name": "Wrap", "workcenter_id": bench.id}),
                ],
            }
        )
        cls.polish = cls.bom.operation_ids[0]
        cls.plan = cls._create_plan(False, operation_ids=[Command.link(cls.polish.id)])

    def _create_order(self, quantity=3):
        order = self.env["mrp.production"].create(
            {"product_id": self.plated.id, "bom_id": self.bom.id, "product_qty": quantity}
        )
        order.action_confirm()
        return order

    def test_a_step_waits_for_its_inspection(self):
        order = self._create_order()
        polish, wrap = order.workorder_ids
        self.assertEqual((polish.soko_needs_inspection, wrap.soko_needs_inspection), (True, False))
        with self._refuses("still to be inspected"):
            polish.button_finish()
        polish.button_start()
        inspection = polish.soko_inspection_ids
        self.assertEqual((inspection.quantity, inspection.plan_id), (3, self.plan))
        with self._refuses("still to be inspected"):
            order.button_mark_done()
        with self._refuses("still to be inspected"):
            polish.state = "done"
        inspection = inspection.with_user(self.inspector)
        inspection.action_all_pass()
        inspection.action_done()
        self.assertFalse(inspection.move_ids)
        polish.button_finish()
        wrap.button_finish()
        self.assertEqual(order.workorder_ids.mapped("state"), ["done", "done"])
        self.assertFalse(wrap.soko_inspection_ids)

    def test_no_rejected_piece_goes_on(self):
        order = self._create_order()
        polish = order.workorder_ids[0]
        polish.button_start()
        inspection = polish.soko_inspection_ids
        inspection.action_start()
        inspection.piece_ids[:2].defect_ids = self.defect
        inspection.piece_ids[0].action_rework()
        inspection.action_all_pass()
        inspection.action_done()
        with self._refuses("accepted 1"):
            polish.button_finish()
        with self._refuses("nothing to return"):
            inspection.action_return_rejected()
        inspection.action_hand_out()
        again = inspection._take_back(1)
        self.assertEqual(again.workorder_id, polish)
        again.action_all_pass()
        again.action_done()
        self.assertFalse(inspection.move_ids | again.move_ids)
        order.qty_producing = 2
        polish.button_finish()
        self.assertEqual((polish.state, polish.qty_produced), ("done", 2))

    def test_inspect_makes_the_inspection_once(self):
        polish, wrap = self._create_order().workorder_ids
        action = polish.with_user(self.inspector).action_soko_inspect()
        self.assertEqual(action["res_id"], polish.soko_inspection_ids.id)
        polish.button_start()
        polish.action_soko_inspect()
        self.assertEqual(len(polish.soko_inspection_ids), 1)
        with self.assertRaises(UserError):
            wrap.action_soko_inspect()
        with self.assertRaises(AccessError):
            polish.with_user(self.clerk).action_soko_inspect()

    def test_plan_of_a_step_is_no_plan_of_receipts(self):
        self.assertFalse(self._receive(1).plan_id)

    def test_compare_shows_the_master(self):
        criterion = {"name": "Like the master", "type": "compare", "plan_id": self.plan.id}
        with self.assertRaises(ValidationError):
            self.env["soko.qc.criterion"].create(criterion)
        plan = self._create_plan(False, image_1920=PIXEL)
        criterion = self.env["soko.qc.criterion"].create({**criterion, "plan_id": plan.id})
        inspection = self._receive(1)
        inspection.action_all_pass()
        result = inspection.result_ids
        self.assertEqual((result.verdict, bool(result.master_image)), ("pass", True))
        criterion.reading_required = True
        inspection = self._receive(1, lot_name="PHOTO")
        inspection.action_all_pass()
        self.assertEqual(inspection.todo_count, 1)
        inspection.result_ids.photo = PIXEL
        inspection.action_all_pass()
        self.assertEqual(inspection.todo_count, 0)
