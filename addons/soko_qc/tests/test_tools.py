from odoo.tests import BaseCase, tagged

from odoo.addons.soko_qc.tools import judgement, plating


@tagged("post_install", "-at_install")
class TestPlatingFormulas(BaseCase):
    def test_mass_per_ampere_hour(self):
        """Faraday's law against trade tables: grams for one ampere-hour at 100 %."""
        expected = {
            "gold_1": 7.349,
            "gold_3": 2.450,
            "silver": 4.025,
            "rhodium": 1.280,
            "nickel": 1.095,
            "copper_1": 2.371,
            "copper_2": 1.186,
            "palladium": 1.985,
        }
        self.assertEqual(set(expected), set(plating.METALS))
        for key, grams in expected.items():
            metal = plating.METALS[key]
            mass = plating.deposited_mass(1, 60, metal.equivalent_mass)
            self.assertAlmostEqual(mass, grams, delta=0.001, msg=metal.name)

    def test_worked_example_of_a_cuff(self):
        """40 cm2 with 0.5 um gold: 38.6 mg, 1.75 min at 0.5 A/dm2 and 90 %."""
        gold = plating.METALS["gold_1"]
        mass = plating.layer_mass(40, 0.5, gold.density)
        self.assertAlmostEqual(mass, 0.0386, 5)
        current = plating.current_for_area(40, 0.5)
        self.assertAlmostEqual(current, 0.2, 9)
        minutes = plating.minutes_for_mass(mass, current, gold.equivalent_mass, 0.9)
        self.assertAlmostEqual(minutes, 1.75, 2)
        back = plating.deposited_mass(current, minutes, gold.equivalent_mass, 0.9)
        self.assertAlmostEqual(back, mass, 12)
        self.assertAlmostEqual(plating.layer_thickness(back, 40, gold.density), 0.5, 9)

    def test_mass_is_additive_over_time_and_current(self):
        equivalent = plating.METALS["silver"].equivalent_mass
        whole = plating.deposited_mass(3, 30, equivalent, 0.8)
        by_time = [plating.deposited_mass(3, t, equivalent, 0.8) for t in (4, 9, 17)]
        by_current = [plating.deposited_mass(i, 30, equivalent, 0.8) for i in (0.5, 2.5)]
        self.assertAlmostEqual(sum(by_time), whole, 12)
        self.assertAlmostEqual(sum(by_current), whole, 12)

    def test_bad_figures_are_refused(self):
        for call in (
            lambda: plating.deposited_mass(-1, 60, 197),
            lambda: plating.deposited_mass(1, 60, 197, 0),
            lambda: plating.deposited_mass(1, 60, 197, 1.2),
            lambda: plating.layer_thickness(1, 0, 19.3),
            lambda: plating.layer_mass(-40, 0.5, 19.3),
            lambda: plating.minutes_for_mass(1, 0, 197),
        ):
            with self.assertRaises(ValueError):
                call()

    def test_learnt_efficiency_weighs_by_charge(self):
        self.assertAlmostEqual(plating.learnt_efficiency([(0.9, 1), (1.6, 2)]), 2.5 / 3)
        self.assertEqual(plating.learnt_efficiency([(3, 2)]), 1.0)
        self.assertIsNone(plating.learnt_efficiency([(0, 1), (1, 0)]))


@tagged("post_install", "-at_install")
class TestJudgement(BaseCase):
    def test_limits_belong_to_the_tolerance(self):
        for value in (19.5, 20, 20.5, 0.1 + 0.2 + 19.2):
            self.assertEqual(judgement.judge_reading(value, 19.5, 20.5), "pass")
        for value in (19.49, 20.51):
            self.assertEqual(judgement.judge_reading(value, 19.5, 20.5), "fail")
        with self.assertRaises(ValueError):
            judgement.judge_reading(1, 2, 1)
        with self.assertRaises(ValueError):
            judgement.judge_reading(float("nan"), 1, 2)

    def test_severity_decides_what_rejects(self):
        self.assertEqual(judgement.judge_piece([("fail", "minor"), ("pass", "major")]), "pass")
        self.assertEqual(judgement.judge_piece([("fail", "major"), ("todo", "major")]), "fail")
        self.assertEqual(judgement.judge_piece([("pass", "major"), ("todo", "minor")]), "todo")
        self.assertEqual(judgement.judge_piece([("pass", "major")], ["critical"]), "fail")
        self.assertEqual(judgement.judge_piece([("pass", "major")], ["minor"]), "pass")
        self.assertEqual(judgement.judge_piece([]), "todo")

    def test_sample_size(self):
        self.assertEqual(judgement.sample_size(12, "every", 5), 12)
        self.assertEqual(judgement.sample_size(12, "first_n", 5), 5)
        self.assertEqual(judgement.sample_size(3, "first_n", 5), 3)
        self.assertEqual(judgement.sample_size(2.5, "every"), 3)
        with self.assertRaises(ValueError):
            judgement.sample_size(0, "every")

    def test_lot_splits_without_loss(self):
        self.assertEqual(judgement.judge_lot(5, 5, 1), (4, 1))
        self.assertEqual(judgement.judge_lot(50, 5, 0), (50, 0))
        self.assertEqual(judgement.judge_lot(50, 5, 1), (4, 46))
        self.assertEqual(judgement.judge_lot(50, 5, 1, accept_number=1), (49, 1))
        for quantity in (1, 7, 40):
            for failed in range(quantity + 1):
                accepted, rejected = judgement.judge_lot(quantity, quantity, failed)
                self.assertEqual((accepted, rejected), (quantity - failed, failed))
        for wrong in ((5, 6, 0), (5, 2, 3), (5, 5, -1)):
            with self.assertRaises(ValueError):
                judgement.judge_lot(*wrong)
