from odoo.tests import BaseCase, tagged

from odoo.addons.soko_qc.tools import judgement, sampling

# The master tables as they are printed, one line a code letter: v is the arrow down, ^ the arrow
# up, a number the acceptance number; columns are the AQLs 0.010 to 10. Normal and tightened:
# MIL-STD-105E, Tables II-A and II-B, and ISO 2859-1:1999, Tables 2-A and 2-B; reduced: ISO
# 2859-1:1999, Table 2-C.
PRINTED = {
    "normal": """
        A    2  v v v v v v v v v v v v v v 0 v
        B    3  v v v v v v v v v v v v v 0 ^ v
        C    5  v v v v v v v v v v v v 0 ^ v 1
        D    8  v v v v v v v v v v v 0 ^ v 1 2
        E   13  v v v v v v v v v v 0 ^ v 1 2 3
        F   20  v v v v v v v v v 0 ^ v 1 2 3 5
        G   32  v v v v v v v v 0 ^ v 1 2 3 5 7
        H   50  v v v v v v v 0 ^ v 1 2 3 5 7 10
        J   80  v v v v v v 0 ^ v 1 2 3 5 7 10 14
        K  125  v v v v v 0 ^ v 1 2 3 5 7 10 14 21
        L  200  v v v v 0 ^ v 1 2 3 5 7 10 14 21 ^
        M  315  v v v 0 ^ v 1 2 3 5 7 10 14 21 ^ ^
        N  500  v v 0 ^ v 1 2 3 5 7 10 14 21 ^ ^ ^
        P  800  v 0 ^ v 1 2 3 5 7 10 14 21 ^ ^ ^ ^
        Q 1250  0 ^ v 1 2 3 5 7 10 14 21 ^ ^ ^ ^ ^
        R 2000  ^ ^ 1 2 3 5 7 10 14 21 ^ ^ ^ ^ ^ ^""",
    "tightened": """
        A    2  v v v v v v v v v v v v v v v 0
        B    3  v v v v v v v v v v v v v v 0 v
        C    5  v v v v v v v v v v v v v 0 v v
        D    8  v v v v v v v v v v v v 0 v v 1
        E   13  v v v v v v v v v v v 0 v v 1 2
        F   20  v v v v v v v v v v 0 v v 1 2 3
        G   32  v v v v v v v v v 0 v v 1 2 3 5
        H   50  v v v v v v v v 0 v v 1 2 3 5 8
        J   80  v v v v v v v 0 v v 1 2 3 5 8 12
        K  125  v v v v v v 0 v v 1 2 3 5 8 12 18
        L  200  v v v v v 0 v v 1 2 3 5 8 12 18 ^
        M  315  v v v v 0 v v 1 2 3 5 8 12 18 ^ ^
        N  500  v v v 0 v v 1 2 3 5 8 12 18 ^ ^ ^
        P  800  v v 0 v v 1 2 3 5 8 12 18 ^ ^ ^ ^
        Q 1250  v 0 v v 1 2 3 5 8 12 18 ^ ^ ^ ^ ^
        R 2000  0 ^ v 1 2 3 5 8 12 18 ^ ^ ^ ^ ^ ^
        S 3150  - - 1 - - - - - - - - - - - - -""",
    "reduced": """
        A    2  v v v v v v v v v v v v v v 0 v
        B    2  v v v v v v v v v v v v v 0 ^ v
        C    2  v v v v v v v v v v v v 0 ^ v v
        D    3  v v v v v v v v v v v 0 ^ v v 1
        E    5  v v v v v v v v v v 0 ^ v v 1 2
        F    8  v v v v v v v v v 0 ^ v v 1 2 3
        G   13  v v v v v v v v 0 ^ v v 1 2 3 5
        H   20  v v v v v v v 0 ^ v v 1 2 3 5 6
        J   32  v v v v v v 0 ^ v v 1 2 3 5 6 8
        K   50  v v v v v 0 ^ v v 1 2 3 5 6 8 10
        L   80  v v v v 0 ^ v v 1 2 3 5 6 8 10 ^
        M  125  v v v 0 ^ v v 1 2 3 5 6 8 10 ^ ^
        N  200  v v 0 ^ v v 1 2 3 5 6 8 10 ^ ^ ^
        P  315  v 0 ^ v v 1 2 3 5 6 8 10 ^ ^ ^ ^
        Q  500  0 ^ ^ v 1 2 3 5 6 8 10 ^ ^ ^ ^ ^
        R  800  ^ ^ ^ 1 2 3 5 6 8 10 ^ ^ ^ ^ ^ ^""",
}


