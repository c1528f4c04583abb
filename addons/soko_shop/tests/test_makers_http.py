import json
import re

from odoo import Command
from odoo.tests import tagged

from .common import ShopCase


@tagged("post_install", "-at_install")
class TestMakersPages(ShopCase):
    def test_grid_shows_those_who_agreed(self):
        response = self.url_open("/makers")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Amina Mfano", response.text)
        self.assertNotIn("Baraka", response.text)
        self._assert_no_secrets(response)

    def test_filters(self):
        nairobi, kisumu = self.amina.state_id, self.baraka.state_id
        weaving = self.env.ref("soko_artisan.soko_craft_weaving")
        for query, found in (
            (f"county={nairobi.id}", True),
            (f"county={kisumu.id}", False),
            (f"craft={self.casting.id}", True),
            (f"craft={weaving.id}", False),
            ("search=amina", True),
            ("search=nairobi casting", True),
            ("search=nobody", False),
            ("county=x&craft=%27", True),
        ):
            with self.subTest(query=query):
                text = self.url_open(f"/makers?{query}").text
                self.assertEqual("Amina Mfano" in text, found)
                self.assertEqual("soko_makers_empty" in text, not found)

    def test_only_counties_and_crafts_with_makers_are_offered(self):
        text = self.url_open("/makers").text
        self.assertIn(f'value="{self.amina.state_id.id}"', text)
        self.assertNotIn(f'value="{self.baraka.state_id.id}"', text)

    def test_pages(self):
        self.env["soko.artisan"].create(
            [
                {"name": f"Maker {n:02} Mfano", "consent_publish": True, "is_published": True}
                for n in range(30)
            ]
        )
        first, second = self.url_open("/makers").text, self.url_open("/makers/page/2").text
        self.assertIn("/makers/page/2", first)
        tiles = re.compile("soko_maker_tile")
        self.assertEqual(len(tiles.findall(first)), 24)
        self.assertTrue(tiles.findall(second))

    def test_maker_page(self):
        response = self.url_open(self.amina.website_url)
        self.assertEqual(response.status_code, 200)
        self.assertIn("Learnt at her aunt", response.text)
        self.assertNotIn("alert(1)", response.text)
        self.assertIn("Cuff, raw brass", self._text(response))
        self._assert_no_secrets(response)

    def test_maker_page_counts_pieces_sold(self):
        self._sell(2)
        self.assertIn("2 pieces sold so far", self._text(self.url_open(self.amina.website_url)))

    def test_search_engines(self):
        text = self.url_open(self.amina.website_url).text
        found = re.findall(r'(?s)<script type="application/ld\+json">(.*?)</script>', text)
        [person] = [data for data in map(json.loads, found) if data["@type"] == "Person"]
        self.assertEqual(person["name"], "Amina Mfano")
        self.assertEqual(person["homeLocation"]["name"], "Nairobi City, Kenya")
        self.assertRegex(text, r'property="og:type" content="profile"')
        description = re.search(r'name="description" content="([^"]*)', text)[1]
        self.assertIn("Learnt at her aunt", description)

    def test_other_spelling_of_the_address(self):
        response = self.url_open(f"/makers/old-name-{self.amina.id}", allow_redirects=False)
        self.assertEqual(response.status_code, 301)
        self.assertTrue(response.headers["Location"].endswith(self.amina.website_url))

    def test_hidden_unknown_and_nonsense_makers(self):
        for path in (self.baraka.website_url, "/makers/nobody-999999", "/makers/x", "/makers/-1"):
            with self.subTest(path=path):
                response = self.url_open(path)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn("A story for nobody", response.text)

    def test_editor_sees_a_page_before_it_is_published(self):
        self._create_user("editor", "base.group_user,website.group_website_restricted_editor")
        self.authenticate("soko_editor", "soko_editor")
        response = self.url_open(self.baraka.website_url)
        self.assertEqual(response.status_code, 200)
        self.assertIn("Only you can see this page", self._text(response))

    def test_face(self):
        url = f"/web/image/soko.artisan/{self.amina.id}/image_512"
        self.assertEqual(self.url_open(url).status_code, 200)
        hidden = self.url_open(f"/web/image/soko.artisan/{self.amina.id}/image_1920")
        self.assertNotEqual(hidden.content, b"")
        self.assertIn("placeholder", hidden.headers.get("Content-Disposition", "placeholder"))

    def test_sitemap_names_makers(self):
        self.env["ir.attachment"].search([("url", "like", "/sitemap%")]).unlink()
        text = self.url_open("/sitemap.xml").text
        self.assertIn(self.amina.website_url, text)
        self.assertNotIn(self.baraka.website_url, text)
        self.assertNotIn("/shop/received", text)

    def test_menu(self):
        self.assertIn('href="/makers"', self.url_open("/").text)

    def test_unpublished_products_are_not_offered(self):
        self.cuff.is_published = False
        self.ring.taxes_id = [Command.clear()]
        text = self._text(self.url_open(self.amina.website_url))
        self.assertNotIn("Cuff, raw brass", text)
