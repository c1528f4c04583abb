from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, Form, tagged

from odoo.addons.soko_qc.tools import statistics

from .common import QcCase


@tagged("post_install", "-at_install")
class TestSokoQcSecondLook(QcCase):
    def _decide(self, quantity, failing, lot_name="DROP-1"):
        """An inspection by the inspector, whose first ``failing`` pieces have a sharp edge."""
        inspection = self._receive(quantity, lot_name=lot_name).with_user(self.inspector)
        inspection.action_start()
        inspection.piece_ids.filtered(lambda p: p.number <= failing).defect_ids = self.defect
        inspection.action_all_pass()
        inspection.action_done()
        return inspection

    def _ask(self, inspection, user=None):
        user = user or self.manager
        action = inspection.with_user(user).action_second_look()
        return self.env["soko.qc.second.look"].with_user(user).browse(action["res_id"])

    def _look(self, inspection, failing, user=None):
        """A finished second look that finds these numbers bad."""
        look = self._ask(inspection, user)
        look.action_start()
        look.piece_ids.filtered(lambda p: p.number in failing).defect_ids = self.defect
        look.action_all_pass()
        look.action_done()
        return look

    def _table(self, user=None, **values):
        return self.env["soko.qc.agreement"].with_user(user or self.manager).create(values).table

    def test_known_table(self):
        """Textbook: both pass 20, pass/fail 5, fail/pass 10, both fail 15: 70 %, kappa 0.4."""
        inspection = self._decide(50, failing=25)
        self._look(inspection, {*range(1, 16), *range(26, 31)})
        form = Form(self.env["soko.qc.agreement"].with_user(self.inspector))
        for text in (">50<", ">35<", ">70.0<", ">0.40<", ">fair<", self.defect.display_name):
            self.assertIn(text, form.table)
        self.assertEqual(form.table.count(">0.40<"), 3, "the pair, all, and the defect")

    def test_pairs_go_together_whoever_was_first(self):
        self._look(self._decide(2, failing=1, lot_name="A"), {1})
        other = self._receive(2, lot_name="B").with_user(self.manager)
        other.action_all_pass()
        other.action_done()
        self._look(other, {1}, self.inspector)
        table = self._table()
        names = sorted((self.inspector, self.manager), key=lambda user: user.id)
        self.assertEqual(table.count(f"{names[0].name} / {names[1].name}"), 1)
        # By hand: 3 of 4 agree; the inspector found 2 of 4 bad, the manager 1, so chance agrees on
        # 1/2 x 1/4 + 1/2 x 3/4 = 1/2, and kappa is (3/4 - 1/2) / (1 - 1/2).
        self.assertIn(">75.0<", table)
        self.assertIn(">0.50<", table)
        self.assertIn("few pieces, so a first guess", table)

    def test_all_alike_says_nothing(self):
        self._look(self._decide(3, failing=0), set())
        self.assertIn("all alike: says nothing", self._table())

    def test_nothing_of_the_inspection_changes(self):
        inspection = self._decide(4, failing=1)

        def picture():
            self.env.invalidate_all()
            pieces = self.env["soko.qc.inspection.piece"]
            return (
                inspection.read(["state", "decision", "qty_accepted", "qty_rejected", "user_id",
                                 "sampling_state_id", "alert_count", "piece_count", "move_ids"]),
                inspection.piece_ids.mapped("result"),
                pieces._get_pass_rates("partner_id", self.amina),
                self.env["soko.qc.report"].search_count([("inspection_id", "=", inspection.id)]),
                self.env["soko.qc.inspection"].search_count([]),
                self.env["soko.qc.sampling.state"].search([]).read(["stage"]),
                self._quantity(self.stock),
            )

        before = picture()
        self._look(inspection, {2, 3, 4})
        self.assertEqual(picture(), before)
        self.assertEqual(inspection.second_look_count, 1)

    def test_another_person_looks(self):
        inspection = self._decide(2, failing=0)
        look = self._ask(inspection, self.inspector)
        with self._refuses("You judged the pieces"):
            look.action_start()
        self.assertEqual(self._ask(inspection), look, "one open look at a time")
        look.with_user(self.manager).action_start()
        third = self._create_user("third", "soko_qc.soko_qc_group_inspector")
        with self._refuses("Only .* judges"):
            look.piece_ids.with_user(third).action_fail()
        with self._refuses("Only .* judges"):
            look.with_user(third).action_all_pass()
        with self._refuses("still open"):
            look.with_user(self.manager).action_done()
        look.with_user(self.manager).action_all_pass()
        look.with_user(self.manager).action_done()
        again = self._ask(inspection)
        self.assertNotEqual(again, look)
        with self._refuses("second time already"):
            again.action_start()
        with self._refuses("Only .* judges"):
            look.piece_ids.with_user(self.manager).action_fail()

    def test_who_tapped_at_the_bench_judged_too(self):
        inspection = self._receive(1).with_user(self.inspector)
        inspection.action_start()
        self.env["soko.qc.bench"].with_user(self.manager).save([
            {"key": "device-1-touch", "kind": "pass", "piece": inspection.piece_ids.id, "at": 0}
        ])
        look = self._ask(inspection)
        with self._refuses("You judged the pieces"):
            look.action_start()

    def test_sheet_in_its_form(self):
        look = self._ask(self._decide(2, failing=1))
        look.action_start()
        with Form(look) as form:
            with form.piece_ids.edit(0) as piece:
                piece.defect_ids.add(self.defect)
            with form.piece_ids.edit(1) as piece:
                piece.result = "pass"
        self.assertEqual(look.piece_ids.mapped("result"), ["fail", "pass"])

    def test_only_finished_ones_count(self):
        inspection = self._receive(2).with_user(self.inspector)
        with self._refuses("cannot look a second time"):
            self._ask(inspection)
        inspection.action_start()
        self._look(inspection, {1})
        self.assertIn("No piece was judged by two people", self._table())
        inspection.action_all_pass()
        inspection.action_done()
        self.assertIn(">50.0<", self._table())
        self.assertIn("No piece", self._table(date_to="2000-01-01"))
        self.assertIn("No piece", self._table(plan_id=self._create_plan().id))

    def test_a_sheet_begun_anew_cannot_be_compared(self):
        inspection = self._receive(2).with_user(self.inspector)
        inspection.action_start()
        look = self._ask(inspection)
        look.action_start()
        inspection.action_cancel()
        inspection.action_draft()
        with self._refuses("begun anew"):
            look.action_done()
        with self.assertRaises(AccessError):
            look.with_user(self.inspector).unlink()
        look.unlink()

    def test_rights(self):
        inspection = self._decide(2, failing=0)
        with self.assertRaises(AccessError):
            self._ask(inspection, self.clerk)
        with self.assertRaises(AccessError):
            self._table(self.clerk)
        look = self._look(inspection, {1})
        for vals in ({"state": "draft"}, {"user_id": self.inspector.id}, {"inspection_id": 1}):
            with self.subTest(vals), self.assertRaises(AccessError):
                look.write(vals)
        for vals in ({"look_id": 1}, {"piece_id": 1}, {"number": 9}):
            with self.subTest(vals), self.assertRaises(AccessError):
                look.piece_ids.write(vals)
        with self.assertRaises(AccessError):
            look.create({"inspection_id": inspection.id})
        with self._refuses("part of the figures"):
            look.unlink()
        inspection.with_user(self.clerk).web_read({"name": {}, "piece_ids": {}})
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        looks = self.env["soko.qc.second.look"].with_user(self.inspector)
        self.assertFalse(looks.search([]))
        self.assertIn("No piece", self._table(self.inspector))

    def test_bad_period(self):
        with self._refuses("ends before it begins", ValidationError):
            self._table(date_from="2026-03-02", date_to="2026-03-01")


@tagged("post_install", "-at_install")
class TestKappaScale(BaseCase):
    def test_words(self):
        """Landis & Koch 1977, Table: the ends 0.20, 0.40, 0.60, 0.80 belong to the lower class."""
        for kappa, word in (
            (-0.01, "poor"), (0, "slight"), (0.2, "slight"), (0.21, "fair"), (0.4, "fair"),
            (0.41, "moderate"), (0.6, "moderate"), (0.61, "substantial"), (0.8, "substantial"),
            (0.81, "almost_perfect"), (1, "almost_perfect"),
        ):
            with self.subTest(kappa):
                self.assertEqual(statistics.kappa_scale(kappa), word)
