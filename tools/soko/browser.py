"""The browser: found on this machine, and wrapped so that it does not call home."""
from __future__ import annotations

import os
import shlex
import shutil

from . import paths
from .ui import run, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-component-update", "--disable-sync", "--disable-domain-reliability",
    "--disable-quic",
)
ADVICE = "no browser found; on Debian: apt install chromium"


def _outer_path():
    ours = str(paths.STATE / "bin")
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder != ours)


def find():
    """Return the path of a Chromium or Chrome, or None."""
    path = _outer_path()
    found = (shutil.which(name, path=path) for name in NAMES)
    return next(filter(None, found), None)


def setup():
    """Put wrappers first on Odoo's PATH: a quiet browser, and a wkhtmltopdf that works."""
    folder = paths.STATE / "bin"
    folder.mkdir(exist_ok=True)
    browser = find()
    if not browser:
        say(f"browser: {ADVICE}")
    else:
        home = paths.STATE / "home"
        home.mkdir(exist_ok=True)
        command = [browser, *QUIET]
        for name in ("google-chrome", "chromium"):
            _script(folder / name, command, f"HOME={shlex.quote(str(home))}\nexport HOME\n")
    _setup_pdf(folder, browser)


def _setup_pdf(folder, browser):
    ours = folder / "wkhtmltopdf"
    if prints_headers(shutil.which("wkhtmltopdf", path=_outer_path())):
        paths.remove(ours)
    elif browser:
        _script(ours, [paths.venv_python(), paths.TOOLS / "wkhtmltopdf.py"])


def prints_headers(program):
    """Whether a wkhtmltopdf is the patched one, which prints headers and footers."""
    return bool(program) and "with patched qt" in run([program, "--version"]).stdout


def _script(path, command, before=""):
    words = " ".join(shlex.quote(str(word)) for word in command)
    path.write_text(f'#!/bin/sh\n{before}exec {words} "$@"\n')
    path.chmod(0o755)
