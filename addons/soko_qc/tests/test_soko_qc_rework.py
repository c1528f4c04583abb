import importlib.util
from pathlib import Path
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.soko_qc.tools import judgement

from .common import QcCase

MIGRATION = Path(__file__).parents[1] / "migrations/19.0.1.1.0/post-rework-locations.py"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestRework(QcCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rework = cls.warehouse.soko_qc_rework_location_id
        cls.handed_out = cls.warehouse.soko_qc_rework_out_location_id

    def _decide(self, inspection, rework=(), fail=()):
        """Mark pieces by their index, pass the others, decide."""
        inspection.action_start()
        for index in (*rework, *fail):
            inspection.piece_ids[index].defect_ids = self.defect
        for index in rework:
            inspection.piece_ids[index].action_rework()
        inspection.action_all_pass()
        inspection.action_done()

    def _take_back(self, inspection, quantity=None):
        action = inspection.action_rework_back()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        if quantity is not None:
            form.quantity = quantity
        return inspection.browse(form.save().action_confirm()["res_id"])

    def test_the_whole_way(self):
        """5 pieces: 2 accepted, 1 rejected, 2 mended; owner and lot are kept all the way."""
        self._create_plan()
        inspection = self._receive(5).with_user(self.inspector)
        lot = inspection.lot_id
        self._decide(inspection, rework=(0, 1), fail=(2,))
        quantities = (inspection.qty_accepted, inspection.qty_rejected, inspection.qty_rework)
        self.assertEqual(quantities, (2, 1, 2))
        self.assertEqual((inspection.decision, inspection.rework_state), ("partly", "waiting"))
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 2)
        self.assertEqual(self._quantity(self.rejected, lot, self.amina), 1)
        self.assertEqual(self._quantity(self.rework, lot, self.amina), 2)
        self.assertEqual(self.raw.free_qty, 2)
        self.assertEqual(inspection.activity_ids.user_id, self.inspector)

        inspection.action_hand_out()
        self.assertEqual(inspection.rework_state, "out")
        self.assertFalse(inspection.activity_ids)
        self.assertEqual(self._quantity(self.handed_out, lot, self.amina), 2)
        with self._refuses("nothing to hand out"):
            inspection.action_hand_out()

        again = self._take_back(inspection, 1)
        self.assertEqual((again.state, again.quantity, again.rework_round), ("draft", 1, 1))
        self.assertEqual((again.reworked_from_id, again.plan_id), (inspection, inspection.plan_id))
        self.assertEqual(again.partner_id, self.amina)
        self.assertEqual(self._quantity(self.hold, lot, self.amina), 1)
        self.assertEqual(inspection.rework_state, "out")
        with self._refuses("1 are handed out"):
            self._take_back(inspection, 2)
        last = self._take_back(inspection)
        self.assertEqual((last.quantity, inspection.rework_state), (1, "back"))
        (again | last).action_all_pass()
        (again | last).action_done()
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 4)
        self.assertEqual(self._quantity(self.rework, lot), 0)

    def test_a_piece_goes_back_so_often_only(self):
        plan = self._create_plan(rework_limit=1)
        first = self._receive(1)
        self._decide(first, rework=(0,))
        self.assertEqual(first.decision, "rework")
        first.action_hand_out()
        second = self._take_back(first)
        second.action_start()
        second.piece_ids.defect_ids = self.defect
        with self._refuses("accept|pass, or reject"):
            second.piece_ids.action_rework()
        plan.rework_limit = 2
        second.piece_ids.action_rework()
        plan.rework_limit = 0
        third = self._receive(1, lot_name="NEVER")
        third.action_start()
        with self.assertRaises(UserError):
            third.piece_ids.result = "rework"

    def test_without_a_plan_twice(self):
        inspection = self._receive(1)
        for expected in (1, 2):
            self._decide(inspection, rework=(0,))
            inspection.action_hand_out()
            inspection = self._take_back(inspection)
            self.assertEqual(inspection.rework_round, expected)
        inspection.action_start()
        with self.assertRaises(UserError):
            inspection.piece_ids.action_rework()

    def test_mended_pieces_are_all_looked_at_and_are_no_new_lot(self):
        plan = self._create_plan(sampling="first_n", sample_size=2, new_maker_lots=3)
        inspection = self._receive(4)
        self._decide(inspection, rework=(0, 1, 2))
        state = inspection.sampling_state_id
        self.assertEqual(inspection.lot_verdict, "refused")  # rework counts as bad
        before = (state.stage, state.run)
        plan.new_maker_lots = 0
        inspection.action_hand_out()
        again = self._take_back(inspection)
        again.action_all_pass()
        self.assertEqual(len(again.piece_ids), 3)
        again.action_done()
        self.assertFalse(again.lot_verdict or again.sampling_state_id)
        self.assertEqual((state.stage, state.run), before)

    def test_the_gate_covers_rework(self):
        inspection = self._receive(2)
        self._decide(inspection, rework=(0, 1))
        for location in (self.rework, self.handed_out):
            line = {
                "product_id": self.raw.id,
                "location_id": location.id,
                "location_dest_id": self.customers.id,
                "quantity": 1,
                "lot_id": inspection.lot_id.id,
                "owner_id": self.amina.id,
                "picked": True,
            }
            move = self.env["stock.move"].create(
                {
                    "product_id": self.raw.id,
                    "product_uom": self.raw.uom_id.id,
                    "product_uom_qty": 1,
                    "location_id": location.id,
                    "location_dest_id": self.customers.id,
                    "picked": True,
                    "move_line_ids": [Command.create(line)],
                }
            )
            with (
                self.subTest(location=location.name),
                self._refuses("quality control"),
            ):
                move._action_done()
            if inspection.rework_state == "waiting":
                inspection.action_hand_out()
        self.assertEqual(self._quantity(self.handed_out, inspection.lot_id), 2)
        scrap = self.env["stock.scrap"].with_user(self.manager).create(
            {
                "product_id": self.raw.id,
                "scrap_qty": 1,
                "lot_id": inspection.lot_id.id,
                "owner_id": self.amina.id,
                "location_id": self.handed_out.id,
            }
        )
        with self.assertRaises(UserError):
            scrap.do_scrap()

    def test_roles(self):
        """A clerk hands nothing out; an inspector can't write the quantities by hand."""
        inspection = self._receive(1)
        self._decide(inspection, rework=(0,))
        for call in (
            inspection.with_user(self.clerk).action_hand_out,
            inspection.with_user(self.clerk).action_rework_back,
            lambda: inspection.with_user(self.inspector).write({"qty_rework_back": 1}),
            lambda: inspection.with_user(self.inspector).write({"rework_round": 0}),
        ):
            with self.assertRaises(AccessError):
                call()
        inspection.with_user(self.manager).action_hand_out()
        wizard = self.env["soko.qc.rework.back"].with_user(self.clerk)
        with self.assertRaises(AccessError):
            wizard.create({"inspection_id": inspection.id})

    def test_bad_numbers(self):
        inspection = self._receive(2)
        self._decide(inspection, rework=(0, 1))
        for quantity in (0, -1, 3):
            with self.assertRaises(UserError):
                inspection._take_back(quantity)
        with self.assertRaises(ValueError):
            judgement.split_off_rework(5, 6, 1)
        with self.assertRaises(ValueError):
            judgement.split_off_rework(5, 2, -1)
        self.assertEqual(judgement.split_off_rework(5, 3, 2), (1, 2))
        self.assertEqual(judgement.split_off_rework(2.5, 2.5, 3), (0, 2.5))

    def test_rework_without_a_reason_is_refused(self):
        inspection = self._receive(1)
        inspection.action_start()
        inspection.piece_ids.action_rework()
        with self._refuses("without a reason"):
            inspection.action_done()

    def test_a_piece_changes_its_mind(self):
        """Rework stays when more defects are found, and goes when the piece is passed."""
        self._create_plan()
        inspection = self._receive(1)
        inspection.action_start()
        piece = inspection.piece_ids
        piece.defect_ids = self.defect
        piece.action_rework()
        piece.defect_ids |= self.scratch
        self.assertEqual(piece.result, "rework")
        self.assertEqual((inspection.failed_count, inspection.rework_count), (1, 1))
        piece.defect_ids = False
        piece.action_pass()
        piece.result_ids.verdict = "pass"
        self.assertEqual(piece.result, "pass")

    def test_sheet_and_message_say_why(self):
        self.amina.email = "amina@example.com"
        inspection = self._receive(1)
        inspection.action_start()
        inspection.piece_ids.write(
            {"defect_ids": self.defect.ids, "note": "File the left end", "photo": PIXEL}
        )
        inspection.piece_ids.action_rework()
        inspection.action_done()
        told = inspection.message_ids.filtered(lambda m: self.amina in m.partner_ids)
        self.assertIn(self.defect.name, told.body)
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "soko_qc.report_rework", inspection.ids
        )
        for expected in ("File the left end", self.defect.name, "<img"):
            self.assertIn(expected, html.decode())

    def test_hook_is_called_with_the_pieces_that_go_back(self):
        told = []
        Inspection = type(self.env["soko.qc.inspection"])
        first, second = self._receive(1), self._receive(1, lot_name="GOOD")
        with patch.object(Inspection, "_qc_on_rework", lambda records: told.append(records)):
            self._decide(first, rework=(0,))
            self._decide(second)
        self.assertEqual(told, [first])

    def test_update_gives_old_warehouses_their_places(self):
        self.warehouse.soko_qc_rework_location_id = False
        self.warehouse.soko_qc_rework_out_location_id = False
        spec = importlib.util.spec_from_file_location("post_rework", MIGRATION)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(self.env.cr, "19.0.1.0.0")
        rework = self.warehouse.soko_qc_rework_location_id
        self.assertEqual(rework.soko_qc_role, "rework")
        self.assertEqual(rework.location_id, self.hold.location_id)
        self.assertFalse(rework.warehouse_id)
        self.assertEqual(self.warehouse.soko_qc_rework_out_location_id.location_id, rework)
