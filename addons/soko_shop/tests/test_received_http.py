from datetime import timedelta

from odoo import fields
from odoo.tests import freeze_time, new_test_user, tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestReceived(ShopCase):
    def setUp(self):
        super().setUp()
        self.picking = self._web_delivery()
        self.path = self._path(self.picking)

    def test_looking_changes_nothing(self):
        for _turn in range(2):
            response = self.url_open(self.path)
            self.assertEqual(response.status_code, 200)
            self.assertFalse(self.picking.soko_received_date)
        text = self._text(response)
        self.assertIn("Cuff, raw brass", text)
        self.assertIn("Amina Mfano is paid now", text)
        self.assertIn('action="/shop/received/', response.text)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertIn("noindex", response.headers["X-Robots-Tag"])
        self._assert_no_secrets(response)

    def test_tap_once(self):
        response = self._tap(self.path)
        self.assertIn('id="soko_received_thanks"', response.text)
        self.assertTrue(self.picking.soko_received_date)
        self.assertEqual(self.picking.soko_received_via, "shopper")
        line = self._lines_of(self.picking)
        self.assertIn(line.state, ("due", "settled"))

    def test_second_tap_is_answered_kindly(self):
        token = self.url_open(self.path)
        self._tap(self.path)
        first = self.picking.soko_received_date
        with freeze_time(fields.Datetime.now() + timedelta(days=2)):
            self.assertIn('id="soko_received_told"', self.url_open(self.path).text)
        csrf = token.text.split('name="csrf_token" value="')[1].split('"')[0]
        again = self.url_open(self.path, data={"csrf_token": csrf})
        self.assertIn('id="soko_received_told"', again.text)
        self.assertNotIn('action="/shop/received/', again.text)
        self.assertEqual(self.picking.soko_received_date, first)
        self.assertEqual(len(self._lines_of(self.picking)), 1)

    def test_tap_needs_the_page(self):
        with self.assertLogs("odoo.http", "WARNING") as log:
            response = self.url_open(self.path, data={"csrf_token": "made up"})
        self.assertIn("CSRF", log.output[0])
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.picking.soko_received_date)

    def test_broken_link(self):
        token = self.path.rpartition("/")[2]
        swapped = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
        for wrong in (swapped, token[:-6], "x", "%00", "AQ", "é", "A" * 4000):
            with self.subTest(token=wrong[:12]):
                response = self.url_open(f"/shop/received/{wrong}")
                self.assertEqual(response.status_code, 404)
                self.assertIn('id="soko_received_problem"', response.text)
        self.assertFalse(self.picking.soko_received_date)

    def test_expired_link(self):
        with freeze_time(fields.Datetime.now() + timedelta(days=61)):
            response = self.url_open(self.path)
            self.assertEqual(response.status_code, 410)
            self.assertIn("run out", self._text(response))
            self.assertEqual(self._find(self.path), "expired")
        self.assertFalse(self.picking.soko_received_date)

    def _find(self, path):
        token = path.rpartition("/")[2]
        return self.env["stock.picking"]._soko_find_by_received_token(token)[1]

    def test_link_is_good_to_the_last_day(self):
        with freeze_time(fields.Datetime.now() + timedelta(days=59)):
            self.assertEqual(self._find(self.path), "")

    def test_link_of_another_order(self):
        other = self._web_delivery()
        self._tap(self._path(other))
        self.assertTrue(other.soko_received_date)
        self.assertFalse(self.picking.soko_received_date)

    def test_token_of_another_purpose(self):
        from odoo.tools import hash_sign

        token = hash_sign(self.env, "something.else", self.picking.id)
        self.assertEqual(self._find(token), "unknown")

    def test_only_done_deliveries_of_makers(self):
        receipt = self.env["stock.picking"].search([("soko_artisan_id", "=", self.amina.id)])[:1]
        waiting = self._web_order().picking_ids
        for picking in (receipt, waiting):
            self.assertFalse(picking._soko_is_receivable())
            self.assertEqual(self.url_open(self._path(picking)).status_code, 404)

    def test_hold_days_are_said(self):
        self.picking.move_line_ids.lot_id.soko_hold_days = 7
        self.assertIn("is paid in 7 days", self._text(self.url_open(self.path)))

    def test_maker_who_is_not_named(self):
        path = self._path(self._web_delivery(product=self.ring))
        response = self.url_open(path)
        self.assertIn("An artisan in Kisumu, Kenya is paid now", self._text(response))
        self.assertNotIn("Baraka", response.text)

    # === E-MAIL === #

    def _mails(self, picking):
        return self.env["mail.mail"].search(
            [("model", "=", "stock.picking"), ("res_id", "=", picking.id)]
        )

    def test_mail_with_the_link(self):
        mail = self._mails(self.picking)
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.shopper)
        self.assertIn("/shop/received/", mail.body_html)
        self.assertIn("Amina Mfano", mail.body_html)
        token = mail.body_html.split("/shop/received/")[1].split('"')[0]
        found = self.env["stock.picking"]._soko_find_by_received_token(token)
        self.assertEqual(found[0], self.picking)

    def test_no_mail_without_the_shop_or_an_address(self):
        self.assertFalse(self._mails(self._sell(1)))
        self.shopper.email = False
        self.assertFalse(self._mails(self._web_delivery()))

    def test_mail_when_a_packer_ships(self):
        packer = self._create_user("packer", "stock.group_stock_user")
        picking = self._web_order().picking_ids
        picking.move_ids.picked = True
        picking.with_user(packer).button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(len(self._mails(picking)), 1)

    def test_two_deliveries_at_once(self):
        pickings = self._web_order().picking_ids | self._web_order(product=self.ring).picking_ids
        pickings.move_ids.picked = True
        pickings._action_done()
        self.assertEqual([len(self._mails(picking)) for picking in pickings], [1, 1])

    # === PORTAL === #

    def test_shopper_sees_the_button_on_her_order(self):
        new_test_user(self.env, "soko_shopper", "base.group_portal", partner_id=self.shopper.id)
        self.authenticate("soko_shopper", "soko_shopper")
        page = f"/my/orders/{self.picking.sale_id.id}"
        response = self.url_open(page)
        self.assertIn("soko_received_link", response.text)
        path = "/shop/received/" + response.text.split("/shop/received/")[1].split('"')[0]
        self._tap(path)
        self.assertTrue(self.picking.soko_received_date)
        text = self._text(self.url_open(page))
        self.assertIn("Received on", text)
        self.assertNotIn("soko_received_link", text)
