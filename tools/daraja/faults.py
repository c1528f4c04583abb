"""Scripted misbehaviour: which request goes wrong, when and how often."""

import itertools
import random
import threading

KINDS = ("oauth", "b2c", "status", "balance", "stk", "stkquery")
NUMBER, TEXT = (int, float), str
# name: (what it does, {parameter: type})
FAULTS = {
    "down": ("answers 503 with a maintenance page and does nothing", {}),
    "reset": ("resets the connection before doing anything", {}),
    "slow": ("waits before doing anything", {"seconds": NUMBER}),
    "http": ("answers this status and body and does nothing",
             {"status": int, "body": (str, dict), "content_type": TEXT}),
    "throttle": ("answers 500.003.02 (spike arrest) and does nothing", {}),
    "token_expired": ("forgets all tokens and refuses this one", {}),
    "system_error": ("answers 500.002.1001 'System internal error.' and does nothing", {}),
    "result_failure": ("accepts, then fails with this result code",
                       {"code": (int, str), "description": TEXT}),
    "execute_delay": ("accepts, executes only after some seconds", {"seconds": NUMBER}),
    "wrong_amount": ("pays another amount than the one asked for", {"amount": int}),
    "double_payment": ("pays twice for one request", {}),
    "ack_lost": ("executes, then resets the connection instead of answering", {}),
    "ack_html": ("executes, then answers 503 with a maintenance page", {}),
    "ack_delay": ("executes, then waits before answering", {"seconds": NUMBER}),
    "lost_callback": ("never posts the result", {}),
    "callback_delay": ("posts the result after this many seconds", {"seconds": NUMBER}),
    "callback_duplicate": ("posts the result several times", {"copies": int}),
    "callback_first": ("posts the result before answering the request", {}),
    "timeout_notice": ("posts the request to QueueTimeOutURL, then the result", {}),
}
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
    """The faults that hit one request, by name."""

    def __init__(self, faults=()):
        self.faults = {fault["fault"]: fault for fault in faults}

    def __contains__(self, name):
        return name in self.faults

    def get(self, name, parameter, default=None):
        """Return a parameter of a fault, or ``default`` when the fault does not apply."""
        return self.faults.get(name, {}).get(parameter, default)


class Script:
    """All faults that are switched on."""

    def __init__(self, seed=None):
        self._random = random.Random(seed)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._active = []

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

    def plan(self, kind, body):
        """Return the plan of one request and count its faults down."""
        with self._lock:
            hit = [fault for fault in self._active if self._hits(fault, kind, body)]
            self._active = [fault for fault in self._active if fault["times"] != 0]
        return Plan(hit)

    def _hits(self, fault, kind, body):
        if fault["kind"] not in ("*", kind):
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
