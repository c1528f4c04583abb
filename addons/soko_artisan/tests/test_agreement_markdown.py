from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreementMarkdown(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schedule = cls.env["soko.markdown.schedule"].create(
            {
                "name": "Slow pieces",
                "notice_days": 7,
                "step_ids": [
                    Command.create({"days": 60, "percent": 20}),
                    Command.create({"days": 120, "percent": 40}),
                ],
            }
        )
        cls.today = cls.env.company._soko_today()
        cls.Markdown = cls.env["soko.markdown"]

    def _aged(self, days, quantity=2, artisan=None, **values):
        """Return the lot of a drop-off that is so many days old."""
        artisan = artisan or self.amina
        if not artisan._get_running_agreement_lines():
            self._create_agreement(artisan, **{"markdown_schedule_id": self.schedule.id, **values})
        lot = self._drop_off(artisan, quantity).move_line_ids.lot_id
        lot.soko_drop_off_date = self.today - timedelta(days=days)
        return lot

    def _run(self, days_later=0):
        """Run the daily action, as it were `days_later`."""
        self.env["stock.lot"].search([("soko_markdown", "!=", False)])
        for markdown in self.Markdown.search([("state", "=", "announced")]):
            markdown.date_start -= timedelta(days=days_later)
        self.Markdown._cron_mark_down()

    def _price(self, product=None):
        return self._order_price(product or self.cuff)

    def _order_price(self, product):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.shopper.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        return order.order_line.price_unit

    def test_young_pieces_cost_the_full_price(self):
        self._aged(10)
        self._run()
        self.assertFalse(self.Markdown.search([("product_id", "=", self.cuff.id)]))
        self.assertEqual(self._price(), 1500)

    def test_told_first_then_in_the_shop(self):
        lot = self._aged(60)
        self._run()
        self._run()
        markdown = self.Markdown.search([("lot_id", "=", lot.id)])
        self.assertEqual((len(markdown), markdown.state), (1, "announced"))
        self.assertEqual(markdown.date_start, self.today + timedelta(days=7))
        self.assertEqual(len(self._sms_to(self.amina)), 1)
        self.assertIn("20 % less", self._sms_to(self.amina).body)
        self.assertEqual(self._price(), 1500)
        self._run(7)
        self.assertEqual(markdown.state, "running")
        self.assertEqual((self._price(), self.cuff.lst_price), (1200, 1500))
        template = self.cuff.product_tmpl_id
        self.assertEqual((template.soko_markdown_percent, template.soko_shop_price), (20, 1200))
        self.assertEqual(template._price_compute("list_price")[template.id], 1200)

    def test_pricelist_starts_from_it(self):
        self._aged(60)
        self._run()
        self._run(7)
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Wholesale",
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        self.assertEqual(pricelist._get_product_price(self.cuff, 1), 600)

    def test_floor(self):
        self._aged(60, line={"floor_price": 1300})
        self._run()
        self._run(7)
        self.assertEqual(self._price(), 1300)

    def test_stop_takes_it_back(self):
        self._aged(60)
        self._run()
        self._run(7)
        markdown = self.Markdown.search([("product_id", "=", self.cuff.id)])
        with self.assertRaises(AccessError):
            markdown.with_user(self.officer).action_stop()
        markdown.with_user(self.manager).action_stop()
        self.assertEqual((markdown.state, self._price()), ("stopped", 1500))
        self._run()
        self.assertEqual((markdown.state, self._price()), ("stopped", 1500))

    def test_ends_with_the_old_pieces(self):
        self._aged(60, quantity=1)
        self._aged(1, quantity=1, artisan=self.baraka)
        self._run()
        self._run(7)
        self.assertEqual(self._price(), 1200)
        self._sell(1)
        self._run()
        self.assertEqual(self._price(), 1500)
        markdown = self.Markdown.search([("product_id", "=", self.cuff.id)])
        self.assertEqual((markdown.state, markdown.date_end), ("ended", self.today))

    def test_second_step(self):
        self._aged(125)
        self._run()
        self.assertEqual(
            set(self.Markdown.search([("product_id", "=", self.cuff.id)]).mapped("percent")),
            {20, 40},
        )
        self._run(7)
        self.assertEqual(self._price(), 900)

    def test_changed_schedule_leaves_lots_alone(self):
        self._aged(30)
        self.schedule.step_ids.filtered(lambda s: s.days == 60).days = 10
        self._run()
        self.assertFalse(self.Markdown.search([("product_id", "=", self.cuff.id)]))

    def _earned_marked_down(self, **values):
        self._aged(60, **values)
        self._run()
        self._run(7)
        order = self._order(1, price=self._price())
        return self._lines_of(self._ship(order)).price_unit

    def test_artisan_shares_it(self):
        self.assertEqual(self._earned_marked_down(line={"price_fixed": 500}), 400)

    def test_artisan_shares_it_in_a_share(self):
        share = {"price_type": "split", "split_percent": 50}
        self.assertEqual(self._earned_marked_down(line=share), 600)

    def test_house_bears_it(self):
        self.schedule.bearer = "house"
        self.assertEqual(self._earned_marked_down(line={"price_fixed": 500}), 500)

    def test_house_bears_it_in_a_share(self):
        self.schedule.bearer = "house"
        share = {"price_type": "split", "split_percent": 50}
        self.assertEqual(self._earned_marked_down(line=share), 750)
