"""Stand still at a named point, when the campaign has asked for it, until it lets go or kills.

The campaign asks by putting a file ``K4.armed`` into its folder; whoever comes there first takes
it by renaming it, and goes on when the renamed file is removed.  Without the campaign's folder in
the environment nothing here does anything.
"""

import contextlib
import os
import pathlib
import threading
import time

FOLDER = os.environ.get("SOKO_CAMPAIGN_DIR")
SABOTAGE = os.environ.get("SOKO_CAMPAIGN_SABOTAGE", "")
DEADLINE = float(os.environ.get("SOKO_CAMPAIGN_DEADLINE", "2"))
LEASE = int(os.environ.get("SOKO_CAMPAIGN_LEASE", "6"))
PATIENCE = 60

here = threading.local()


def reach(point):
    """Say that this thread has come to ``point``, and wait if somebody wants it to."""
    if not FOLDER:
        return
    taken = pathlib.Path(FOLDER) / f"{point}.{os.getpid()}.reached"
    try:
        os.rename(f"{FOLDER}/{point}.armed", taken)
    except FileNotFoundError:
        return
    until = time.monotonic() + PATIENCE
    while taken.exists() and time.monotonic() < until:
        time.sleep(0.005)


@contextlib.contextmanager
def phase(name):
    """Be in a phase of sending: ``claim`` or ``record``."""
    here.phase, here.claims = name, False
    try:
        yield
    finally:
        here.phase = ""


@contextlib.contextmanager
def sender(originator):
    """Leave a note who is sending, for the hooks of the simulator."""
    if not FOLDER or not originator:
        yield
        return
    note = pathlib.Path(FOLDER) / f"{originator}.sender"
    note.write_text(str(os.getpid()))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
