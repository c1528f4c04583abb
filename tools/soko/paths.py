"""Where things lie. Everything the launcher makes is in ``.soko/`` of the checkout."""
from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from .ui import Stop, say

TOOLS = Path(__file__).resolve().parent.parent
ROOT = TOOLS.parent
ADDONS = ROOT / "addons"
STATE = Path(os.environ.get("SOKO_HOME") or ROOT / ".soko").absolute()
CACHE = Path(os.environ.get("SOKO_CACHE") or STATE / "cache").absolute()
VENV = STATE / "venv"
DATA = STATE / "data"
FILESTORE = DATA / "filestore"
LOGS = STATE / "log"
FAILURES = STATE / "failures"
LOGINS = STATE / "logins.json"
MPESA_KEY = STATE / "mpesa.key"


def claims(database):
    """Return the file in which payouts sent from a database are listed, outside of it."""
    return STATE / f"mpesa-claims-{database}"


def venv_python():
    """Return the path of the Python that runs Odoo."""
    return VENV / "bin" / "python"


def outside():
    """Return the folder that stands in for ``.soko/`` where a rule of the system forbids it.

    Two cases, both for PostgreSQL only: the server refuses to run as root and its own account
    may not enter the checkout (a folder under /root, mode 0700), or the socket's path would be
    longer than the system allows (about 100 characters). ``./soko reset`` removes it.
    """
    return Path("/var/tmp") / ("soko-" + hashlib.sha256(str(STATE).encode()).hexdigest()[:10])


def prepare():
    """Make ``.soko/`` with its folders, hidden from git.

    :raises Stop: when the checkout cannot be written to
    """
    try:
        for folder in (STATE, LOGS, CACHE, DATA):
            folder.mkdir(parents=True, exist_ok=True)
        ignore = STATE / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        (STATE / ".writable").touch()
    except OSError as error:
        raise Stop(
            f"{STATE} cannot be written to ({error.strerror}): "
            "name a folder of yours in SOKO_HOME, or use a checkout that belongs to you."
        ) from None


def need_space(folder, megabytes, what):
    """Stop before a big step when the disk has too little room for it."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(str(folder)).free >> 20
    if free < megabytes:
        raise Stop(
            f"Too little room for {what}: {megabytes} MB are needed in {folder}, {free} MB are "
            "free. Free some, or move the cache elsewhere with SOKO_CACHE."
        )


def remove(path):
    """Remove a file or a folder, whether it is there or not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(str(path), ignore_errors=True)
    elif path.exists() or path.is_symlink():
        path.unlink()


@contextlib.contextmanager
def locked(name):
    """Do something that two calls of ``./soko`` must not do at the same time."""
    with open(STATE / f"{name}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"another ./soko is busy ({name}); waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(*folders):
    """Return a hash of all files under these folders, by name and content."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(folder)).encode())
                total.update(path.read_bytes())
    return total.hexdigest()


def addons():
    """Return the names of this project's add-ons, sorted."""
    return sorted(path.parent.name for path in ADDONS.glob("*/__manifest__.py"))
