from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestMadeBy(ShopCase):
    def test_tile_names_the_maker(self):
        response = self.url_open("/shop?search=raw brass")
        text = self._text(response)
        self.assertIn("Made by Amina Mfano", text)
        self.assertIn("Made by an artisan in Kisumu, Kenya", text)
        self.assertNotIn("Baraka", text)
        self._assert_no_secrets(response)

    def test_product_page_names_the_maker(self):
        response = self.url_open(self.cuff.website_url)
        self.assertIn("Made by Amina Mfano", self._text(response))
        self.assertIn(self.amina.website_url, response.text)
        self.assertIn('id="soko_product_makers"', response.text)
        self._assert_no_secrets(response)

    def test_product_page_keeps_a_hidden_maker_to_herself(self):
        response = self.url_open(self.ring.website_url)
        self.assertIn("Made by an artisan in Kisumu, Kenya", self._text(response))
        self.assertNotIn("Baraka", response.text)

    def test_two_makers_are_told_as_a_choice(self):
        self.baraka.write({"consent_publish": True, "is_published": True})
        self._create_agreement(self.baraka)
        text = self._text(self.url_open(self.cuff.website_url))
        self.assertIn("Made by Amina Mfano or Baraka Mfano", text)

    def test_our_own_product_names_nobody(self):
        own = self.env["product.product"].create(
            {"name": "Gift box", "is_published": True, "list_price": 200}
        )
        response = self.url_open(own.website_url)
        self.assertEqual(response.status_code, 200)
        self.assertNotIn("Made by", self._text(response))

    def test_cart_and_confirmation_name_the_maker(self):
        order = self._web_order()
        lines = order.website_order_line.product_template_id
        made_by = lines._soko_get_made_by(self.website)
        self.assertEqual(made_by[lines.id][0]["name"], "Amina Mfano")
        for template, values in (
            ("website_sale.cart_lines", {"website_sale_order": order}),
            ("website_sale.confirmation", {"order": order, "website_sale_order": order}),
        ):
            view = self.env["website"].with_context(website_id=self.website.id).viewref(template)
            self.assertIn("soko_shop.made_by", view.get_combined_arch(), values)

    def test_cart_page(self):
        self.authenticate(None, None)
        self.make_jsonrpc_request(
            "/shop/cart/add",
            {
                "product_template_id": self.cuff.product_tmpl_id.id,
                "product_id": self.cuff.id,
                "quantity": 1,
            },
        )
        self.assertIn("Made by Amina Mfano", self._text(self.url_open("/shop/cart")))

    def test_queries_do_not_grow_with_the_grid(self):
        templates = self.cuff.product_tmpl_id
        for number in range(8):
            product = self._create_product(f"Cuff {number}")
            artisan = self._create_artisan(f"Maker {number} Mfano")
            self._create_agreement(artisan, product=product)
            templates |= product.product_tmpl_id

        def count(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records._soko_get_made_by(self.website)
            return self.env.cr.sql_log_count - before

        few, many = count(templates[:2]), count(templates)
        self.assertLessEqual(many, few + 2)
