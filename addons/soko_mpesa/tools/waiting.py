"""How long, and for how much, a number that money never reached before has to wait."""

from datetime import timedelta

COOLING = "cooling"
FIRST = "first"


def cooling_until(since, hours):
    """Return when the cooling-off of a changed number is over.

    :param datetime since: when the number was verified; None when it replaced no other number
    :param int hours: 0 switches the cooling-off off
    :return: None when there is nothing to wait for
    """
    return since + timedelta(hours=hours) if since and hours > 0 else None


def wait_for(amount, *, before, proven, cap, until, now):
    """Return what a payment to a number waits for.

    While a changed number cools off, and before the first payment to any number is proven, all
    payments to it together stay within the cap. A changed number that has cooled off, and one
    that M-Pesa has proven to pay, take any amount.

    :param int amount: shillings of this payment
    :param int before: shillings that went to this number already, or are on their way; outside a
        cooling-off only those that aren't proven
    :param bool proven: a payment to this number was proven
    :param int cap: shillings; 0 switches the cap on first payments off, and lets nothing pass
        during a cooling-off
    :param datetime until: end of the cooling-off, None without one; by the database's clock
    :param datetime now: by the same clock
    :return: ``cooling``, ``first``, or an empty text: it may go
    :rtype: str
    """
    if until and now < until:
        return "" if before + amount <= cap else COOLING
    if until or proven or not cap:
        return ""
    return "" if before + amount <= cap else FIRST
