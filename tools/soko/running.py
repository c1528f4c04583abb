"""``./soko run``, and finding a system that runs already."""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time

from . import config, databases, paths, postgres
from .services import System
from .ui import Stop, say

PULSE = 0.5  # seconds between two looks at the services


def _mark():
    return paths.STATE / "running.json"


@contextlib.contextmanager
def alone():
    """Be the only ``./soko run`` of this checkout.

    :raises Stop: when there is another
    """
    paths.prepare()
    with open(paths.STATE / "run.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(
                f"Another ./soko run of this checkout is running{_where()}; "
                "stop it with Ctrl-C in its terminal."
            ) from None
        try:
            yield
        finally:
            paths.remove(_mark())


def _where():
    found = _read_mark()
    return f" (process {found['pid']}, {found['SOKO_URL']})" if found else ""


def _read_mark():
    try:
        return json.loads(_mark().read_text())
    except (OSError, ValueError):
        return None


def running():
    """Return the addresses of the running system as environment variables, or None."""
    found = _read_mark()
    if found and databases.alive(str(found.pop("pid"))):
        return found
    return None


@contextlib.contextmanager
def system():
    """Have the system of this checkout running; needs :func:`alone` around it."""
    server = postgres.server()
    with server.hold():
        database = databases.ensure_run(server)
        ports = config.Ports.usual()
        whole = System(server, database, ports, logins=paths.LOGINS.read_text())
        whole.start()
        try:
            _write_mark(whole)
            yield whole
        finally:
            _stop_quietly(whole)


def _stop_quietly(whole):
    """Stop the services; a second Ctrl-C must not leave one of them behind."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        whole.stop()
    finally:
        signal.signal(signal.SIGINT, before)


def _write_mark(whole):
    names = ("SOKO_URL", "SOKO_SIMULATOR_URL", "SOKO_POSTBOX_URL", "SOKO_LOGINS_FILE",
             "SOKO_DATABASE", "SOKO_HOME")
    env = whole.outside_environment()
    state = {name: env[name] for name in names}
    _mark().write_text(json.dumps(dict(state, pid=os.getpid()), indent=1))


def run():
    """Start everything, say where it is, and stay until Ctrl-C."""
    with system() as whole:
        welcome(whole)
        try:
            while True:
                whole.check()
                time.sleep(PULSE)
        except KeyboardInterrupt:
            say("stopping")
    say("stopped; the data stay. ./soko run goes on, ./soko reset starts over")
    return 0


def welcome(whole):
    """Say where everything is and who can log in."""
    places = [
        ("shop", whole.url + "/shop"),
        ("back office", whole.url + "/odoo"),
        ("artisan's portal", whole.url + "/my/artisan"),
        ("M-Pesa simulator", whole.simulator_url),
        ("phones and mail", whole.postbox_url),
    ]
    lines = ["", *(f"  {name:<18}{address}" for name, address in places), ""]
    lines += table(json.loads(whole.logins_file.read_text()))
    lines += ["", f"  logs in {paths.LOGS}; Ctrl-C stops everything", ""]
    say("ready\n" + "\n".join(lines))


def table(people):
    """Return lines that say who can log in as what."""
    if not people:
        return ["  log in as admin, password admin"]
    columns = ("login", "password", "role")
    rows = [("log in as", "password", "who it is")]
    rows += [tuple(str(person.get(column) or "") for column in columns) for person in people]
    widths = [max(len(row[number]) for row in rows) for number in range(2)]
    return [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
