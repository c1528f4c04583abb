"""Odoo's settings: ports, the generated odoo.conf, and the environment of its processes."""
from __future__ import annotations

import base64
import os
import socket
from contextlib import closing
from dataclasses import dataclass

from . import paths
from .ui import Stop

HOST = "127.0.0.1"
CRON_LIMIT = 900  # seconds; a payout run has to end by itself, never by the watchdog


@dataclass(frozen=True)
class Ports:
    """The ports of one running system."""

    http: int
    gevent: int
    simulator: int
    postbox: int
    smtp: int

    @classmethod
    def usual(cls, environ=os.environ):
        """Return the ports that ``./soko run`` uses; each can be set in the environment."""
        defaults = {
            "http": 8069, "gevent": 8072, "simulator": 8077, "postbox": 8078, "smtp": 8025,
        }
        return cls(**{name: _number(environ, name, port) for name, port in defaults.items()})

    @classmethod
    def free(cls):
        """Return ports that nobody uses at this moment."""
        return cls(*free_ports(5))

    def check(self):
        """Stop when one of the ports is taken."""
        for name, port in vars(self).items():
            if taken(port):
                raise Stop(
                    f"Port {port} is taken by another program; stop that one, or choose another: "
                    f"SOKO_{name.upper()}_PORT={port + 100} ./soko run"
                )


def _number(environ, name, default):
    variable = f"SOKO_{name.upper()}_PORT"
    value = environ.get(variable) or str(default)
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise Stop(f"{variable}={value} is no port: a number from 1 to 65535 is needed")
    return int(value)


def taken(port):
    """Whether a program listens on a port of this machine."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def free_ports(count):
    """Return that many different free ports."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def render(options):
    """Return the text of an odoo.conf; options without a value are left out."""
    lines = [f"{name} = {value}\n" for name, value in options.items() if value not in ("", None)]
    return "[options]\n" + "".join(lines)


def common(server):
    """Return the settings that every Odoo of ours has."""
    return {
        "addons_path": str(paths.ADDONS) if paths.addons() else "",
        "data_dir": str(paths.DATA),
        "db_host": server.host,
        "db_port": server.port,
        "db_user": server.user,
        "pg_path": str(server.programs) if server.programs else "",
        "http_interface": os.environ.get("SOKO_HTTP_INTERFACE", HOST),
        "unaccent": "True",
        "list_db": "False",
        "max_cron_threads": "0",
    }


def for_tests(server):
    """Return the settings for unit tests and for building databases."""
    ports = free_ports(2)
    return dict(common(server), http_port=ports[0], gevent_port=ports[1])


def for_system(server, database, ports):
    """Return the settings of a whole running system: one database, timed jobs, outgoing mail."""
    return dict(
        common(server),
        http_port=ports.http,
        gevent_port=ports.gevent,
        db_name=database,
        dbfilter=f"^{database}$",
        max_cron_threads=2,
        limit_time_real=CRON_LIMIT,
        limit_time_real_cron=CRON_LIMIT,
        smtp_server=HOST,
        smtp_port=ports.smtp,
        email_from="hello@soko.example",
        from_filter="soko.example",
    )


def write(name, options):
    """Write a configuration file into ``.soko/`` and return its path."""
    path = paths.STATE / name
    path.write_text(render(options))
    path.chmod(0o600)
    return path


def environment(server, **more):
    """Return the environment of an Odoo process.

    PGHOST and PGPORT too: in tests Odoo opens read-only connections by libpq's own defaults.
    """
    env = dict(os.environ, **server.environment())
    env["PATH"] = f"{paths.STATE / 'bin'}{os.pathsep}{env.get('PATH', '')}"
    env["SOKO_MPESA_KEY_FILE"] = str(mpesa_key())
    # each database has its own list of what was sent: copies of one template share everything else
    env["SOKO_MPESA_CLAIMS_FILE"] = str(paths.claims("{database}"))
    env.update({name: str(value) for name, value in more.items()})
    return env


def mpesa_key():
    """Return the file with the key that encrypts M-Pesa's secrets; it is made once.

    The key is 32 random bytes in URL-safe base64, readable by its owner only.
    """
    if not paths.MPESA_KEY.exists():
        part = paths.MPESA_KEY.with_suffix(".part")
        paths.remove(part)
        with open(os.open(str(part), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
            stream.write(base64.urlsafe_b64encode(os.urandom(32)))
        part.rename(paths.MPESA_KEY)
    return paths.MPESA_KEY
