"""How readings, pieces and lots are judged. Plain Python: no database."""

import math

TODO, PASS, FAIL = "todo", "pass", "fail"
# A piece that did not pass and can be mended; a criterion itself only passes or fails.
REWORK = "rework"

# A failing minor point is noted and does not stop the piece: off-standard but usable.
REJECTING_SEVERITIES = ("critical", "major")
SEVERITIES = (*REJECTING_SEVERITIES, "minor")  # from the worst on

# Readings come from gauges with a few decimals; this only absorbs binary rounding.
_EPSILON = 1e-9


def judge_reading(value, lower, upper):
    """Judge one measured value against its limits, limits included.

    :param float value: the reading, in the unit of the limits
    :param float lower: smallest accepted value
    :param float upper: largest accepted value
    :raises ValueError: when ``lower`` is above ``upper`` or the value is not a finite number
    :rtype: str
    """
    if lower > upper:
        raise ValueError("the lower limit is above the upper limit")
    if not math.isfinite(value):
        raise ValueError("a reading must be a finite number")
    return PASS if lower - _EPSILON <= value <= upper + _EPSILON else FAIL


def judge_piece(verdicts, defect_severities=()):
    """Judge a piece from the verdicts of its criteria and the defects seen on it.

    :param verdicts: pairs ``(verdict, severity)``, one for each criterion
    :param defect_severities: severities of the defects found
    :return: ``fail`` as soon as something critical or major is wrong, ``todo`` while a criterion
        is open (or there is none), else ``pass``
    :rtype: str
    """
    if any(severity in REJECTING_SEVERITIES for severity in defect_severities):
        return FAIL
    verdicts = list(verdicts)
    if any(v == FAIL and severity in REJECTING_SEVERITIES for v, severity in verdicts):
        return FAIL
    if not verdicts or any(v == TODO for v, _severity in verdicts):
        return TODO
    return PASS


def worst_severity(severities):
    """The worst of some severities, or None: a piece counts once, where it is worst."""
    return next((s for s in SEVERITIES if s in severities), None)


def piece_count(quantity):
    """Whole pieces of a lot; a part of a piece counts as one.

    :param float quantity: pieces in the lot
    :raises ValueError: for a quantity that is not positive
    :rtype: int
    """
    if quantity <= 0:
        raise ValueError("a lot needs a positive quantity")
    return math.ceil(quantity - _EPSILON)


def sample_size(quantity, sampling, first_n=0, percent=0):
    """How many pieces of a lot are looked at.

    :param float quantity: pieces in the lot; a part of a piece counts as one
    :param str sampling: ``every``, ``first_n``, ``percent`` or ``first_piece``
    :param int first_n: the size of the sample for ``first_n``
    :param float percent: the share of the lot for ``percent``, rounded up to whole pieces
    :raises ValueError: for a quantity that is not positive
    :rtype: int
    """
    pieces = piece_count(quantity)
    wanted = {
        "first_n": first_n,
        "first_piece": 1,
        "percent": math.ceil(pieces * percent / 100 - _EPSILON),
    }
    return min(pieces, max(wanted.get(sampling, pieces), 1))


def judge_lot(quantity, inspected, failed, accept_number=0):
    """Split a lot into accepted and rejected quantities.

    Inspected pieces keep their own result. The pieces nobody looked at follow the lot: accepted
    when at most ``accept_number`` of the inspected ones failed, else rejected.

    :return: ``(accepted, rejected)``, which always add up to ``quantity``
    :raises ValueError: when the counts don't fit one another
    :rtype: tuple[float, float]
    """
    return split_lot(quantity, inspected, failed, failed <= accept_number)


def split_lot(quantity, inspected, failed, lot_accepted, whole_lot=False):
    """Split a lot into accepted and rejected quantities by the verdict on its sample.

    Inspected pieces keep their own result, the others follow the lot.

    :param float quantity: pieces in the lot
    :param int inspected: pieces looked at
    :param int failed: those of them that failed
    :param bool lot_accepted: the verdict on the lot
    :param bool whole_lot: a refused lot is rejected with the pieces that passed; where each piece
        was looked at there is nothing to guess, and each keeps its own result
    :return: ``(accepted, rejected)``, which always add up to ``quantity``
    :raises ValueError: when the counts don't fit one another
    :rtype: tuple[float, float]
    """
    if not 0 <= failed <= inspected:
        raise ValueError("failed pieces must be among the inspected ones")
    if inspected > math.ceil(quantity - _EPSILON):
        raise ValueError("more pieces were inspected than the lot has")
    unseen = max(quantity - inspected, 0)
    if whole_lot and unseen and not lot_accepted:
        return 0.0, quantity
    rejected = min(failed + (0 if lot_accepted else unseen), quantity)
    return quantity - rejected, rejected


def split_off_rework(quantity, rejected, rework):
    """Part what did not pass into rejected pieces and pieces that go back to be mended.

    A refused lot that is rejected whole keeps nothing for rework: its pieces stay together.

    :param float quantity: pieces in the lot
    :param float rejected: pieces that were not accepted, rework included
    :param int rework: pieces that can be mended
    :return: ``(rejected, rework)``, which add up to ``rejected``
    :raises ValueError: for negative numbers, or more rejected pieces than there are
    :rtype: tuple[float, float]
    """
    if rework < 0 or not 0 <= rejected <= quantity:
        raise ValueError("rework and rejected pieces must be among the pieces of the lot")
    mended = min(rework, rejected)
    return rejected - mended, mended
