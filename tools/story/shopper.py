"""The shopper in Berlin: finds a piece, reads who made it, buys it, and says when it came."""

from dataclasses import dataclass

from browser import PHONE

ADDRESS = {
    "name": "Berta Beispiel",
    "phone": "+49 30 901820",
    "street": "Musterstraße 1",
    "city": "Berlin",
    "zip": "10115",
}
TAP = "form[action*='/shop/received/'] button[type=submit]"


@dataclass(frozen=True)
class Said:
    """The words of the page before and after the tap."""

    before: str
    after: str


class Shopper:
    """One person with a browser and an e-mail address.

    :param Browser browser: opens her pages
    :param str url: the address of the shop
    :param str email: where the shop writes to her
    """

    def __init__(self, browser, url, email):
        self._browser = browser
        self._url = url
        self.email = email
        self._page = browser.page()

    def find(self, product):
        """Search the shop for a product and open its page; return the page's text."""
        page = self._page
        page.goto(f"{self._url}/shop")
        page.wait_for_selector("#products_grid")
        self._browser.picture(page, "shop", full=False)
        page.goto(f"{self._url}/shop?search={product}")
        page.locator("#products_grid a", has_text=product).first.click()
        page.wait_for_selector("#product_details")
        page.wait_for_selector("body[is-ready=true]")  # the buttons work from now on
        self._browser.picture(page, "product")
        return page.inner_text("#wrap")

    def buy(self):
        """Put the piece that is open into the cart and pay it; return the order's number."""
        page = self._page
        with page.expect_response(lambda answer: "/shop/cart/add" in answer.url):
            page.click("#add_to_cart")
        page.goto(f"{self._url}/shop/cart")
        self._browser.picture(page, "cart")
        page.click('a[href^="/shop/checkout"] >> visible=true')
        self._give_address()
        self._go_to_payment()
        page.fill("input[name=customer_input]", "4242424242424242")
        page.click("button[name=o_payment_submit_button] >> visible=true")
        page.wait_for_url("**/shop/confirmation", timeout=90_000)
        self._browser.picture(page, "confirmation")
        return page.inner_text("#order_name, [name=order_name]").replace("Order", "").strip()

    def _give_address(self):
        page = self._page
        page.wait_for_selector("form.address_autoformat input[name=name]")
        page.select_option("#o_country_id", label="Germany")
        for name, value in {**ADDRESS, "email": self.email}.items():
            page.fill(f"form.address_autoformat input[name={name}]", value)
        page.click("a[name=website_sale_main_button] >> visible=true")
        page.wait_for_url(lambda address: "/shop/address" not in address)

    def _go_to_payment(self):
        page = self._page
        if "/shop/payment" not in page.url:
            page.click('a[name=website_sale_main_button] >> visible=true')
        page.wait_for_url("**/shop/payment*")
        page.wait_for_selector("button[name=o_payment_submit_button]")

    def say_received(self, link):
        """Open the link of the e-mail on a phone and tap; return what the pages said."""
        phone = self._browser.page(PHONE)
        phone.goto(link)
        self._browser.picture(phone, "received-before")
        before = phone.inner_text("#wrap")
        phone.click(TAP)
        phone.wait_for_selector("#soko_received_thanks")
        self._browser.picture(phone, "received")
        return Said(before, phone.inner_text("#wrap"))

    def open_again(self, link):
        """Open the link once more; return whether it still offers the tap."""
        phone = self._browser.page(PHONE)
        phone.goto(link)
        return phone.locator(TAP).count() > 0
