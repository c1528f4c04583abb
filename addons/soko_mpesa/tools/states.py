"""The state machine of an attempt, and a payout's state as a function of facts."""

ATTEMPT_LIVE = ("prepared", "sending", "accepted", "unknown", "paid")
ATTEMPT_SENT = ("sending", "accepted", "unknown")
# States of payouts in which nothing has left yet, so that they can be stopped or withdrawn.
PAYOUT_UNSENT = ("draft", "submitted", "approved", "held")

# Everything that isn't listed is forbidden. The database refuses it as well (trigger).
ATTEMPT_TRANSITIONS = {
    "prepared": {"sending", "cancelled"},
    # back to prepared only when it is proven that nothing was taken
    "sending": {"prepared", "accepted", "unknown", "paid", "not_paid"},
    "accepted": {"unknown", "paid", "not_paid"},
    "unknown": {"paid", "not_paid"},
    # late positive evidence wins over an earlier negative
    "not_paid": {"paid"},
    # the provider took a proven payment back; that has a receipt of its own
    "paid": {"reversed"},
    "reversed": set(),
    "cancelled": set(),
}


def may_move(old, new):
    """Whether an attempt may go from `old` to `new`; staying is always allowed."""
    return old == new or new in ATTEMPT_TRANSITIONS[old]


def payment_may_become(state, attempts):
    """Whether the attempts of a payment's payout prove that it is `state`.

    An exception of the payout proves nothing: what is open then stays open.

    :param str state: a state of Odoo's payments
    :param attempts: states of the payout's attempts
    """
    attempts = set(attempts)
    if state == "paid":
        return "paid" in attempts
    if state == "rejected":
        proven = attempts & {"not_paid", "reversed"}
        return bool(proven) and not attempts & set(ATTEMPT_LIVE)
    return False


def payout_state(attempts, *, submitted, approved, held, cancelled, exception):
    """Return the state of a payout.

    :param attempts: states of its attempts
    :param bool submitted: the payment was posted
    :param bool approved: by a person or by the policy
    :param bool held: somebody or a guard stopped it before it was sent
    :param bool cancelled: withdrawn before it was sent
    :param bool exception: something contradicts; a person must look
    :rtype: str
    """
    attempts = list(attempts)
    if exception or attempts.count("paid") > 1:
        return "exception"
    if "paid" in attempts:
        return "paid"
    if "reversed" in attempts and not any(state in ATTEMPT_LIVE for state in attempts):
        return "reversed"
    if any(state in ATTEMPT_SENT for state in attempts):
        return "in_flight"
    if "not_paid" in attempts and "prepared" not in attempts:
        return "failed"
    for fact, state in (
        (cancelled, "cancelled"), (held, "held"), (approved, "approved"), (submitted, "submitted"),
    ):
        if fact:
            return state
    return "draft"
