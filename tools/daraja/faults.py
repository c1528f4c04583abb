"""Scripted misbehaviour: which request goes wrong, when and how often."""

import collections
import itertools
import random
import threading

KINDS = ("oauth", "b2c", "status", "balance", "stk", "stkquery", "c2b")
NUMBER, TEXT = (int, float), str
# name: (what it does, {parameter: type})
FAULTS = {
    # nothing is done
    "down": ("answers 503 with a maintenance page and does nothing", {}),
    "reset": ("resets the connection when the request is read, does nothing", {}),
    "reset_reading": ("resets the connection while the request comes in: after its headers or in "
                      "the middle of its body", {"where": TEXT}),
    "slow": ("waits before doing anything", {"seconds": NUMBER}),
    "http": ("answers this status and body and does nothing",
             {"status": int, "body": (str, dict), "content_type": TEXT}),
    "redirect": ("sends the client to another address and does nothing",
                 {"status": int, "location": TEXT}),
    "throttle": ("answers 500.003.02 (spike arrest) and does nothing", {}),
    "quota": ("answers 500.003.03 (quota) and does nothing", {}),
    "apigee": ("answers the gateway's own 'fault' body and does nothing", {"status": int}),
    "token_expired": ("forgets all tokens and refuses this one", {}),
    "system_error": ("answers 500.002.1001 'System internal error.' and does nothing", {}),
    "duplicate_first": ("says that the id was used before, though it was not", {}),
    # what becomes of the money
    "result_failure": ("accepts, then fails with this result code",
                       {"code": (int, str), "description": TEXT}),
    "execute_delay": ("accepts, executes only after some seconds", {"seconds": NUMBER}),
    "wrong_amount": ("pays another amount than the one asked for", {"amount": int}),
    "wrong_receiver": ("pays another number than the one asked for", {"msisdn": TEXT}),
    "double_payment": ("pays twice for one request", {}),
    "reversed_later": ("takes the payment back after some seconds, as people do at the portal",
                       {"seconds": NUMBER}),
    # the answer is spoilt, the request was served
    "ack_lost": ("serves, then resets the connection instead of answering", {}),
    "ack_html": ("serves, then answers 503 with a maintenance page", {}),
    "ack_delay": ("serves, then waits before answering", {"seconds": NUMBER}),
    "ack_cut": ("serves, then resets the connection after the answer's headers or in its body",
                {"where": TEXT}),
    "ack_code": ("serves, then answers with this ResponseCode ('missing' leaves it out)",
                 {"code": (int, str)}),
    "ack_redirect": ("serves, then sends the client to another address",
                     {"status": int, "location": TEXT}),
    "echo_other": ("serves, then echoes an id that nobody sent", {}),
    "empty": ("serves, then answers with nothing", {"status": int}),
    "truncated": ("serves, then answers with half of the JSON", {}),
    "drip": ("serves, then answers one byte at a time", {"seconds": NUMBER}),
    "bomb": ("serves, then answers with ten million bytes, packed ('gzip') or 'plain'",
             {"size": int, "how": TEXT}),
    # callbacks
    "lost_callback": ("never posts the result", {}),
    "callback_delay": ("posts the result after this many seconds", {"seconds": NUMBER}),
    "callback_duplicate": ("posts the result several times", {"copies": int}),
    "callback_storm": ("posts many more copies of the result at one moment", {"copies": int}),
    "callback_first": ("posts the result before answering the request", {}),
    "callback_shape": ("posts the result in another shape, or in a random one", {"shape": TEXT}),
    "callback_wrong_id": ("posts a result of somebody else's payment first", {}),
    "callback_wrong_address": ("posts the result to an address that nobody gave, too", {}),
    "callback_broken": ("posts a broken letter first, of this kind or a random one",
                        {"how": TEXT}),
    "timeout_notice": ("posts the request to QueueTimeOutURL, then the result", {}),
    "timeout_after": ("posts the request to QueueTimeOutURL after the result", {}),
    "failure_first": ("posts a failure first, pays after some seconds all the same and posts that",
                      {"code": (int, str), "seconds": NUMBER}),
    "failure_after": ("posts a failure after the success", {"code": (int, str)}),
    # answers to status queries
    "status_word": ("says that the payment is in this state", {"word": TEXT}),
    "status_not_found": ("says that there is no such payment", {}),
}
EARLY = ("reset_reading",)
COMMON = {"kind": str, "times": int, "after": int, "chance": NUMBER, "match": dict}


