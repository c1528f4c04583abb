"""Databases: the template that all others are copied from, the demo, and their copies.

- ``soko_template_KEY``: Odoo's own modules for a Kenyan company; no add-on of ours, no demo data.
- ``soko_demo_KEY``: the template with all our add-ons and their demo data.
- ``soko``: what ``./soko run`` shows; a copy of the demo that people then work in.
- ``soko_test_...``, ``soko_e2e_...``: copies that live as long as a test.

A key is a hash of what the database was made of, so that nothing stale is ever used.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import time

from . import config, odoo_log, odoo_source, paths, postgres, python_env
from .ui import Stop, indent, say, tail

MODULES = (
    "website_sale_stock,purchase_stock,mrp,sale_mrp,purchase_mrp,sale_management,stock_account,"
    "contacts,sms,payment_demo,website_payment,account_payment,portal,phone_validation"
)
COMPANY = """
shilling = env.ref('base.KES')
shilling.active = True
env.company.write({
    'name': 'SOKO Kenya',
    'country_id': env.ref('base.ke').id,
    'currency_id': shilling.id,
    'city': 'Nairobi',
})
env['res.users'].with_context(active_test=False).search([]).write({'tz': 'Africa/Nairobi'})
env.cr.commit()
"""
BUNDLES = "env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()\n"
RUN = "soko"
PASSING = ("soko_template_", "soko_demo_", "soko_test_", "soko_e2e_")
DEMO_LOADER = paths.TOOLS / "demo" / "load.py"
DEMOS = paths.STATE / "demo"
SNAPSHOTS = paths.CACHE / "template"


# ---------------------------------------------------------------------- Odoo as a program
class Builder:
    """Runs Odoo on a database to change it, with one log file for all steps."""

    def __init__(self, server, database, log):
        self.server, self.database, self.log = server, database, paths.LOGS / log
        self.conf = config.write(f"build-{os.getpid()}.conf", config.for_tests(server))
        paths.remove(self.log)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        paths.remove(self.conf)

    def _command(self, *words):
        python = str(paths.venv_python())
        return [python, "-m", "odoo", *words, "-c", str(self.conf), "-d", self.database,
                "--no-http", "--logfile", str(self.log)]

    def _call(self, command, why, **options):
        env = config.environment(self.server, SOKO_HOME=paths.STATE, **options.pop("more", {}))
        result = subprocess.run(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, **options
        )
        if result.returncode:
            end = odoo_log.cause(read(self.log)) or tail(result.stdout, 6)
            raise Stop(f"{why}; its log is {self.log}\n  {indent(end)}")
        return result.stdout

    def install(self, modules, *options):
        """Install modules, a comma-separated text."""
        command = [*self._command(), "-i", modules, "--stop-after-init", *options]
        self._call(command, f"{modules} could not be installed")

    def update(self, modules):
        """Update modules, a comma-separated text."""
        command = [*self._command(), "-u", modules, "--stop-after-init"]
        self._call(command, f"{modules} could not be updated")

    def shell(self, code, why, **more):
        """Run Python code in Odoo's shell and return what it prints."""
        return self._call(self._command("shell"), why, input=code, more=more)


def read(path):
    """Return a log's text, or nothing when there is none."""
    return path.read_text(errors="replace") if path.exists() else ""


# ---------------------------------------------------------------------- copies
def clone(server, source, target):
    """Copy a database with its files, in a fraction of a second."""
    server.sql(f'create database "{target}" template "{source}" strategy file_copy')
    copy_files(paths.FILESTORE / source, paths.FILESTORE / target)
    # a new database has sent nothing; what an older one of this name sent is none of its business
    paths.remove(paths.claims(target))


def copy_files(source, target):
    """Copy a folder by hard links: Odoo never changes a file of its store in place."""
    paths.remove(target)
    if source.exists():
        shutil.copytree(str(source), str(target), copy_function=os.link)


def drop(server, database):
    """Delete a database with its files, whether it is there or not."""
    if server.exists(database):
        server.sql(f'alter database "{database}" is_template false')
        server.sql(f'drop database "{database}" with (force)')
    paths.remove(paths.FILESTORE / database)
    paths.remove(paths.claims(database))


