from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreement(ArtisanCase):
    def test_needs_a_product_to_start(self):
        agreement = self.env["soko.agreement"].create({"artisan_id": self.amina.id})
        with self.assertRaisesRegex(UserError, "names no product"):
            agreement.action_activate()

    def test_two_active_on_one_product_are_refused(self):
        self._create_agreement(self.amina)
        second = self._create_agreement(self.amina, active=False)
        with self.assertRaisesRegex(ValidationError, "already"):
            second.action_activate()
        self._create_agreement(self.baraka)

    def test_one_after_the_other_is_fine(self):
        today = self.env.company._soko_today()
        first = self._create_agreement(self.amina, date_end=today)
        second = self._create_agreement(self.amina, date_start=today + timedelta(days=1))
        self.assertEqual((first.state, second.state), ("active", "active"))
        with self.assertRaises(ValidationError):
            first.date_end = False

    def test_overlap_by_adding_a_line(self):
        other = self._create_product("Ring, raw brass")
        self._create_agreement(self.amina)
        second = self._create_agreement(self.amina, product=other)
        with self.assertRaises(ValidationError):
            second.line_ids = [Command.create({"product_id": self.cuff.id, "price_fixed": 10})]

    def test_expires_by_itself(self):
        yesterday = self.env.company._soko_today() - timedelta(days=1)
        over = self._create_agreement(self.amina, date_start="2020-01-01", date_end=yesterday)
        running = self._create_agreement(self.baraka)
        self.env["soko.agreement"]._cron_expire()
        self.assertEqual((over.state, running.state), ("expired", "active"))

    def test_expired_takes_no_pieces(self):
        self._create_agreement(self.amina).action_expire()
        with self.assertRaisesRegex(UserError, "no agreement in force"):
            self._drop_off(self.amina, 1)

    def test_bad_prices(self):
        for line in (
            {"price_fixed": 0},
            {"price_fixed": -5},
            {"price_type": "split", "split_percent": 0},
            {"price_type": "split", "split_percent": 120},
            {"min_stock": 5, "target_stock": 2},
        ):
            with (
                self.subTest(line),
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self._create_agreement(self.amina, active=False, line=line)

    def test_price_must_be_payable(self):
        self.company.currency_id = self.env.ref("base.KES")
        with self.assertRaisesRegex(ValidationError, "whole sum"):
            self._create_agreement(self.amina, line={"price_fixed": 350.5})

    def test_product_must_be_consigned(self):
        plain = self._create_product("Box", soko_consigned=False)
        with self.assertRaisesRegex(ValidationError, "not a consigned product"):
            self._create_agreement(self.amina, product=plain)

    def test_price_change_is_told_in_the_chatter(self):
        agreement = self._create_agreement(self.amina)
        agreement.line_ids.price_fixed = 400
        body = agreement.message_ids[0].body
        self.assertIn("350", body)
        self.assertIn("400", body)

    def test_group_payee_needs_a_contact(self):
        agreement = self._create_agreement(self.amina, active=False, payee="group")
        with self.assertRaisesRegex(ValidationError, "group"):
            agreement.action_activate()
        self.amina.group_id = self.env["soko.artisan.group"].create(
            {"name": "Test workshop", "partner_id": self.shopper.id}
        )
        agreement.action_activate()
        self.assertEqual(self.amina._get_payee(agreement.payee), self.shopper)

    def test_only_drafts_are_deleted(self):
        agreement = self._create_agreement(self.amina)
        with self.assertRaisesRegex(UserError, "Only a draft"):
            agreement.unlink()
        self._create_agreement(self.baraka, active=False).unlink()
