import random

from odoo.tests import BaseCase, tagged

from odoo.addons.soko_qc.tools import plating, readings

# 100 cm2 with 1 um at 1 A/dm2 and 100 %: the mass is area x density, the time in the trade's
# "um per A min/dm2" is 1 / that figure.
UM_PER_A_MIN_DM2 = {
    "gold_1": 0.635,
    "gold_3": 0.212,
    "silver": 0.640,
    "rhodium": 0.172,
    "nickel": 0.205,
    "copper_1": 0.441,
    "copper_2": 0.221,
    "palladium": 0.275,
}


@tagged("post_install", "-at_install")
class TestPlatingTools(BaseCase):
    def test_worked_example_for_each_metal(self):
        self.assertEqual(set(UM_PER_A_MIN_DM2), set(plating.METALS))
        for key, um in UM_PER_A_MIN_DM2.items():
            metal = plating.METALS[key]
            mass = plating.layer_mass(100, 1, metal.density)
            self.assertAlmostEqual(mass, metal.density / 100, 12)
            minutes = plating.minutes_for_mass(mass, 1, metal.equivalent_mass)
            self.assertAlmostEqual(1 / minutes, um, delta=0.0006, msg=metal.name)
            self.assertAlmostEqual(minutes * um, 1, delta=0.004, msg=metal.name)

    def test_mass_is_additive_over_runs(self):
        """Any partition of a charge over runs deposits what one run of that charge does."""
        chance = random.Random(2026)
        for _round in range(200):
            metal = plating.METALS[chance.choice(sorted(plating.METALS))]
            efficiency = chance.uniform(0.05, 1)
            current = chance.uniform(0.01, 50)
            parts = [chance.uniform(0, 60) for _part in range(chance.randint(1, 9))]
            runs = [
                plating.deposited_mass(current, part, metal.equivalent_mass, efficiency)
                for part in parts
            ]
            whole = plating.deposited_mass(
                current, sum(parts), metal.equivalent_mass, efficiency
            )
            self.assertAlmostEqual(sum(runs), whole, delta=1e-9 * max(whole, 1))

    def test_gap_is_zero_when_readings_are_perfect(self):
        chance = random.Random(1902)
        for _round in range(200):
            flows = [chance.uniform(0, 5) for _flow in range(5)]
            additions, deposited, drag_out, recovered, samples = flows
            opening = chance.uniform(20, 60)
            closing = opening + additions - deposited - drag_out - samples
            balance = plating.Balance(
                opening, additions, deposited, drag_out, recovered, samples
            )
            self.assertAlmostEqual(balance.gap(closing), 0, 9)
            self.assertAlmostEqual(balance.gap(closing - 0.25), 0.25, 9)

    def test_balances_chain(self):
        """Two periods one after the other say what one period over both says."""
        first = plating.Balance(40, 2, 3, 0.4, 0.1, 0.05)
        second = plating.Balance(first.expected, 1, 2, 0.3, 0, 0)
        both = plating.Balance(40, 3, 5, 0.7, 0.1, 0.05)
        self.assertAlmostEqual(second.expected, both.expected, 12)

    def test_uncertainty_of_the_efficiency(self):
        self.assertEqual(plating.efficiency_estimate([]), (None, None))
        self.assertEqual(plating.efficiency_estimate([(0.9, 1)]), (0.9, None))
        efficiency, error = plating.efficiency_estimate([(0.9, 1), (1.8, 2), (0.45, 0.5)])
        self.assertAlmostEqual(efficiency, 0.9, 12)
        self.assertAlmostEqual(error, 0, 12)
        # Two equal charges, 0.8 and 1.0: the error of a mean of two, 0.2 / 2.
        efficiency, error = plating.efficiency_estimate([(0.8, 1), (1.0, 1)])
        self.assertAlmostEqual(efficiency, 0.9, 12)
        self.assertAlmostEqual(error, 0.1, 12)

    def test_figures_of_a_bath_are_judged(self):
        for value, verdict in (
            (3.9, "fail"), (4.0, "warn"), (4.3, "warn"), (6, "pass"), (7.9, "warn"), (8.1, "fail")
        ):
            self.assertEqual(plating.judge_range(value, 4, 8), verdict, value)
        self.assertEqual(plating.judge_range(2, None, 10), "pass")
        self.assertEqual(plating.judge_range(9.5, None, 10), "warn")
        self.assertEqual(plating.judge_range(5, None, None), "pass")


@tagged("post_install", "-at_install")
class TestReadingFiles(BaseCase):
    def _refuse(self, code, call, content):
        with self.assertRaises(readings.ReadingError) as caught:
            call(content)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def test_rectifier(self):
        plain = b"minutes,amps,volts\n0,0,0\n1,2,4\n3,2,4\n"
        log = readings.read_rectifier(plain)
        self.assertAlmostEqual(log.ampere_hours, 5 / 60, 12)
        self.assertAlmostEqual(log.minutes, 3, 12)
        self.assertAlmostEqual(log.current_a, 5 / 3, 12)
        self.assertAlmostEqual(log.volts, 10 / 3, 12)

    def test_decimal_comma_is_read_where_it_is_clear(self):
        comma = "\ufeffTime (s);Current (A)\r\n0;1,5\r\n60;2,5\r\n".encode()
        log = readings.read_rectifier(comma)
        self.assertAlmostEqual(log.ampere_hours, 2 / 60, 12)
        found = readings.read_thickness("Lot\tPlace\tµm\nA-P1\trim\t0,52\n".encode("cp1252"))
        self.assertEqual(found, [("A-P1", "rim", 0.52)])

    def test_decimal_comma_is_refused_where_it_is_not(self):
        error = self._refuse(
            "ambiguous", readings.read_rectifier, b"minutes,amps\n0,1,5\n1,1,5\n"
        )
        self.assertEqual(error.line, 2)
        self._refuse("ambiguous", readings.read_thickness, b'lot,um\nA,"0,52"\n')
        self._refuse("ambiguous", readings.read_thickness, b"lot;um\nA;1.234,5\n")

    def test_bad_files(self):
        self._refuse("empty", readings.read_thickness, b"  ")
        self._refuse("empty", readings.read_thickness, b"um\n")
        self._refuse("columns", readings.read_thickness, b"lot,width\nA,1\n")
        self._refuse("number", readings.read_thickness, b"lot,um\nA,thick\n")
        self._refuse("number", readings.read_thickness, b"lot,um\nA,nan\n")
        self._refuse("negative", readings.read_thickness, b"um\n-0.5\n")
        self._refuse("negative", readings.read_rectifier, b"min,a\n0,-1\n1,1\n")
        self._refuse("order", readings.read_rectifier, b"min,a\n2,1\n1,1\n")
        self._refuse("empty", readings.read_rectifier, b"min,a\n2,1\n")