@contextlib.contextmanager
def copy_of(server, source, name):
    """Have a copy of a database for a while."""
    drop(server, name)
    clone(server, source, name)
    try:
        yield name
    finally:
        drop(server, name)


def close(server, database):
    """Make a database a template: it can be copied, and nobody can change it."""
    server.sql(f'alter database "{database}" with is_template true allow_connections false')


def rename(server, old, new):
    """Rename a database and its files."""
    paths.remove(paths.FILESTORE / new)
    if (paths.FILESTORE / old).exists():
        (paths.FILESTORE / old).rename(paths.FILESTORE / new)
    server.sql(f'alter database "{old}" rename to "{new}"')


def drop_left_over(server):
    """Delete what killed tests left: databases that name a process which is gone."""
    for database in server.databases():
        number = database.rsplit("_", 1)[-1]
        if database.startswith(("soko_test_", "soko_e2e_")) and not alive(number):
            drop(server, database)


def alive(number):
    """Whether a process with this number, a text, is there."""
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


# ---------------------------------------------------------------------- the template
def template_name():
    """Return the template's name, with a hash of everything it is made of."""
    parts = [odoo_source.identity(), python_env.RUNTIME.read_text(), MODULES, COMPANY]
    return "soko_template_" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def ensure_template(server):
    """Return the name of the template on this server; it is copied or built if need be."""
    name = template_name()
    if server.exists(name):
        return name
    with paths.locked("template"):
        if not server.exists(name) and not take_snapshot(server, name):
            build_template(server, name)
            save_snapshot(server, name)
    return name


def build_template(server, name):
    """Install Odoo's own modules into a new database, as a Kenyan company needs them."""
    started, build = time.time(), f"{name}_build"
    paths.need_space(paths.STATE, 1500, "the template database")
    say("template: installing Odoo's modules for a Kenyan company (once, about two minutes)")
    for old in server.databases():
        if old.startswith("soko_template_"):
            drop(server, old)
    with Builder(server, build, "template.log") as odoo:
        odoo.install("base")
        odoo.shell(COMPANY, "the company could not be set up")
        odoo.install(MODULES)
        odoo.shell(BUNDLES, "the pages' scripts could not be prepared")
    rename(server, build, name)
    close(server, name)
    say(f"template: {name} in {time.time() - started:.0f} s")


def _snapshot(server, name):
    return SNAPSHOTS / f"{name}-pg{server.place.version()}"


def _only_ours(server):
    return all(name.startswith(PASSING) for name in server.databases())


def take_snapshot(server, name):
    """Take the template from a cluster saved before; return whether that was possible.

    The durable cluster lets the fast one build it, unless it holds somebody's data: then a
    cluster cannot be replaced, and the template is built in place.
    """
    if isinstance(server, postgres.ForeignServer) or not _only_ours(server):
        return False
    folder = _snapshot(server, name)
    if not (folder / ".complete").exists() and server.durable:
        fast = postgres.server(durable=False)
        with fast.hold():
            if not fast.exists(name):
                build_template(fast, name)
            save_snapshot(fast, name)
    readable = os.access(str(folder / "data"), os.R_OK | os.X_OK)
    if not readable or not (folder / ".complete").exists():
        return False
    server.replace_from(folder)
    if not (paths.FILESTORE / name).exists():
        shutil.copytree(str(folder / "filestore"), str(paths.FILESTORE / name))
    say(f"template: {name} copied into the cluster {server.name}")
    return True


def save_snapshot(server, name):
    """Keep a copy of a cluster that holds the template and nothing else."""
    if isinstance(server, postgres.ForeignServer) or server.databases() != [name]:
        return
    folder = _snapshot(server, name)
    if folder.exists():
        return
    part = folder.with_name(folder.name + ".part")
    paths.remove(part)
    part.mkdir(parents=True)
    server.save_to(part)
    shutil.copytree(str(paths.FILESTORE / name), str(part / "filestore"))
    (part / ".complete").touch()
    part.rename(folder)


# ---------------------------------------------------------------------- the demo
def demo_name():
    """Return the demo's name, with a hash of the add-ons and of the demo data."""
    parts = template_name() + paths.digest(paths.ADDONS, DEMO_LOADER.parent)
    return "soko_demo_" + hashlib.sha256(parts.encode()).hexdigest()[:8]


