"""Processes that belong together: started in order, watched, stopped cleanly."""
from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from . import config, databases, paths
from .ui import Stop, indent, tail

PATIENCE = 180  # seconds until a service has to answer
FAREWELL = 20  # seconds that a service has for stopping by itself
PR_SET_PDEATHSIG = 1


def _end_with_parent():
    """In the child: ask Linux to stop this process should the launcher be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Service:
    """One process in a group of its own, with a log file and an address that says it is well."""

    def __init__(self, name, command, health, log, env):
        self.name, self.command, self.health = name, command, health
        self.log, self.env = log, env
        self.process = None

    def start(self):
        """Start the process; :meth:`wait` says when it is ready."""
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [str(word) for word in self.command], env=self.env, cwd=str(paths.STATE),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=_end_with_parent,
            )

    def check(self):
        """Stop with the end of the log when the process has ended by itself."""
        if self.process.poll() is not None:
            end = indent(tail(databases.read(self.log), 12))
            raise Stop(f"{self.name} ended by itself; the end of {self.log}:\n  {end}")

    def wait(self, patience=PATIENCE):
        """Wait until the service answers."""
        until = time.monotonic() + patience
        while not answers(self.health):
            self.check()
            if time.monotonic() > until:
                raise Stop(f"{self.name} did not answer in {patience} s; its log is {self.log}")
            time.sleep(0.1)

    def stop(self):
        """Ask the process group to stop, and end what does not."""
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(FAREWELL)
        self._signal(signal.SIGKILL)  # the group: whatever the process left behind
        self.process.wait()
        self.process = None

    def _signal(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def answers(address):
    """Whether an address answers with 200."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False


class System:
    """The M-Pesa simulator, the postbox and Odoo on one database.

    :param server: the PostgreSQL server, running and durable
    :param database: the name of an existing database
    :param ports: a :class:`config.Ports`
    :param name: names the state folder, the logs and the settings file
    :param logins: the JSON text that says who can log in
    """

    def __init__(self, server, database, ports, name="run", logins="[]"):
        self.server, self.database, self.ports = server, database, ports
        self.name, self.logins = name, logins
        self.url = f"http://{config.HOST}:{ports.http}"
        self.simulator_url = f"http://{config.HOST}:{ports.simulator}"
        self.postbox_url = f"http://{config.HOST}:{ports.postbox}"
        self.state = paths.STATE / name
        self.logins_file = paths.LOGINS if name == "run" else self.state / "logins.json"
        self.conf = paths.STATE / ("odoo.conf" if name == "run" else f"{name}.conf")
        self.env = self._environment()
        self.simulator = self._helper("daraja", ports.simulator, "/_sim/health")
        self.postbox = self._helper("postbox", ports.postbox, "/_health", "--smtp-port", ports.smtp)
        command = [paths.venv_python(), "-m", "odoo", "-c", self.conf]
        self.odoo = self._service("odoo", command, self.url + "/web/login")
        self.services = [self.simulator, self.postbox, self.odoo]

    def _environment(self):
        addresses = {
            "SOKO_MPESA_BASE_URL": self.simulator_url,
            "SOKO_MPESA_CALLBACK_URL": self.url,
            "SOKO_SMS_URL": self.postbox_url + "/sms",
        }
        return config.environment(self.server, **addresses)

    def _service(self, name, command, health):
        prefix = "" if self.name == "run" else f"{self.name}-"
        log = paths.LOGS / f"{prefix}{name}.log"
        return Service(name, command, health, log, self.env)

    def _helper(self, name, port, health, *more):
        state = self.state / name
        options = ["--port", port, *more, "--state", state]
        command = [paths.venv_python(), paths.TOOLS / name, *options]
        return self._service(name, command, f"http://{config.HOST}:{port}{health}")

    def outside_environment(self):
        """Return the environment for programs that use the system from outside."""
        addresses = {
            "SOKO_URL": self.url,
            "SOKO_SIMULATOR_URL": self.simulator_url,
            "SOKO_POSTBOX_URL": self.postbox_url,
            "SOKO_LOGINS_FILE": str(self.logins_file),
            "SOKO_DATABASE": self.database,
            "SOKO_HOME": str(paths.STATE),
        }
        return dict(self.env, **addresses)

    def start(self):
        """Start all services and wait until they answer; on any error none is left."""
        for service in (self.simulator, self.postbox):
            (self.state / service.name).mkdir(parents=True, exist_ok=True)
        name_people(self.state / self.simulator.name)
        options = config.for_system(self.server, self.database, self.ports)
        config.write(self.conf.name, options)
        self._tell_address()
        self.logins_file.write_text(people_at(self.url, self.logins))
        try:
            for service in self.services:
                paths.remove(service.log)
                service.start()
            for service in self.services:
                service.wait()
        except BaseException:
            self.stop()
            raise

    def _tell_address(self):
        """Make links in e-mails and reports lead to this system."""
        for key, value in (("web.base.url", self.url), ("web.base.url.freeze", "True")):
            self.server.sql(
                "insert into ir_config_parameter (key, value, create_date, write_date) "
                f"values ('{key}', '{value}', now(), now()) "
                f"on conflict (key) do update set value = '{value}'",
                self.database,
            )

    def check(self):
        """Stop when one of the services has ended by itself."""
        for service in self.services:
            service.check()

    def stop(self):
        """Stop all services, Odoo first: it may still be talking to the others."""
        for service in reversed(self.services):
            service.stop()


def name_people(state):
    """Let the simulator know the owners of the demo's numbers by the names that the office knows.

    It would make names up, and payouts to strangers' names are followed by a warning.

    :param Path state: the simulator's folder; names that stand there already are left alone
    """
    register = state / "people.json"
    if register.exists():
        return
    with (paths.TOOLS / "demo" / "payees.csv").open(encoding="utf-8", newline="") as sheet:
        owners = {row["acc_number"]: row["partner_id"] for row in csv.DictReader(sheet)}
    register.write_text(json.dumps(
        {number: {"name": name.upper()} for number, name in owners.items()}, indent=1))


def people_at(url, logins):
    """Return who can log in, a JSON text, with the pages' addresses on this system."""
    people = json.loads(logins)
    for person in people:
        if person.get("url"):
            person["url"] = re.sub(r"^https?://[^/]+", url, person["url"])
    return json.dumps(people, indent=1)


def terminable():
    """Make a request to end (``kill``, a closed terminal) the same as Ctrl-C."""
    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