def _parse(printed):
    """Letters, sizes and cells of a printed table."""
    return [
        (letter, int(size), cells)
        for letter, size, *cells in (line.split() for line in printed.split("\n") if line.strip())
    ]


@tagged("post_install", "-at_install")
class TestSamplingTables(BaseCase):
    def test_code_letters(self):
        """Table 1: examples of each level, at the ends of their ranges."""
        for lot, level, letter in (
            (2, "II", "A"), (8, "II", "A"), (9, "II", "B"), (15, "II", "B"), (16, "II", "C"),
            (25, "II", "C"), (26, "II", "D"), (50, "II", "D"), (51, "II", "E"), (90, "II", "E"),
            (91, "II", "F"), (150, "II", "F"), (151, "II", "G"), (280, "II", "G"),
            (281, "II", "H"), (500, "II", "H"), (501, "II", "J"), (1200, "II", "J"),
            (1201, "II", "K"), (3200, "II", "K"), (3201, "II", "L"), (10000, "II", "L"),
            (10001, "II", "M"), (35001, "II", "N"), (150001, "II", "P"), (500001, "II", "Q"),
            (2, "I", "A"), (50, "I", "C"), (1000, "I", "G"), (500001, "I", "N"),
            (2, "III", "B"), (1000, "III", "K"), (500001, "III", "R"),
            (1000, "S-1", "C"), (1000, "S-2", "C"), (1000, "S-3", "E"), (1000, "S-4", "F"),
            (2, "S-4", "A"), (500001, "S-1", "D"), (500001, "S-2", "E"), (500001, "S-3", "H"),
            (500001, "S-4", "K"), (50, "S-1", "A"), (51, "S-1", "B"), (1, "II", "A"),
        ):  # fmt: skip
            with self.subTest(lot=lot, level=level):
                self.assertEqual(sampling.code_letter(lot, level), letter)

    def test_master_tables_cell_by_cell(self):
        """All 48 rows of 16 AQLs; an arrow leads to the first number below or above."""
        checked = 0
        for stage, printed in PRINTED.items():
            rows = _parse(printed)
            for row, (letter, _size, cells) in enumerate(rows):
                for column, cell in enumerate(cells):
                    if letter == "S":
                        continue  # reached by an arrow only
                    step = -1 if cell == "^" else 1
                    at = row
                    while not rows[at][2][column].isdigit():
                        at += step
                    expected = (rows[at][0], rows[at][1], int(rows[at][2][column]))
                    with self.subTest(stage, letter=letter, aql=sampling.AQLS[column]):
                        plan = sampling.single_plan(letter, sampling.AQLS[column], stage)
                        self.assertEqual(tuple(plan), expected)
                        self.assertEqual(plan.reject, plan.accept + 1)
                    checked += 1
        self.assertEqual(checked, 3 * 16 * 16)

    def test_published_examples(self):
        """Plans that others print, and what the tables above give beside them."""
        for lot, level, aql, stage, size, accept in (
            # Importers' usual example: 4000 pieces, level II, 2.5 and 4.0: 10/11 and 14/15.
            (4000, "II", "2.5", "normal", 200, 10),
            (4000, "II", "4.0", "normal", 200, 14),
            # Lot 2000, II, AQL 1.0, by GB/T 2828.1-2012.
            (2000, "II", "1.0", "normal", 125, 3),
            (2000, "II", "1.0", "tightened", 125, 2),
            (2000, "II", "1.0", "reduced", 50, 2),
            (1000, "II", "1.0", "normal", 80, 2),
            (1000, "II", "1.0", "tightened", 80, 1),
            (1000, "II", "1.0", "reduced", 32, 1),
            # Jenkins, Peck and Fernando, PLOS 2023: lots of 35 001 to 500 000.
            (100000, "S-4", "0.65", "normal", 80, 1),
            (100000, "S-3", "0.65", "normal", 20, 0),
            (100000, "S-4", "0.40", "normal", 125, 1),
            (100000, "S-3", "0.40", "normal", 32, 0),
            (100000, "S-4", "0.25", "normal", 50, 0),
            (100000, "S-4", "0.15", "normal", 80, 0),
            # Arrows: 26 to 50 pieces take 13 at 1.0, 5 at 2.5 and 13 at 4.0 (IS 2500-1:2000).
            (40, "II", "1.0", "normal", 13, 0),
            (40, "II", "2.5", "normal", 5, 0),
            (40, "II", "4.0", "normal", 13, 1),
            (60, "II", "2.5", "normal", 20, 1),
        ):
            with self.subTest(lot=lot, level=level, aql=aql, stage=stage):
                sample = sampling.lot_sample(lot, level, {"major": aql}, stage)
                self.assertEqual((sample.size, sample.accept), (size, {"major": accept}))

    def test_sample_as_large_as_the_lot_is_the_lot(self):
        sample = sampling.lot_sample(4, "II", {"major": "2.5"})
        self.assertEqual((sample.size, sample.accept), (4, {"major": 0}))
        self.assertEqual(sampling.lot_sample(5, "II", {"major": "2.5"}).size, 5)
        self.assertEqual(sampling.lot_sample(6, "II", {"major": "2.5"}).size, 5)
        # The arrow of a small AQL leads far down: 1250 pieces of 100 are the lot.
        self.assertEqual(sampling.lot_sample(100, "II", {"critical": "0.010"}).size, 100)

    def test_one_sample_for_all_severities(self):
        """The largest sample's letter serves all: 60 pieces, 2.5 takes F (20), 4.0 alone E (13)."""
        sample = sampling.lot_sample(60, "II", {"critical": "0", "major": "2.5", "minor": "4.0"})
        self.assertEqual(sample.size, 20)
        self.assertEqual(sample.accept, {"critical": 0, "major": 1, "minor": 2})
        # An arrow up from the common letter keeps its smaller acceptance number.
        sample = sampling.lot_sample(100, "II", {"critical": "0.65", "major": "1.0"})
        self.assertEqual((sample.size, sample.accept), (20, {"critical": 0, "major": 0}))

    def test_full_inspection_accepts_up_to_the_aql(self):
        aqls = {"critical": "0", "major": "2.5", "minor": "4.0"}
        sample = sampling.lot_sample(120, "II", aqls, "full")
        self.assertEqual(sample.size, 120)
        self.assertEqual(sample.accept, {"critical": 0, "major": 3, "minor": 4})
        self.assertEqual(sampling.lot_sample(12, "II", aqls, "stopped").accept["major"], 0)
        # 0.065 % of 2000 is 1.3, exactly: no binary fraction in between.
        exact = sampling.lot_sample(2000, "II", {"major": "0.10"}, "full")
        self.assertEqual(exact.accept, {"major": 2})

    def test_bad_input_is_refused(self):
        for call in (
            lambda: sampling.code_letter(0),
            lambda: sampling.code_letter(-5),
            lambda: sampling.code_letter(10, "IV"),
            lambda: sampling.single_plan("A", "3.0"),
            lambda: sampling.single_plan("S", "2.5"),
            lambda: sampling.single_plan("A", "2.5", "full"),
            lambda: sampling.lot_sample(10, "II", {"critical": "0"}),
            lambda: sampling.lot_sample(0, "II", {"major": "2.5"}),
        ):
            with self.assertRaises(ValueError):
                call()

    def test_more_pieces_are_never_fewer(self):
        """Properties: larger lots take no smaller samples, tightened accepts no greater share."""
        for aql in sampling.AQLS:
            sizes = [
                sampling.lot_sample(lot, "II", {"major": aql}).size for lot in range(1, 1500, 7)
            ]
            self.assertEqual(sizes, sorted(sizes), aql)
            for letter in sampling.LETTERS[:16]:
                normal = sampling.single_plan(letter, aql)
                tight = sampling.single_plan(letter, aql, "tightened")
                share = normal.accept / normal.size
                self.assertLessEqual(tight.accept / tight.size, share + 1e-9, (letter, aql))

    def test_other_methods(self):
        size = judgement.sample_size
        self.assertEqual(size(120, "percent", percent=10), 12)
        self.assertEqual(size(121, "percent", percent=10), 13)
        self.assertEqual(size(3, "percent", percent=1), 1)
        self.assertEqual(size(7, "percent", percent=100), 7)
        self.assertEqual(size(120, "first_piece"), 1)
        with self.assertRaises(ValueError):
            size(-1, "percent", percent=10)

    def test_refused_lot_splits_by_the_plan(self):
        self.assertEqual(judgement.split_lot(50, 5, 1, False), (4, 46))
        self.assertEqual(judgement.split_lot(50, 5, 1, True), (49, 1))
        self.assertEqual(judgement.split_lot(50, 5, 1, False, whole_lot=True), (0, 50))
        self.assertEqual(judgement.split_lot(50, 50, 9, False, whole_lot=True), (41, 9))


