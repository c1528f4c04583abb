from odoo.tests import BaseCase, tagged

from odoo.addons.soko_qc.tools import statistics


@tagged("post_install", "-at_install")
class TestStatistics(BaseCase):
    def test_individuals_chart(self):
        """NIST/SEMATECH e-Handbook 6.3.2.2: ten flow rates, 45.8159 / 50.81 / 55.8041."""
        flow = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
        limits, ranges = statistics.individuals_limits(flow)
        self.assertAlmostEqual(limits.lower, 45.8159, 3)
        self.assertAlmostEqual(limits.centre, 50.81, 4)
        self.assertAlmostEqual(limits.upper, 55.8041, 3)
        self.assertAlmostEqual(ranges.centre, 1.8778, 4)
        self.assertAlmostEqual(ranges.upper, 3.267 * 1.8778, 3)
        self.assertEqual(statistics.western_electric(flow, limits), {})

    def test_xbar_chart(self):
        """By hand: means 10 and 12, ranges 2 and 4, so 11 +- 1.023 x 3 and up to 2.574 x 3."""
        means, ranges = statistics.xbar_limits([[9, 10, 11], [10, 12, 14]])
        self.assertAlmostEqual(means.centre, 11)
        self.assertAlmostEqual(means.lower, 11 - 3.069)
        self.assertAlmostEqual(means.upper, 11 + 3.069)
        self.assertEqual((ranges.lower, ranges.centre), (0, 3))
        self.assertAlmostEqual(ranges.upper, 7.722)

    def test_western_electric_rules(self):
        limits = statistics.Limits(-3, 0, 3)
        for values, expected in (
            ([0, 0, 3.1], {2: [1]}),
            ([0, 0, -3.1], {2: [1]}),
            ([2.1, 0.5, 2.2], {2: [2]}),
            ([2.1, 0.5, -2.2], {}),
            ([1.1, 1.2, 0.2, 1.3, 1.4], {4: [3]}),
            ([1.1, 1.2, 0.2, 0.3, 1.4], {}),
            ([0.1, 0.2] * 4, {7: [4]}),
            ([0.1, 0.2, 0.3, -0.1] * 2, {}),
        ):
            with self.subTest(values=values):
                self.assertEqual(statistics.western_electric(values, limits), expected)
        self.assertEqual(statistics.western_electric([5, 5], statistics.Limits(5, 5, 5)), {})

    def test_kappa(self):
        """The usual textbook table: both yes 20, yes/no 5, no/yes 10, both no 15: kappa 0.4."""
        pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
        first, second = zip(*pairs, strict=True)
        self.assertAlmostEqual(statistics.cohen_kappa(first, second), 0.4)
        self.assertEqual(statistics.cohen_kappa("ab", "ab"), 1)
        self.assertEqual(statistics.cohen_kappa("aa", "aa"), 1)
        self.assertAlmostEqual(statistics.cohen_kappa("abab", "aabb"), 0)

    def test_bad_input_is_refused(self):
        for call in (
            lambda: statistics.individuals_limits([1]),
            lambda: statistics.individuals_limits([1, float("nan")]),
            lambda: statistics.xbar_limits([]),
            lambda: statistics.xbar_limits([[1, 2], [1, 2, 3]]),
            lambda: statistics.xbar_limits([[1] * 11]),
            lambda: statistics.cohen_kappa([], []),
            lambda: statistics.cohen_kappa("ab", "a"),
        ):
            with self.assertRaises(ValueError):
                call()
