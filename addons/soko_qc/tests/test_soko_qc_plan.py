from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import QcCase


@tagged("post_install", "-at_install")
class TestQcPlan(QcCase):
    def _find(self, product=None, picking_type=None):
        plans = self.env["soko.qc.plan"]._get_candidates(self.company)
        return plans._get_most_specific(
            product or self.raw, picking_type or self.receipts, self.company
        )

    def test_most_specific_plan_wins(self):
        parent = self.env["product.category"].create({"name": "Jewellery"})
        self.category.parent_id = parent
        self.assertFalse(self._find())
        general = self._create_plan(name="General", sequence=1)
        self.assertEqual(self._find(), general)
        by_type = self._create_plan(picking_type_ids=[Command.link(self.receipts.id)])
        self.assertEqual(self._find(), by_type)
        high = self._create_plan(categ_ids=[Command.link(parent.id)])
        self.assertEqual(self._find(), high)
        deep = self._create_plan(categ_ids=[Command.link(self.category.id)])
        self.assertEqual(self._find(), deep)
        by_product = self._create_plan(product_tmpl_ids=[Command.link(self.raw.product_tmpl_id.id)])
        self.assertEqual(self._find(), by_product)
        self.assertEqual(self._find(self.plated), deep)
        other = self._create_product("Bead", categ_id=self.env["product.category"].create(
            {"name": "Elsewhere"}
        ).id)
        self.assertEqual(self._find(other), by_type)
        self.assertEqual(self._find(other, self.warehouse.int_type_id), general)

    def test_sequence_decides_between_equals_and_archived_plans_are_out(self):
        first = self._create_plan(sequence=1)
        second = self._create_plan(sequence=2)
        self.assertEqual(self._find(), first)
        first.active = False
        self.assertEqual(self._find(), second)

    def test_plan_of_another_company_is_not_used(self):
        other = self.env["res.company"].create({"name": "Other workshop"})
        self._create_plan(company_id=other.id)
        self.assertFalse(self._find())

    def test_sample_needs_a_sound_accept_number(self):
        with self.assertRaises(ValidationError):
            self._create_plan(sampling="first_n", sample_size=2, accept_number=2)
        with self.assertRaises(ValidationError):
            self._create_plan(
                criteria=False,
                criterion_ids=[Command.create({"name": "Weight", "type": "measure"})],
            )

    def test_pass_rate_of_plan_and_product(self):
        plan = self._create_plan()
        inspection = self._receive(4)
        inspection.action_start()
        inspection.piece_ids[0].defect_ids = self.defect
        inspection.action_all_pass()
        self.assertEqual((plan.piece_count, plan.pass_rate), (0, 0))
        inspection.action_done()
        plan.invalidate_recordset(["piece_count", "pass_rate"])
        self.assertEqual((plan.piece_count, plan.pass_rate), (4, 0.75))
        template = self.raw.product_tmpl_id
        self.assertEqual((template.soko_piece_count, template.soko_pass_rate), (4, 0.75))
        groups = self.env["soko.qc.inspection.piece"].formatted_read_group(
            [("state", "=", "done"), ("product_id", "=", self.raw.id)],
            ["product_id"],
            ["pass_rate:avg", "__count"],
        )
        self.assertEqual((groups[0]["pass_rate:avg"], groups[0]["__count"]), (0.75, 4))
