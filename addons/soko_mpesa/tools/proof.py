"""What the evidence of one attempt proves, taken together."""

from dataclasses import dataclass
from datetime import datetime

from ..const import ABSENT_ANSWERS, PRE_DEBIT_RESULTS

POSITIVE = "positive"
NEGATIVE = "negative"
ABSENT = "absent"
NEUTRAL = "neutral"
CONTRADICTION = "contradiction"


@dataclass(frozen=True)
class Fact:
    """One piece of evidence: `source` names the request that it answers."""

    kind: str
    verdict: str
    source: int = 0
    code: str = ""
    received_at: datetime | None = None


def decide(facts, settled_at=None):
    """Return ``paid``, ``not_paid``, or ``None`` while it is open.

    One positive fact proves a payment. A failure invites a second payment, so it needs two
    voices: the failure callback and a status query, or two status queries. "Not found" is a
    voice only beside a callback whose code says that nothing was debited, or, beside any failure
    callback, when it was said often and late enough.

    :param facts: iterable of Fact
    :param datetime settled_at: when the provider must know every payment that it took
    """
    facts = list(facts)
    if any(fact.verdict == POSITIVE for fact in facts):
        return "paid"
    failures = [fact for fact in facts if fact.kind == "result" and fact.verdict == NEGATIVE]
    refused = {fact.source for fact in facts
               if fact.kind == "status" and fact.verdict == NEGATIVE}
    absent = [fact for fact in facts if fact.kind == "status" and fact.verdict == ABSENT]
    if len(refused) >= 2 or (failures and refused):
        return "not_paid"
    if failures and absent:
        if any(fact.code in PRE_DEBIT_RESULTS for fact in failures):
            return "not_paid"
        if _is_settled(absent, settled_at):
            return "not_paid"
    return None


def _is_settled(absent, settled_at):
    if len({fact.source for fact in absent}) < ABSENT_ANSWERS or settled_at is None:
        return False
    return max(fact.received_at for fact in absent) >= settled_at
