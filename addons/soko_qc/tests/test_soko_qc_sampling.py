import importlib.util
from pathlib import Path
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import QcCase

MIGRATION = Path(__file__).parents[1] / "migrations/19.0.1.1.0/pre-new-makers.py"


@tagged("post_install", "-at_install")
class TestSampling(QcCase):
    """Lots judged by a sample: before the work, the verdict, and the maker's history."""

    def _create_aql_plan(self, **values):
        values = {"sampling": "aql", "new_maker_lots": 0, **values}
        return self._create_plan(criteria=False, **values)

    def _mark(self, inspection, defects):
        """Start, mark the first pieces with these defects, pass the others."""
        inspection.action_start()
        for piece, defect in zip(inspection.piece_ids, defects, strict=False):
            piece.defect_ids = defect
        inspection.action_all_pass()

    def _inspect(self, quantity=40, defects=(), **kwargs):
        inspection = self._receive(quantity, **kwargs)
        self._mark(inspection, defects)
        inspection.action_done()
        return inspection

    @property
    def _major(self):
        return self.env.ref("soko_qc.soko_qc_defect_size")

    # === BEFORE THE WORK === #

    def test_numbers_are_told_before_the_work_starts(self):
        plan = self._create_aql_plan(aql_critical="0")
        inspection = self._receive(120)
        self.assertEqual(inspection.plan_id, plan)
        self.assertEqual(
            inspection.sample_text,
            "Look at 20 of 120 pieces, taken from all over the lot. Accept the lot with at most "
            "0 critical, 1 major, and 2 minor; refuse it from 1 critical, 2 major, or 3 minor on.",
        )
        self.assertEqual(inspection.stage_text, "Normal inspection.")
        self.assertFalse(inspection.sample_size)
        before = inspection.sample_text
        inspection.action_start()
        self.assertEqual(len(inspection.piece_ids), 20)
        # Later changes of the plan leave a begun inspection alone.
        plan.write({"aql_major": "10", "inspection_level": "I"})
        inspection.invalidate_recordset()
        self.assertEqual(inspection.sample_text, before)
        self.assertEqual(
            (inspection.accept_critical, inspection.accept_major, inspection.accept_minor),
            (0, 1, 2),
        )

    def test_every_piece_without_a_plan_and_by_default(self):
        self.assertEqual(self.env["soko.qc.plan"].new({"name": "New"}).sampling, "every")
        inspection = self._receive(3)
        self.assertEqual(inspection.sample_text, "Look at all 3 pieces; each keeps its own result.")
        self.assertFalse(inspection.stage_text)
        self._mark(inspection, self.defect)
        inspection.action_done()
        self.assertFalse(inspection.lot_verdict)
        self.assertFalse(inspection.sampling_state_id)
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (2, 1))

    def test_share_and_first_piece(self):
        plan = self._create_plan(
            criteria=False, sampling="percent", sample_percent=15, new_maker_lots=0
        )
        inspection = self._receive(11, lot_name="SHARE")
        inspection.action_start()
        self.assertEqual(len(inspection.piece_ids), 2)
        plan.sampling = "first_piece"
        inspection = self._inspect(11, lot_name="FIRST")
        self.assertEqual((inspection.piece_count, inspection.qty_accepted), (1, 11))
        inspection = self._inspect(11, self.defect, lot_name="FIRST-BAD")
        self.assertEqual((inspection.lot_verdict, inspection.qty_rejected), ("refused", 11))

    # === THE VERDICT === #

    def test_accepted_lot_carries_the_pieces_nobody_looked_at(self):
        """120 pieces, 20 looked at; one major is allowed: 119 into the stock, one aside."""
        self._create_aql_plan()
        inspection = self._inspect(120, self._major)
        self.assertEqual(inspection.lot_verdict, "accepted")
        self.assertEqual(inspection.found_text, "1 major")
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (119, 1))
        lot = inspection.lot_id
        self.assertEqual(self._quantity(self.stock, lot, self.amina), 119)
        self.assertEqual(self._quantity(self.rejected, lot, self.amina), 1)
        self.assertEqual(self._quantity(self.hold, lot), 0)

    def test_each_severity_is_judged_by_its_own_number(self):
        self._create_aql_plan()
        for number, defects, verdict in (
            (1, [self.scratch] * 2, "accepted"),
            (2, [self.scratch] * 3, "refused"),
            (3, [self._major, self.scratch, self.scratch], "accepted"),
            (4, [self.defect], "refused"),
            # A piece counts once, where it is worst.
            (5, [self._major | self.scratch, self.scratch, self.scratch], "accepted"),
        ):
            with self.subTest(number):
                maker = self.env["res.partner"].create({"name": f"Maker {number} Mfano"})
                inspection = self._inspect(120, defects, owner=maker, lot_name=f"SEV-{number}")
                self.assertEqual(inspection.lot_verdict, verdict)

    def test_refused_lot_unseen_pieces_rejected(self):
        self._create_aql_plan()
        inspection = self._inspect(120, [self._major] * 2)
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (18, 102))
        self.assertEqual(self._quantity(self.rejected, inspection.lot_id, self.amina), 102)

    def test_refused_lot_rejected_whole(self):
        self._create_aql_plan(on_refusal="lot")
        inspection = self._inspect(120, [self._major] * 2)
        self.assertEqual((inspection.decision, inspection.qty_rejected), ("rejected", 120))
        self.assertEqual(self._quantity(self.rejected, inspection.lot_id, self.amina), 120)
        self.assertEqual(self._quantity(self.stock, inspection.lot_id), 0)
        # A lot that was looked at whole has nothing to guess.
        inspection = self._inspect(4, [self._major], lot_name="WHOLE")
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (3, 1))

    def test_refused_lot_is_screened(self):
        """The other pieces are listed, nothing moves until they were looked at, the maker's
        history knows the sample's verdict once."""
        plan = self._create_aql_plan(on_refusal="screen")
        inspection = self._receive(120).with_user(self.inspector)
        self._mark(inspection, [self._major] * 2)
        action = inspection.action_done()
        self.assertEqual(action["tag"], "display_notification")
        self.assertEqual((inspection.state, inspection.screening), ("in_progress", True))
        self.assertEqual(sorted(inspection.piece_ids.mapped("number")), list(range(1, 121)))
        self.assertEqual(self._quantity(self.hold, inspection.lot_id), 120)
        self.assertIn("Look at all 120 pieces; each keeps its own", inspection.sample_text)
        with self.assertRaisesRegex(UserError, "still open"):
            inspection.action_done()
        inspection.piece_ids[-1].defect_ids = self.defect
        inspection.action_all_pass()
        self.assertIs(inspection.action_done(), True)
        self.assertFalse(inspection.stage_text)
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (117, 3))
        self.assertEqual(inspection.lot_verdict, "refused")
        self.assertEqual(self._quantity(self.stock, inspection.lot_id, self.amina), 117)
        state = self.env["soko.qc.sampling.state"].search([("plan_id", "=", plan.id)])
        self.assertEqual((state.recent, state.lot_count), ("R", 1))

    def test_cancelling_does_not_lose_a_refusal(self):
        self._create_aql_plan(on_refusal="screen")
        inspection = self._receive(120)
        self._mark(inspection, [self._major] * 2)
        inspection.action_done()
        inspection.action_cancel()
        inspection.action_draft()
        self._mark(inspection, [])
        self.assertEqual(inspection.piece_count, 120)
        inspection.action_done()
        self.assertEqual((inspection.lot_verdict, inspection.qty_accepted), ("refused", 120))
        self.assertEqual(inspection.sampling_state_id.recent, "R")

    def test_refused_and_accepted_lots_decided_together(self):
        self._create_aql_plan(on_refusal="screen")
        good = self._receive(120, lot_name="GOOD")
        bad = self._receive(120, owner=self.juma, lot_name="BAD")
        self._mark(good, [])
        self._mark(bad, [self.defect])
        (good | bad).action_done()
        self.assertEqual((good | bad).mapped("state"), ["done", "in_progress"])
        self.assertEqual(self._quantity(self.stock, good.lot_id), 120)
        self.assertEqual(self._quantity(self.hold, bad.lot_id), 120)

    # === THE MAKER'S HISTORY === #

    def test_new_maker_full_then_normal_then_tightened_and_back(self):
        self._create_aql_plan(new_maker_lots=3)
        first = self._receive(40, lot_name="NEW")
        self.assertIn("Look at all 40 pieces; each keeps its own result.", first.sample_text)
        self.assertIn("3 lots in a row were accepted (0 so far)", first.stage_text)
        self._mark(first, [])
        self.assertEqual((first.sampling_stage, first.piece_count), ("full", 40))
        first.action_done()
        state = first.sampling_state_id
        self.assertEqual((state.partner_id, state.product_id), (self.amina, self.raw))
        self.assertEqual((state.stage, state.run), ("full", 1))
        for number in (2, 3):
            self._inspect(40, lot_name=f"NEW-{number}")
        self.assertEqual(state.stage, "normal")
        self.assertIn("from Full to Normal", state.message_ids[0].body)
        # 26 to 50 pieces: 4.0 leads to E (13), where 2.5 leads to F (20), which serves both.
        lot = self._inspect(40, lot_name="NORMAL")
        self.assertEqual((lot.sampling_stage, lot.piece_count), ("normal", 20))
        for number in (1, 2):
            self._inspect(40, self.defect, lot_name=f"BAD-{number}")
        self.assertEqual(state.stage, "tightened")
        lot = self._receive(40, lot_name="TIGHT")
        self.assertIn("Tightened inspection", lot.stage_text)
        for number in range(5):
            self._inspect(40, lot_name=f"GOOD-{number}")
        self.assertEqual((state.stage, state.lot_count), ("normal", 11))
        # Another maker and another product have histories of their own.
        other = self._receive(40, owner=self.juma, lot_name="OTHER")
        self.assertIn("(0 so far)", other.stage_text)
        other = self._receive(40, product=self.plated, lot_name="OTHER-PRODUCT")
        self.assertIn("(0 so far)", other.stage_text)

    def test_discontinued_until_a_manager_sets_it_anew(self):
        self._create_aql_plan()
        state = self._inspect(120).sampling_state_id
        state.sudo().write({"stage": "tightened", "refused": 4})
        self._inspect(120, [self.defect], lot_name="FIFTH")
        self.assertEqual(state.stage, "stopped")
        lot = self._inspect(120, lot_name="AFTER")
        self.assertEqual((lot.sampling_stage, lot.piece_count), ("stopped", 120))
        self.assertIn("discontinued", lot.stage_text)
        self.assertEqual(state.stage, "stopped")
        action = state.with_user(self.manager).action_reset()
        reset = self.env["soko.qc.sampling.reset"].with_user(self.manager)
        reset = reset.with_context(**action["context"]).create({"reason": "New moulds"})
        reset.action_confirm()
        self.assertEqual((state.stage, state.refused), ("tightened", 0))
        self.assertIn("New moulds", state.message_ids[0].body)
        self.assertEqual(state.message_ids[0].author_id, self.manager.partner_id)

    def test_reduced_by_the_score_and_back(self):
        self._create_aql_plan()
        state = self._inspect(120).sampling_state_id
        self.assertEqual(state.score, 2)
        state.sudo().score = 28
        self._inspect(120, lot_name="THIRTY")
        self.assertEqual(state.stage, "reduced")
        lot = self._inspect(120, [self._major], lot_name="REDUCED")
        # Letter F, reduced: 8 pieces at 2.5 lead to 13 (G, 1 major), where 4.0 allows 2 minor.
        self.assertEqual((lot.piece_count, lot.accept_major, lot.accept_minor), (13, 1, 2))
        self.assertEqual((lot.lot_verdict, state.stage), ("accepted", "reduced"))
        self._inspect(120, [self.defect], lot_name="ONE-BAD")
        self.assertEqual((state.stage, state.score), ("normal", 0))

    def test_lot_begun_before_the_change_counts_where_it_was_judged(self):
        self._create_aql_plan(new_maker_lots=1)
        first, second = self._receive(12, lot_name="A"), self._receive(12, lot_name="B")
        self._mark(first | second, [])
        first.action_done()
        state = first.sampling_state_id
        self.assertEqual(state.stage, "normal")
        second.action_done()
        self.assertEqual((state.stage, state.recent or ""), ("normal", ""))

    def test_samples_without_tables_have_new_makers_too(self):
        self._create_plan(criteria=False, sampling="first_n", sample_size=2, new_maker_lots=1)
        lot = self._inspect(10, lot_name="FIRST")
        self.assertEqual((lot.piece_count, lot.sampling_state_id.stage), (10, "normal"))
        self.assertEqual(self._inspect(10, lot_name="SECOND").piece_count, 2)
        for number in (1, 2):
            self._inspect(10, self.defect, lot_name=f"BAD-{number}")
        self.assertEqual(lot.sampling_state_id.stage, "full")

    def test_pieces_without_a_maker(self):
        plan = self._create_aql_plan(new_maker_lots=3)
        inspection = self._receive(40)
        inspection.sudo().partner_id = False
        self._mark(inspection, [])
        self.assertEqual((inspection.piece_count, inspection.sampling_stage), (40, "full"))
        self.assertFalse(inspection.sampling_state_id)
        inspection.action_done()
        self.assertEqual(inspection.lot_verdict, "accepted")
        self.assertFalse(self.env["soko.qc.sampling.state"].search([("plan_id", "=", plan.id)]))

    def test_partner_shows_its_severities(self):
        self._create_aql_plan()
        self._inspect(40)
        amina = self.amina.with_user(self.clerk)
        self.assertEqual(amina.soko_sampling_state_count, 1)
        action = amina.action_view_soko_sampling_states()
        states = self.env["soko.qc.sampling.state"].search(action["domain"])
        self.assertEqual(states.partner_id, self.amina)
        self.assertEqual(self.juma.soko_sampling_state_count, 0)

    # === RIGHTS === #

    def test_nobody_writes_a_history_by_hand(self):
        self._create_aql_plan()
        state = self._inspect(40).sampling_state_id
        for user in (self.clerk, self.inspector, self.manager):
            record = state.with_user(user)
            self.assertEqual(record.stage, "normal")
            with self.assertRaises(AccessError):
                record.stage = "reduced"
            with self.assertRaises(AccessError):
                record.unlink()
            with self.assertRaises(AccessError):
                record.copy()
        for user in (self.clerk, self.inspector):
            with self.assertRaises(AccessError):
                state.with_user(user).action_reset()
            with self.assertRaises(AccessError):
                self.env["soko.qc.sampling.reset"].with_user(user).create(
                    {"state_ids": state.ids, "stage": "reduced", "reason": "Please"}
                )

    def test_inspector_writes_no_verdict(self):
        self._create_aql_plan()
        inspection = self._receive(120).with_user(self.inspector)
        inspection.action_start()
        for vals in (
            {"lot_verdict": "accepted"},
            {"sample_size": 1},
            {"accept_major": 50},
            {"sampling_stage": "reduced"},
            {"screening": True},
        ):
            with self.subTest(vals), self.assertRaises(AccessError):
                inspection.write(vals)
        inspection.piece_ids[5:].unlink()
        inspection.action_all_pass()
        with self.assertRaisesRegex(UserError, "lists 5 pieces, but 20 are to be looked at"):
            inspection.action_done()

    def test_reset_needs_a_reason_and_tables(self):
        self._create_plan(criteria=False, sampling="first_n", new_maker_lots=2)
        state = self._inspect(10).sampling_state_id
        reset = self.env["soko.qc.sampling.reset"].with_user(self.manager)
        vals = {"state_ids": [Command.set(state.ids)]}
        with self.assertRaisesRegex(UserError, "Say why"):
            reset.create({**vals, "stage": "normal", "reason": "  "}).action_confirm()
        with self.assertRaisesRegex(UserError, "does not sample by AQL"):
            reset.create({**vals, "stage": "tightened", "reason": "Bad"}).action_confirm()
        self.assertEqual(state.stage, "full")

    def test_other_company_sees_no_history(self):
        self._create_aql_plan()
        state = self._inspect(40).sampling_state_id
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        states = self.env["soko.qc.sampling.state"].with_user(self.inspector)
        self.assertFalse(states.search([("id", "=", state.id)]))
        report = self.env["soko.qc.report"].with_user(self.inspector)
        self.assertFalse(report.search([("product_id", "=", self.raw.id)]))

    # === BAD INPUT === #

    def test_two_people_decide_at_once(self):
        inspection = self._receive(2)
        inspection.action_all_pass()
        with (
            patch.object(type(inspection), "lock_for_update", side_effect=LockError("locked")),
            self.assertRaisesRegex(UserError, "Somebody else decides on"),
        ):
            inspection.action_done()
        self.assertEqual(inspection.state, "in_progress")
        inspection.action_done()
        with self.assertRaisesRegex(UserError, "it is Done"):
            inspection.action_done()
        self.assertEqual(self._quantity(self.stock, inspection.lot_id), 2)

    def test_more_pieces_than_the_lot_has(self):
        self._create_aql_plan()
        inspection = self._receive(4)
        inspection.action_start()
        inspection.piece_ids.create([{"inspection_id": inspection.id, "number": 5}])
        inspection.action_all_pass()
        with self.assertRaisesRegex(UserError, "lists 5 pieces but only 4.0 were received"):
            inspection.action_done()
        self.assertFalse(inspection.lot_verdict)

    def test_lot_without_pieces(self):
        """No receipt makes one; a broken one is told, not a traceback."""
        for plan in (self.env["soko.qc.plan"], self._create_aql_plan()):
            inspection = self._receive(4, lot_name=f"EMPTY-{plan.id}")
            inspection.sudo().write({"quantity": 0, "plan_id": plan.id})
            self.assertFalse(inspection.sample_text)
            with self.assertRaisesRegex(UserError, "has no pieces to look at"):
                inspection.action_start()

    def test_plan_refuses_nonsense(self):
        for values in (
            {"sampling": "aql", "aql_critical": "0", "aql_major": False, "aql_minor": False},
            {"sampling": "first_piece", "accept_number": 1},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self._create_plan(criteria=False, **values)
        for values in (
            {"sample_percent": -1},
            {"sample_percent": 0},
            {"sample_percent": 101},
            {"new_maker_lots": -1},
            {"sample_size": -3},
            {"accept_number": -1},
        ):
            with (
                self.subTest(values),
                self.assertRaises(Exception),  # noqa: B017 the database's own refusal
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self._create_plan(criteria=False, **values)
                self.env.flush_all()

    def test_readings_that_cannot_be(self):
        self._create_plan(
            criteria=False,
            criterion_ids=[
                Command.create({"name": "Width", "type": "measure", "target": 20, "unit": "mm"}),
                Command.create({"name": "Stones", "type": "count", "target": 12}),
            ],
        )
        inspection = self._receive(1)
        inspection.action_start()
        width, stones = inspection.result_ids
        with self.assertRaisesRegex(ValidationError, "not negative"):
            width.value = -20
        with self.assertRaisesRegex(ValidationError, "whole number"):
            stones.value = 11.5
        stones.value = 11
        self.assertEqual(stones.verdict, "fail")
        stones.value = 12
        self.assertEqual(stones.verdict, "pass")

    def test_photo_is_required_and_instrument_is_told(self):
        self._create_plan(
            criteria=False,
            criterion_ids=[
                Command.create({"name": "Front", "type": "photo"}),
                Command.create(
                    {
                        "name": "Weight",
                        "type": "measure",
                        "target": 10,
                        "tolerance_plus": 1,
                        "unit": "g",
                        "instrument": "Scale 2",
                        "reading_required": True,
                    }
                ),
            ],
        )
        inspection = self._receive(1)
        inspection.action_all_pass()
        photo, weight = inspection.result_ids
        self.assertEqual((photo.verdict, weight.instrument), ("todo", "Scale 2"))
        # Nor does a verdict written directly get around the photo and the reading.
        inspection.result_ids.verdict = "pass"
        with self.assertRaisesRegex(UserError, "still open"):
            inspection.action_done()
        photo.photo = (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
            "awAAAABJRU5ErkJggg=="
        )
        weight.value = 10.5
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(inspection.decision, "accepted")

    # === PLANS AND FIGURES === #

    def test_plan_of_a_maker(self):
        """Product, category, maker, operation type, sequence: in this order."""
        everybody = self._create_plan(name="Everybody", sequence=1)
        by_type = self._create_plan(picking_type_ids=[Command.link(self.receipts.id)])
        makers = self._create_plan(partner_ids=[Command.link(self.amina.id)])
        self.assertEqual(self._receive(1, lot_name="A").plan_id, makers)
        self.assertEqual(self._receive(1, owner=self.juma, lot_name="B").plan_id, by_type)
        contact = self.env["res.partner"].create(
            {"name": "Helper Mfano", "parent_id": self.amina.id}
        )
        self.amina.is_company = True
        self.assertEqual(self._receive(1, owner=contact, lot_name="C").plan_id, makers)
        by_category = self._create_plan(categ_ids=[Command.link(self.category.id)])
        self.assertEqual(self._receive(1, lot_name="D").plan_id, by_category)
        self.assertNotEqual(everybody, by_type)

    def test_findings_by_frequency(self):
        self._create_plan()
        inspection = self._receive(5)
        inspection.action_all_pass()
        inspection.piece_ids[0].defect_ids = self.defect | self.scratch
        inspection.piece_ids[1].defect_ids = self.defect
        inspection.piece_ids[2].result_ids[1].value = 30
        report = self.env["soko.qc.report"].with_user(self.clerk)
        mine = [("product_id", "=", self.raw.id)]
        self.env.flush_all()
        self.assertFalse(report.search(mine))
        inspection.action_done()
        self.env.flush_all()
        rows = report.search(mine)
        self.assertEqual(len(set(rows.ids)), 4)
        self.assertEqual(rows.partner_id, self.amina)
        self.assertEqual(rows.inspection_id, inspection)
        groups = report._read_group(mine, ["cause"], ["finding_count:sum"])
        self.assertEqual(
            dict(groups), {self.defect.code: 2, self.scratch.code: 1, "Width": 1}
        )
        by_severity = report._read_group(mine, ["severity"], ["finding_count:sum"])
        self.assertEqual(dict(by_severity), {"critical": 2, "major": 1, "minor": 1})

    def test_certificate_tells_the_sample(self):
        self._create_aql_plan()
        inspection = self._inspect(120)
        html, _type = self.env["ir.actions.report"]._render_qweb_html(
            "soko_qc.report_inspection", inspection.ids
        )
        for expected in ("Look at 20 of 120 pieces", "Lot accepted", "Normal"):
            self.assertIn(expected, html.decode())

    # === AN EXISTING DATABASE === #

    def test_inspection_begun_before_the_update(self):
        """It has no fixed numbers yet; they are taken from the plan when it is decided."""
        self._create_plan(criteria=False, sampling="first_n", sample_size=2, new_maker_lots=0)
        inspection = self._receive(10)
        self._mark(inspection, self.defect)
        inspection.sudo().write({"sample_size": 0, "accept_failed": -1})
        inspection.action_done()
        self.assertEqual((inspection.qty_accepted, inspection.qty_rejected), (1, 9))

    def test_existing_plans_keep_their_samples(self):
        spec = importlib.util.spec_from_file_location("pre_new_makers", MIGRATION)
        migration = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(migration)
        plan = self._create_plan(sampling="first_n", sample_size=2)
        self.assertEqual(plan.new_maker_lots, 3)
        self.env.flush_all()
        # The column is there already: nothing is changed.
        migration.migrate(self.env.cr, "19.0.1.0.0")
        plan.invalidate_recordset()
        self.assertEqual(plan.new_maker_lots, 3)
        self.env.cr.execute("ALTER TABLE soko_qc_plan DROP COLUMN new_maker_lots")
        migration.migrate(self.env.cr, "19.0.1.0.0")
        plan.invalidate_recordset()
        self.assertEqual(plan.new_maker_lots, 0)
