"""What one answer of Safaricom's proves about one payment."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from ..const import STATUS_NOT_PAID, STATUS_PAID
from . import msisdn, parse, proof

# Not failures: the provider may still pay.
PENDING_RESULTS = re.compile(r"15|17|19|26|1000000\d\d")


@dataclass(frozen=True)
class Expected:
    """What must be said for a payment to be ours.

    ``is_foreign`` tells of a receipt whether it belongs to another payment, or to this one beside
    another receipt.
    """

    originator_id: str
    amount: int
    number: str
    is_foreign: Callable[[str], bool]


def of_result(result, expected):
    """Return the verdict of a payment's result.

    :param parse.PaymentResult result:
    :param Expected expected:
    :return: one of the verdicts of tools/proof.py
    :rtype: str
    """
    if not result.readable:
        return proof.NEUTRAL
    if result.originator_id != expected.originator_id:
        return proof.CONTRADICTION
    if result.code == "0":
        return _of_success(result, expected, trusts_nameless=False)
    if PENDING_RESULTS.fullmatch(result.code):
        return proof.NEUTRAL
    return proof.NEGATIVE


def of_status(result, expected):
    """Return the verdict of the answer to a status query: only the inner status decides.

    :param parse.StatusResult result:
    :param Expected expected:
    :rtype: str
    """
    if result.originator_id and result.originator_id != expected.originator_id:
        return proof.CONTRADICTION
    if result.status in STATUS_PAID and result.code == "0":
        return _of_success(result, expected, trusts_nameless=True)
    if result.status in STATUS_NOT_PAID and result.code == "0":
        return proof.NEGATIVE
    if parse.says_not_found(result):
        return proof.ABSENT
    return proof.NEUTRAL


def _of_success(result, expected, trusts_nameless):
    """A success proves only our amount, to our payee, with a receipt of its own."""
    party = msisdn.compare_party(result.party, expected.number)
    if result.amount is None or not result.receipt:
        return proof.NEUTRAL
    if result.amount != Decimal(expected.amount) or party == "mismatch":
        return proof.CONTRADICTION
    if expected.is_foreign(result.receipt):
        return proof.CONTRADICTION
    if party == "absent" and not trusts_nameless:
        return proof.NEUTRAL  # a second voice is asked for
    return proof.POSITIVE
