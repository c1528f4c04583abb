"""What goes wrong in a campaign, and at which points processes are killed: all of it seeded."""

import random

# Points inside the sender (the helper add-on stops there) and on the wire (the simulator does).
INSIDE = {
    "K0": "candidates chosen", "K1": "rows locked", "K2": "request built",
    "K3": "claim written, not committed", "K4": "claim committed", "K5": "before the connection",
    "K10": "answer classified, nothing recorded", "K11": "record written, not committed",
    "K12": "record committed",
}
ON_THE_WIRE = {
    "K6": ("request_read", "the service has read the request"),
    "K7": ("before_execute", "the service is about to pay"),
    "K8": ("after_execute", "the service has paid and not answered"),
    "K9": ("after_answer", "the answer has left the service"),
}
POINTS = tuple(f"K{number}" for number in range(13))
KINDS = ("kill -9", "SIGTERM", "pg immediate")

# Not final: what the service may say of a payment that is still under way.
WORDS = ("Initiated", "Authorized", "Pending Authorized", "Attempted", "Nonsense")
FAILURES = ("SFC_IC0003", 2040, 8)  # reasons of the payee's side: nothing was paid
DOUBTFUL = 9999  # a failure code that nobody documents


def fault(name, chance, kind="b2c", **more):
    """Return a fault that strikes a request of ``kind`` with this chance."""
    return {"fault": name, "kind": kind, "chance": chance, **more}


def unserved():
    """Requests that nothing comes of."""
    return [
        fault("down", .01), fault("reset", .008), fault("reset_reading", .006, where="headers"),
        fault("reset_reading", .006, where="body"), fault("throttle", .02), fault("quota", .01),
        fault("apigee", .01), fault("token_expired", .006), fault("redirect", .004),
        fault("system_error", .008), fault("duplicate_first", .006),
    ]


def spoilt():
    """Answers that say less than was done, or something else."""
    return [
        fault("ack_lost", .02), fault("ack_html", .01), fault("empty", .01),
        fault("truncated", .01), fault("ack_cut", .01, where="headers"),
        fault("ack_cut", .01, where="body"), fault("ack_code", .01, code="1"),
        fault("ack_code", .01, code="00"), fault("ack_code", .01, code="missing"),
        fault("echo_other", .006), fault("ack_redirect", .006), fault("bomb", .004, size=1_000_000),
        fault("drip", .0015, seconds=0.05), fault("ack_delay", .0015, seconds=3.0),
        fault("ack_delay", .02, seconds=0.05),
    ]


def letters():
    """Results that come late, often, in other shapes, or with strangers."""
    return [
        fault("lost_callback", .15), fault("callback_delay", .15, seconds=2.0),
        fault("callback_duplicate", .7, copies=12), fault("callback_storm", .12, copies=150),
        fault("callback_first", .3), fault("callback_shape", .8), fault("callback_wrong_id", .02),
        fault("callback_wrong_address", .3), fault("callback_broken", .12),
        fault("timeout_notice", .12), fault("timeout_after", .12),
        fault("failure_first", .03, code=DOUBTFUL, seconds=1.0),
        fault("execute_delay", .05, seconds=1.0),
    ]


def asked():
    """The same for status queries, whose answers lie for a while, too."""
    return [
        fault("down", .02, "status"), fault("reset", .02, "status"),
        fault("ack_lost", .05, "status"), fault("truncated", .02, "status"),
        fault("throttle", .02, "status"), fault("lost_callback", .15, "status"),
        fault("callback_duplicate", .7, "status", copies=5),
        fault("callback_shape", .8, "status"), fault("callback_broken", .1, "status"),
        fault("callback_wrong_address", .2, "status"), fault("status_not_found", .08, "status"),
        fault("result_failure", .05, "status", code=25), fault("callback_first", .2, "status"),
        *[fault("status_word", .03, "status", word=word) for word in WORDS],
    ]


def faults():
    """Return the fault script: ordinary trouble at every moment of the protocol."""
    refused = [fault("result_failure", .004, code=code) for code in FAILURES]
    tokens = [fault("down", .05, "oauth"), fault("reset", .05, "oauth")]
    return [*unserved(), *spoilt(), *letters(), *refused, *asked(), *tokens]


def crimes(chance):
    """Return what only a broken service does: it must end with a person in Odoo, never alone."""
    return [
        {"fault": "wrong_amount", "kind": "b2c", "chance": chance, "amount": 11},
        {"fault": "wrong_receiver", "kind": "b2c", "chance": chance},
        {"fault": "double_payment", "kind": "b2c", "chance": chance},
        {"fault": "failure_after", "kind": "b2c", "chance": chance, "code": DOUBTFUL},
    ]


# Faults that are told once a copy.
COPIES = ("callback_duplicate", "callback_storm")
CRIMES = ("wrong_amount", "wrong_receiver", "double_payment", "failure_after")


def kills(count, seed, points=POINTS):
    """Return ``count`` pairs of (point, kind).

    A short plan takes another kind at each point; a plan of two rounds or more kills at every
    point by kill -9 first, then by the other two kinds.  The order is shuffled by the seed.
    """
    rng, planned, turn = random.Random(seed), [], 0
    while len(planned) < count:
        if count < 2 * len(points):
            kinds = [KINDS[(number + rng.randrange(3)) % 3] for number in range(len(points))]
        elif turn % 2:
            kinds = [KINDS[1 + (number + turn // 2) % 2] for number in range(len(points))]
        else:
            kinds = ["kill -9"] * len(points)
        fresh = list(zip(points, kinds, strict=True))
        rng.shuffle(fresh)
        planned += fresh
        turn += 1
    return planned[:count]
