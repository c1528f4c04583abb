"""``./soko doctor``: what is there, what is missing, and what to do about it."""
from __future__ import annotations

import os
import shutil
import sys

from . import browser, config, databases, odoo_source, paths, postgres, python_env
from .ui import Stop, run

BARCODE = (
    "from reportlab.graphics.barcode import createBarcodeDrawing as draw; "
    "draw('Code128', value='A', format='png').asString('png')"
)
ROOM = 4000  # megabytes for everything, from nothing


def examine():
    """Print a line for each thing that is needed; return 1 when one is missing."""
    findings = [
        _checkout(), _room(), _python(), _packages(), _barcodes(), _odoo(), _postgres(),
        _browser(), _pdf(), _database(), *_ports(),
    ]
    for good, what, cure in findings:
        advice = f"  ->  {cure}" if cure and not good else ""
        sys.stdout.write(f"{'ok  ' if good else 'MISS'} {what}{advice}\n")
    return 0 if all(good for good, _what, _cure in findings) else 1


def _checkout():
    good = os.access(str(paths.STATE if paths.STATE.exists() else paths.STATE.parent), os.W_OK)
    return good, f"{paths.STATE} can be written to", "name a folder of yours in SOKO_HOME"


def _room():
    folder = paths.CACHE
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(str(folder)).free >> 20
    there = paths.VENV.exists()
    return there or free > ROOM, f"{free} MB free in {folder}", f"{ROOM} MB are needed"


def _python():
    found = python_env.usable()
    names = ", ".join(f"{version} ({path})" for version, path in found)
    cure = "apt install python3 python3-venv, or SOKO_PYTHON=/path/to/python"
    return bool(found), f"Python for Odoo: {names or '3.10 to 3.13'}", cure


def _packages():
    good = run([paths.venv_python(), "-c", python_env.NEEDED]).returncode == 0
    return good, f"Python packages in {paths.VENV}", "./soko setup"


def _barcodes():
    good = run([paths.venv_python(), "-c", BARCODE]).returncode == 0
    return good, "barcodes as pictures", "./soko setup; on Python 3.13 also: apt install libcairo2"


def _odoo():
    try:
        root = odoo_source.current()
        return bool(odoo_source.find_in(root)), f"Odoo 19 in {root}", "./soko setup"
    except Stop as error:
        return False, "Odoo 19", str(error)


def _postgres():
    try:
        if postgres.foreign_options():
            return True, postgres.server().describe(), ""
        clusters = postgres.both()
        states = [f"{c.name} {'runs' if c.running() else 'is stopped'}" for c in clusters]
        return True, f"PostgreSQL in {clusters[0].programs}: {', '.join(states)}", ""
    except Stop as error:
        return False, "PostgreSQL", str(error)


def _browser():
    found = browser.find()
    what = f"a browser for tests and reports: {found or 'none'}"
    return bool(found), what, "apt install chromium"


def _pdf():
    path = f"{paths.STATE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which("wkhtmltopdf", path=path)
    good = browser.prints_headers(found)
    cure = "apt install chromium, then ./soko setup"
    return good, "PDF reports with header and footer", cure


def _database():
    try:
        databases.template_name()
        made = any(databases.SNAPSHOTS.glob("*/.complete")) or (paths.DATA / "filestore").exists()
        return made, "a template database", "./soko setup"
    except (Stop, OSError) as error:
        return False, "a template database", str(error)


def _ports():
    running = (paths.STATE / "running.json").exists()
    for name, port in vars(config.Ports.usual()).items():
        variable = f"SOKO_{name.upper()}_PORT"
        free = running or not config.taken(port)
        yield free, f"port {port} ({name})", f"taken: stop that program or set {variable}"
