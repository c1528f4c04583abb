"""``./soko test``: checks, each module's own tests, and the end-to-end tests, counted together."""
from __future__ import annotations

import ast
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from . import config, databases, odoo_log, paths, postgres
from .ui import Stop, say, tail

CHECKS, OUTER = "checks", "e2e"
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed", re.M)
SIDE_BY_SIDE = 2
END_OF_LOG = 25  # lines shown when Odoo ended before its tests did
LONGEST = 40 * 60  # seconds that one module's tests may take; four times the longest measured
SLOW = 60  # seconds from which a single test is named
STUCK = -signal.SIGKILL  # what a run that was stopped for its length returns


@dataclass
class Result:
    """What one suite came to."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)  # texts for people

    def fail(self, text):
        """Count one failure and keep what to say about it."""
        self.failed += 1
        self.failures.append(text)

    def line(self):
        """Return this result in one line."""
        skipped = f", {self.skipped} skipped for a listed reason" if self.skipped else ""
        return f"{self.name}: {self.passed} passed, {self.failed} failed{skipped}"


# ---------------------------------------------------------------------- which tests
def suites(names):
    """Return the suites to run: all, or the named ones.

    :raises Stop: for a name that is neither an add-on nor a suite
    """
    known = [CHECKS, *paths.addons(), OUTER]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Stop(f"There is no {', '.join(unknown)}; there are: {', '.join(known)}")
    return [name for name in known if name in names] if names else known


def tests_of(module):
    """Return Class.method of each test that stands in a module's test files."""
    found = []
    for path in sorted((paths.ADDONS / module / "tests").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found += [f"{node.name}.{item.name}" for item in node.body if _is_test(item)]
    return found


def _is_test(node):
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test")


def tags(module, word):
    """Return Odoo's test tags for the tests of a module that have a word in their name.

    :return: None when there is no such test
    """
    if not word:
        return f"/{module}"
    chosen = [name for name in tests_of(module) if word.lower() in f"{module}:{name}".lower()]
    return ",".join(f"/{module}:{name}" for name in chosen) or None


# ---------------------------------------------------------------------- a module's tests
def run_module(server, template, module, word):
    """Install a module on a copy of the template and run its tests; None when none is chosen."""
    chosen = tags(module, word)
    if not chosen:
        return None
    kept = paths.FAILURES / module
    paths.remove(kept)
    log = paths.LOGS / f"test-{module}.log"
    database = f"soko_test_{module}_{os.getpid()}"
    with databases.copy_of(server, template, database):
        returned = run_odoo(server, database, module, chosen, log, kept)
    result = judge(module, odoo_log.read(databases.read(log)), returned, log)
    if result.failed:
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(log), str(kept / log.name))
        result.failures.append(f"kept for {module}: log and screenshots in {kept}")
    else:
        paths.remove(kept)
    tell(result, odoo_log.durations(databases.read(log)))
    return result


def tell(result, durations):
    """Say at once what a module's tests came to: a run that is cut short has told what it knew.

    :param durations: seconds of each test by its name
    """
    say(result.line())
    for name, seconds in sorted(durations.items(), key=lambda item: -item[1]):
        if seconds >= SLOW:
            say(f"slow: {name} took {seconds:.0f} s")
    for text in result.failures:
        sys.stdout.write(f"\n--- {text}\n")
    sys.stdout.flush()


def run_odoo(server, database, module, chosen, log, screenshots):
    """Run Odoo's own test runner and return its exit code, or STUCK after LONGEST seconds."""
    conf = config.write(f"{database}.conf", config.for_tests(server))
    command = [
        paths.venv_python(), "-m", "odoo", "-c", conf, "-d", database, "-i", module,
        "--test-tags", chosen, "--stop-after-init", "--screenshots", screenshots,
    ]
    try:
        with open(log, "w") as output:
            return subprocess.run(
                [str(word) for word in command], env=test_environment(server), check=False,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=str(paths.STATE),
                timeout=LONGEST,
            ).returncode
    except subprocess.TimeoutExpired:
        return STUCK
    finally:
        paths.remove(conf)


def test_environment(server):
    """Return the environment of unit tests: no address of a running system may leak in."""
    env = config.environment(server)
    for name in ("SOKO_MPESA_BASE_URL", "SOKO_MPESA_CALLBACK_URL", "SOKO_SMS_URL"):
        env.pop(name, None)
    return env


