"""How readings, pieces and lots are judged. Plain Python: no database."""

import math

TODO, PASS, FAIL = "todo", "pass", "fail"

# A failing minor point is noted and does not stop the piece: off-standard but usable.
REJECTING_SEVERITIES = ("critical", "major")

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


def sample_size(quantity, sampling, first_n=0):
    """How many pieces of a lot are looked at.

    :param float quantity: pieces in the lot; a part of a piece counts as one
    :param str sampling: ``every`` or ``first_n``
    :param int first_n: the size of the sample for ``first_n``
    :raises ValueError: for a quantity that is not positive
    :rtype: int
    """
    if quantity <= 0:
        raise ValueError("a lot needs a positive quantity")
    pieces = math.ceil(quantity - _EPSILON)
    return min(pieces, max(first_n, 1)) if sampling == "first_n" else pieces


def judge_lot(quantity, inspected, failed, accept_number=0):
    """Split a lot into accepted and rejected quantities.

    Inspected pieces keep their own result. The pieces nobody looked at follow the lot: accepted
    when at most ``accept_number`` of the inspected ones failed, else rejected.

    :return: ``(accepted, rejected)``, which always add up to ``quantity``
    :raises ValueError: when the counts don't fit one another
    :rtype: tuple[float, float]
    """
    if not 0 <= failed <= inspected:
        raise ValueError("failed pieces must be among the inspected ones")
    if inspected > math.ceil(quantity - _EPSILON):
        raise ValueError("more pieces were inspected than the lot has")
    unseen = max(quantity - inspected, 0)
    rejected = min(failed + (unseen if failed > accept_number else 0), quantity)
    return quantity - rejected, rejected
