from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestReceiptRule(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Rule = cls.env["soko.receipt.rule"]
        cls.Rule.search([]).active = False
        cls.kenya, cls.germany = cls.env.ref("base.ke"), cls.env.ref("base.de")
        cls.europe = cls.env["res.country.group"].create(
            {"name": "Europe Mfano", "country_ids": [Command.set(cls.germany.ids)]}
        )
        cls.shopper.country_id = cls.germany
        cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 9)

    def _shipped(self, days):
        """Return a delivery that was sent `days` ago."""
        picking = self._sell(1)
        picking.date_done = fields.Datetime.now() - timedelta(days=days)
        self._lines_of(picking).date = self.company._soko_day_of(picking.date_done)
        return picking

    def _run(self):
        with self.enter_registry_test_mode():
            self.env.ref("soko_artisan.ir_cron_receive_by_time").method_direct_trigger()

    def test_time_has_passed(self):
        self.Rule.create({"days": 21})
        late, early = self._shipped(21), self._shipped(20)
        self._run()
        self.assertEqual(late.soko_received_via, "timeout")
        self.assertEqual(self._lines_of(late).state, "due")
        self.assertFalse(early.soko_received_date)
        event = late.soko_receipt_event_ids
        self.assertEqual((event.source, event.outcome), ("timeout", "counted"))
        self.assertIn("Everywhere: 21 days", event.evidence)

    def test_twice_is_once(self):
        self.Rule.create({"days": 5})
        picking = self._shipped(6)
        self._run()
        first = picking.soko_received_date
        self._run()
        self.assertEqual(picking.soko_received_date, first)
        self.assertEqual(len(picking.soko_receipt_event_ids), 1)

    def test_no_rule_no_receipt(self):
        picking = self._shipped(500)
        self._run()
        self.assertFalse(picking.soko_received_date)

    def test_most_specific_rule_counts(self):
        anywhere = self.Rule.create({"days": 60, "sequence": 1})
        europe = self.Rule.create({"days": 30, "country_group_id": self.europe.id, "sequence": 2})
        germany = self.Rule.create({"days": 10, "country_id": self.germany.id, "sequence": 3})
        picking = self._shipped(11)
        rules = self.Rule.search([])
        self.assertEqual(rules._find_for(picking), germany)
        self.assertEqual((rules - germany)._find_for(picking), europe)
        self.shopper.country_id = self.kenya
        self.assertEqual(rules._find_for(picking), anywhere)
        self.shopper.country_id = False
        self.assertEqual(rules._find_for(picking), anywhere)
        self.assertFalse((rules - anywhere)._find_for(picking))

    def test_upper_of_two_groups(self):
        both = self.env["res.country.group"].create(
            {"name": "Both Mfano", "country_ids": [Command.set((self.germany | self.kenya).ids)]}
        )
        lower = self.Rule.create({"days": 9, "country_group_id": both.id, "sequence": 5})
        upper = self.Rule.create({"days": 8, "country_group_id": self.europe.id, "sequence": 4})
        self.assertEqual((lower | upper)._find_for(self._shipped(1)), upper)

    def test_never(self):
        self.Rule.create({"days": 1})
        self.Rule.create({"never": True, "country_id": self.germany.id})
        picking = self._shipped(400)
        self._run()
        self.assertFalse(picking.soko_received_date)
        self.shopper.country_id = self.kenya
        self._run()
        self.assertTrue(picking.soko_received_date)

    def test_only_what_makers_wait_for(self):
        self.Rule.create({"days": 5})
        back, own = self._shipped(9), self._sell_own()
        self._return(back, 1)
        self._run()
        self.assertFalse(back.soko_received_date)
        self.assertFalse(back.soko_receipt_event_ids)
        self.assertFalse(own.soko_received_date)

    def _sell_own(self):
        product = self.env["product.product"].create({"name": "Box", "is_storable": True})
        self.env["stock.quant"]._update_available_quantity(
            product, self.warehouse.lot_stock_id, 3
        )
        picking = self._sell(1, product=product)
        picking.date_done -= timedelta(days=9)
        return picking

    def test_a_broken_one_stops_no_other(self):
        self.Rule.create({"days": 5})
        first, second = self._shipped(9), self._shipped(9)
        Picking = type(first)
        mark = Picking._soko_mark_received

        def break_first(pickings, via, **facts):
            if pickings == first:
                raise ValueError("broken")
            return mark(pickings, via, **facts)

        with patch.object(Picking, "_soko_mark_received", break_first):
            with self.assertLogs("odoo.addons.soko_artisan", "WARNING") as log:
                self._run()
        self.assertIn(f"delivery {first.id} was not noted", log.output[0])
        self.assertFalse(first.soko_received_date)
        self.assertTrue(second.soko_received_date)

    def test_each_company_by_its_own_rule(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.Rule.create({"days": 1, "company_id": other.id})
        picking = self._shipped(9)
        self._run()
        self.assertFalse(picking.soko_received_date)

    def test_bad_rules(self):
        for values in ({"days": 0}, {"days": -1}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
                self.Rule.create(values)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.Rule.create(
                {"country_id": self.kenya.id, "country_group_id": self.europe.id, "days": 3}
            )
        self.Rule.create({"country_id": self.kenya.id, "days": 3})
        with self.assertRaisesRegex(ValidationError, "another rule for the same parcels"):
            self.Rule.create({"country_id": self.kenya.id, "days": 4})

    def test_roles(self):
        rule = self.Rule.create({"days": 5})
        self.assertTrue(rule.with_user(self.officer).read(["days"]))
        with self.assertRaises(AccessError):
            rule.with_user(self.officer).days = 1
        rule.with_user(self.manager).days = 6
        self.assertEqual(rule.days, 6)
        stranger = self._create_user("stranger", "base.group_user")
        with self.assertRaises(AccessError):
            rule.with_user(stranger).read(["days"])
        other = self.env["res.company"].create({"name": "Other"})
        rule.company_id = other
        self.assertFalse(self.Rule.with_user(self.manager).search([("id", "=", rule.id)]))
