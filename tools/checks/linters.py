"""ruff and pylint-odoo, as installed beside this Python; set in pyproject.toml and .pylintrc."""

import importlib.util
import json
import re
import subprocess
import sys

from .tree import Finding

# Texts that only a test reads need no translation.
FINE_IN_TESTS = {"translation-required"}
PYLINT_LINE = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+): (?P<text>\S+ (?P<name>[^:]+): .+)$")


def ruff(tree):
    """ruff over the repository (or the wanted modules)."""
    if not importlib.util.find_spec("ruff"):
        return [_missing("ruff")]
    targets = [str(a.path) for a in tree.wanted] if tree.only else ["."]
    done = _run(tree, "ruff", "check", "--no-cache", "--output-format=json", *targets)
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        return [Finding("pyproject.toml", 0, f"ruff could not run: {done.stderr.strip()[-500:]}")]
    return [_ruff_finding(tree, row) for row in rows]


def _ruff_finding(tree, row):
    text = f"{row['code'] or 'syntax'} {row['message']}"
    return tree.finding(tree.root / row["filename"], row["location"]["row"], text)


def pylint_odoo(tree):
    """pylint with the Odoo plugin's mandatory set over the add-ons."""
    if not importlib.util.find_spec("pylint_odoo"):
        return [_missing("pylint-odoo")]
    if not tree.wanted:
        return []
    template = "--msg-template={path}:{line}: {msg_id} {symbol}: {msg}"
    names = [tree.name(a.path) for a in tree.wanted]
    done = _run(tree, "pylint", "--rcfile=.pylintrc", "--score=n", template, *names)
    if done.returncode & 32 or (done.returncode and not done.stdout.strip()):
        return [Finding(".pylintrc", 0, f"pylint could not run: {done.stderr.strip()[-500:]}")]
    hits = filter(None, map(PYLINT_LINE.match, done.stdout.splitlines()))
    wanted = (h for h in hits if not (h["name"] in FINE_IN_TESTS and "/tests/" in h["path"]))
    return [Finding(h["path"], int(h["line"]), h["text"]) for h in wanted]


def _run(tree, tool, *args):
    command = [sys.executable, "-m", tool, *args]
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True)


def _missing(tool):
    return Finding(sys.executable, 0, f"has no {tool}; ./soko setup installs it")
