from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgeing(ArtisanCase):
    """How long pieces have been in the house, by artisan and product."""

    def test_by_age(self):
        self._create_agreement(self.amina)
        today = self.company._soko_today()
        for days, count in ((0, 1), (30, 2), (31, 3), (60, 4), (61, 5), (90, 6), (91, 7)):
            lot = self._drop_off(self.amina, count).move_line_ids.lot_id
            lot.soko_drop_off_date = today - timedelta(days=days)
        self.env.flush_all()
        Ageing = self.env["soko.stock.ageing"].with_user(self.officer)
        groups = Ageing._read_group(
            [("artisan_id", "=", self.amina.id)], ["age"], ["quantity:sum", "value:sum"]
        )
        self.assertEqual(
            groups,
            [("0", 3, 1050), ("1", 7, 2450), ("2", 11, 3850), ("3", 7, 2450)],
        )

    def test_sold_pieces_are_gone(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 2)
        self._sell(2)
        self.env.flush_all()
        ageing = self.env["soko.stock.ageing"].search([("artisan_id", "=", self.amina.id)])
        self.assertFalse(ageing)

    def test_other_roles_and_companies(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 2)
        self.env.flush_all()
        Ageing = self.env["soko.stock.ageing"]
        for groups in ("base.group_user", "base.group_portal", "stock.group_stock_user"):
            user = self._create_user(groups.replace(".", "_"), groups)
            with self.subTest(groups), self.assertRaises(AccessError):
                Ageing.with_user(user).search([])
        other = self.env["res.company"].create({"name": "Other"})
        self.officer.company_ids |= other
        there = Ageing.with_user(self.officer).with_context(allowed_company_ids=other.ids)
        self.assertFalse(there.search([("artisan_id", "=", self.amina.id)]))
