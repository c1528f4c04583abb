from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestPublishing(ShopCase):
    def test_no_page_without_consent(self):
        with self.assertRaisesRegex(ValidationError, "has not agreed"):
            self.baraka.is_published = True

    def test_withdrawn_consent_takes_the_page_off(self):
        self.amina.consent_publish = False
        self.assertFalse(self.amina.is_published)
        self.assertFalse(self.amina._soko_is_named(self.website))

    def test_consent_and_page_in_one_go(self):
        self.baraka.write({"consent_publish": True, "is_published": True})
        self.assertTrue(self.baraka._soko_is_named(self.website))

    def test_officer_publishes(self):
        self.amina.is_published = False
        self.amina.with_user(self.officer).website_publish_button()
        self.assertTrue(self.amina.is_published)

    def test_stock_user_does_not_publish(self):
        clerk = self._create_user("packer", "stock.group_stock_user")
        with self.assertRaises(AccessError):
            self.baraka.with_user(clerk).write({"consent_publish": True, "is_published": True})

    def test_page_of_another_website_names_nobody_here(self):
        other = self.env["website"].create({"name": "Other", "company_id": self.company.id})
        self.amina.website_id = other
        self.assertFalse(self.amina._soko_is_named(self.website))
        self.assertTrue(self.amina._soko_is_named(other))

    def test_public_values(self):
        vals = (self.baraka + self.amina)._soko_get_public_vals(self.website)
        self.assertEqual([v["name"] for v in vals], ["Amina Mfano", False])
        self.assertEqual(vals[0]["crafts"], ["Casting"])
        self.assertEqual(vals[1]["place"], "Kisumu, Kenya")
        self.assertFalse(vals[1]["url"] or vals[1]["image_url"] or vals[1]["crafts"])

    def test_unnamed_makers_of_one_county_are_told_once(self):
        third = self._create_artisan("Chebet Mfano", state_id=self.baraka.state_id.id)
        vals = (self.baraka + third)._soko_get_public_vals(self.website)
        self.assertEqual(len(vals), 1)

    def test_shoppers_have_no_access_to_artisans(self):
        portal = self._create_user("portal", "base.group_portal")
        with self.assertRaises(AccessError):
            self.amina.with_user(portal).read(["name", "phone"])

    def test_face_only_of_those_who_agreed(self):
        self.assertTrue(self.amina._can_return_content("image_512"))
        for field_name in ("image_1920", "story", None):
            self.assertFalse(self.amina._can_return_content(field_name))
        self.assertFalse(self.baraka._can_return_content("image_512"))


@tagged("post_install", "-at_install")
class TestMailTemplate(TransactionCase):
    def test_staff_may_edit_it(self):
        template = self.env.ref("soko_shop.mail_template_received")
        self.assertEqual(template.model, "stock.picking")
        data = self.env["ir.model.data"].search(
            [("model", "=", "mail.template"), ("res_id", "=", template.id)]
        )
        self.assertTrue(data.noupdate)
