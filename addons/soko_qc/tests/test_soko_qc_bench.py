import base64
import io

from PIL import Image

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import QcCase


@tagged("post_install", "-at_install")
class TestSokoQcBench(QcCase):
    """What the full-screen page asks and sends, as an inspector."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bench = cls.env["soko.qc.bench"].with_user(cls.inspector)
        cls.keys = 0

    @classmethod
    def tap(cls, piece, kind, value=None, criterion=None, key=None):
        cls.keys += 1
        return {"key": key or f"key-{cls.keys:08}", "kind": kind, "piece": piece.id,
                "value": value, "criterion": criterion and criterion.id, "at": 1767600000000}

    def save(self, *taps):
        """:return: the answers, in the order of the touches"""
        answer = self.bench.save(list(taps))
        self.env.invalidate_all()
        return [answer["answers"][tap["key"]] for tap in taps]

    def begin(self, quantity=3, plan=None, **kwargs):
        if plan is not None:
            self._create_plan(**plan)
        inspection = self._receive(quantity, **kwargs)
        self.bench.open(inspection.id)
        return inspection

    @staticmethod
    def picture():
        stream = io.BytesIO()
        Image.new("RGB", (8, 8), "gold").save(stream, "JPEG")
        return base64.b64encode(stream.getvalue()).decode()

    # === FINDING === #

    def test_scanned_lot_opens_its_sheet(self):
        inspection = self._receive(3, lot_name="DROP-77")
        sheet = self.bench.find(" drop-77 ")["sheet"]
        self.assertEqual((sheet["id"], sheet["lot"]), (inspection.id, "DROP-77"))
        self.assertEqual([piece["number"] for piece in sheet["pieces"]], [1, 2, 3])
        self.assertEqual((inspection.state, inspection.user_id), ("in_progress", self.inspector))
        self.assertIn(self.defect.id, [defect["id"] for defect in sheet["defects"]])

    def test_several_are_offered_and_none_is_explained(self):
        self.raw.barcode = "6001234567890"
        self._receive(3, lot_name="DROP-1")
        self._receive(2, lot_name="DROP-2")
        choices = self.bench.find("6001234567890")["choices"]
        self.assertEqual([choice["lot"] for choice in choices], ["DROP-1", "DROP-2"])
        self.assertIn("DROP-9", self.bench.find("DROP-9")["message"])
        self.assertIn("label", self.bench.find("  ")["message"])

    def test_a_wildcard_is_no_lot(self):
        self._receive(3, lot_name="DROP-1")
        for code in ("%", "DROP__", "\\"):
            self.assertIn("message", self.bench.find(code), code)

    def test_what_is_decided_is_said(self):
        self._accept(3, lot_name="DROP-1")
        self.assertIn("3 accepted, 0 rejected", self.bench.find("DROP-1")["message"])

    def test_waiting_is_listed_oldest_first(self):
        first, second = self._receive(1, lot_name="A1"), self._receive(1, lot_name="A2")
        listed = [choice["id"] for choice in self.bench.waiting()]
        self.assertLess(listed.index(first.id), listed.index(second.id))

    # === TOUCHES === #

    def test_pass_and_defect(self):
        inspection = self.begin()
        one, two, three = inspection.piece_ids
        self.assertEqual(self.save(
            self.tap(one, "pass"), self.tap(two, "defect", self.defect.id),
            self.tap(three, "defect", self.defect.id),
            self.tap(three, "no_defect", self.defect.id)), [""] * 4)
        self.assertEqual(inspection.piece_ids.mapped("result"), ["pass", "fail", "todo"])
        self.assertEqual(two.defect_ids, self.defect)
        self.save(self.tap(three, "pass"), self.tap(two, "open"))
        self.assertEqual(inspection.piece_ids.mapped("result"), ["pass", "todo", "pass"])

    def test_the_same_touch_twice_has_one_effect(self):
        """An answer that got lost: the device sends again, even after other touches."""
        [piece] = self.begin(1).piece_ids
        seen = self.tap(piece, "defect", self.defect.id)
        self.assertEqual(self.save(seen), [""])
        self.save(self.tap(piece, "no_defect", self.defect.id))
        self.assertEqual(self.save(seen), [""], "it is answered as the first time")
        self.assertFalse(piece.defect_ids, "and changes nothing any more")
        self.assertEqual(self.save(seen, seen), ["", ""])
        self.assertEqual(self.env["soko.qc.tap"].search_count([("piece_id", "=", piece.id)]), 2)

    def test_readings(self):
        inspection = self.begin(1, plan={})
        [piece] = inspection.piece_ids
        edges, width = piece.result_ids
        self.assertEqual(self.save(
            self.tap(piece, "reading", "20,3", width), self.tap(piece, "verdict", "pass", edges),
        ), ["", ""])
        self.assertEqual((width.value, width.verdict, piece.result), (20.3, "pass", "pass"))
        self.save(self.tap(piece, "reading", 21, width))
        self.assertEqual((width.verdict, piece.result), ("fail", "fail"))

    def test_reading_that_is_none(self):
        [piece] = self.begin(1, plan={}).piece_ids
        edges, width = piece.result_ids
        answers = self.save(*[
            self.tap(piece, "reading", value, criterion) for value, criterion in (
                ("abc", width), ("", width), (None, width), ("nan", width), ("1e12", width),
                (-3, width), (5, edges))])
        for answer in answers:
            self.assertTrue(answer)
        self.assertIn("abc is no number", answers[0])
        self.assertEqual((width.value, width.verdict), (0, "todo"))

    def test_pass_leaves_open_what_needs_a_reading(self):
        commands = [Command.create({
            "name": "Weight", "type": "measure", "unit": "g", "target": 10, "tolerance_plus": 1,
            "tolerance_minus": 1, "reading_required": True})]
        [piece] = self.begin(1, plan={"criterion_ids": commands}).piece_ids
        [weight] = piece.result_ids
        refused = self.save(self.tap(piece, "verdict", "pass", weight))
        self.assertIn("Weight of piece 1 needs its reading", refused[0])
        self.save(self.tap(piece, "pass"))
        self.assertEqual(piece.result, "todo")

    def test_photos(self):
        commands = [Command.create({"name": "Hallmark", "type": "photo"})]
        [piece] = self.begin(1, plan={"criterion_ids": commands}).piece_ids
        [hallmark] = piece.result_ids
        self.assertEqual(self.save(
            self.tap(piece, "photo", self.picture(), hallmark),
            self.tap(piece, "photo", f"data:image/jpeg;base64,{self.picture()}"),
            self.tap(piece, "photo", self.picture())), ["", "", ""])
        self.assertTrue(hallmark.photo)
        self.assertTrue(piece.photo)
        self.assertEqual((hallmark.verdict, piece.result), ("pass", "pass"))
        kept = self.env["ir.attachment"].search([
            ("res_model", "=", piece._name), ("res_id", "=", piece.id), ("res_field", "=", False)])
        self.assertEqual(kept.mimetype, "image/jpeg")
        self.assertTrue(self.save(self.tap(piece, "photo", "PHNjcmlwdD4="))[0], "no image")
        self.assertTrue(self.save(self.tap(piece, "photo", None))[0])

    def test_piece_goes_back_to_be_mended(self):
        inspection = self.begin(2)
        good, bad = inspection.piece_ids
        self.assertEqual(self.save(
            self.tap(good, "pass"), self.tap(bad, "defect", self.defect.id),
            self.tap(bad, "rework")), [""] * 3)
        self.assertEqual(bad.result, "rework")
        done = self.bench.decide(inspection.id)["done"]
        self.assertEqual((done["accepted"], done["rework"], done["rejected"]), (1, 1, 0))

    def test_note_is_kept(self):
        [piece] = self.begin(1).piece_ids
        self.save(self.tap(piece, "note", "clasp is stiff"))
        self.assertEqual(piece.note, "clasp is stiff")

    # === BAD INPUT === #

    def test_one_bad_touch_leaves_the_others(self):
        inspection = self.begin(2)
        one, two = inspection.piece_ids
        gone = self.tap(one, "pass")
        gone["piece"] = 999_999_999
        answers = self.save(
            self.tap(one, "pass"), gone, self.tap(two, "explode"), self.tap(two, "pass", key="x"),
            self.tap(two, "defect", "1; drop"), self.tap(two, "pass"))
        self.assertEqual([bool(answer) for answer in answers],
                         [False, True, True, True, True, False])
        self.assertIn("begun anew", answers[1])
        self.assertEqual(inspection.piece_ids.mapped("result"), ["pass", "pass"])

    def test_what_is_no_list_of_touches(self):
        for taps in (None, "abc", {"key": 1}, [self.tap(self.env["soko.qc.inspection.piece"], "x")]
                     * 101):
            with self.assertRaises(UserError):
                self.bench.save(taps)
        self.assertTrue(self.bench.save(["abc"])["answers"][""])

    def test_closed_inspection_takes_no_touch(self):
        inspection = self.begin(1)
        self.save(self.tap(inspection.piece_ids, "pass"))
        self.bench.decide(inspection.id)
        answers = self.save(*[self.tap(inspection.piece_ids, kind, value) for kind, value in (
            ("open", None), ("defect", self.defect.id), ("note", "late"),
            ("photo", self.picture()))])
        for answer in answers:
            self.assertIn("closed", answer)
        self.assertEqual(inspection.piece_ids.result, "pass")

    def test_device_without_a_clock(self):
        [piece] = self.begin(1).piece_ids
        for at in (None, "soon", 10**30, -10**30):
            self.assertEqual(self.save({**self.tap(piece, "next"), "at": at}), [""])

    # === DECIDING === #

    def test_decide_moves_the_pieces_and_counts_touches(self):
        inspection = self.begin(4)
        good, bad = inspection.piece_ids[:3], inspection.piece_ids[3]
        self.save(*[self.tap(piece, "pass") for piece in good],
                  self.tap(bad, "defect", self.defect.id), self.tap(bad, "next"))
        done = self.bench.decide(inspection.id)["done"]
        self.assertEqual((done["accepted"], done["rejected"], done["taps"]), (3, 1, 1.25))
        self.assertEqual(self._quantity(self.rejected, inspection.lot_id), 1)

    def test_open_piece_keeps_it_from_being_decided(self):
        inspection = self.begin(2)
        self.save(self.tap(inspection.piece_ids[0], "pass"))
        with self.assertRaises(UserError):
            self.bench.decide(inspection.id)

    def test_refused_sample_lists_the_others(self):
        inspection = self.begin(6, plan={
            "criteria": False, "sampling": "first_n", "sample_size": 2, "new_maker_lots": 0,
            "on_refusal": "screen"})
        self.save(*[self.tap(piece, "defect", self.defect.id) for piece in inspection.piece_ids])
        answer = self.bench.decide(inspection.id)
        self.assertEqual(len(answer["sheet"]["pieces"]), 6)
        self.assertIn("too many of the sample", answer["message"])

    # === RIGHTS === #

    def test_only_inspectors(self):
        inspection = self.begin(1)
        taps = [self.tap(inspection.piece_ids, "pass")]
        portal = self._create_user("portal", "base.group_portal")
        for user in (self.clerk, portal, self.env.ref("base.public_user")):
            bench = self.env["soko.qc.bench"].with_user(user)
            for call in (bench.waiting, lambda b=bench: b.find("DROP-1"),
                         lambda b=bench: b.open(inspection.id), lambda b=bench: b.save(taps),
                         lambda b=bench: b.decide(inspection.id)):
                with self.assertRaises(AccessError):
                    call()
        self.assertEqual(inspection.piece_ids.result, "todo")

    def test_touches_are_not_written_by_hand(self):
        inspection = self.begin(1)
        self.save(self.tap(inspection.piece_ids, "pass"))
        tap = self.env["soko.qc.tap"].with_user(self.manager).search(
            [("piece_id", "=", inspection.piece_ids.id)])
        self.assertTrue(tap)
        for call in (lambda: tap.write({"kind": "open"}), tap.unlink,
                     lambda: tap.create({"key": "k" * 8, "kind": "pass",
                                         "piece_id": inspection.piece_ids.id})):
            with self.assertRaises(AccessError):
                call()

    def test_another_company_s_pieces(self):
        inspection = self.begin(1, lot_name="DROP-OTHER")
        other = self.env["res.company"].create({"name": "Another Mfano"})
        stranger = self._create_user("stranger", "soko_qc.soko_qc_group_inspector")
        stranger.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        bench = self.env["soko.qc.bench"].with_user(stranger)
        self.assertIn("message", bench.find("DROP-OTHER"))
        self.assertNotIn(inspection.id, [choice["id"] for choice in bench.waiting()])
        with self.assertRaises(AccessError):
            bench.open(inspection.id)
        tap = self.tap(inspection.piece_ids, "pass")
        self.assertTrue(bench.save([tap])["answers"][tap["key"]])
        self.env.invalidate_all()
        self.assertEqual(inspection.piece_ids.result, "todo")

    # === WORK === #

    def test_statements_of_a_touch(self):
        """What a touch costs doesn't grow with the lot."""
        needed = []
        for quantity, lot in ((5, "SMALL"), (40, "LARGE")):
            inspection = self.begin(quantity, lot_name=lot)
            taps = [self.tap(piece, "pass") for piece in inspection.piece_ids[:5]]
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.bench.save(taps)
            needed.append(self.cr.sql_log_count - before)
        self.assertLessEqual(needed[1], needed[0] + 2)
