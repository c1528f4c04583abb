"""Control charts and inspector agreement. Plain Python: no database."""

import math
from collections import Counter
from typing import NamedTuple

# Shewhart constants for subgroups of n: A2, D3, D4 (ASTM MNL 7, Table 1; NIST/SEMATECH 6.3.2.1)
# and d2 of a moving range of two.
_A2 = {2: 1.880, 3: 1.023, 4: 0.729, 5: 0.577, 6: 0.483, 7: 0.419, 8: 0.373, 9: 0.337, 10: 0.308}
_D3 = {2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0.076, 8: 0.136, 9: 0.184, 10: 0.223}
_D4 = {2: 3.267, 3: 2.574, 4: 2.282, 5: 2.114, 6: 2.004, 7: 1.924, 8: 1.864, 9: 1.816, 10: 1.777}
_D2_OF_TWO = 1.128


class Limits(NamedTuple):
    """Lower control limit, centre line and upper control limit, in the unit of the readings."""

    lower: float
    centre: float
    upper: float


def individuals_limits(values):
    """Limits of single readings, from the mean moving range: mean +- 3 MR / 1.128.

    Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2.

    :param values: readings in the order they were made
    :return: limits of the readings and limits of the moving range
    :raises ValueError: for fewer than two readings or one that is not finite
    :rtype: tuple[Limits, Limits]
    """
    values = _finite(values, 2)
    ranges = [abs(b - a) for a, b in zip(values, values[1:], strict=False)]
    mean, mean_range = math.fsum(values) / len(values), math.fsum(ranges) / len(ranges)
    spread = 3 * mean_range / _D2_OF_TWO
    return (
        Limits(mean - spread, mean, mean + spread),
        Limits(0.0, mean_range, _D4[2] * mean_range),
    )


def xbar_limits(groups):
    """Limits of the means and of the ranges of subgroups: X +- A2 R, and D3 R to D4 R.

    Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.1.

    :param groups: subgroups of 2 to 10 readings, all of one size
    :return: limits of the means and limits of the ranges
    :raises ValueError: for no subgroup, or subgroups of another or of unequal size
    :rtype: tuple[Limits, Limits]
    """
    groups = [_finite(group, 2) for group in groups]
    sizes = {len(group) for group in groups}
    if len(sizes) != 1 or not sizes <= _A2.keys():
        raise ValueError("subgroups need one size, from 2 to 10 readings")
    size = sizes.pop()
    mean = math.fsum(math.fsum(group) / size for group in groups) / len(groups)
    mean_range = math.fsum(max(group) - min(group) for group in groups) / len(groups)
    spread = _A2[size] * mean_range
    return (
        Limits(mean - spread, mean, mean + spread),
        Limits(_D3[size] * mean_range, mean_range, _D4[size] * mean_range),
    )


def western_electric(values, limits):
    """Points that break a Western Electric rule (Statistical Quality Control Handbook, 1956).

    1: one point beyond 3 sigma. 2: two of three beyond 2 sigma on one side. 3: four of five beyond
    1 sigma on one side. 4: eight in a row on one side.

    :param values: points in the order they were made
    :param Limits limits: of these points; a sigma is a third of the way to the upper limit
    :return: for each point that completes a pattern, the numbers of the rules it breaks
    :rtype: dict[int, list[int]]
    """
    sigma = (limits.upper - limits.centre) / 3
    if sigma <= 0:
        return {}
    distances = [(value - limits.centre) / sigma for value in _finite(values, 0)]
    broken = {}
    for index in range(len(distances)):
        rules = [
            rule
            for rule, (needed, window, beyond) in _RULES.items()
            if _breaks(distances[: index + 1], needed, window, beyond)
        ]
        if rules:
            broken[index] = rules
    return broken


def is_beyond(value, limits):
    """A range, or the way between two readings, that is beyond its limits.

    Ranges are not spread evenly around their mean, so of the rules only the first holds for them.

    :param float value: a range
    :param Limits limits: of the ranges
    :rtype: bool
    """
    slack = _ROUNDING * max(1.0, abs(limits.upper))
    return not limits.lower - slack <= value <= limits.upper + slack


# rule: so many points, of the last so many, beyond so many sigma on one side
_RULES = {1: (1, 1, 3), 2: (2, 3, 2), 3: (4, 5, 1), 4: (8, 8, 0)}


def _breaks(distances, needed, window, beyond):
    last = distances[-window:]
    for side in (1, -1):
        outside = [side * distance > beyond for distance in last]
        if outside[-1] and sum(outside) >= needed:
            return True
    return False


def cohen_kappa(first, second):
    """How far two inspectors agree beyond chance: (observed - expected) / (1 - expected).

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.

    :param first: verdicts of one inspector, one for each piece
    :param second: verdicts of the other on the same pieces
    :return: 1 for full agreement, 0 for what chance would give; 1 when both know one verdict only
    :raises ValueError: when they did not judge the same pieces, or none
    :rtype: float
    """
    first, second = list(first), list(second)
    if not first or len(first) != len(second):
        raise ValueError("both inspectors must have judged the same pieces")
    count = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    ours, theirs = Counter(first), Counter(second)
    expected = sum(ours[verdict] * theirs[verdict] for verdict in ours) / count**2
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


# Landis & Koch, "The measurement of observer agreement for categorical data", Biometrics 33, 1977.
_SCALE = (
    (0.8, "almost_perfect"),
    (0.6, "substantial"),
    (0.4, "moderate"),
    (0.2, "fair"),
    (0, "slight"),
)


def kappa_scale(kappa):
    """The word for a kappa: ``almost_perfect`` above 0.8, down to ``slight``; ``poor`` below 0.

    Source: Landis & Koch 1977, whose classes end at 0.20, 0.40, 0.60 and 0.80, ends included.

    :param float kappa: as ``cohen_kappa`` gives it
    :rtype: str
    """
    if kappa < 0:
        return "poor"
    return next(word for least, word in _SCALE if kappa > least + _ROUNDING or not least)


_ROUNDING = 1e-9  # 0.2 computed of fractions may come out a hair above 0.2


def _finite(values, least):
    values = list(values)
    if len(values) < least:
        raise ValueError(f"at least {least} readings are needed")
    if not all(math.isfinite(value) for value in values):
        raise ValueError("a reading must be a finite number")
    return values
