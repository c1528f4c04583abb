from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestOwedReport(ArtisanCase):
    """What artisans are owed, compared with sums made by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._soko_today()
        cls.agreement = cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 20)

    def _line(self, quantity, received=True):
        picking = self._sell(quantity)
        if received:
            picking._soko_mark_received("staff")
        return self._lines_of(picking)

    def _ago(self, days):
        return self.today - timedelta(days=days)

    def _rows(self, *groupby, user=None):
        return self.env["soko.owed.report"].with_user(user or self.officer)._read_group(
            [("artisan_id", "=", self.amina.id)], list(groupby), ["amount:sum"], order="amount:sum"
        )

    def _amounts(self):
        return dict(self._rows("status"))

    def test_each_status(self):
        self._line(1, received=False)
        self._line(2).due_date = self.today + timedelta(days=5)
        self._line(3)
        held = self._line(4)
        held.price_unit = 0
        self._line(5)._settle()
        self.assertEqual(
            self._amounts(),
            {
                "1_shipped": 350,
                "2_hold": 700,
                "3_held": 0,
                "4_due": 1050,
                "5_settled": 1750,
            },
        )
        held_rows = self.env["soko.owed.report"].search([("status", "=", "3_held")])
        self.assertEqual(held_rows.quantity, 4)

    def test_bill_and_payment(self):
        settlement = self._settle_received(self._sell(2))
        self.assertEqual(self._amounts(), {"6_billed": 700})
        self.assertEqual(settlement.bill_id.amount_residual, 700)
        self._pay(settlement)
        self.assertIn(settlement.state, ("in_payment", "paid"))
        left = {"7_on_way": 700} if settlement.state == "in_payment" else {}
        self.assertEqual(self._amounts(), left)

    def test_paid_in_part(self):
        settlement = self._settle_received(self._sell(2))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=settlement.bill_id.ids
        ).create({"amount": 200})._create_payments()
        self.assertEqual(settlement.bill_id.amount_residual, 500)
        if settlement.state == "billed":
            self.assertEqual(self._amounts(), {"6_billed": 500})

    def test_cancelled_bill_is_held(self):
        settlement = self._settle_received(self._sell(2))
        settlement.bill_id.button_draft()
        self.assertEqual(self._amounts(), {"5_settled": 700})
        settlement.bill_id.button_cancel()
        self.assertEqual(self._amounts(), {"3_held": 700})

    def test_age(self):
        for number, days in enumerate((0, 30, 31, 60, 61, 90, 91), 1):
            self._line(1 if number < 7 else 2).due_date = self._ago(days)
        sent = self._line(3, received=False)
        sent.date = self._ago(45)
        self.assertEqual(
            sorted(self._rows("status", "age")),
            [
                ("1_shipped", "1", 1050),
                ("4_due", "0", 700),
                ("4_due", "1", 700),
                ("4_due", "2", 700),
                ("4_due", "3", 700),
            ],
        )
        self.assertEqual(sent.due_date, False)
        row = self.env["soko.owed.report"].search([("status", "=", "1_shipped")])
        self.assertEqual((row.since, row.age_days), (self._ago(45), 45))

    def test_return_takes_back(self):
        sold = self._sell(3)
        settlement = self._settle_received(sold)
        self._return(sold, 1)
        self.assertEqual(self._amounts(), {"4_due": -350, "6_billed": 1050})
        self.assertEqual(sum(dict(self._rows("settlement_id")).values()), 700)
        self.assertTrue(settlement)

    def test_advance_lowers_what_is_paid_out(self):
        settlement = self._settle_received(self._sell(2))
        self.env["soko.advance.repayment"].create(
            {
                "advance_id": self._create_advance().id,
                "settlement_id": settlement.id,
                "amount": 100,
            }
        )
        self.assertEqual(self._amounts(), {"6_billed": 600})

    def _create_advance(self):
        return self.env["soko.advance"].create(
            {"artisan_id": self.amina.id, "purpose": "cash", "amount": 500}
        )

    def test_roles_and_companies(self):
        self._line(1)
        Report = self.env["soko.owed.report"]
        self.assertTrue(Report.with_user(self.officer).search([]))
        for groups in ("base.group_user", "base.group_portal", "stock.group_stock_user"):
            user = self._create_user(groups.replace(".", "_"), groups)
            with self.subTest(groups), self.assertRaises(AccessError):
                Report.with_user(user).search([])
        other = self.env["res.company"].create({"name": "Other"})
        self.officer.company_ids |= other
        there = Report.with_user(self.officer).with_context(allowed_company_ids=other.ids)
        self.assertFalse(there.search([]))
