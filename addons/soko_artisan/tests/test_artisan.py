from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestArtisan(ArtisanCase):
    def test_name_makes_the_contact(self):
        artisans = self.env["soko.artisan"].create(
            [
                {"name": "Chebet Mfano", "phone": "254700000003", "email": "chebet@example.test"},
                {"name": "Daudi Mfano"},
            ]
        )
        self.assertEqual(artisans.mapped("name"), ["Chebet Mfano", "Daudi Mfano"])
        self.assertEqual(artisans[0].partner_id.email, "chebet@example.test")
        self.assertEqual(artisans[0].partner_id.country_id, self.env.ref("base.ke"))
        self.assertTrue(all(rank > 0 for rank in artisans.partner_id.mapped("supplier_rank")))
        self.assertEqual(len(set(artisans.mapped("ref"))), 2)
        self.assertNotIn("/", artisans.mapped("ref"))

    def test_existing_contact_is_kept(self):
        artisan = self.env["soko.artisan"].create({"partner_id": self.shopper.id})
        self.assertEqual(artisan.name, "Shopper Mfano")
        self.assertEqual(self.shopper.soko_artisan_ids, artisan)

    def test_nameless_artisan_is_refused(self):
        with self.assertRaisesRegex(UserError, "needs a name"):
            self.env["soko.artisan"].create({"phone": "254700000009"})

    def test_contact_is_one_artisan_of_a_company(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.env["soko.artisan"].create({"partner_id": self.amina.partner_id.id})

    def test_import_from_a_spreadsheet(self):
        header = ["name", "phone", "state_id", "group_id", "craft_ids", "stage"]
        self.env["soko.artisan.group"].create({"name": "Test workshop"})
        county = self.env["res.country.state"].search([("country_id.code", "=", "KE")], limit=1)
        rows = [
            ["Esther Mfano", "254700000005", county.name, "Test workshop", "Casting", "Active"],
            ["Fatuma Mfano", "254700000006", county.name, "Test workshop", "Beading", "Trained"],
        ]
        result = self.env["soko.artisan"].with_user(self.officer).load(header, rows)
        self.assertFalse(result["messages"])
        artisans = self.env["soko.artisan"].browse(result["ids"])
        self.assertEqual(artisans.mapped("stage"), ["active", "trained"])
        self.assertEqual(set(artisans.craft_ids.mapped("name")), {"Beading", "Casting"})
        self.assertEqual(artisans.group_id.artisan_count, 2)
        self.assertEqual(artisans[0].state_id.country_id.code, "KE")

    def test_import_names_the_bad_row(self):
        rows = [["Good Mfano", "Casting"], ["Bad Mfano", "No such craft"]]
        result = self.env["soko.artisan"].load(["name", "craft_ids"], rows)
        self.assertFalse(result["ids"])
        self.assertIn("No such craft", result["messages"][0]["message"])
        self.assertEqual(result["messages"][0]["rows"]["from"], 1)

    def test_figures_on_the_form(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 5)
        picking = self._sell(2)
        self.assertEqual((self.amina.qty_in_stock, self.amina.qty_sold), (3, 2))
        self.assertEqual((self.amina.amount_awaiting, self.amina.amount_owed), (700, 0))
        settlement = self._settle_received(picking)
        self.amina.invalidate_recordset()
        self.assertEqual((self.amina.amount_awaiting, self.amina.amount_owed), (0, 700))
        self._pay(settlement)
        self.amina.invalidate_recordset()
        self.assertEqual((self.amina.amount_owed, self.amina.amount_paid), (0, 700))
        self.assertEqual(self.baraka.qty_in_stock, 0)

    def test_buttons_open_what_they_say(self):
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 2)
        self._sell(1)
        amina = self.amina.with_user(self.officer)
        quants = self.env["stock.quant"].search(amina.action_view_stock()["domain"])
        self.assertEqual(sum(quants.mapped("quantity")), 1)
        lines = self.env["soko.settlement.line"].search(
            amina.action_view_settlement_lines()["domain"]
        )
        self.assertEqual(lines.artisan_id, self.amina)
        self.assertEqual(amina.action_view_settlements()["res_model"], "soko.settlement")
        self.assertEqual(
            amina.action_new_drop_off()["context"], {"default_artisan_id": self.amina.id}
        )
