"""Odoo 19 itself: found on this machine, or fetched from Debian's archive, or cloned by git."""
from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from . import deb, paths
from .apt import Apt
from .ui import Stop, indent, last_line, must, run, say

SERIES = "19.0"
PACKAGE = "odoo-19"
BESIDE = ("libjs-jquery", "fonts-roboto-unhinted", "fonts-montserrat", "fonts-ocr-b")
GIT = "https://github.com/odoo/odoo"
INSTALLED = (Path("/usr/lib/python3/dist-packages"), Path("/opt/odoo"), paths.ROOT.parent / "odoo")
LANGUAGES = os.environ.get("SOKO_LANGS", "de es fr it nl pl pt pt_BR").split()
KEPT = paths.CACHE / "odoo"
RELEASE = re.compile(r"version_info\s*=\s*\(\s*19,\s*0")


def find_in(folder):
    """Return the folder to put on Python's path for an Odoo 19 in ``folder``, or None."""
    folder = Path(folder).expanduser()
    for root in (folder, folder / f"odoo-{SERIES}", folder / "usr/lib/python3/dist-packages"):
        release = root / "odoo" / "release.py"
        if release.is_file() and RELEASE.search(release.read_text()):
            return root.absolute()
    return None


def setup():
    """Make Odoo importable in the virtual environment and return its folder."""
    root = from_name() or from_cache() or from_somewhere()
    link = _link()
    if not link.exists() or link.read_text().strip() != str(root):
        link.write_text(f"{root}\n")
    command = [paths.venv_python(), "-m", "odoo", "--version"]
    version = must(command, f"Odoo in {root} does not start", cwd=str(paths.STATE))
    say(f"odoo: {last_line(version)} in {root}")
    return root


def _link():
    found = sorted(paths.VENV.glob("lib/python3*/site-packages"))
    if not found:
        raise Stop(f"{paths.VENV} is not whole: ./soko setup makes it anew")
    return found[0] / "soko_odoo.pth"


def current():
    """Return the folder of the Odoo that the virtual environment uses.

    :raises Stop: when nothing is set up yet
    """
    link = _link()
    if not link.exists():
        raise Stop("not set up yet: run ./soko setup")
    return Path(link.read_text().strip())


def identity():
    """Return a text that changes with Odoo's source: the package's hash, a commit, or a path."""
    root = current()
    mark = root / ".complete"
    found = re.search(r"[0-9a-f]{40,}", mark.read_text()) if mark.exists() else None
    return found.group() if found else str(root)


def from_name():
    """Return the Odoo that the user names in ``SOKO_ODOO``, or None."""
    named = os.environ.get("SOKO_ODOO")
    if not named:
        return None
    root = find_in(named)
    if not root:
        raise Stop(f"SOKO_ODOO={named} holds no Odoo 19 (no odoo/release.py that says 19.0).")
    return root


def from_cache():
    """Return the newest Odoo fetched before, or None; needs no network."""
    marks = sorted(KEPT.glob("*/.complete"))
    return marks[-1].parent if marks else None


def from_somewhere():
    """Return Odoo by the first way that works.

    :raises Stop: with each way and why it did not work
    """
    failures = []
    for name, way in (("Debian", from_debian), ("installed", from_system), ("git", from_git)):
        try:
            return way()
        except Stop as error:
            failures.append(f"{name}: {error}")
            say(f"odoo: {name}: {str(error).splitlines()[0]}")
    raise Stop(
        "Odoo 19 could not be had:\n  - " + indent("\n- ".join(failures)) +
        "\n  Without network, give one: SOKO_ODOO=/path/to/an/odoo/19.0/checkout ./soko setup"
    )


def from_system():
    """Return an Odoo 19 that is installed on this machine."""
    for folder in INSTALLED:
        root = find_in(folder)
        if root:
            return root
    raise Stop("none in " + ", ".join(str(folder) for folder in INSTALLED))


def from_debian():
    """Fetch, check, unpack, mend and byte-compile Debian's package."""
    apt = Apt()
    say(f"odoo: asking Debian's index ({apt.mirror} sid)")
    apt.update()
    package, about = apt.fetch(PACKAGE)
    say(f"odoo: {PACKAGE} {about['Version']}, {package.stat().st_size >> 20} MB, hash checked")
    beside = [apt.fetch(name)[0] for name in BESIDE]
    paths.need_space(KEPT, 2000, "Odoo's source")
    with InMaking(f"deb-{about['Version']}-{'_'.join(LANGUAGES)}") as (part, target):
        deb.unpack_odoo(package, part, LANGUAGES)
        mended = deb.mend(part / "odoo", beside)
        byte_compile(part / "odoo")
        record = {"version": about["Version"], "sha256": about["SHA256"], "mended": mended}
        (part / ".complete").write_text(json.dumps(record, indent=1, sort_keys=True))
    say(f"odoo: unpacked, {len(mended)} links mended, byte-compiled")
    return target


def byte_compile(folder):
    """Compile once: some machines never keep bytecode, and each start would take 3 s longer."""
    leave = r"/(tests|upgrades|migrations)/"
    must(
        [paths.venv_python(), "-m", "compileall", "-q", "-j", "0", "-x", leave, folder],
        "Odoo's source could not be byte-compiled (disk full?)",
    )


def from_git():
    """Clone Odoo's 19.0 branch, without its history."""
    if not shutil.which("git"):
        raise Stop("git is not installed")
    paths.need_space(KEPT, 3000, "a clone of Odoo")
    address = os.environ.get("SOKO_ODOO_GIT", GIT)
    patience = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30"]
    with InMaking(f"git-{SERIES}") as (part, target):
        clone = ["clone", "-q", "--depth", "1", "-b", SERIES, address, part]
        result = run(["git", *patience, *clone], env=dict(os.environ, GIT_TERMINAL_PROMPT="0"))
        if result.returncode:
            raise Stop(f"clone failed ({last_line(result.stdout)})")
        (part / ".complete").write_text(must(["git", "-C", part, "rev-parse", "HEAD"], "git"))
    return target


class InMaking:
    """A folder that gets its name only when it is whole; what is left of older tries goes."""

    def __init__(self, name):
        self.target = KEPT / name
        self.part = KEPT / f"{name}.part-{os.getpid()}"

    def __enter__(self):
        for old in KEPT.glob("*.part-*"):
            paths.remove(old)
        self.part.mkdir(parents=True)
        return self.part, self.target

    def __exit__(self, kind, value, trace):
        if kind is None:
            paths.remove(self.target)
            self.part.rename(self.target)
        else:
            paths.remove(self.part)
