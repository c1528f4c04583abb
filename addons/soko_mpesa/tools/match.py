"""Which of our payments a row of the statement is about."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import msisdn
from . import statement as st

OPEN = ("sending", "accepted", "unknown")
# A provider's clock may be a little behind ours; a failure was seen after 30 hours.
EARLIEST = timedelta(minutes=5)
LATEST = timedelta(hours=72)
WORDS = re.compile(r"[A-Z0-9]{8,32}")


@dataclass(frozen=True)
class Payment:
    """One of our attempts, as far as it matters here."""

    id: int
    originator_id: str
    receipt: str
    msisdn: str
    amount: int
    state: str
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Plan:
    """What a row means. ``effect`` is one of

    ``confirm``: a proven payment, seen on the statement; ``proof``: proves an open one;
    ``late``: proves one that was declared not paid; ``failure``: speaks against an open one;
    ``contradiction``: names ours, and amount or number differ; ``twice``: a second receipt for a
    paid one; ``several``: fits more than one; ``fee``, ``reversal``: of a payment of ours;
    ``reversed``: that reversal is known; ``other_fee``, ``top_up``, ``stranger``: not about a
    payment of ours; ``ignored``: nothing moved.
    """

    effect: str
    payments: tuple = ()


class Matcher:
    """Assigns rows to payments. A payment that a row has proven is paid for the next row."""

    def __init__(self, payments, rows):
        """
        :param payments: iterable of Payment: those with a receipt, and those that are open or
            were declared not paid
        :param rows: all completed rows that are to be assigned, to see which ones compete
        """
        self._by_id, self._by_receipt, self._by_origin = {}, {}, {}
        self._loose = defaultdict(set)
        for payment in payments:
            self._put(payment)
        self._rivals = defaultdict(list)
        for row in rows:
            if row.kind == st.PAYMENT and row.status == st.COMPLETED and not self._named(row):
                self._rivals[row.amount].append(row)

    def _put(self, payment):
        self._by_id[payment.id] = payment
        self._by_origin[payment.originator_id] = payment.id
        if payment.receipt:
            self._by_receipt[payment.receipt] = payment.id
        key = (payment.msisdn, payment.amount)
        if payment.state in (*OPEN, "not_paid"):
            self._loose[key].add(payment.id)
        else:
            self._loose[key].discard(payment.id)

    def plan(self, row):
        """Return what `row` means, and remember it.

        :param statement.Row row:
        :rtype: Plan
        """
        if row.status != st.COMPLETED:
            return self._plan_unfinished(row)
        if row.kind == st.PAYMENT:
            plan = self._plan_payment(row)
            if plan.effect in ("proof", "late"):
                self._put(replace(plan.payments[0], state="paid", receipt=row.receipt))
            return plan
        if row.kind == st.FEE:
            payment = self._of_receipts(row)
            return Plan("fee", (payment,)) if payment else Plan("other_fee")
        if row.kind == st.REVERSAL and row.amount > 0:
            return self._plan_reversal(row)
        return Plan("top_up" if row.kind == st.TOP_UP else "stranger")

    def _plan_payment(self, row):
        payment = self._named(row)
        if not payment:
            return self._plan_nameless(row)
        agrees = fits(row, payment)
        if payment.receipt == row.receipt:
            return Plan("confirm" if agrees else "contradiction", (payment,))
        if payment.state in ("paid", "reversed"):
            return Plan("twice", (payment,))
        if payment.state in ("prepared", "cancelled") or not agrees:
            return Plan("contradiction", (payment,))
        return Plan("late" if payment.state == "not_paid" else "proof", (payment,))

    def _plan_nameless(self, row):
        """Number, amount and time must fit one payment, and no other row may fit it as well."""
        found = self._find_loose(row)
        if not found:
            return Plan("stranger")
        rivals = [other for other in self._rivals[row.amount]
                  if other.receipt != row.receipt and _is_of_time(other, found[0])
                  and fits(other, found[0])]
        if len(found) > 1 or rivals:
            return Plan("several", tuple(found))
        return Plan("late" if found[0].state == "not_paid" else "proof", tuple(found))

    def _plan_unfinished(self, row):
        if row.status != st.FAILED or row.kind != st.PAYMENT:
            return Plan("ignored")
        payment = self._named(row)
        found = [payment] if payment else self._find_loose(row)
        # of two payments that fit, one of them closed, the row may be about either
        if len(found) != 1 or found[0].state not in OPEN:
            return Plan("ignored")
        return Plan("failure", tuple(found))

    def _plan_reversal(self, row):
        payment = self._of_receipts(row, skip=(row.receipt,))
        if not payment:
            return Plan("stranger")
        if payment.state == "reversed":
            return Plan("reversed", (payment,))
        if payment.state != "paid" or row.amount != payment.amount:
            return Plan("contradiction", (payment,))
        self._put(replace(payment, state="reversed"))
        return Plan("reversal", (payment,))

    def _named(self, row):
        """Return the payment whose receipt or reference the row names."""
        found = self._by_receipt.get(row.receipt)
        for word in () if found else WORDS.findall(row.details.upper()):
            found = found or self._by_origin.get(word)
        return self._by_id.get(found)

    def _of_receipts(self, row, skip=()):
        for word in (row.linked, row.receipt, *WORDS.findall(row.details.upper())):
            if word not in skip and word in self._by_receipt:
                return self._by_id[self._by_receipt[word]]
        return None

    def _find_loose(self, row):
        number = re.match(r"\D*(\d{12})\b", row.party)
        key = (number[1] if number else "", -row.amount)
        payments = (self._by_id[found] for found in sorted(self._loose.get(key, ())))
        return [payment for payment in payments if _is_of_time(row, payment)]


def fits(row, payment):
    """Whether amount and number are those of the payment; a row without a number may be."""
    return (-row.amount == payment.amount
            and msisdn.compare_party(row.party, payment.msisdn) != "mismatch")


def _is_of_time(row, payment):
    return bool(payment.sent_at) and (
        payment.sent_at - EARLIEST <= row.completed <= payment.sent_at + LATEST)
