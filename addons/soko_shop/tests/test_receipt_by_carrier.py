from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestReceiptByCarrier(ShopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].create({"name": "Carriage", "type": "service"})
        cls.sea, cls.air = cls.env["delivery.carrier"].create(
            [{"name": name, "product_id": product.id} for name in ("Sea Mfano", "Air Mfano")]
        )
        cls.Rule = cls.env["soko.receipt.rule"]
        cls.Rule.search([]).active = False

    def setUp(self):
        super().setUp()
        self.picking = self._web_delivery()
        self.picking.write({"carrier_id": self.sea.id, "carrier_tracking_ref": "SEA-0001"})

    def _report(self, **values):
        return {
            "tracking_ref": "SEA-0001",
            "event_id": "E1",
            "status": "delivered",
            "order": "",
            "delivered_at": fields.Datetime.now(),
            **values,
        }

    def test_carrier_goes_before_country(self):
        germany = self.env.ref("base.de")
        rules = self.Rule.create(
            [
                {"days": 50, "sequence": 1},
                {"days": 20, "country_id": germany.id, "sequence": 2},
                {"days": 90, "carrier_id": self.sea.id, "sequence": 3},
                {"days": 70, "carrier_id": self.sea.id, "country_id": germany.id, "sequence": 4},
            ]
        )
        self.assertEqual(rules._find_for(self.picking).days, 70)
        self.assertEqual(rules[:3]._find_for(self.picking).days, 90)
        self.picking.carrier_id = self.air
        self.assertEqual(rules._find_for(self.picking).days, 20)
        self.assertEqual(rules[3].display_name, "Sea Mfano Germany: 70 days")

    def test_time_by_carrier(self):
        self.Rule.create([{"days": 10}, {"never": True, "carrier_id": self.air.id}])
        other = self._web_delivery()
        other.carrier_id = self.air
        for picking in self.picking | other:
            picking.date_done -= timedelta(days=11)
            self._lines_of(picking).date -= timedelta(days=11)
        self.env.ref("soko_artisan.ir_cron_receive_by_time").method_direct_trigger()
        self.assertEqual(self.picking.soko_received_via, "timeout")
        self.assertFalse(other.soko_received_date)

    def test_twins(self):
        self.Rule.create([{"days": 5}, {"days": 6, "carrier_id": self.sea.id}])
        with self.assertRaisesRegex(ValidationError, "another rule for the same parcels"):
            self.Rule.create({"days": 7, "carrier_id": self.sea.id})

    def test_tracking_number(self):
        token = self.env["soko.receipt.token"].create({"name": "Sea"})
        self.assertEqual(token._receive(self._report(), "{}", "")[0], 200)
        self.assertEqual(self.picking.soko_received_via, "carrier")

    def test_parcels_of_another_carrier(self):
        token = self.env["soko.receipt.token"].create({"name": "Air", "carrier_id": self.air.id})
        self.assertEqual(token._receive(self._report(), "{}", "")[0], 404)
        self.assertFalse(self.picking.soko_received_date)
        token.carrier_id = self.sea
        self.assertEqual(token._receive(self._report(), "{}", "")[1]["result"], "noted")

    def test_two_deliveries_in_one_parcel(self):
        other = self._web_delivery(product=self.ring)
        other.write({"carrier_id": self.sea.id, "carrier_tracking_ref": "SEA-0001"})
        token = self.env["soko.receipt.token"].create({"name": "Sea"})
        self.assertEqual(token._receive(self._report(), "{}", "")[1]["result"], "noted")
        self.assertEqual(token._receive(self._report(), "{}", "")[1]["result"], "already")
        for picking in self.picking | other:
            self.assertEqual(picking.soko_received_via, "carrier")
            self.assertEqual(len(picking.soko_receipt_event_ids), 1)

    def test_shopper_leaves_evidence(self):
        self._tap(self._path(self.picking))
        event = self.picking.soko_receipt_event_ids
        self.assertEqual((event.source, event.outcome), ("shopper", "counted"))
        self.assertEqual(event.partner_id, self.shopper)
        self.assertTrue(event.address)
        self.assertIn("signed link", event.evidence)

    def test_shopper_after_the_carrier(self):
        """She had the page open while the carrier told: kindly answered, kept, no effect."""
        page = self.url_open(self._path(self.picking))
        csrf = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        self.picking._soko_mark_received("carrier", reference="E1")
        for _tap in range(2):
            response = self.url_open(self._path(self.picking), data={"csrf_token": csrf})
            self.assertIn('id="soko_received_told"', response.text)
        self.assertEqual(self.picking.soko_received_via, "carrier")
        events = self.picking.soko_receipt_event_ids.sorted("id")
        self.assertEqual(events.mapped("outcome"), ["counted", "known"])
