import random
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from odoo.addons.soko_artisan.tools.pricing import (
    base_price,
    is_payable,
    marked_down,
    percent_at,
    reduce_fixed,
    split_price,
    tiered_price,
)
from odoo.addons.soko_artisan.tools.terms import changed_keys, content_hash, same_terms

ROUNDS = 500


@tagged("post_install", "-at_install")
class TestAgreementTools(BaseCase):
    """Properties that hold for any figures; the seed is fixed, so a failure comes again."""

    def setUp(self):
        super().setUp()
        self.dice = random.Random(20261125)

    def _tiers(self):
        thresholds = self.dice.sample(range(1, 60), self.dice.randint(0, 3))
        return [[at, self.dice.randint(1, 100)] for at in thresholds]

    def test_share_changes_exactly_at_the_threshold(self):
        self.assertEqual(percent_at(50, [[20, 55]], 19), 50)
        self.assertEqual(percent_at(50, [[20, 55]], 20), 55)
        self.assertEqual(percent_at(50, [[40, 60], [20, 55]], 45), 60)
        self.assertEqual(percent_at(50, [], 1000), 50)

    def test_twenty_at_fifty_then_fifty_five(self):
        self.assertEqual(tiered_price(1000, 50, [[20, 55]], 0, 20, 1.0), 500)
        self.assertEqual(tiered_price(1000, 50, [[20, 55]], 20, 3, 1.0), 550)
        self.assertEqual(tiered_price(1000, 50, [[20, 55]], 19, 2, 1.0), 525)
        self.assertEqual(tiered_price(1000, 50, [[20, 55]], 19, 3, 1.0), 534, "533.33 and up")

    def test_delivery_pays_what_its_pieces_earn_and_less_than_a_step_more(self):
        for _round in range(ROUNDS):
            base, percent = self.dice.randint(1, 9999), self.dice.randint(1, 100)
            tiers, before = self._tiers(), self.dice.randint(0, 80)
            quantity = self.dice.randint(1, 30)
            unit = tiered_price(base, percent, tiers, before, quantity, 1.0)
            each = [
                split_price(base, percent_at(percent, tiers, before + index), 1.0)
                for index in range(quantity)
            ]
            total = Decimal(str(unit)) * quantity
            self.assertTrue(is_payable(unit, 1.0))
            self.assertGreaterEqual(total, sum(map(Decimal, each)))
            self.assertLess(total - sum(map(Decimal, each)), quantity)

    def test_one_by_one_earns_no_more_than_their_own_places(self):
        for _round in range(ROUNDS):
            base, percent, tiers = self.dice.randint(1, 9999), 50, self._tiers()
            at = self.dice.randint(0, 80)
            single = tiered_price(base, percent, tiers, at, 1, 1.0)
            self.assertEqual(single, split_price(base, percent_at(percent, tiers, at), 1.0))

    def test_house_bears_never_earns_her_less(self):
        for _round in range(ROUNDS):
            listed = self.dice.randint(1, 9999)
            marked = self.dice.randint(1, listed)
            net = self.dice.randint(1, listed)
            shared = base_price(net, listed, marked, False, False)
            self.assertEqual(shared, net)
            for discount in (False, True):
                for markdown in (False, True):
                    base = base_price(net, listed, marked, discount, markdown)
                    self.assertGreaterEqual(round(base, 6), net)
            self.assertEqual(base_price(net, listed, marked, True, True), max(net, listed))
            self.assertEqual(base_price(net, 0, 0, True, True), net, "an order of the past")

    def test_markdown_keeps_between_floor_and_price(self):
        for _round in range(ROUNDS):
            price, floor = self.dice.randint(1, 9999), self.dice.randint(0, 9999)
            marked = marked_down(price, self.dice.randint(0, 99), floor)
            self.assertLessEqual(marked, price)
            self.assertGreaterEqual(marked, min(floor, price))
        self.assertEqual(marked_down(1500, 20, 0), 1200)
        self.assertEqual(marked_down(1500, 20, 1300), 1300)

    def test_fixed_price_shares_a_markdown_in_proportion(self):
        self.assertEqual(reduce_fixed(350, 1500, 1200, 1.0), 280)
        self.assertEqual(reduce_fixed(350, 1500, 1500, 1.0), 350)
        self.assertEqual(reduce_fixed(350, 0, 0, 1.0), 350)

    def test_fingerprint(self):
        terms = {"artisan": "A", "hold_days": 3, "lines": [{"product_id": 1, "product": "Cuff",
                 "price": 350}]}
        renamed = terms | {"artisan": "B"}
        dearer = terms | {"lines": [{"product_id": 1, "product": "Cuff", "price": 351}]}
        self.assertEqual(content_hash(terms), content_hash(dict(reversed(terms.items()))))
        self.assertNotEqual(content_hash(terms), content_hash(renamed))
        self.assertTrue(same_terms(terms, renamed))
        self.assertFalse(same_terms(terms, dearer))
        keys, lines = changed_keys(terms, dearer | {"hold_days": 5})
        self.assertEqual(keys, [("hold_days", 3, 5)])
        self.assertEqual(lines[0][0], "Cuff")
