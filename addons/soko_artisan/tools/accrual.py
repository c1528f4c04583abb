"""Which pieces that were sent are also invoiced: plain numbers, no ORM."""


def cover(pieces, invoiced):
    """Share the invoiced pieces of one order line out to its deliveries, the first ones first.

    :param list pieces: (key, pieces sent) in the order in which they were sent; none negative
    :param float invoiced: pieces on posted invoices, less those on credit notes
    :return: {key: pieces of it that are invoiced}
    :rtype: dict
    """
    covered, left = {}, max(invoiced, 0)
    for key, quantity in pieces:
        covered[key] = min(quantity, left)
        left -= covered[key]
    return covered