def judge(module, report, returned, log):
    """Return the :class:`Result` of a report.

    Failures are: a failed test, a skipped one that nobody gave a reason for, a suite without
    tests, a warning in the log, and Odoo ending before its tests did.
    """
    result = Result(module, passed=len(report.passed))
    for name, trace in sorted(report.failed.items()):
        result.fail(f"{name}\n{trace}")
    _judge_skips(result, report)
    if not report.complete:
        end = tail(databases.read(log), END_OF_LOG)
        why = f"stopped after {LONGEST // 60} minutes, in {report.last}" if returned == STUCK \
            else f"Odoo ended before its tests did (code {returned})"
        result.fail(f"{module}: {why}\n{end}")
        return result
    for text in odoo_log.unexpected(report.loud, odoo_log.allowed("log")):
        result.fail(f"{module}: Odoo's log has\n{text}")
    if not result.failed and (returned or not report.started):
        result.fail(f"{module}: Odoo ended with code {returned} and {len(report.started)} tests")
    return result


def _judge_skips(result, report):
    reasoned = odoo_log.allowed("skip")
    texts = {f"{name}: {reason}" for name, reason in report.skipped.items()}
    bad = odoo_log.unexpected(sorted(texts), reasoned)
    result.skipped = len(texts) - len(bad)
    for text in bad:
        result.fail(f"skipped without a listed reason: {text}")


def run_modules(modules, word, jobs):
    """Run the tests of modules on the fast cluster, some side by side."""
    chosen = [module for module in modules if tags(module, word)]
    if not chosen:
        return []
    server = postgres.server(durable=False)
    with server.hold():
        template = databases.ensure_template(server)
        databases.drop_left_over(server)
        say(f"modules: {', '.join(chosen)}")
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting = [
                pool.submit(run_module, server, template, module, word) for module in chosen
            ]
            return [job.result() for job in waiting]


# ---------------------------------------------------------------------- the other suites
def run_checks():
    """Run lint and the checks of ``tools/checks`` and count its closing line."""
    result = Result(CHECKS)
    command = [str(paths.venv_python()), str(paths.TOOLS / CHECKS)]
    returned, text = stream(command, dict(os.environ, SOKO_HOME=str(paths.STATE)))
    closing = CLOSING.findall(text)
    if closing:
        result.passed, result.failed = (int(number) for number in closing[-1])
    if result.failed:
        result.failures.append("checks: see above")
    elif returned or not result.passed:
        result.fail(f"checks: ended with code {returned} and {result.passed} checks")
    return result


def run_outer(word):
    """Run the end-to-end tests by pytest."""
    result = Result(OUTER)
    xml = paths.LOGS / "e2e.xml"
    paths.remove(xml)
    command = [str(paths.venv_python()), "-m", "pytest", "-q", "--tb=short", f"--junitxml={xml}"]
    command += ["-k", word] if word else []
    env = dict(os.environ, SOKO_HOME=str(paths.STATE), PYTHONUNBUFFERED="1")
    returned, _text = stream([*command, str(paths.ROOT / "tests")], env)
    if word and returned == 5:  # no such test here; a module may have one
        return None
    if not xml.exists():
        result.fail(f"e2e: pytest ended with code {returned} before it had a result")
        return result
    count(result, ElementTree.parse(str(xml)).getroot())
    if not result.passed and not result.failed:
        result.fail("e2e: no test ran")
    return result


def count(result, report):
    """Add the tests of a JUnit report; a failure in both test and clean-up counts once."""
    reasoned = odoo_log.allowed("skip")
    for case in report.iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.fail(f"{name}: see above")
        elif skip is None:
            result.passed += 1
        elif odoo_log.unexpected([f"{name}: {skip.get('message')}"], reasoned):
            result.fail(f"skipped without a listed reason: {name}: {skip.get('message')}")
        else:
            result.skipped += 1


def stream(command, env):
    """Run a program, show its output as it comes, and return its code and its output."""
    lines = []
    with subprocess.Popen(
        command, env=env, cwd=str(paths.ROOT), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:
        for line in process.stdout:
            lines.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    return process.returncode, "".join(lines)


# ---------------------------------------------------------------------- all of it
def run_all(names, word=None, jobs=None):
    """Run the chosen suites and print what they came to.

    :param names: add-ons or suites; none means all
    :param word: only tests with this word in their name
    :return: the exit code; the last line printed is ``N passed, N failed``
    """
    chosen = suites(names)
    results = []
    if CHECKS in chosen and not word:
        results.append(run_checks())
    modules = [name for name in chosen if name in paths.addons()]
    results += run_modules(modules, word, jobs or min(SIDE_BY_SIDE, os.cpu_count() or 1))
    if OUTER in chosen:
        results.append(run_outer(word))
    return summarise([result for result in results if result])


def summarise(results):
    """Print what failed and a line a suite, then the total; return the exit code."""
    sys.stdout.write("\n")
    for result in results:
        sys.stdout.write(result.line() + "\n")
        for text in result.failures:
            sys.stdout.write(f"  {text.splitlines()[0]}\n")
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    if not passed and not failed:
        sys.stdout.write("no test was chosen\n")
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    sys.stdout.flush()
    return 1 if failed or not passed else 0
