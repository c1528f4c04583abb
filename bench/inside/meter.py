"""Counts SQL statements and processor time of the code that runs between two looks."""
import json
import os
import time

from odoo.sql_db import Cursor

TICK = os.sysconf("SC_CLK_TCK")
CHUNK = 100  # payees a transaction


def tell(name, **figures):
    """Print figures for `lib.inside`."""
    print("BENCH " + json.dumps({"name": name, **figures}), flush=True)  # noqa: T201


def chunks(items):
    """Return the items in lists of a transaction each."""
    return [items[start:start + CHUNK] for start in range(0, len(items), CHUNK)]


class Meter:
    """All cursors of this process: statements, and the CPU of Python and of its backends."""

    def __init__(self):
        self.statements, self.backends = 0, {}
        self._plain = Cursor.execute
        meter = self

        def execute(cursor, *args, **options):
            meter.statements += 1
            meter.backends.setdefault(cursor._cnx.info.backend_pid, 0.0)
            return meter._plain(cursor, *args, **options)

        Cursor.execute = execute

    def look(self):
        """Return (statements, CPU seconds of the process, CPU seconds of its backends)."""
        for pid in self.backends:
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                self.backends[pid] = (int(fields[11]) + int(fields[12])) / TICK
            except FileNotFoundError:
                pass  # it ended; its last figure stays
        return self.statements, time.process_time(), sum(self.backends.values())

    def measure(self, work):
        """Call `work`; return {"sql": .., "ms": ..}, milliseconds of CPU."""
        before = self.look()
        work()
        after = self.look()
        return {"sql": after[0] - before[0],
                "ms": 1000 * (after[1] - before[1] + after[2] - before[2])}
