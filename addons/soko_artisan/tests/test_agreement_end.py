from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreementEnd(ArtisanCase):
    """The end of an agreement: notice, grace, and bad input at the counter."""

    def setUp(self):
        super().setUp()
        self.today = self.env.company._soko_today()

    def _ended(self, days_ago, grace):
        return self._create_agreement(
            self.amina,
            date_start=self.today - timedelta(days=90),
            date_end=self.today - timedelta(days=days_ago),
            grace_days=grace,
        )

    def test_grace_takes_in_with_a_warning(self):
        agreement = self._ended(2, 5)
        form = Form(self.env["soko.drop.off"].with_context(default_artisan_id=self.amina.id))
        self.assertIn(agreement.name, form.warning)
        self.assertIn("new agreement", form.warning)
        picking = self._drop_off(self.amina, 2)
        self.assertEqual(picking.state, "done")
        self.assertIn("ended on", " ".join(picking.message_ids.mapped("body")))
        self.env["soko.agreement"]._cron_expire()
        self.assertEqual(agreement.state, "active")
        self._sell(1)
        self.assertFalse(
            self.env["soko.replenishment"].search([("artisan_id", "=", self.amina.id)]),
            "nobody is asked for pieces under an agreement that is over",
        )

    def test_after_grace_nothing(self):
        agreement = self._ended(6, 5)
        with self.assertRaisesRegex(UserError, "no agreement in force"):
            self._drop_off(self.amina, 2)
        self.env["soko.agreement"]._cron_expire()
        self.assertEqual(agreement.state, "expired")

    def test_new_agreement_goes_before_one_in_grace(self):
        self._ended(2, 30)
        self._create_agreement(self.amina, line={"price_fixed": 400}, date_start=self.today)
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        self.assertEqual(lot.soko_unit_price, 400)

    def test_notice_is_given_once(self):
        agreement = self._create_agreement(
            self.amina, date_end=self.today + timedelta(days=20), user_id=self.officer.id
        )
        later = self._create_agreement(self.baraka, date_end=self.today + timedelta(days=60))
        self.company.soko_expiry_notice_days = 30
        for _day in range(2):
            self.env["soko.agreement"]._cron_notify_expiry()
        self.assertEqual(agreement.expiry_notice_date, self.today)
        self.assertEqual(len(self._sms_to(self.amina)), 1)
        self.assertIn(agreement.name, self._sms_to(self.amina).body)
        self.assertEqual(agreement.activity_ids.user_id, self.officer)
        self.assertEqual(len(agreement.activity_ids), 1)
        self.assertFalse(later.expiry_notice_date or self._sms_to(self.baraka))
        agreement.date_end = self.today + timedelta(days=25)
        self.assertFalse(agreement.expiry_notice_date, "another end is told again")

    def test_other_companys_warehouse(self):
        self._create_agreement(self.amina)
        other = self.env["res.company"].create({"name": "Other"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", other.id)], limit=1)
        wizard = self.env["soko.drop.off"].create(
            {
                "artisan_id": self.amina.id,
                "warehouse_id": warehouse.id,
                "line_ids": [
                    Command.clear(), Command.create({"product_id": self.cuff.id, "quantity": 1})
                ],
            }
        )
        with self.assertRaisesRegex(UserError, "another company"):
            wizard.action_confirm()

    def test_somebody_elses_product(self):
        ring = self._create_product("Ring, raw brass")
        self._create_agreement(self.amina)
        self._create_agreement(self.baraka, product=ring)
        with self.assertRaisesRegex(UserError, "no agreement in force on Ring"):
            self._drop_off(self.amina, 1, product=ring)
        self.assertEqual(self._stock_of(self.amina, ring), 0)

    def test_draft_has_no_price_yet(self):
        self._create_agreement(self.amina, active=False)
        with self.assertRaisesRegex(UserError, "no price"):
            self._drop_off(self.amina, 1)
