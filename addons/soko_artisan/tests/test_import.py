import csv
import io

from odoo.tests import tagged
from odoo.tools.misc import file_open

from .common import ArtisanCase

OPTIONS = {"has_headers": True, "quoting": '"', "separator": ",", "encoding": "utf-8"}
HEADER = ["name", "phone", "state_id", "national_id", "double_checked"]


@tagged("post_install", "-at_install")
class TestArtisanImport(ArtisanCase):
    """Through Odoo's own import, as a clerk does it in the browser."""

    def _import(self, rows, header=None, file=None, file_type="text/csv"):
        if file is None:
            text = io.StringIO()
            csv.writer(text).writerows([header or HEADER, *rows])
            file = text.getvalue().encode()
        wizard = (
            self.env["base_import.import"]
            .with_user(self.officer)
            .create(
                {
                    "res_model": "soko.artisan",
                    "file": file,
                    "file_name": "artisans",
                    "file_type": file_type,
                }
            )
        )
        if header or file_type == "text/csv":
            return wizard.execute_import(header or HEADER, header or HEADER, dict(OPTIONS))
        preview = wizard.parse_preview({"has_headers": True})
        fields = [preview["matches"].get(i, [False])[0] for i in range(len(preview["headers"]))]
        self.assertNotIn(False, fields, preview["headers"])
        return wizard.execute_import(fields, preview["headers"], {"has_headers": True})

    def _refused(self, row, text):
        result = self._import([["Good Mfano", "0700 000 031", "Nairobi", "", ""], row])
        self.assertFalse(result["ids"])
        message = next(m for m in result["messages"] if text in m["message"])
        self.assertEqual(message["rows"], {"from": 1, "to": 1})
        found = self.env["soko.artisan"].search([("name", "=", "Good Mfano")])
        self.assertFalse(found, "all rows or none")

    def test_good_rows(self):
        result = self._import(
            [
                ["Chebet Mfano", "0700 000 021", "nairobi county", "00000021", ""],
                ["Daudi Mfano", "254700000022", "Muranga", "", ""],
                ["Elsa Mfano", "", "Taita-Taveta", "", ""],
            ]
        )
        self.assertFalse(result["messages"])
        artisans = self.env["soko.artisan"].browse(result["ids"])
        self.assertEqual(artisans.mapped("phone"), ["+254700000021", "+254700000022", False])
        self.assertEqual(
            artisans.mapped("state_id.name"), ["Nairobi City", "Murang'a", "Taita/Taveta"]
        )

    def test_all_counties_are_there(self):
        counties = self.env["soko.artisan"]._get_county_names()
        self.assertEqual(len(counties), 47)

    def test_bad_phone(self):
        self._refused(["Chebet Mfano", "07000", "Nairobi", "", ""], "07000 is not a phone number")

    def test_unknown_county(self):
        self._refused(["Chebet Mfano", "", "Atlantis", "", ""], "Atlantis")

    def test_no_name(self):
        self._refused(["", "0700 000 032", "Nairobi", "", ""], "needs a name")

    def test_doubles(self):
        self.amina.national_id = "00000001"
        self._refused(["Amina Mfano", "", "Nairobi", "", ""], "name or phone of")
        self._refused(["Else Mfano", "0700 000 001", "Nairobi", "", ""], "name or phone of")
        self._refused(["Else Mfano", "", "Nairobi", "00000001", ""], "belongs to Amina Mfano")
        self._refused(["good mfano", "", "Nairobi", "", ""], "name or phone of")

    def test_checked_double_is_taken(self):
        result = self._import([["Amina Mfano", "0700 000 001", "Nairobi", "", "True"]])
        self.assertFalse(result["messages"])
        self.assertEqual(len(result["ids"]), 1)

    def test_template_can_be_imported(self):
        (self.amina | self.baraka).write({"name": "Somebody Mfano", "phone": False})
        self.env["soko.artisan.group"].create({"name": "Test workshop"})
        template = self.env["soko.artisan"].get_import_templates()[0]["template"]
        with file_open(template.removeprefix("/"), "rb") as file:
            content = file.read()
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        result = self._import([], file=content, file_type=kind)
        self.assertFalse(result["messages"])
        artisans = self.env["soko.artisan"].browse(result["ids"])
        self.assertEqual(artisans.mapped("name"), ["Amina Mfano", "Baraka Mfano"])
        self.assertEqual(artisans.mapped("state_id.name"), ["Nairobi City", "Mombasa"])
        self.assertEqual(artisans.mapped("capacity_per_week"), [12, 8])
