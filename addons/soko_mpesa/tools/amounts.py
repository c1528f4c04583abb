"""Whole shillings, what is carried, and the parts of an amount too large for one payment."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_cents(amount):
    """Return a float of Odoo as Decimal shillings with two digits."""
    return Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP)


def whole_shillings(owed, carried=Decimal(0)):
    """Return what can be paid now of a debt, and what is carried afterwards.

    >>> whole_shillings(Decimal("100.70"), Decimal("0.50"))
    (101, Decimal('0.20'))

    :param Decimal owed: shillings with cents, what is to be settled
    :param Decimal carried: shillings that earlier payments left over, not negative
    :return: (int shillings, Decimal shillings), the second one below 1
    """
    total = owed + carried
    whole = int(total.to_integral_value(ROUND_FLOOR))
    return whole, total - whole


def split(amount, largest, smallest):
    """Return the fewest parts of `amount` that are allowed each, the larger ones first.

    >>> split(250_005, 250_000, 10)
    [249995, 10]

    :param int amount: shillings
    :param int largest: what one payment may be at most
    :param int smallest: what one payment must be at least
    :raise ValueError: there are no such parts
    """
    count = -(-amount // largest)
    if amount < smallest or smallest * count > amount:
        raise ValueError(f"{amount} can't be paid in parts from {smallest} to {largest}")
    parts = [largest] * count
    over = largest * count - amount
    for index in reversed(range(count)):
        less = min(over, largest - smallest)
        parts[index] -= less
        over -= less
    return parts
