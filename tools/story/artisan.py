"""The maker with a small phone: her page, and the message that she has been paid."""

from browser import PHONE, log_in


class ArtisanPhone:
    """Her page at 320 pixels, without JavaScript.

    :param Browser browser: opens her page
    :param str url: the address of Odoo
    :param str login: her login
    :param str password: her password
    """

    def __init__(self, browser, url, login, password):
        self._browser = browser
        self._url = url
        self._page = browser.page(PHONE)
        log_in(self._page, url, login, password)

    def look(self, name):
        """Open her page, keep a picture of it, and return its words."""
        page = self._page
        page.goto(f"{self._url}/my/artisan")
        self._browser.picture(page, name)
        return page.inner_text("#wrap")

    def too_wide(self):
        """Tell whether she would have to scroll sideways."""
        return self._page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )

    def accept_first_request(self):
        """Say yes to the first request to replenish; return whether there was one."""
        button = self._page.locator("form[action$='/accept'] button").first
        if not button.count():
            return False
        with self._page.expect_navigation():
            button.click()
        return True
