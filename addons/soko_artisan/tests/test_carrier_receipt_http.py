import json
from datetime import timedelta, timezone

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from .common import ArtisanCase

PATH = "/soko/carrier/receipt"


@tagged("post_install", "-at_install")
class TestCarrierReceipt(ArtisanCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 5)
        cls.picking = cls._sell(2)
        cls.carrier = cls.env["soko.receipt.token"].create({"name": "Courier Mfano"})
        cls.token = cls._rotate(cls.carrier)

    @classmethod
    def _rotate(cls, carrier):
        return carrier.action_rotate()["context"]["default_key"]

    def _when(self, **delta):
        moment = fields.Datetime.now() + timedelta(**delta)
        return moment.replace(tzinfo=timezone.utc).isoformat()

    def _body(self, **changes):
        return {
            "tracking_ref": self.picking.name,
            "event_id": "E1",
            "status": "delivered",
            "delivered_at": self._when(),
            **changes,
        }

    def _post(self, body=None, token=None, content_type="application/json", **changes):
        """Report, and return (status, word of the answer)."""
        headers = {"Content-Type": content_type}
        if token != "":
            headers["Authorization"] = f"Bearer {token or self.token}"
        data = json.dumps(self._body(**changes)) if body is None else body
        response = self.url_open(PATH, data=data, headers=headers)
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "application/json")
        answer = response.json()
        self.assertEqual(set(answer), {"result", "message"})
        self.assertNotIn("Traceback", response.text)
        return response.status_code, answer["result"]

    def _assert_untouched(self):
        self.assertFalse(self.picking.soko_received_date)
        self.assertFalse(self.picking.soko_receipt_event_ids)

    # === A GOOD REPORT === #

    def test_delivered(self):
        body = self._body()
        self.assertEqual(self._post(json.dumps(body)), (200, "noted"))
        self.assertEqual(self.picking.soko_received_via, "carrier")
        self.assertEqual(self._lines_of(self.picking).state, "due")
        event = self.picking.soko_receipt_event_ids
        self.assertEqual((event.token_id, event.reference), (self.carrier, "E1"))
        self.assertEqual(json.loads(event.evidence), body)
        self.assertEqual(event.tracking_ref, self.picking.name)
        self.assertTrue(event.address)

    def test_repeated(self):
        self.assertEqual(self._post(), (200, "noted"))
        first = self.picking.soko_received_date
        for _time in range(2):
            self.assertEqual(self._post(delivered_at=self._when(minutes=1)), (200, "already"))
        self.assertEqual(len(self.picking.soko_receipt_event_ids), 1)
        self.assertEqual(self.picking.soko_received_date, first)

    def test_after_the_shopper(self):
        self.picking._soko_mark_received("shopper")
        self.assertEqual(self._post(), (200, "already"))
        self.assertEqual(self.picking.soko_received_via, "shopper")
        outcomes = self.picking.soko_receipt_event_ids.mapped("outcome")
        self.assertEqual(sorted(outcomes), ["counted", "known"])

    def test_order_named(self):
        order = self.picking.sale_id
        self.assertEqual(self._post(order=order.name), (200, "noted"))

    def test_other_status(self):
        for status in ("in_transit", "failed", "Returned"):
            self.assertEqual(self._post(status=status, delivered_at=None), (200, "ignored"))
        self._assert_untouched()

    # === WITHOUT A TOKEN === #

    def test_no_token_learns_nothing(self):
        answers = {
            self._post(token=token, tracking_ref=ref)
            for token in ("", "x", self.token[:-1], self.token + "x", "Ã©")
            for ref in (self.picking.name, "NOWHERE")
        }
        answers.add(self._post(token="wrong", body="{"))
        answers.add(self._post(token="wrong", body="x", content_type="text/plain"))
        self.assertEqual(answers, {(401, "unauthorized")})
        self._assert_untouched()

    def test_says_how_to_sign_in(self):
        response = self.url_open(PATH, data="{}")
        self.assertEqual(response.status_code, 401)
        self.assertEqual(response.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_looking_is_not_allowed(self):
        self.assertEqual(self.url_open(PATH).status_code, 405)

    def test_old_and_archived_tokens(self):
        new = self._rotate(self.carrier)
        self.assertEqual(self._post(), (401, "unauthorized"))
        self.carrier.active = False
        self.assertEqual(self._post(token=new), (401, "unauthorized"))
        self.carrier.active = True
        self.assertEqual(self._post(token=new), (200, "noted"))

    # === BAD INPUT === #

    def test_bad_bodies(self):
        for body in (" ", "{", "[]", "null", json.dumps(self._body(event_id=""))):
            self.assertEqual(self._post(body), (400, "bad_request"))
        for moment in (None, "soon", "2026-03-02T10:00:00"):
            self.assertEqual(self._post(delivered_at=moment), (400, "bad_request"))
        self._assert_untouched()

    def test_wrong_type(self):
        for content_type in ("text/plain", "application/x-www-form-urlencoded"):
            self.assertEqual(self._post(content_type=content_type), (415, "bad_type"))
        self._assert_untouched()

    def test_too_large(self):
        body = json.dumps(self._body(note="x" * 17000))
        self.assertEqual(self._post(body), (413, "too_large"))
        self._assert_untouched()

    def test_long_evidence_is_cut(self):
        self.assertEqual(self._post(json.dumps(self._body(note="x" * 9000))), (200, "noted"))
        self.assertEqual(len(self.picking.soko_receipt_event_ids.evidence), 4000)

    def test_unknown_number(self):
        self.assertEqual(self._post(tracking_ref="NOWHERE"), (404, "unknown"))

    def test_wrong_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        carrier = self.env["soko.receipt.token"].create({"name": "C", "company_id": other.id})
        self.assertEqual(self._post(token=self._rotate(carrier)), (404, "unknown"))
        self._assert_untouched()

    def test_a_drop_off_is_no_delivery(self):
        receipt = self.env["stock.picking"].search([("soko_artisan_id", "=", self.amina.id)])[:1]
        back = self._return(self.picking, 1)
        for picking in (receipt, back):
            self.assertEqual(self._post(tracking_ref=picking.name), (404, "unknown"))

    def test_times_that_can_not_be(self):
        for number, (delta, word) in enumerate(
            (({"hours": 2}, "future"), ({"days": -3}, "before_shipped"))
        ):
            for _repeated in range(2):
                answer = self._post(event_id=f"T{number}", delivered_at=self._when(**delta))
                self.assertEqual(answer, (422, word))
        self.assertFalse(self.picking.soko_received_date)
        self.assertEqual(len(self.picking.soko_receipt_event_ids), 2)
        self.assertEqual(self._post(event_id="T3"), (200, "noted"), "a good one counts")

    def test_not_sent_yet(self):
        waiting = self._order(1).picking_ids
        self.assertEqual(self._post(tracking_ref=waiting.name), (409, "not_shipped"))
        self.assertFalse(waiting.soko_receipt_event_ids)
        self._ship(waiting.sale_id)
        self.assertEqual(self._post(tracking_ref=waiting.name), (200, "noted"))

    def test_cancelled_and_returned(self):
        waiting = self._order(1).picking_ids
        waiting.action_cancel()
        self.assertEqual(self._post(tracking_ref=waiting.name), (422, "cancelled"))
        self._return(self.picking, 2)
        self.assertEqual(self._post(event_id="E2"), (422, "returned"))

    def test_for_another_order(self):
        other = self._sell(1)
        answer = self._post(order=other.sale_id.name)
        self.assertEqual(answer, (409, "other_order"))
        self._assert_untouched()
        self.assertEqual(self._post(tracking_ref=other.name), (200, "noted"))
        self.assertEqual(self._post(), (409, "other_delivery"), "E1 told of the other one")
        self._assert_untouched()

    # === THE TOKEN === #

    def test_token_is_shown_once_and_not_kept(self):
        carrier = self.carrier.with_user(self.manager)
        token = self._rotate(carrier)
        self.assertEqual(carrier.prefix, token[:8])
        self.assertEqual(carrier.rotated_by_id, self.manager)
        self.assertNotIn("digest", carrier.fields_get())
        with self.assertRaises(AccessError):
            carrier.read(["digest"])
        self.env.flush_all()
        self.env.cr.execute("SELECT t::text FROM soko_receipt_token t")
        self.assertNotIn(token, str(self.env.cr.fetchall()))
        shown = self.env["soko.receipt.token.show"].with_user(self.manager)
        shown = shown.with_context(default_key=token).onchange({}, [], {"key": {}})
        self.assertEqual(shown["value"]["key"], token)

    def test_who_makes_tokens(self):
        self.assertTrue(self.carrier.with_user(self.officer).read(["name", "prefix"]))
        stranger = self._create_user("stranger", "stock.group_stock_user")
        for user in (self.officer, stranger):
            with self.assertRaises(AccessError):
                self.carrier.with_user(user).action_rotate()
        with self.assertRaises(AccessError):
            self.carrier.with_user(stranger).read(["name"])
        with self.assertRaises(AccessError):
            self.carrier.with_user(self.manager).digest = "x"
        self.assertEqual(self._post(), (200, "noted"), "the token is still good")

    def test_other_company_s_token(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.carrier.company_id = other
        with self.assertRaises(AccessError):
            self.carrier.with_user(self.manager).action_rotate()
