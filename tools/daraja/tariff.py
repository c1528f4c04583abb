"""What the organisation pays for one B2C payment (published bulk tariff)."""

B2C_BANDS = ((100, 0), (1_500, 5), (5_000, 9), (20_000, 11), (250_000, 13))


def b2c_fee(amount):
    """Return the fee in whole shillings of a payment of ``amount`` shillings."""
    for upper, fee in B2C_BANDS:
        if amount <= upper:
            return fee
    return B2C_BANDS[-1][1]
