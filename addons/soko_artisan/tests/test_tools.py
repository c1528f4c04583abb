from odoo.tests import BaseCase, tagged

from odoo.addons.soko_artisan.tools.pricing import is_payable, payable_step, split_price
from odoo.addons.soko_artisan.tools.replenish import quantity_to_ask


@tagged("post_install", "-at_install")
class TestTools(BaseCase):
    def test_shillings_are_whole(self):
        self.assertEqual(payable_step("KES", 0.01), 1.0)
        self.assertEqual(payable_step("USD", 0.01), 0.01)
        self.assertTrue(is_payable(350, 1.0))
        self.assertFalse(is_payable(350.5, 1.0))
        self.assertTrue(is_payable(12.35, 0.01))

    def test_split_rounds_half_up_to_the_step(self):
        self.assertEqual(split_price(1000, 45, 1.0), 450)
        self.assertEqual(split_price(1001, 50, 1.0), 501)
        self.assertEqual(split_price(10.01, 50, 0.01), 5.01)
        self.assertEqual(split_price(0, 50, 1.0), 0)

    def test_without_target_one_for_one(self):
        self.assertEqual(quantity_to_ask(7, 3, 2, 0, 0), 2)

    def test_target_counts_stock_and_promises(self):
        self.assertEqual(quantity_to_ask(2, 1, 1, 0, 5), 2)
        self.assertEqual(quantity_to_ask(5, 1, 1, 0, 5), 0)

    def test_minimum_keeps_quiet_until_it_is_passed(self):
        self.assertEqual(quantity_to_ask(3, 0, 1, 3, 10), 0)
        self.assertEqual(quantity_to_ask(2, 0, 1, 3, 10), 8)
