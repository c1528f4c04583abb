"""The campaign's own house: a cluster that may be crashed, a database, and all processes."""

import contextlib
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time

import psycopg2
from soko import config, databases, odoo_source, paths, postgres
from soko.services import Service
from soko.ui import Stop, indent, say, tail

from . import wire

HERE = paths.TOOLS / "campaign"
ADDONS = HERE / "addons"
STATE = paths.STATE / "campaign"
RUN = "soko_campaign_run"
KEY, SECRET = "campaign-consumer-key", "campaign-consumer-secret"
CREDENTIAL = "Y2FtcGFpZ24hISEhISEh"  # how the security credential of inside/set_up.py begins
PAYEES = """
    SELECT bank.acc_number, upper(partner.name) FROM res_partner_bank bank
      JOIN res_partner partner ON partner.id = bank.partner_id WHERE bank.acc_type = 'mpesa'
"""
NUDGE = """
    INSERT INTO ir_cron_trigger (cron_id, call_at)
    SELECT data.res_id, now() AT TIME ZONE 'UTC' FROM ir_model_data data
     WHERE data.module = 'soko_mpesa' AND data.model = 'ir.cron'
       AND data.name IN ('ir_cron_send', 'ir_cron_apply', 'ir_cron_query', 'ir_cron_sweep',
                         'ir_cron_import')
       AND NOT EXISTS (SELECT FROM ir_cron_trigger old WHERE old.cron_id = data.res_id
                          AND old.call_at <= now() AT TIME ZONE 'UTC')
"""


