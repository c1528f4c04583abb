from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreementMoney(ArtisanCase):
    def _share(self, line=None, **values):
        return self._create_agreement(
            self.amina, line={"price_type": "split", "split_percent": 50, **(line or {})}, **values
        )

    def _earned(self, quantity, **values):
        return self._lines_of(self._sell(quantity, **values)).mapped("price_unit")

    def _tiers(self, basis, *pairs):
        return {
            "tier_basis": basis,
            "tier_ids": [Command.create({"threshold": at, "percent": pc}) for at, pc in pairs],
        }

    def test_share_rises_with_pieces_sold(self):
        agreement = self._share(self._tiers("month", (3, 60)))
        self._drop_off(self.amina, 10)
        self.assertEqual(self._earned(2, price=1000), [500])
        self.assertEqual(self._earned(2, price=1000), [550], "one at 50 %, one at 60 %")
        self.assertEqual(self._earned(1, price=1000), [600])
        agreement.line_ids.tier_ids.percent = 99
        self.assertEqual(self._earned(1, price=1000), [600], "these came under 60 %")

    def test_two_lots_in_one_delivery_count_on(self):
        self._share(self._tiers("year", (1, 60)))
        for _time in range(2):
            self._drop_off(self.amina, 1)
        self.assertEqual(sorted(self._earned(2, price=1000)), [500, 600])

    def test_returned_pieces_do_not_count(self):
        self._share(self._tiers("month", (2, 60)))
        self._drop_off(self.amina, 5)
        self._return(self._sell(2, price=1000), 2)
        self.assertEqual(self._earned(1, price=1000), [500])

    def test_share_by_sale_price(self):
        self._share(self._tiers("price", (1000, 55)))
        self._drop_off(self.amina, 5)
        self.assertEqual(self._earned(1, price=998), [499])
        self.assertEqual(self._earned(1, price=1000), [550])

    def test_tiers_are_whole(self):
        with self.assertRaisesRegex(ValidationError, "say both"):
            self._share({"tier_basis": "month"})
        with self.assertRaisesRegex(ValidationError, "tiers are for shares"):
            self._create_agreement(self.amina, line=self._tiers("month", (3, 60)))

    def test_who_bears_a_discount(self):
        self._share(discount_bearer="shared")
        self._drop_off(self.amina, 1)
        self.assertEqual(self._earned(1, price=1500, discount=20), [600])
        self._create_agreement(
            self.baraka, line={"price_type": "split", "split_percent": 50},
            discount_bearer="house",
        )
        self._drop_off(self.baraka, 2)
        self.assertEqual(self._earned(1, price=1500, discount=20), [750])
        self.assertEqual(self._earned(1, price=2000), [1000], "more than the list price")

    def test_used_is_due_when_sent(self):
        self._create_agreement(self.amina, debt_trigger="used", hold_days=2)
        self._drop_off(self.amina, 1)
        self.assertEqual(self._lines_of(self._sell(1)).state, "due")

    # === CURRENCY === #

    def _foreign(self, rate):
        currency = self.env["res.currency"].create(
            {"name": "XTS", "symbol": "T", "rounding": 0.01}
        )
        if rate:
            self._set_rate(currency, rate)
        return currency

    def _set_rate(self, currency, rate):
        self.env["res.currency.rate"].search([("currency_id", "=", currency.id)]).unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "name": self.env.company._soko_today(),
             "inverse_company_rate": rate, "company_id": self.company.id}
        )

    def test_rate_of_the_day_of_the_sale(self):
        currency = self._foreign(125)
        agreement = self._create_agreement(
            self.amina, line={"price_fixed": 2.5}, currency_id=currency.id
        )
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        self.assertEqual((lot.soko_currency_id, lot.soko_unit_price), (currency, 2.5))
        self._set_rate(currency, 130)
        line = self._lines_of(self._sell(1))
        self.assertEqual((line.price_unit, line.currency_id), (325, self.company.currency_id))
        self.assertEqual((line.agreed_currency_id, line.agreed_price), (currency, 2.5))
        self.assertAlmostEqual(line.agreed_rate, 130, 4)
        self.assertEqual(agreement.version_id.terms["currency"], "XTS")

    def test_no_rate_no_debt_at_one(self):
        currency = self._foreign(0)
        with self.assertRaisesRegex(ValidationError, "no rate"):
            self._create_agreement(self.amina, currency_id=currency.id)
        self._set_rate(currency, 125)
        self._create_agreement(self.baraka, currency_id=currency.id)
        lot = self._drop_off(self.baraka, 1).move_line_ids.lot_id
        self.env["res.currency.rate"].search([("currency_id", "=", currency.id)]).unlink()
        line = self._lines_of(self._sell(1))
        self.assertEqual(line.price_unit, 0)
        self.assertTrue(line.blocking_reasons)
        self._set_rate(currency, 10)
        lot.soko_unit_price = 350
        self.assertEqual(line.price_unit, 3500)
