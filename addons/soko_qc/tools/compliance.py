"""What a proof is worth on a day, and whether a value keeps its limit. Plain Python."""

import math

DRAFT, COMING, VALID, EXPIRED, WITHDRAWN = "draft", "coming", "valid", "expired", "withdrawn"

BELOW, AT_MOST, AT_LEAST = "below", "at_most", "at_least"


def state_on(day, approved, withdrawn, begin, expiry):
    """State of a claim or test report on a day.

    :param datetime.date day: the day that is asked about
    :param bool approved: a manager vouched for it
    :param bool withdrawn: it was taken back, for good
    :param begin: first day it counts, may be empty
    :param expiry: last day it counts, may be empty: without an end
    :rtype: str
    """
    if withdrawn:
        return WITHDRAWN
    if not approved:
        return DRAFT
    if expiry and expiry < day:
        return EXPIRED
    return COMING if begin and begin > day else VALID


def keeps(value, bound, limit):
    """Whether a measured value keeps its limit.

    :param float value: in the unit of the limit
    :param str bound: ``below`` (the limit itself is too much), ``at_most`` or ``at_least``
    :raises ValueError: for a negative or infinite value, or an unknown bound
    :rtype: bool
    """
    if not math.isfinite(value) or value < 0:
        raise ValueError("a measured value is a finite number from 0 on")
    if bound == BELOW:
        return value < limit
    if bound == AT_MOST:
        return value <= limit
    if bound == AT_LEAST:
        return value >= limit
    raise ValueError(f"unknown bound {bound}")
