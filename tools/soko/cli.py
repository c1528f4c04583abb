"""The commands of ``./soko``."""
from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys

from . import (
    browser,
    config,
    databases,
    doctor,
    odoo_source,
    paths,
    postgres,
    python_env,
    running,
    testing,
)
from .services import terminable
from .ui import Stop, confirm, say

ABOUT = """Soko on Odoo: one command from a fresh machine to a running shop.

  ./soko run       set up what is missing and start everything; Ctrl-C stops it
  ./soko test      set up what is missing and run all checks and tests
"""
INTERRUPTED = 130  # what a shell gives for Ctrl-C


def set_up(development=False):
    """Make everything that all commands need; safe to repeat and to interrupt."""
    paths.prepare()
    with paths.locked("setup"):
        python_env.setup(development)
        odoo_source.setup()
        browser.setup()


def setup(args):
    """Set up everything and build the template database."""
    set_up(development=True)
    for durable in (False, True):
        server = postgres.server(durable)
        with server.hold():
            postgres.report(server)
            databases.ensure_template(server)
    say("ready: ./soko run, ./soko test")
    return 0


def run(args):
    """Start everything and stay until Ctrl-C."""
    with running.alone():
        config.Ports.usual().check()
        set_up()
        return running.run()


def test(args):
    """Run checks, the modules' tests and the end-to-end tests."""
    set_up(development=True)
    return testing.run_all(args.names, args.k, args.jobs)


def reset(args):
    """Delete the databases and what the simulator and the postbox know."""
    paths.prepare()
    question = "Delete the shop's database, its files, and all M-Pesa and mail of the simulators?"
    if not args.yes and not confirm(question):
        raise Stop("nothing was deleted; say yes, or: ./soko reset --yes")
    with running.alone():
        stop_clusters()
        home = paths.outside()
        leftovers = ["pg", "pg-fast", "pg-campaign", "campaign", "data", "run", "demo", "failures",
                     "logins.json", "addons.json", "odoo.conf", "mpesa.key"]
        for name in leftovers:
            paths.remove(paths.STATE / name)
        paths.remove(home)
    say("reset: the next ./soko run starts with a new shop")
    return 0


def stop_clusters():
    """Stop our own PostgreSQL servers, if there are any; a broken set-up has none."""
    with contextlib.suppress(Stop):
        for cluster in postgres.both():
            paths.remove(cluster.kept())
            cluster.stop()


def call_odoo(server, words, database):
    """Run Odoo's command line on the database of ``./soko run`` and return its exit code.

    The settings go by ODOO_RC, because each of Odoo's commands wants ``-c`` in another place.
    """
    conf = config.write("command.conf", dict(config.for_tests(server), db_name=database))
    command = [str(paths.venv_python()), "-m", "odoo", *words]
    return subprocess.call(command, env=dict(config.environment(server), ODOO_RC=str(conf)))


def odoo(args):
    """Run Odoo's own command line with this project's settings."""
    return with_database(lambda server, name: call_odoo(server, args.rest, name))


def shell(args):
    """Open Odoo's Python shell on the database of ``./soko run``."""
    words = ["shell", "--no-http", *args.rest]
    return with_database(lambda server, name: call_odoo(server, words, name))


def with_database(action):
    """Do something with the durable server and the database of ``./soko run``."""
    set_up()
    server = postgres.server()
    with server.hold():
        return action(server, databases.ensure_run(server))


def psql(args):
    """Open psql on the database of ``./soko run``."""
    def call(server, name):
        folders = [str(server.programs)] if server.programs else []
        path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
        program = shutil.which("psql", path=path)
        if not program:
            raise Stop("psql is not installed; on Debian: apt install postgresql-client")
        env = dict(os.environ, **server.environment())
        return subprocess.call([program, "-d", name, *args.rest], env=env)

    return with_database(call)


def update(args):
    """Bring modules of the running database up to their present code."""
    modules = args.modules if args.modules != ["all"] else paths.addons()
    unknown = [name for name in modules if name not in paths.addons()]
    if unknown:
        raise Stop(f"no add-on of ours: {', '.join(unknown)}; ours: {', '.join(paths.addons())}")

    def change(server, _name):
        databases.update_run(server, modules)
        return 0

    if running.running():
        raise Stop("stop ./soko run first: a module is updated while nobody uses it")
    return with_database(change)


