from datetime import date
from decimal import Decimal

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools.tariff import Band, fee_for
from .common import MpesaCase

BANDS = [
    Band(date(2025, 1, 1), 100, Decimal(0)), Band(date(2025, 1, 1), 1500, Decimal(5)),
    Band(date(2026, 1, 1), 1000, Decimal("22.40")),
]


@tagged("post_install", "-at_install", "mpesa")
class TestTariffPure(BaseCase):
    def test_fees(self):
        for amount, day, expected in (
            (10, date(2025, 1, 1), 0), (100, date(2025, 6, 1), 0), (101, date(2025, 6, 1), 5),
            (1500, date(2025, 12, 31), 5), (1501, date(2025, 12, 31), None),
            (10, date(2026, 1, 1), Decimal("22.40")), (1001, date(2026, 5, 5), None),
            (10, date(2024, 12, 31), None),
        ):
            with self.subTest(amount=amount, day=day):
                self.assertEqual(fee_for(BANDS, amount, day), expected)
        self.assertIsNone(fee_for([], 10, date(2026, 1, 1)))


@tagged("post_install", "-at_install", "mpesa")
class TestTariff(MpesaCase):
    def test_standard_tariff(self):
        day = date(2026, 11, 25)
        fees = [self.account._get_fee(amount, day) for amount in (10, 101, 1501, 5001, 250_000)]
        self.assertEqual(fees, [0, 5, 9, 11, 13])
        self.account.tariff_id = False
        self.assertIsNone(self.account._get_fee(10, day))

    def test_bands_make_sense(self):
        tariff = self.env["soko.mpesa.tariff"].create({"name": "Ours", "band_ids": [
            Command.create({"date_from": fields.Date.today(), "up_to": 100, "fee": 1})]})
        for values in ({"up_to": 0, "fee": 1}, {"up_to": 10, "fee": -1}, {"up_to": 100, "fee": 2}):
            with self.subTest(values=values), mute_logger("odoo.sql_db"), self.assertRaises(
                    IntegrityError), self.env.cr.savepoint():
                self.env["soko.mpesa.tariff.band"].create({
                    "tariff_id": tariff.id, "date_from": fields.Date.today(), **values})

    def test_rights(self):
        tariff = self.account.tariff_id
        for user in (self.maker, self.approver):
            self.assertTrue(tariff.with_user(user).band_ids.mapped("fee"))
            with self.assertRaises(AccessError):
                tariff.with_user(user).write({"name": "Cheaper"})
        tariff.with_user(self.manager).band_ids[0].fee = 3
        with self.assertRaises(AccessError):
            tariff.with_user(self.accountant).read(["name"])
