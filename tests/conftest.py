"""Fixtures of the end-to-end tests: a whole running system, and a browser that keeps pictures.

``soko_system`` has its own copy of the demo database, its own free ports, simulator and postbox.
"""
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from soko import browser, config, databases, odoo_log, paths, postgres  # noqa: E402
from soko.services import System  # noqa: E402

KEPT = paths.FAILURES / "e2e"
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
LOG_TAIL = 40


class TestSystem(System):
    """A running system for tests.

    Beside :class:`soko.services.System` (``url``, ``simulator_url``, ``postbox_url``,
    ``database``, ``logins_file``, ``simulator``/``postbox``/``odoo`` with ``stop``, ``start``
    and ``wait``, ``server.sql(text, database)``) it checks Odoo's log: see :meth:`expect_log`.
    """

    __test__ = False  # not a test case, whatever its name

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.expected = []

    def expect_log(self, pattern):
        """Allow warnings and errors in Odoo's log that a test provokes on purpose."""
        self.expected.append(re.compile(pattern))

    def loud(self):
        """Return the entries of Odoo's log at WARNING or above that nobody expected."""
        report = odoo_log.read(databases.read(self.odoo.log))
        return odoo_log.unexpected(report.loud, [*odoo_log.allowed("log"), *self.expected])


@pytest.fixture(scope="session")
def soko_system(worker_name):
    """A whole running system on a fresh copy of the demo; fails on warnings in Odoo's log."""
    paths.prepare()
    shutil.rmtree(KEPT, ignore_errors=True)
    server = postgres.server()
    with server.hold():
        databases.drop_left_over(server)
        demo = databases.ensure_demo(server)
        with databases.copy_of(server, demo, worker_name):
            logins = databases.demo_logins(demo).read_text()
            system = TestSystem(server, worker_name, config.Ports.free(), worker_name, logins)
            yield from _running(system)


def _running(system):
    system.start()
    loud = []
    try:
        yield system
        loud = system.loud()  # before the end: a request that is cut off then is no fault
    finally:
        system.stop()
        paths.remove(system.state)
        paths.remove(system.conf)
    if loud:
        _keep_logs(system)
        pytest.fail(f"Odoo's log ({KEPT}) has\n" + "\n".join(loud), pytrace=False)


@pytest.fixture(scope="session")
def worker_name():
    """The name of this run's database, settings and logs; the process's number makes it ours."""
    return f"soko_e2e_{os.getpid()}"


@pytest.fixture(scope="session")
def soko_browser():
    """A headless Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    program = browser.find()
    assert program, browser.ADVICE
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", *browser.QUIET]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(soko_browser):
    """A function that opens a page in a fresh context: ``open_page(size=PHONE)``."""
    contexts = []

    def opened(size=None, **options):
        context = soko_browser.new_context(viewport=size or DESK, locale="en-GB", **options)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep pictures of open pages and the logs' tails when a test fails, and say where."""
    report = yield
    if report.failed and call.when in ("setup", "call"):
        name = re.sub(r"\W+", "-", item.name)
        _keep_pictures(item, name)
        system = item.funcargs.get("soko_system") if hasattr(item, "funcargs") else None
        if system:
            _keep_logs(system)
            tail = databases.read(system.odoo.log).splitlines()[-LOG_TAIL:]
            report.sections.append((f"Odoo's log, all of it in {KEPT}", "\n".join(tail)))
    return report


def _keep_pictures(item, name):
    chromium = getattr(item, "funcargs", {}).get("soko_browser")
    if not chromium:
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    pages = [page for context in chromium.contexts for page in context.pages]
    for number, page in enumerate(pages, 1):
        page.screenshot(path=str(KEPT / f"{name}-{number}.png"))


def _keep_logs(system):
    KEPT.mkdir(parents=True, exist_ok=True)
    for service in system.services:
        if service.log.exists():
            shutil.copyfile(service.log, KEPT / f"{service.name}.log")
