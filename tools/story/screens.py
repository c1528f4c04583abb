"""Pictures of the office's screens, for the manual and for a look with one's own eyes."""

from browser import log_in


class OfficeScreens:
    """Opens records in the web client as the people who work with them.

    :param Browser browser: opens and keeps the pages
    :param Places places: where Odoo is, and the passwords
    """

    def __init__(self, browser, places):
        self._browser = browser
        self._places = places
        self._pages = {}

    def show(self, login, model, record_id, name):
        """Keep a picture of one record's form."""
        self._keep(login, f"/odoo/{model}/{record_id}", ".o_form_view .o_form_sheet", name)

    def show_apps(self):
        """Keep a picture of our add-ons in the list of apps."""
        page = self._page("admin")
        page.goto(f"{self._places.odoo}/odoo/apps")
        page.wait_for_selector(".o_kanban_view .o_kanban_record")
        page.locator(".o_searchview .o_facet_remove").first.click()
        page.fill(".o_searchview_input", "soko")
        page.press(".o_searchview_input", "Enter")
        page.wait_for_selector(".o_facet_value:has-text('soko')")
        self._browser.picture(page, "apps", full=False)

    def _page(self, login):
        if login not in self._pages:
            page = self._pages[login] = self._browser.page()
            log_in(page, self._places.odoo, login, self._places.passwords[login])
        return self._pages[login]

    def _keep(self, login, path, wanted, name):
        page = self._page(login)
        page.goto(self._places.odoo + path)
        page.wait_for_selector(wanted)
        self._browser.picture(page, name, full=False)
