"""A real browser: Debian's Chromium, driven by Playwright."""

import contextlib
from pathlib import Path

from playwright.sync_api import TimeoutError as PageTimeout
from playwright.sync_api import sync_playwright
from soko import browser as installed

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    *installed.QUIET,
)
IDLE_MS = 4_000  # how long a picture waits for the page's images
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}


class NoBrowserError(Exception):
    """No browser on this machine."""


def find_browser():
    """Return the path of a Chromium that is installed here."""
    if found := installed.find():
        return found
    raise NoBrowserError(installed.ADVICE)


class Browser:
    """Opens pages for people, and keeps a picture of each when one is wanted.

    :param pictures: a folder for screenshots, or None
    """

    def __init__(self, chromium, pictures=None):
        self._chromium = chromium
        self._pictures = Path(pictures) if pictures else None
        if self._pictures:
            self._pictures.mkdir(parents=True, exist_ok=True)
        self._pages = []

    def page(self, size=None):
        """Open a page in a fresh context: no cookies, no login."""
        size = size or DESK
        context = self._chromium.new_context(viewport=size, locale="en-GB")
        context.set_default_timeout(45_000)
        page = context.new_page()
        self._pages.append(page)
        return page

    def picture(self, page, name, full=True):
        """Keep a screenshot under this name."""
        if self._pictures:
            with contextlib.suppress(PageTimeout):  # the web client listens for ever
                page.wait_for_load_state("networkidle", timeout=IDLE_MS)
            page.screenshot(path=str(self._pictures / f"{name}.png"), full_page=full)

    def keep_failure(self, folder):
        """Keep what every open page shows, for whoever looks into a failure."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(self._pages, 1):
            with contextlib.suppress(Exception):  # a page may be closed or gone by then
                page.screenshot(path=str(folder / f"story-page-{number}.png"), full_page=True)
        return folder


@contextlib.contextmanager
def open_browser(pictures=None):
    """Start Chromium and yield a :class:`Browser`."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=list(QUIET))
        try:
            yield Browser(chromium, pictures)
        finally:
            chromium.close()


def log_in(page, url, login, password):
    """Fill in Odoo's login form and wait until it is gone."""
    page.goto(f"{url}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click(".oe_login_form button[type=submit]")
    page.wait_for_url(lambda address: "/web/login" not in address)
