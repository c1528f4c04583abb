"""What came in and what was posted out, kept in memory for people and tests."""

import collections
import itertools
import threading

from . import wire

KEPT = 5000
SECRET_FIELDS = ("SecurityCredential", "Password")


def scrubbed(body):
    """Return a copy of a request's body without its secrets."""
    if not isinstance(body, dict):
        return body
    return {name: "***" if name in SECRET_FIELDS else value for name, value in body.items()}


class Journal:
    """The last requests and callbacks."""

    def __init__(self):
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self.clear()

    def clear(self):
        """Forget everything."""
        self.requests = collections.deque(maxlen=KEPT)
        self.callbacks = collections.deque(maxlen=KEPT)

    def request(self, kind, method, path, body, plan):
        """Note a request and return its record, to be completed with the answer."""
        return self._note(self.requests, {
            "kind": kind, "method": method, "path": path, "body": scrubbed(body),
            "faults": sorted(plan.faults), "status": None, "answer": None,
        })

    def callback(self, kind, url, body):
        """Note a callback and return its record, to be completed with its outcome."""
        return self._note(self.callbacks, {
            "kind": kind, "url": url, "body": scrubbed(body), "status": None, "error": None,
        })

    def _note(self, where, record):
        with self._lock:
            at = wire.now().isoformat(timespec="milliseconds")
            record = {"n": next(self._numbers), "at": at, **record}
            where.append(record)
            return record

    def view(self, kind=None, since=0):
        """Return the requests and callbacks with a number above ``since``."""
        def wanted(records):
            return [dict(r) for r in list(records) if r["n"] > since and kind in (None, r["kind"])]
        return {"requests": wanted(self.requests), "callbacks": wanted(self.callbacks)}
