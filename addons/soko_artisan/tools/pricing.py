"""What a piece earns its maker. Plain arithmetic, no ORM."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

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
    return round_payable(Decimal(str(net_unit_price)) * Decimal(str(percent)) / 100, step)


def is_payable(amount, step):
    """Return whether `amount` is a whole number of `step`."""
    return Decimal(str(amount)) % Decimal(str(step)) == 0


def base_price(net, listed, marked, house_bears_discount, house_bears_markdown):
    """Return the price of one piece that the artisan's share is taken from.

    :param float net: what the shopper paid for one piece, after discount and without tax
    :param float listed: the shop's price of the day of the order, without tax; 0 when unknown
    :param float marked: the same after the markdown of that day; equal to `listed` without one
    :param bool house_bears_discount: the share is taken from the shop's price, or from what the
        shopper paid when that is more
    :param bool house_bears_markdown: the share is taken from the price before the markdown
    :rtype: float
    """
    net, listed, marked = (Decimal(str(value)) for value in (net, listed, marked))
    if house_bears_discount:
        return float(max(net, listed if house_bears_markdown else marked))
    if house_bears_markdown and marked:
        return float(net * listed / marked)
    return float(net)


def marked_down(price, percent, floor):
    """Return a price after a markdown, never below the floor and never above the price itself.

    :param float price: price of one piece before the markdown
    :param float percent: markdown, 0 to 100
    :param float floor: lowest price; 0 for none
    """
    price, floor = Decimal(str(price)), Decimal(str(floor))
    reduced = price * (100 - Decimal(str(percent))) / 100
    return float(max(reduced, min(floor, price)))


def reduce_fixed(price, listed, marked, step):
    """Return a fixed price whose artisan shares a markdown: it falls in the same proportion.

    :param float price: agreed price of one piece
    :param float listed: the shop's price before the markdown
    :param float marked: the same after it
    :param float step: smallest payable sum
    """
    if not listed or marked >= listed:
        return price
    return round_payable(Decimal(str(price)) * Decimal(str(marked)) / Decimal(str(listed)), step)


def round_payable(amount, step, rounding=ROUND_HALF_UP):
    """Return `amount` rounded to whole steps, half up unless told otherwise."""
    unit = Decimal(str(step))
    return float((Decimal(str(amount)) / unit).to_integral_value(rounding) * unit)


def percent_at(base_percent, tiers, value):
    """Return the share that is in force at `value`.

    :param float base_percent: share below the first threshold
    :param list tiers: [threshold, percent] pairs in any order
    :param float value: pieces sold before this one in the period, or the price of the piece; a
        threshold is reached by an equal value
    """
    reached = [(threshold, percent) for threshold, percent in tiers if value >= threshold]
    return max(reached)[1] if reached else base_percent


def tiered_price(base, base_percent, tiers, sold_before, quantity, step):
    """Return what one of `quantity` pieces earns when the share depends on pieces sold.

    Each piece earns the share that its own place in the period gives. When a delivery crosses a
    threshold its pieces get their average, rounded up to a payable sum: never less than agreed.

    :param float base: price of one piece that the share is taken from
    :param float base_percent: share below the first threshold
    :param list tiers: [pieces, percent] pairs; the percent counts for what is sold after so many
    :param float sold_before: pieces sold in the period before this delivery
    :param float quantity: pieces of this delivery
    :param float step: smallest payable sum
    """
    places = [sold_before + index for index in range(max(int(quantity), 1))]
    prices = [split_price(base, percent_at(base_percent, tiers, at), step) for at in places]
    if len(set(prices)) == 1:
        return prices[0]
    total = sum(Decimal(str(price)) for price in prices)
    return round_payable(total / len(prices), step, ROUND_CEILING)
