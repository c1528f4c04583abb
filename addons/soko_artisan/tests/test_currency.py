from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestCurrency(ArtisanCase):
    """A company that keeps its books in shillings, and shoppers who pay in dollars."""

    @classmethod
    def _enter_company(cls, env):
        kes = env.ref("base.KES")
        kes.active = True
        company = env["res.company"].create(
            {"name": "Kenya House", "currency_id": kes.id, "country_id": env.ref("base.ke").id}
        )
        env.user.company_ids |= company
        env = env(context=dict(env.context, allowed_company_ids=company.ids))
        env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        company.currency_id = kes
        return env

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kes = cls.env.ref("base.KES")
        cls.usd = cls.env.ref("base.USD")
        cls.usd.active = True
        cls._set_rates(("2020-01-01", 100))
        cls.shopper.property_product_pricelist = cls.env["product.pricelist"].create(
            {"name": "Dollars", "currency_id": cls.usd.id}
        )

    @classmethod
    def _set_rates(cls, *rates):
        """Say what a dollar is worth in shillings from which day on."""
        cls.env["res.currency.rate"].search(
            [("currency_id", "in", (cls.usd | cls.kes).ids)]
        ).unlink()
        cls.env["res.currency.rate"].create(
            [
                {
                    "currency_id": cls.usd.id,
                    "company_id": cls.company.id,
                    "name": day,
                    "inverse_company_rate": shillings,
                }
                for day, shillings in rates
            ]
        )

    def _today(self):
        return self.company._soko_today()

    def _dollars(self, quantity, price):
        order = self._order(quantity, price=price)
        self.assertEqual(order.currency_id, self.usd)
        return order

    def _share(self, **values):
        line = {"price_type": "split", "split_percent": 50}
        return self._create_agreement(self.amina, line=line, **values)

    def test_books_are_in_shillings(self):
        self.assertEqual(self.company.currency_id, self.kes)
        self.assertEqual(self.env.company, self.company)

    def test_dollar_sale_of_a_fixed_shilling_price(self):
        """The debt is in shillings, whatever the dollar does; so are bill and payment."""
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 2)
        picking = self._ship(self._dollars(2, 20))
        self._set_rates(("2020-01-01", 170))
        line = self._lines_of(picking)
        self.assertEqual((line.price_unit, line.amount, line.currency_id), (350, 700, self.kes))
        self.assertFalse(line.agreed_currency_id)
        settlement = self._settle_received(picking)
        bill = settlement.bill_id
        self.assertEqual((bill.currency_id, bill.amount_total), (self.kes, 700))
        payable = bill.line_ids.filtered(lambda li: li.account_type == "liability_payable")
        self.assertEqual((payable.balance, payable.amount_currency), (-700, -700))
        payment = self._pay(settlement)
        self.assertEqual((payment.currency_id, payment.amount), (self.kes, 700))
        self.assertEqual(bill.amount_residual, 0)

    def test_share_at_the_rate_of_the_day_it_is_sent(self):
        self._share()
        self._drop_off(self.amina, 3)
        order = self._dollars(1, 20)
        self._set_rates(("2020-01-01", 100), (self._today(), 130))
        picking = self._ship(order)
        self._set_rates(("2020-01-01", 100), (self._today(), 170))
        line = self._lines_of(picking)
        self.assertEqual(line.price_unit, 1300, "half of 20 dollars, at 130")
        self.assertEqual(self._settle_received(picking).bill_id.amount_total, 1300)

    def test_share_is_whole_shillings(self):
        self._set_rates(("2020-01-01", 129.37))
        self._share()
        self._drop_off(self.amina, 1)
        line = self._lines_of(self._ship(self._dollars(1, 19.99)))
        self.assertEqual(line.price_unit, 1293, "19.99 x 129.37 / 2 = 1293.05")

    def test_share_without_a_rate_is_held(self):
        """Odoo converts at 1 when it knows no rate: 20 dollars would be 20 shillings."""
        self._share()
        self._drop_off(self.amina, 1)
        order = self._dollars(1, 20)
        self._set_rates()
        picking = self._ship(order)
        line = self._lines_of(picking)
        self.assertEqual(line.price_unit, 0)
        self.assertTrue(line.blocking_reasons)
        self.assertFalse(self._settle_received(picking))
        self._set_rates(("2020-01-01", 100))
        line.with_user(self.manager).action_price_again()
        self.assertEqual(line.price_unit, 1000)
        self.assertEqual(line._settle().amount_total, 1000)

    def test_dollar_agreement(self):
        """Agreed in dollars, owed in shillings of the day on which it is sent."""
        self._create_agreement(self.amina, line={"price_fixed": 2.5}, currency_id=self.usd.id)
        self._drop_off(self.amina, 2)
        self._set_rates((self._today(), 130.01))
        picking = self._ship(self._dollars(2, 20))
        line = self._lines_of(picking)
        self.assertEqual((line.agreed_currency_id, line.agreed_price), (self.usd, 2.5))
        self.assertAlmostEqual(line.agreed_rate, 130.01, 4)
        self.assertEqual((line.price_unit, line.amount), (325, 650))
        self.assertEqual(self._settle_received(picking).bill_id.amount_total, 650)

    def test_dollar_agreement_sold_for_shillings(self):
        self.shopper.property_product_pricelist = False
        self._create_agreement(self.amina, line={"price_fixed": 2.5}, currency_id=self.usd.id)
        self._drop_off(self.amina, 1)
        order = self._order(1, price=1500)
        self.assertEqual(order.currency_id, self.kes)
        self.assertEqual(self._lines_of(self._ship(order)).price_unit, 250)

    def test_share_of_a_discounted_dollar_sale_that_we_bear(self):
        """Full price in the shop is 1,500 shillings; the shopper pays 12 dollars, 1,200."""
        self._share(discount_bearer="house")
        self._drop_off(self.amina, 1)
        self.assertEqual(self._lines_of(self._ship(self._dollars(1, 12))).price_unit, 750)

    def test_return_of_a_dollar_sale_takes_back_what_was_paid(self):
        self._share()
        self._drop_off(self.amina, 2)
        picking = self._ship(self._dollars(2, 20))
        self._settle_received(picking)
        self._set_rates((self._today(), 170))
        back = self._return(picking, 1)
        self.assertEqual(self._lines_of(back).amount, -1000, "at the rate of the sale")

    def test_margin_of_a_dollar_sale(self):
        self._share()
        self._drop_off(self.amina, 1)
        picking = self._ship(self._dollars(1, 20))
        row = self.env["soko.margin.report"].search([("order_id", "=", picking.sale_id.id)])
        self.assertEqual((row.revenue, row.cost, row.margin), (2000, 1000, 1000))
        self.assertEqual(row.currency_id, self.kes)
