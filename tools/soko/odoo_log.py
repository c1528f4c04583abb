"""What Odoo's log says about a test run: tests that ran, failed or were skipped, and warnings."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} \d+ (?P<level>[A-Z]+) (?P<database>\S+) "
    r"(?P<logger>\S+): (?P<text>.*)$"
)
TEST_LOGGER = re.compile(r"^odoo\.addons\.(\w+)\.tests\.(\w+)")
STARTING = re.compile(r"^Starting (\S+) \.\.\.")
FAILED = re.compile(r"^(?:ERROR|FAIL): (?:Subtest )?(.+)$")
SKIPPED = re.compile(r"^skipped (\S+)(?: \([^)]*\))? : (.*)$")
TOTAL = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading")
LOUD = ("WARNING", "ERROR", "CRITICAL")
EXCEPTIONS = Path(__file__).with_name("log_exceptions.txt")


@dataclass
class Report:
    """The result of one test run of Odoo, by the names of the tests."""

    started: set = field(default_factory=set)
    failed: dict = field(default_factory=dict)  # name: traceback
    skipped: dict = field(default_factory=dict)  # name: reason
    loud: list = field(default_factory=list)  # entries at WARNING or above, but for failed tests
    complete: bool = False  # Odoo came to its closing line
    last: str = "no test"  # the test that started last

    @property
    def passed(self):
        """Return the names of the tests that ran and passed."""
        return self.started - set(self.failed) - set(self.skipped)


def entries(text):
    """Yield (match of the first line, whole text) of each entry of a log."""
    match, lines = None, []
    for line in text.splitlines():
        found = LINE.match(line)
        if found:
            if match:
                yield match, "\n".join(lines)
            match, lines = found, []
        lines.append(line)
    if match:
        yield match, "\n".join(lines)


def cause(text, lines=6):
    """Return the end of the last error in a log, or of the log itself."""
    errors = [block for match, block in entries(text) if match["level"] in ("ERROR", "CRITICAL")]
    return "\n".join((errors[-1] if errors else text).strip().splitlines()[-lines:])


def read(text):
    """Return the :class:`Report` of a log."""
    report = Report()
    for match, block in entries(text):
        if TOTAL.search(match["text"]):
            report.complete = True
        elif not _test_entry(report, match, block) and match["level"] in LOUD:
            report.loud.append(block)
    return report


def durations(text):
    """Return the seconds of each test: from its start to the next one's, or to the log's end."""
    seconds, name, begun, now = {}, None, None, None
    for match, _block in entries(text):
        now = datetime.fromisoformat(match["time"])
        where = TEST_LOGGER.match(match["logger"])
        found = where and STARTING.match(match["text"])
        if found:
            if name:
                seconds[name] = (now - begun).total_seconds()
            name, begun = f"{where[1]}/{where[2]}:{found[1]}", now
    if name:
        seconds[name] = (now - begun).total_seconds()
    return seconds


def _test_entry(report, match, block):
    """Note what an entry says about a test; return whether it says anything."""
    where = TEST_LOGGER.match(match["logger"])
    if not where:
        return match["logger"].startswith("odoo.tests.result")
    name = f"{where[1]}/{where[2]}:%s"
    for pattern, note in ((STARTING, _start), (FAILED, _fail), (SKIPPED, _skip)):
        found = pattern.match(match["text"])
        if found:
            note(report, name % _plain(found[1]), found, block)
            return True
    return False


def _plain(name):
    """Return Class.test of a test's name, without the parameters of a sub-test."""
    setup = re.match(r"^setUpClass \((\S+)\)", name)
    if setup:
        return setup[1].rsplit(".", 1)[-1] + ".setUpClass"
    return name.split(" ", 1)[0]


def _start(report, name, _found, _block):
    report.started.add(name)
    report.last = name


def _fail(report, name, _found, block):
    report.failed[name] = "\n".join(filter(None, (report.failed.get(name), block)))


def _skip(report, name, found, _block):
    report.skipped[name] = found[2]


def allowed(kind, path=EXCEPTIONS):
    """Return the patterns of one kind (``log`` or ``skip``) of the list of exceptions.

    A line is ``kind: pattern``; each stands under a comment with its reason.

    :raises ValueError: for a line without a comment above it
    """
    patterns, before = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _colon, pattern = line.partition(": ")
        if word in ("log", "skip"):
            if not before.startswith("#"):
                raise ValueError(f"{path.name}: no reason stands above {line!r}")
            if word == kind:
                patterns.append(re.compile(pattern))
        before = line
    return patterns


def unexpected(texts, patterns):
    """Return the texts that no pattern is found in."""
    return [text for text in texts if not any(pattern.search(text) for pattern in patterns)]
