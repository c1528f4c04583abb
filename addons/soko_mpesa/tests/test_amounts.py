from datetime import date, datetime
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools import amounts, eat


@tagged("post_install", "-at_install", "mpesa")
class TestAmounts(BaseCase):
    def test_whole_shillings(self):
        for owed, carried, pays, rest in (
            ("100.50", "0", 100, "0.50"), ("100.70", "0.50", 101, "0.20"),
            ("100", "0.99", 100, "0.99"), ("99.01", "0.99", 100, "0.00"), ("0.40", "0", 0, "0.40"),
        ):
            with self.subTest(owed=owed, carried=carried):
                self.assertEqual(
                    amounts.whole_shillings(Decimal(owed), Decimal(carried)),
                    (pays, Decimal(rest)))

    def test_cents_of_a_float(self):
        self.assertEqual(amounts.to_cents(0.1 + 0.2), Decimal("0.30"))
        self.assertEqual(amounts.to_cents(100.7 - 100), Decimal("0.70"))

    def test_split(self):
        for amount, largest, parts in (
            (10, 250_000, [10]), (250_000, 250_000, [250_000]), (250_001, 250_000, [249_991, 10]),
            (250_005, 250_000, [249_995, 10]), (250_010, 250_000, [250_000, 10]),
            (500_001, 250_000, [250_000, 249_991, 10]),
            (600_000, 250_000, [250_000, 250_000, 100_000]),
            (25, 15, [15, 10]), (17, 17, [17]),
        ):
            with self.subTest(amount=amount, largest=largest):
                self.assertEqual(amounts.split(amount, largest, 10), parts)

    def test_split_keeps_its_promise(self):
        for largest in (10, 11, 19, 20, 25, 99):
            for amount in range(10, 400):
                try:
                    parts = amounts.split(amount, largest, 10)
                except ValueError:
                    self.assertGreater(10 * -(-amount // largest), amount)
                    continue
                self.assertEqual(sum(parts), amount)
                self.assertTrue(all(10 <= part <= largest for part in parts), parts)
                self.assertEqual(len(parts), -(-amount // largest), "no more parts than needed")

    def test_no_parts(self):
        for amount, largest in ((9, 250_000), (25, 10), (0, 10)):
            with self.subTest(amount=amount), self.assertRaises(ValueError):
                amounts.split(amount, largest, 10)

    def test_day_in_nairobi(self):
        late = datetime(2026, 11, 25, 21, 0)  # midnight there
        self.assertEqual(eat.day_of(late), date(2026, 11, 26))
        self.assertEqual(eat.day_start(late), late)
        self.assertEqual(eat.day_of(datetime(2026, 11, 25, 20, 59, 59)), date(2026, 11, 25))
        self.assertEqual(eat.next_day(datetime(2026, 11, 25, 20, 59, 59)), late)
