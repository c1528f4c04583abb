"""An append-only file of JSON lines that is on the disk before anybody is answered."""

import fcntl
import json
import os
import threading

from . import wire


class BrokenLedger(Exception):
    """The ledger's file cannot be used; the message says what to do."""


class Ledger:
    """The simulator's own books: the oracle that Odoo's books are compared with.

    A line that was torn by a kill in the middle of a write was never answered, so it is cut
    off at the next start.  One process at a time may own the file.
    """

    def __init__(self, path):
        self.path = path
        self.entries = []
        self._lock = threading.Lock()
        self._stream = open(path, "a+b")  # noqa: SIM115 - kept open as long as the ledger
        self._claim()
        self._load()

    def _claim(self):
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failure:
            self._stream.close()
            raise BrokenLedger(
                f"Another simulator is using {self.path}. Stop it or choose another --state."
            ) from failure

    def _load(self):
        self._stream.seek(0)
        content = self._stream.read()
        whole, _newline, torn = content.rpartition(b"\n")
        if torn:
            self._stream.truncate(len(content) - len(torn))
        try:
            self.entries = [json.loads(line) for line in whole.split(b"\n") if line]
        except ValueError as failure:
            self._stream.close()
            raise BrokenLedger(
                f"{self.path} is damaged ({failure}). Move it away to start with new books."
            ) from failure

    def append(self, *entries):
        """Write entries, force them to the disk and return them as they were written."""
        with self._lock:
            moment = wire.now().isoformat(timespec="milliseconds")
            number = len(self.entries)
            written = [
                {"seq": number + place, "at": moment, **entry}
                for place, entry in enumerate(entries, start=1)
            ]
            lines = "".join(json.dumps(entry) + "\n" for entry in written)
            self._stream.write(lines.encode())
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self.entries.extend(written)
            return written

    def start_over(self):
        """Put the file aside under a dated name and begin an empty one."""
        with self._lock:
            old = self._stream
            aside = self.path.with_name(f"{self.path.stem}-{wire.now():%Y%m%d-%H%M%S-%f}.jsonl")
            os.rename(self.path, aside)
            self._stream = open(self.path, "a+b")  # noqa: SIM115 - kept open too
            self._claim()
            self.entries = []
            old.close()

    def close(self):
        """Give the file free."""
        self._stream.close()
