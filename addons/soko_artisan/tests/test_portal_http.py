import re

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import ArtisanCase

SIZE_LIMIT = 60_000  # bytes; the page is opened on prepaid data


@tagged("post_install", "-at_install")
class TestPortal(ArtisanCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls._create_user("wanjiru", "base.group_portal", name="Wanjiru Mfano")
        cls.wanjiru = cls.env["soko.artisan"].create(
            {"partner_id": cls.user.partner_id.id, "stage": "active"}
        )
        for artisan in cls.wanjiru | cls.baraka:
            cls._create_agreement(artisan)
        cls._drop_off(cls.wanjiru, 5)

    def _open(self, url="/my/artisan", login="soko_wanjiru"):
        self.authenticate(login, login)
        return self.url_open(url)

    def _text(self, response):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text)).replace("\xa0", " ")

    def _post(self, request, answer, token=None):
        if token is None:
            page = self.url_open("/my/artisan").text
            token = re.search(r'name="csrf_token" value="([^"]+)"', page)
            token = token.group(1) if token else ""
        return self.url_open(
            f"/my/artisan/replenishment/{request.id}/{answer}", data={"csrf_token": token}
        )

    def test_money_pieces_and_requests(self):
        sold = self._sell(2)
        payment = self._pay(self._settle_received(sold))
        payment.payment_reference = "SKT1234567"
        self._sell(1)
        response = self._open()
        self.assertEqual(response.status_code, 200)
        self.assertLess(len(response.content), SIZE_LIMIT)
        text = self._text(response)
        for part in ("Paid so far", "700", "SKT1234567", "2 × Cuff, raw brass", "350"):
            self.assertIn(part, text)
        self.assertLess(text.index("Owed to you"), text.index("Your pieces in the office"))
        self.assertEqual(text.count("Yes, I will"), 2)
        self.assertNotIn("Shopper Mfano", text)
        self.assertNotIn("1,500", text)

    def test_pieces_that_are_all_sold_are_not_in_the_office(self):
        self._sell(5)
        self.assertIn("Your pieces in the office None now.", self._text(self._open()))

    def test_page_stays_small_with_much_on_it(self):
        for index in range(8):
            product = self._create_product(f"Pendant number {index}, recycled bone and brass")
            self._create_agreement(self.wanjiru, product=product)
            self._drop_off(self.wanjiru, 2, product=product)
            self._sell(1, product=product)
        response = self._open()
        self.assertEqual(response.status_code, 200)
        self.assertLess(len(response.content), SIZE_LIMIT)

    def test_answers(self):
        self._sell(1)
        self._sell(1)
        first, second = self.env["soko.replenishment"].search(
            [("artisan_id", "=", self.wanjiru.id)], order="id"
        )
        self._open()
        self.assertIn("written down", self._text(self._post(first, "accept")))
        self.assertIn("written down", self._text(self._post(second, "decline")))
        self.assertEqual((first.state, second.state), ("accepted", "declined"))

    def test_answered_before(self):
        self._sell(1)
        self._sell(1)
        request = self.env["soko.replenishment"].search(
            [("artisan_id", "=", self.wanjiru.id)], order="id", limit=1
        )
        request._answer("accepted")
        self._open()
        self.assertIn("answered before", self._text(self._post(request, "decline")))
        self.assertEqual(request.state, "accepted")

    def test_no_token_no_effect(self):
        self._sell(1)
        request = self.env["soko.replenishment"].search([("artisan_id", "=", self.wanjiru.id)])
        self._open()
        with mute_logger("odoo.http"):
            self.assertEqual(self._post(request, "accept", token="wrong").status_code, 400)
        self.assertEqual(request.state, "requested")
        got = self.url_open(f"/my/artisan/replenishment/{request.id}/accept")
        self.assertIn(got.status_code, (404, 405))

    def test_requests_of_others_are_not_found(self):
        self._sell(5)
        other = self.env["soko.replenishment"].create(
            {"artisan_id": self.baraka.id, "product_id": self.cuff.id, "quantity": 1}
        )
        self._open()
        self.assertEqual(self._post(other, "accept").status_code, 404)
        own = self.env["soko.replenishment"].search([("artisan_id", "=", self.wanjiru.id)])
        self.assertEqual(self._post(own, "burn").status_code, 404)
        self.assertEqual((own.state, other.state), ("requested", "requested"))

    def test_nobody_else(self):
        self._create_user("nobody", "base.group_portal")
        response = self._open(login="soko_nobody")
        self.assertEqual(response.status_code, 404)
        self.assertIn("This page is for artisans", response.text)
        self.assertNotIn("Your money", response.text)
        self._create_user("employee", "base.group_user")
        self.assertEqual(self._open(login="soko_employee").status_code, 404)
        self.authenticate(None, None)
        self.assertIn("/web/login", self.url_open("/my/artisan").url)

    def test_card_on_the_home_page(self):
        self.assertIn("My money and pieces", self._open("/my/home").text)
        self._create_user("nobody", "base.group_portal")
        self.assertNotIn("My money and pieces", self._open("/my/home", "soko_nobody").text)