class InvalidFault(ValueError):
    """The description of a fault is wrong; the message says where."""


def checked(description):
    """Return a fault's description with its defaults filled in.

    :param dict description: ``fault`` and optionally ``kind`` (all kinds when missing),
        ``times`` (for ever when missing), ``after`` (requests let through first), ``chance``
        (0 to 1), ``match`` (values that the request's body must have) and the fault's own
        parameters
    :raises InvalidFault: unknown name or parameter, or a value of the wrong type
    """
    if not isinstance(description, dict) or description.get("fault") not in FAULTS:
        raise InvalidFault(f"'fault' must be one of: {', '.join(FAULTS)}")
    allowed = {"fault": str, **COMMON, **FAULTS[description["fault"]][1]}
    for name, value in description.items():
        if name not in allowed:
            raise InvalidFault(f"'{name}' is no parameter of {description['fault']}")
        missing_is_fine = value is None and name in COMMON
        if not missing_is_fine and (
            isinstance(value, bool) or not isinstance(value, allowed[name])
        ):
            raise InvalidFault(f"'{name}' has the wrong type")
    if (description.get("kind") or "*") not in (*KINDS, "*"):
        raise InvalidFault(f"'kind' must be one of: {', '.join(KINDS)}")
    filled = {"kind": "*", "times": None, "after": 0, "chance": 1.0, "match": {}}
    filled.update({name: value for name, value in description.items() if value is not None})
    return filled


class Plan:
    """The faults that hit one request, by name.

    A fault counts as played when somebody asks for it: that is the moment it takes effect.
    """

    def __init__(self, faults=(), tally=None, kind=""):
        self.faults = {fault["fault"]: fault for fault in faults}
        self._tally, self._kind, self._played = tally, kind, set()

    def __contains__(self, name):
        if name not in self.faults:
            return False
        if name not in self._played:
            self._played.add(name)
            self.count(name, 1)
        return True

    def get(self, name, parameter, default=None):
        """Return a parameter of a fault, or ``default`` when the fault does not apply."""
        return self.faults[name].get(parameter, default) if name in self else default

    def count(self, name, times):
        """Count a fault that was played more than once, such as each further copy."""
        if name in self.faults and self._tally is not None and times > 0:
            self._tally.add(f"{self._kind}:{name}", times)


class Tally:
    """How often each fault was played since the books were opened."""

    def __init__(self):
        self._counts, self._lock = collections.Counter(), threading.Lock()

    def add(self, name, times):
        """Count a fault."""
        with self._lock:
            self._counts[name] += times

    def clear(self):
        """Start again at zero."""
        with self._lock:
            self._counts.clear()

    def view(self):
        """Return the counts by kind and name, and their sum."""
        with self._lock:
            return dict(sorted(self._counts.items())), sum(self._counts.values())


class Script:
    """All faults that are switched on."""

    def __init__(self, seed=None):
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._active = []
        self.tally = Tally()

    def add(self, descriptions):
        """Switch faults on and return them with their ids; all or none."""
        fresh = [checked(description) for description in descriptions]
        with self._lock:
            for fault in fresh:
                fault.update(id=next(self._numbers), hits=0)
            self._active.extend(fresh)
        return fresh

    def clear(self, number=None):
        """Switch one fault off by id, or all of them."""
        with self._lock:
            self._active = [f for f in self._active if number not in (None, f["id"])]

    def view(self):
        """Return copies of the active faults."""
        with self._lock:
            return [dict(fault) for fault in self._active]

    def plan(self, kind, body, early=False):
        """Return the plan of one request and count its faults down.

        :param bool early: ask for the faults that strike before the body is read
        """
        if not self._active:
            return Plan()
        with self._lock:
            hit = [fault for fault in self._active if self._hits(fault, kind, body, early)]
            self._active = [fault for fault in self._active if fault["times"] != 0]
        return Plan(hit, self.tally, kind)

    def _hits(self, fault, kind, body, early):
        if fault["kind"] not in ("*", kind) or (fault["fault"] in EARLY) is not early:
            return False
        if any(str(body.get(name)) != str(value) for name, value in fault["match"].items()):
            return False
        if fault["after"] > 0:
            fault["after"] -= 1
            return False
        if self._random.random() >= fault["chance"]:
            return False
        fault["hits"] += 1
        if fault["times"] is not None:
            fault["times"] -= 1
        return True
