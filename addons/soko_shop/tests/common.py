import re

from odoo import Command
from odoo.tests import HttpCase

from odoo.addons.soko_artisan.tests.common import ArtisanCase

SECRETS = ("254700000001", "254 700 000001", "amina@example.com", "350.00")


class ShopCase(ArtisanCase, HttpCase):
    """Amina agreed to be shown and is; Baraka did not. Both have cuffs in the house."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].search([("company_id", "=", cls.company.id)], limit=1)
        nairobi, kisumu = cls.env.ref("base.state_ke_30"), cls.env.ref("base.state_ke_17")
        cls.casting = cls.env.ref("soko_artisan.soko_craft_casting")
        cls.amina.write(
            {
                "state_id": nairobi.id,
                "email": "amina@example.com",
                "craft_ids": [Command.set(cls.casting.ids)],
                "story": "<p>Learnt at her aunt's bench.</p><script>alert(1)</script>",
                "consent_publish": True,
                "is_published": True,
            }
        )
        cls.baraka.write({"state_id": kisumu.id, "story": "<p>A story for nobody.</p>"})
        cls.cuff.write({"is_published": True, "list_price": 1500})
        cls.ring = cls._create_product("Ring, raw brass", is_published=True)
        cls._create_agreement(cls.amina)
        cls._create_agreement(cls.baraka, product=cls.ring)
        cls._drop_off(cls.amina, 5)
        cls._drop_off(cls.baraka, 5, product=cls.ring)
        cls.shopper.write({"email": "shopper@example.com", "country_id": cls.env.ref("base.de").id})

    @classmethod
    def _web_order(cls, quantity=1, product=None):
        """Return a confirmed order of the web shop."""
        order = cls._order(quantity, product=product)
        order.website_id = cls.website
        return order

    @classmethod
    def _web_delivery(cls, quantity=1, product=None):
        """Return a done delivery of the web shop."""
        return cls._ship(cls._web_order(quantity, product=product))

    def _text(self, response):
        """Return the words of a page, as a person reads them."""
        page = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", response.text)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ")

    def _path(self, picking):
        """Return the shopper's link of a delivery, without the host."""
        return "/shop/received/" + picking._soko_get_received_url().rpartition("/")[2]

    def _tap(self, path):
        """Open the shopper's page and press its button."""
        page = self.url_open(path)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        return self.url_open(path, data={"csrf_token": token.group(1) if token else ""})

    def _assert_no_secrets(self, response):
        for secret in SECRETS:
            self.assertNotIn(secret, response.text)
