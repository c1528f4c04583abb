"""Electroplating arithmetic by Faraday's law of electrolysis. Plain Python: no database.

Units everywhere: current A, time min, area cm2, thickness um, mass g, density g/cm3,
equivalent mass (molar mass / electrons for an ion) g/mol, efficiency as a fraction of 1.
"""

import math
from typing import NamedTuple

# Faraday constant in C/mol: exact since the 2019 SI (e x N_A), CODATA 2018.
FARADAY = 96485.33212


class Metal(NamedTuple):
    """What one kind of deposit needs to be computed."""

    name: str
    molar_mass: float
    valence: int
    density: float

    @property
    def equivalent_mass(self):
        return self.molar_mass / self.valence


# Molar masses: IUPAC standard atomic weights. Densities of the pure metals at room temperature.
# The valence is that of the ion in the usual solution, named beside it; it is a choice of the
# solution, so a process may set another equivalent mass.
METALS = {
    "gold_1": Metal("Gold (I), cyanide or sulfite", 196.967, 1, 19.30),
    "gold_3": Metal("Gold (III), acid strike", 196.967, 3, 19.30),
    "silver": Metal("Silver", 107.868, 1, 10.49),
    "rhodium": Metal("Rhodium", 102.905, 3, 12.41),
    "nickel": Metal("Nickel", 58.693, 2, 8.908),
    "copper_1": Metal("Copper (I), cyanide", 63.546, 1, 8.96),
    "copper_2": Metal("Copper (II), acid", 63.546, 2, 8.96),
    "palladium": Metal("Palladium", 106.42, 2, 12.02),
}


def _require_positive(**values):
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be above zero")


def deposited_mass(current_a, minutes, equivalent_mass, efficiency=1.0):
    """Mass plated out: ``m = I t E eta / F``.

    Source: Faraday's law. For gold (I) at 100 % it gives 7.349 g/Ah, as the trade tables do.

    :raises ValueError: for a negative current or time, or an efficiency outside 0 to 1
    :return: grams
    """
    if current_a < 0 or minutes < 0:
        raise ValueError("current and time cannot be negative")
    if not 0 < efficiency <= 1:
        raise ValueError("the efficiency is a fraction above 0 and at most 1")
    return current_a * minutes * 60.0 * equivalent_mass * efficiency / FARADAY


def layer_mass(area_cm2, thickness_um, density):
    """Mass of an even layer: ``m = A d rho`` (1 um is 1e-4 cm).

    :return: grams; 1 um of gold is 1.930 mg/cm2
    """
    if area_cm2 < 0 or thickness_um < 0:
        raise ValueError("area and thickness cannot be negative")
    return area_cm2 * thickness_um * 1e-4 * density


def layer_thickness(mass_g, area_cm2, density):
    """Thickness of an even layer of a known mass: ``d = m / (rho A)``.

    :raises ValueError: for a zero or negative area or density
    :return: micrometres
    """
    _require_positive(area=area_cm2, density=density)
    return mass_g / (area_cm2 * density) * 1e4


def current_for_area(area_cm2, current_density):
    """Current for an area at a current density in A/dm2: ``I = J A``.

    :return: amperes
    """
    return area_cm2 / 100.0 * current_density


def minutes_for_mass(mass_g, current_a, equivalent_mass, efficiency=1.0):
    """Time until a mass is plated out: ``t = m F / (I E eta)``.

    :raises ValueError: for a current, equivalent mass or efficiency that is not positive
    :return: minutes
    """
    _require_positive(current=current_a, equivalent_mass=equivalent_mass, efficiency=efficiency)
    return mass_g * FARADAY / (current_a * equivalent_mass * efficiency) / 60.0


def learnt_efficiency(runs):
    """Efficiency of a bath from its measured runs, each weighing by the charge it took.

    :param runs: pairs ``(measured mass, mass Faraday's law gives at 100 %)`` in grams
    :return: fraction, at most 1, or None when there is nothing to learn from
    """
    runs = [(measured, ideal) for measured, ideal in runs if measured > 0 and ideal > 0]
    if not runs:
        return None
    return min(sum(m for m, _i in runs) / sum(i for _m, i in runs), 1.0)


def efficiency_estimate(runs):
    """Efficiency of a bath with how far it may be trusted.

    The ratio estimator of :func:`learnt_efficiency`, with the standard error of a ratio of sums:
    ``s(r) = sqrt(n / (n - 1) * sum((m_i - r i_i)^2)) / sum(i_i)``.
    Source: Cochran, "Sampling Techniques", 3rd edition, 1977, section 2.11 (without the finite
    population correction).

    :param runs: pairs ``(measured mass, mass Faraday's law gives at 100 %)`` in grams
    :return: ``(efficiency, standard error)``; the error is None for fewer than two runs
    :rtype: tuple[float | None, float | None]
    """
    runs = [(measured, ideal) for measured, ideal in runs if measured > 0 and ideal > 0]
    learnt = learnt_efficiency(runs)
    if len(runs) < 2:
        return learnt, None
    total = math.fsum(ideal for _m, ideal in runs)
    ratio = math.fsum(measured for measured, _i in runs) / total
    squares = math.fsum((measured - ratio * ideal) ** 2 for measured, ideal in runs)
    return learnt, math.sqrt(len(runs) / (len(runs) - 1) * squares) / total


class Balance(NamedTuple):
    """Grams of fine metal of one bath in one period. All but opening and closing are flows."""

    opening: float
    additions: float = 0.0
    deposited: float = 0.0
    drag_out: float = 0.0
    recovered: float = 0.0
    samples: float = 0.0

    @property
    def expected(self):
        """What the bath should hold at the end.

        ``recovered`` is metal that left in the rinse and was won back *outside* the bath: it
        explains a part of the drag-out and does not change the bath.
        """
        return self.opening + self.additions - self.deposited - self.drag_out - self.samples

    @property
    def lost(self):
        """Drag-out that was not won back."""
        return self.drag_out - self.recovered

    def gap(self, closing):
        """Metal the books have and the bath hasn't; negative when the bath holds more."""
        return self.expected - closing


def judge_range(value, low, high, margin=0.1):
    """Pass, warn or fail of a bath's figure.

    :param low: lowest allowed value, or None
    :param high: highest allowed value, or None
    :param float margin: share of the range next to a limit that warns; without a range, share of
        the limit itself
    :return: ``pass``, ``warn`` or ``fail``
    :rtype: str
    """
    if (low is not None and value < low) or (high is not None and value > high):
        return "fail"
    for limit, side in ((low, 1), (high, -1)):
        if limit is None:
            continue
        band = high - low if low is not None and high is not None else abs(limit)
        if side * (value - limit) < margin * band:
            return "warn"
    return "pass"


def charge_ah(current_a, minutes):
    """Charge of a steady current: ``Q = I t``.

    :return: ampere-hours
    """
    return current_a * minutes / 60.0
