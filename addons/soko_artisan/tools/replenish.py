"""How many pieces to ask an artisan for after a sale. Plain arithmetic, no ORM."""


def quantity_to_ask(in_stock, asked, shipped, min_stock, target_stock):
    """Return how many pieces to ask for now; 0 when nothing is needed.

    :param float in_stock: pieces of the artisan left in the office
    :param float asked: pieces asked for earlier and not yet brought or declined
    :param float shipped: pieces that have just left
    :param float min_stock: ask only when fewer than this are left or promised; 0 = always
    :param float target_stock: fill up to this; 0 = one new piece for each that left
    """
    if not target_stock:
        return shipped
    promised = in_stock + asked
    if min_stock and promised >= min_stock:
        return 0
    return max(target_stock - promised, 0)
