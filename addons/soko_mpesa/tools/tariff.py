"""What M-Pesa charges the payer for one payment: a table of bands, valid from a day on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Band:
    """Payments up to `up_to` shillings cost `fee` shillings, from `date_from` on."""

    date_from: date
    up_to: int
    fee: Decimal


def fee_for(bands, amount, day):
    """Return the fee of a payment.

    The table of a day is the one that began last; a later table replaces an earlier one whole.

    :param bands: iterable of Band
    :param int amount: shillings
    :param date day: the day of the payment
    :return: shillings as Decimal, or None when no table says it
    """
    begun = [band for band in bands if band.date_from <= day]
    if not begun:
        return None
    latest = max(band.date_from for band in begun)
    fitting = [band for band in begun if band.date_from == latest and band.up_to >= amount]
    return min(fitting, key=lambda band: band.up_to).fee if fitting else None