def demo_logins(name):
    """Return the file that says who can log in to a copy of this demo."""
    return DEMOS / f"{name}.json"


def ensure_demo(server):
    """Return the name of a database with all add-ons and demo data; it is built if need be."""
    name = demo_name()
    with paths.locked("demo"):
        if not server.exists(name) or not demo_logins(name).exists():
            build_demo(server, name)
    return name


def build_demo(server, name):
    """Install all add-ons with demo data into a copy of the template and run the demo loader."""
    started, template = time.time(), ensure_template(server)
    say("demo: installing our add-ons and their demo data")
    for old in server.databases():
        if old.startswith("soko_demo_"):
            drop(server, old)
            paths.remove(demo_logins(old))
    build = f"{name}_build"
    clone(server, template, build)
    with Builder(server, build, "demo.log") as odoo:
        install_with_demo(server, build, odoo)
        load_demo(odoo, name)
        odoo.shell(BUNDLES, "the pages' scripts could not be prepared")
    rename(server, build, name)
    close(server, name)
    say(f"demo: {name} in {time.time() - started:.0f} s")


def install_with_demo(server, database, odoo):
    """Install the add-ons with demo data on top of modules that have none.

    Odoo gives demo data only to a module whose dependencies have theirs; so these are marked for
    that long, and our demo data stand on their own feet.
    """
    if not paths.addons():
        return
    server.sql("update ir_module_module set demo = true where state = 'installed'", database)
    odoo.install(",".join(paths.addons()), "--with-demo")
    ours = ", ".join(f"'{name}'" for name in paths.addons())
    server.sql(f"update ir_module_module set demo = false where name not in ({ours})", database)


def load_demo(odoo, name):
    """Run the demo loader in Odoo's shell; it prints a JSON object for each login."""
    DEMOS.mkdir(exist_ok=True)
    target = demo_logins(name)
    printed = ""
    if DEMO_LOADER.exists():
        code = f"__file__ = {str(DEMO_LOADER)!r}\n" + DEMO_LOADER.read_text()
        why = "the demo data could not be loaded"
        printed = odoo.shell(code, why, SOKO_LOGINS_FILE=target)
    if not target.exists():
        target.write_text(json.dumps(logins_in(printed), indent=1))


def logins_in(text):
    """Return the JSON objects with a ``login`` that stand in a text, one a line."""
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict) and "login" in entry:
                found.append(entry)
    return found


# ---------------------------------------------------------------------- the one that people see
def ensure_run(server):
    """Return the database of ``./soko run``; a new one is a copy of the demo."""
    if not server.exists(RUN):
        state = addons_state()  # before the demo is built: the code may change meanwhile
        demo = ensure_demo(server)
        clone(server, demo, RUN)
        shutil.copyfile(str(demo_logins(demo)), str(paths.LOGINS))
        remember_addons(state)
        return RUN
    changed = changed_addons()
    if changed:
        update_run(server, changed)
    return RUN


def update_run(server, names):
    """Bring add-ons of the run database up to their present code."""
    say(f"update: {', '.join(names)}")
    state, installed = addons_state(), installed_addons(server)
    with Builder(server, RUN, "update.log") as odoo:
        old = [name for name in names if name in installed]
        new = [name for name in names if name not in installed]
        if new:
            odoo.install(",".join(new))
        if old:
            odoo.update(",".join(old))
    remember_addons(state)


def installed_addons(server):
    """Return the names of the modules that the run database has."""
    query = "select name from ir_module_module where state in ('installed', 'to upgrade')"
    return server.sql(query, RUN).split()


def _remembered():
    return paths.STATE / "addons.json"


def addons_state():
    """Return a hash of each add-on by its name."""
    return {name: paths.digest(paths.ADDONS / name) for name in paths.addons()}


def remember_addons(state):
    """Note what the add-ons were like when the run database was made or updated."""
    _remembered().write_text(json.dumps(state, indent=1))


def changed_addons():
    """Return the add-ons that changed since then."""
    known = json.loads(_remembered().read_text()) if _remembered().exists() else {}
    return [name for name, state in addons_state().items() if known.get(name) != state]