@tagged("post_install", "-at_install")
class TestSwitchingRules(BaseCase):
    def _run(self, lots, history=None, points=2, **rules):
        """Histories after each lot; A is an accepted one, R one that was not."""
        history = history or sampling.History()
        passed = []
        for lot in lots:
            accepted = lot == "A"
            history = sampling.after_lot(history, accepted, points if accepted else 0, **rules)
            passed.append(history)
        return passed

    def _stages(self, lots, stage="normal", **rules):
        return [h.stage for h in self._run(lots, sampling.History(stage), **rules)]

    def test_new_maker_is_trusted_after_accepted_lots_in_a_row(self):
        self.assertEqual(self._stages("AAA", "full"), ["full", "full", "normal"])
        self.assertEqual(self._stages("AARAAA", "full")[-2:], ["full", "normal"])
        self.assertEqual(self._stages("A", "full", new_maker_lots=1), ["normal"])

    def test_normal_to_tightened_on_two_of_five(self):
        self.assertEqual(self._stages("RR"), ["normal", "tightened"])
        self.assertEqual(self._stages("RAAAR")[-1], "tightened")
        self.assertEqual(self._stages("RAAAAR")[-1], "normal")
        self.assertEqual(self._stages("RAAAARR")[-1], "tightened")

    def test_tightened_to_normal_after_five_accepted(self):
        self.assertEqual(self._stages("AAAAA", "tightened")[-2:], ["tightened", "normal"])
        self.assertEqual(self._stages("AAAARAAAA", "tightened")[-1], "tightened")
        self.assertEqual(self._stages("AAAARAAAAA", "tightened")[-1], "normal")

    def test_discontinued_after_five_not_accepted(self):
        """They need not be in a row."""
        self.assertEqual(self._stages("RARARARAR", "tightened")[-2:], ["tightened", "stopped"])
        self.assertEqual(self._stages("AAAAAAAA", "stopped")[-1], "stopped")

    def test_normal_to_reduced_by_the_switching_score(self):
        fifteen = self._run("A" * 15, sampling.History("normal"))
        self.assertEqual([h.score for h in fifteen[:3]], [2, 4, 6])
        self.assertEqual([h.stage for h in fifteen[-2:]], ["normal", "reduced"])
        ten = self._run("A" * 10, sampling.History("normal"), points=3)
        self.assertEqual([h.stage for h in ten[-2:]], ["normal", "reduced"])
        # A lot that is not accepted, or not at one AQL tighter, begins the score anew.
        self.assertEqual(self._run("AAAR", sampling.History("normal"))[-1].score, 0)
        self.assertEqual(self._run("A", sampling.History("normal", score=20), points=0)[0].score, 0)
        self.assertEqual(self._stages("A" * 20, reduced=False)[-1], "normal")

    def test_reduced_to_normal_on_one_lot(self):
        self.assertEqual(self._stages("AAAR", "reduced"), ["reduced"] * 3 + ["normal"])
        self.assertEqual(self._run("R", sampling.History("reduced"))[0].score, 0)

    def test_methods_without_tables_go_back_to_full(self):
        self.assertEqual(self._stages("RR", tables=False)[-1], "full")
        self.assertEqual(self._stages("A" * 30, tables=False)[-1], "normal")

    def test_switching_score_of_a_lot(self):
        """Clause 9.3.3.2: 2 points up to Ac 1; from Ac 2 on 3, if one AQL tighter accepts too."""
        aqls = {"critical": "0", "major": "2.5", "minor": "4.0"}
        step = sampling.score_step
        self.assertEqual(step({}, {"major": 0}, aqls), 2)
        self.assertEqual(step({"major": 1}, {"major": 1}, aqls), 2)
        self.assertEqual(step({"major": 1}, {"major": 2}, aqls), 3)
        self.assertEqual(step({"major": 2}, {"major": 2}, aqls), 0)
        self.assertEqual(step({"major": 3}, {"major": 5}, aqls), 3)
        self.assertEqual(step({"major": 4}, {"major": 5}, aqls), 0)
        self.assertEqual(step({"major": 3}, {"major": 2}, aqls), 0)
        # Several severities: the least; one where none is allowed does not count.
        self.assertEqual(step({}, {"critical": 0, "major": 3, "minor": 5}, aqls), 3)
        self.assertEqual(step({"minor": 4}, {"major": 3, "minor": 5}, aqls), 0)
        self.assertEqual(step({"critical": 1}, {"critical": 0, "major": 3}, aqls), 0)
