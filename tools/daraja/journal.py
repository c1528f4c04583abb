"""What came in and what was posted out, kept in memory for people and tests."""

import collections
import hashlib
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
        self.counts = collections.Counter()
        self.payments = {}

    def receive(self, kind, body, raw, faults=()):
        """Count a request; for payments keep how often an id came, with which digests.

        :param faults: the names of the faults that hit it
        """
        with self._lock:
            self.counts[f"request:{kind}"] += 1
            if kind == "b2c":
                key = str(body.get("OriginatorConversationID"))
                known = self.payments.setdefault(key, {
                    "requests": 0, "sha256": [], "faults": []})
                known["requests"] += 1
                digest = hashlib.sha256(raw).hexdigest()
                if digest not in known["sha256"]:
                    known["sha256"].append(digest)
                known["faults"] = sorted({*known["faults"], *faults})

    def count_delivery(self, kind, status):
        """Count a letter by what came of it."""
        with self._lock:
            self.counts[f"callback:{kind}:{status or 'lost'}"] += 1

    def audit(self):
        """Return every payment request ever seen, by id, and the counts of everything."""
        with self._lock:
            return {"payments": {key: dict(known) for key, known in self.payments.items()},
                    "counts": dict(sorted(self.counts.items()))}

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