class House:
    """Starts, supervises and ends everything.

    :param int seed: what the simulator and the payments are drawn from
    :param str sabotage: what the helper add-on is to leave out; empty for nothing
    """

    def __init__(self, seed, sabotage="", limit=1_000_000):
        if postgres.foreign_options():
            raise Stop("The campaign crashes its PostgreSQL on purpose, so it needs a server of "
                       "its own: unset SOKO_DB_HOST and the db_host in odoo.conf.")
        self.cluster = postgres.Cluster(True, "pg-campaign")
        self.seed, self.sabotage = seed, sabotage
        self.arms = STATE / "arms"
        self.ports = config.Ports.free()
        self.url = f"http://{config.HOST}:{self.ports.http}"
        self.simulator_url = f"http://{config.HOST}:{self.ports.simulator}"
        self.env = config.environment(
            self.cluster, SOKO_MPESA_BASE_URL=self.simulator_url, SOKO_MPESA_CALLBACK_URL=self.url,
            SOKO_CAMPAIGN_DIR=self.arms, SOKO_CAMPAIGN_SABOTAGE=sabotage,
            SOKO_CAMPAIGN_SEED=seed, SOKO_CAMPAIGN_LIMIT=limit,
            SOKO_CAMPAIGN_KEY=KEY, SOKO_CAMPAIGN_SECRET=SECRET)
        self.simulator = self._simulator()
        self.web = self._odoo("web", "--max-cron-threads", "0")
        self.crons = [self._odoo(name, "--no-http", "--max-cron-threads", "1")
                      for name in ("cron-1", "cron-2")]
        self.maker = None
        self.connections = {}
        self.restarts = 0

    # ------------------------------------------------------------------ processes
    def _simulator(self):
        state = STATE / "daraja"
        command = [
            paths.venv_python(), paths.TOOLS / "daraja", "--port", self.ports.simulator,
            "--state", state, "--seed", self.seed, "--delay", "0.1", "--utility", 500_000_000,
            "--consumer-key", KEY, "--consumer-secret", SECRET, "--shortcode", "600992",
            "--token-life", 150, "--callback-timeout", 5, "--forget-ids", "--allow-hooks",
        ]
        health = self.simulator_url + "/_sim/health"
        return Service("daraja", command, health, paths.LOGS / "campaign-daraja.log", self.env)

    def _odoo(self, name, *options):
        command = [paths.venv_python(), "-m", "odoo", "-c", STATE / "odoo.conf", *options]
        return Service(name, command, self.url + "/web/login",
                       paths.LOGS / f"campaign-{name}.log", self.env)

    def odoos(self):
        """Return the Odoo processes that must be alive."""
        return [self.web, *self.crons]

    def logs(self):
        """Return the log files of this run."""
        return sorted(paths.LOGS.glob("campaign-*.log"))

    def supervise(self):
        """Start again what has died, as systemd would."""
        for service in self.odoos():
            if service.process.poll() is not None:
                self.restarts += 1
                service.start()
        if self.maker.process.poll() is not None and not (self.arms / "enough").exists():
            self.maker.start()

    def owner(self, pid):
        """Return the Odoo process with this number."""
        return next((s for s in self.odoos() if s.process and s.process.pid == pid), None)

    def kill(self, service, number):
        """Send a signal to a process and wait until it is gone; start it again."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(service.process.pid, number)
        try:
            service.process.wait(5)
        except subprocess.TimeoutExpired:
            os.kill(service.process.pid, signal.SIGKILL)
            service.process.wait()
        service.start()

    def crash_database(self, release):
        """Stop PostgreSQL at once, let go whoever waits, start it again, and all of Odoo with it.

        :param release: called between the two, so that the sender meets a dead database
        """
        self.forget_connections()
        self.cluster.crash()
        release()
        time.sleep(0.5)
        self.cluster.start()
        for service in [*self.odoos(), self.maker]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(service.process.pid, signal.SIGKILL)
            service.process.wait()
        self.restarts += len(self.odoos())
        self.supervise()

    # ------------------------------------------------------------------ the database
    def query(self, text, arguments=(), database=RUN):
        """Run a statement and return its rows."""
        if database not in self.connections:
            self.connections[database] = psycopg2.connect(
                dbname=database, host=self.cluster.host, port=self.cluster.port,
                user=self.cluster.user)
            self.connections[database].autocommit = True
        with self.connections[database].cursor() as cursor:
            cursor.execute(text, arguments)
            return cursor.fetchall() if cursor.description else []

    def forget_connections(self):
        """Close the connections, before the server goes."""
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def nudge(self):
        """Have all jobs run now."""
        self.query(NUDGE)
        self.query(f"NOTIFY cron_trigger, '{RUN}'", database="postgres")

    def shell(self, name, database=RUN, **more):
        """Run one of the files of ``inside/`` in Odoo's shell and return what it prints."""
        words = ["shell", "-c", str(STATE / "odoo.conf"), "-d", database, "--no-http"]
        return self._call(words, input=(HERE / "inside" / name).read_text(), more=more)

    def _call(self, words, more=None, **options):
        command = [str(paths.venv_python()), "-m", "odoo", *words]
        env = dict(self.env, **{key: str(value) for key, value in (more or {}).items()})
        env.pop("SOKO_CAMPAIGN_SABOTAGE")
        result = subprocess.run(command, env=env, text=True, capture_output=True, check=False,
                                **options)
        if result.returncode:
            raise Stop(f"odoo {words[0]} failed:\n  {indent(tail(result.stderr, 12))}")
        return result.stdout

    def _base(self):
        """Return the name of a database with the add-on set up; it is built if need be."""
        code = paths.digest(paths.ADDONS / "soko_mpesa", HERE / "addons", HERE / "inside")
        name = self._name("base", code)
        if not self.cluster.exists(name):
            lean = self._lean()
            say("campaign: installing the add-on")
            build = self._begin(name, lean)
            self._install(build, "soko_mpesa,soko_mpesa_killpoints")
            self.shell("set_up.py", build)
            databases.rename(self.cluster, build, name)
        return name

    def _lean(self):
        """Return the name of a database with few modules, all of them Odoo's: it starts fast."""
        name = self._name("lean", databases.COMPANY)
        if not self.cluster.exists(name):
            say("campaign: installing Odoo's modules (once)")
            build = self._begin(name)
            self._install(build, "base")
            self._call(["shell", *self._on(build)], input=databases.COMPANY)
            self._install(build, "account,phone_validation,sms")
            databases.rename(self.cluster, build, name)
        return name

    def _name(self, kind, content):
        digest = hashlib.sha256((content + odoo_source.identity()).encode()).hexdigest()
        return f"soko_campaign_{kind}_{digest[:8]}"

    def _begin(self, name, source=None):
        """Drop older databases of this kind and return the name of the one to be filled."""
        kind = name.rsplit("_", 1)[0]
        for old in self.cluster.databases():
            if old.startswith(kind):
                databases.drop(self.cluster, old)
        if source:
            databases.clone(self.cluster, source, name + "_build")
        return name + "_build"

    def _on(self, database):
        return ["-c", str(STATE / "odoo.conf"), "-d", database, "--no-http"]

    def _install(self, database, modules):
        self._call(["-i", modules, *self._on(database), "--stop-after-init"])

    # ------------------------------------------------------------------ begin and end
    def __enter__(self):
        for old in glob.glob(str(paths.LOGS / "campaign-*.log")):
            os.unlink(old)
        shutil.rmtree(STATE, ignore_errors=True)
        for folder in (self.arms, STATE / "daraja"):
            folder.mkdir(parents=True)
        # the names of inside/set_up.py: others than the office knows would stop the next payment
        (STATE / "daraja" / "people.json").write_text(json.dumps({
            f"2547000000{number:02}": {"name": f"PAYEE {number:02} MFANO"}
            for number in range(1, 99)}))
        self.cluster.start()
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self):
        options = dict(
            config.common(self.cluster), addons_path=f"{paths.ADDONS},{ADDONS}",
            http_port=self.ports.http, gevent_port=self.ports.gevent, max_cron_threads=0,
            db_maxconn=100,  # a storm of letters takes a connection each
            limit_time_real=config.CRON_LIMIT, limit_time_real_cron=config.CRON_LIMIT)
        config.write("campaign/odoo.conf", options)
        base = self._base()
        databases.drop(self.cluster, RUN)
        databases.clone(self.cluster, base, RUN)
        config.write("campaign/odoo.conf", dict(options, db_name=RUN, dbfilter=f"^{RUN}$"))
        self.query("UPDATE ir_config_parameter SET value = %s WHERE key = 'web.base.url'",
                   [self.url])
        self.query("UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' WHERE active")
        for service in [self.simulator, *self.odoos()]:
            service.start()
        self.simulator.wait()
        wire.post(self.simulator_url + "/_sim/people", dict(self.query(PAYEES)))
        self.web.wait()

    def start_maker(self):
        """Begin to make and pay bills."""
        code = HERE / "inside" / "make.py"
        # Odoo's shell reads its code from the standard input
        words = ["/bin/sh", "-c", 'exec "$@" < "$0"', code, paths.venv_python(), "-m", "odoo",
                 "shell", "-c", STATE / "odoo.conf", "-d", RUN, "--no-http"]
        self.maker = Service("maker", words, "", paths.LOGS / "campaign-maker.log", self.env)
        self.maker.start()

    def __exit__(self, *error):
        self.forget_connections()
        for service in [self.maker, *self.odoos(), self.simulator]:
            if service:
                service.stop()
        self.cluster.stop()
