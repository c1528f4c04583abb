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
    voices: the failure callback, status queries, and a failed row of the statement. "Not found"
    is a voice only beside a callback whose code says that nothing was debited, or, beside any
    failure callback, when it was said often and late enough. That a statement which covers the
    time doesn't have the payment (``statement``, ``absent``) is a voice beside a failure
    callback, and beside "not found" that was said often and late enough. What two persons
    declare (``human``) is enough: one fact stands for both.

    :param facts: iterable of Fact
    :param datetime settled_at: when the provider must know every payment that it took
    """
    facts = list(facts)
    if any(fact.verdict == POSITIVE for fact in facts):
        return "paid"
    if any(fact.kind == "human" and fact.verdict == NEGATIVE for fact in facts):
        return "not_paid"
    failures = [fact for fact in facts if fact.kind == "result" and fact.verdict == NEGATIVE]
    # the same failed row in two statements is one voice
    refused = {(fact.kind, fact.source if fact.kind == "status" else 0) for fact in facts
               if fact.kind in ("status", "statement") and fact.verdict == NEGATIVE}
    missing = any(fact.kind == "statement" and fact.verdict == ABSENT for fact in facts)
    absent = [fact for fact in facts if fact.kind == "status" and fact.verdict == ABSENT]
    if len(refused) >= 2 or (failures and (refused or missing)):
        return "not_paid"
    if failures and any(fact.code in PRE_DEBIT_RESULTS for fact in failures) and absent:
        return "not_paid"
    if (failures or missing) and _is_settled(absent, settled_at):
        return "not_paid"
    return None


def _is_settled(absent, settled_at):
    if len({fact.source for fact in absent}) < ABSENT_ANSWERS or settled_at is None:
        return False
    return max(fact.received_at for fact in absent) >= settled_at