def story(args):
    """Drive the whole thread from outside, against the running system or a new one."""
    set_up(development=True)
    command = [str(paths.venv_python()), str(paths.TOOLS / "story"), *args.rest]
    found = running.running()
    if found:
        return subprocess.call(command, env=dict(os.environ, **found))
    with running.alone():
        config.Ports.usual().check()
        with running.system() as whole:
            return subprocess.call(command, env=whole.outside_environment())


def campaign(args):
    """Pay under faults and kills, then compare M-Pesa's books with Odoo's (see --help)."""
    set_up(development=True)
    command = [str(paths.venv_python()), str(paths.TOOLS / "campaign"), *args.rest]
    return subprocess.call(command, env=dict(os.environ, SOKO_HOME=str(paths.STATE)))


def bench(args):
    """Run the measurements in bench/, or the named ones."""
    scripts = sorted((paths.ROOT / "bench").glob("*.py"))
    if args.names:
        scripts = [script for script in scripts if script.stem in args.names]
    if not scripts:
        say("bench: there are no measurements" + (" of that name" if args.names else " yet"))
        return 1 if args.names else 0
    set_up(development=True)
    env = dict(os.environ, SOKO_HOME=str(paths.STATE))
    more = ["--quick"] if args.quick else []
    more += ["--count", str(args.count)] if args.count else []
    python = str(paths.venv_python())
    return max(subprocess.call([python, str(one), *more], env=env) for one in scripts)


def db(args):
    """Start, stop or describe our PostgreSQL servers."""
    if args.what == "start":
        set_up()
    for cluster in postgres.both():
        if args.what == "start":
            cluster.start()
            cluster.kept().touch()
        elif args.what == "stop":
            paths.remove(cluster.kept())
            cluster.stop()
        state = "running" if cluster.running() else "stopped"
        say(f"{cluster.name}: {state}, {cluster.data}, socket {cluster.host}")
    return 0


def check_up(args):
    """Say what is there, what is missing, and what to do."""
    return doctor.examine()


PASSING = {"shell": shell, "psql": psql, "odoo": odoo, "story": story,
           "campaign": campaign}


def parser():
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="./soko", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, action):
        command = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=action)
        return command

    add("run", run)
    tests = add("test", test)
    tests.add_argument("names", nargs="*", metavar="MODULE", help="an add-on, 'checks' or 'e2e'")
    tests.add_argument("-k", metavar="NAME", help="only tests with this in their name")
    tests.add_argument("--jobs", type=int, metavar="N", help="modules side by side (2)")
    add("setup", setup)
    add("doctor", check_up)
    add("reset", reset).add_argument("--yes", action="store_true", help="do not ask")
    add("update", update).add_argument("modules", nargs="+", metavar="MODULE", help="or 'all'")
    measure = add("bench", bench)
    measure.add_argument("names", nargs="*", metavar="NAME")
    measure.add_argument("--quick", action="store_true", help="fewer records: only to try it")
    measure.add_argument("--count", type=int, metavar="N", help="so many records")
    add("db", db).add_argument("what", choices=["start", "stop", "status"])
    for name, action in PASSING.items():
        add(name, action)
    return top


def parse(words):
    """Return the parsed command line; some commands hand on all that follows them."""
    if words and words[0] in PASSING:
        return argparse.Namespace(action=PASSING[words[0]], rest=words[1:])
    return parser().parse_args(words)


def main(words=None):
    """Run one command and return its exit code."""
    args = parse(sys.argv[1:] if words is None else words)
    terminable()
    try:
        return args.action(args)
    except Stop as error:
        sys.stderr.write(f"soko: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("soko: interrupted; the same command goes on from here\n")
        return INTERRUPTED
    except OSError as error:
        where = error.filename or "disk or system"
        sys.stderr.write(f"soko: {error.strerror or error} ({where})\n")
        return 1
