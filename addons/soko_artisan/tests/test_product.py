from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestProduct(ArtisanCase):
    def test_valuation_guard(self):
        for values in (
            {"tracking": "none"},
            {"is_storable": False, "tracking": "none"},
            {"standard_price": 15},
            {"lot_valuated": True},
        ):
            with self.subTest(values), self.assertRaisesRegex(ValidationError, "must never value"):
                self._create_product("Bad", **values)

    def test_category_can_not_switch_under_it(self):
        with self.assertRaises(ValidationError):
            self.category.property_cost_method = "fifo"
        with self.assertRaises(ValidationError):
            self.category.property_valuation = "real_time"

    def test_cost_can_not_be_given_later(self):
        with self.assertRaises(ValidationError):
            self.cuff.standard_price = 10

    def test_moving_it_to_a_fifo_category(self):
        fifo = self.env["product.category"].create(
            {"name": "Fifo", "property_cost_method": "fifo"}
        )
        with self.assertRaises(ValidationError):
            self.cuff.categ_id = fifo

    def test_owned_pieces_have_no_value(self):
        self._create_agreement(self.amina)
        picking = self._drop_off(self.amina, 5)
        self.assertEqual(self.cuff.qty_available, 5)
        self.assertEqual(self.cuff.total_value, 0)
        self.assertEqual(picking.move_ids.value, 0)

    def test_made_by_agreement_or_stock(self):
        template = self.cuff.product_tmpl_id
        other = self._create_product("Ring").product_tmpl_id
        agreement = self._create_agreement(self.amina)
        self.assertEqual(template.soko_artisan_ids, self.amina)
        self._drop_off(self.amina, 1)
        agreement.action_expire()
        self._create_agreement(self.baraka)
        template.invalidate_recordset()
        self.assertEqual(template.soko_artisan_ids, self.amina | self.baraka)
        self.assertFalse(other.soko_artisan_ids)
        found = self.env["product.template"].search(
            [("soko_artisan_ids", "in", self.baraka.ids)]
        )
        self.assertEqual(found, template)
