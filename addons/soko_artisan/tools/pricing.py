"""What a piece earns its maker. Plain arithmetic, no ORM."""

from decimal import ROUND_HALF_UP, Decimal

# Currencies whose cents exist in the books only: nobody is paid half a shilling.
WHOLE_UNIT_CURRENCIES = frozenset({"KES", "UGX", "TZS", "RWF", "BIF"})


def payable_step(currency_name, rounding):
    """Return the smallest sum that can be handed to an artisan.

    :param str currency_name: ISO 4217 code
    :param float rounding: the currency's own rounding
    """
    return max(1.0, rounding) if currency_name in WHOLE_UNIT_CURRENCIES else rounding


def split_price(net_unit_price, percent, step):
    """Return the artisan's share of one piece, rounded half up to a payable sum.

    :param float net_unit_price: net price of one piece, in the artisan's currency
    :param float percent: share of the artisan, 0 to 100
    :param float step: smallest payable sum, see :func:`payable_step`
    """
    exact = Decimal(str(net_unit_price)) * Decimal(str(percent)) / 100
    unit = Decimal(str(step))
    return float((exact / unit).to_integral_value(ROUND_HALF_UP) * unit)


def is_payable(amount, step):
    """Return whether `amount` is a whole number of `step`."""
    return Decimal(str(amount)) % Decimal(str(step)) == 0
