import csv
import io
import json

import openpyxl

from odoo import http
from odoo.tests import BaseCase, HttpCase, tagged

from ..tools.cells import guard
from .common import MpesaCase

# What a spreadsheet calculates, or makes a link into files of.
ACTIVE = (
    "=1+1", "+254700000041", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", "{=1+1}",
    "\ufeff=1+1", "\uff1d1+1", "=cmd|' /C calc'!A0", "external:a.xlsx", "internal:Sheet1!A1",
    "file://server/share",
)
PLAIN = ("Amina Mfano", "a=1", "1-2", "a@example.com", "'=1", "", "12:30")


@tagged("post_install", "-at_install", "mpesa")
class TestCells(BaseCase):
    def test_active_texts_are_shown_as_text(self):
        for text in ACTIVE:
            self.assertEqual(guard(text), "'" + text)
            self.assertEqual(guard(guard(text)), "'" + text, "once is enough")
        self.assertEqual(guard(b"=1+1"), b"'=1+1")

    def test_others_stay_as_they_are(self):
        for value in (*PLAIN, -5, -0.5, False, None, b"", b"\xff\xfe", ("soko", 1)):
            self.assertIs(guard(value), value)


@tagged("post_install", "-at_install", "mpesa")
class TestExport(HttpCase, MpesaCase):
    """S23: Odoo's own exports of lists and pivots, through its controllers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager.group_ids += cls.env.ref("base.group_allow_export")
        cls.letters = cls.env["soko.mpesa.inbox"].sudo().create([
            {"word": "payout", "sha256": str(number), "state": "quarantined", "error": text}
            for number, text in enumerate(ACTIVE + PLAIN)])

    def setUp(self):
        super().setUp()
        self.authenticate("mpesa_manager", "mpesa_manager")

    def export(self, kind, records, names, **params):
        """:return: the answer's bytes"""
        data = {
            "model": records._name, "ids": records.ids, "domain": [], "import_compat": False,
            "fields": [{"name": name, "label": name, "type": "char"} for name in names], **params}
        answer = self.url_open(f"/web/{kind}", data={
            "data": json.dumps(data), "csrf_token": http.Request.csrf_token(self)})
        answer.raise_for_status()
        return answer.content

    def sheet(self, content):
        """:return: openpyxl's sheet, with formulas as such"""
        return openpyxl.load_workbook(io.BytesIO(content)).active

    def assertCalm(self, sheet):
        for row in sheet.iter_rows():
            for cell in row:
                self.assertNotEqual(cell.data_type, "f", cell.value)
                self.assertFalse(cell.hyperlink, cell.value)
                if isinstance(cell.value, str):
                    self.assertEqual(guard(cell.value), cell.value)

    def test_csv(self):
        rows = list(csv.reader(io.StringIO(
            self.export("export/csv", self.letters, ["error"]).decode(), newline="")))
        self.assertEqual([row[0] for row in rows[1:]],
                         ["'" + text for text in ACTIVE] + list(PLAIN))

    def test_xlsx(self):
        sheet = self.sheet(self.export("export/xlsx", self.letters, ["error", "word"]))
        self.assertCalm(sheet)
        shown = [row[0].value or "" for row in sheet.iter_rows(min_row=2)]
        self.assertEqual(len(shown), len(ACTIVE + PLAIN))
        self.assertEqual(shown[0], "'=1+1")
        self.assertEqual(shown[-len(PLAIN):], list(PLAIN))

    def test_xlsx_with_groups(self):
        sheet = self.sheet(self.export(
            "export/xlsx", self.letters, ["error", "word"], groupby=["error"]))
        self.assertCalm(sheet)
        titles = {row[0].value for row in sheet.iter_rows(min_row=2)}
        self.assertLessEqual({"'=1+1 (1)", "Amina Mfano (1)"}, titles)

    def test_by_way_of_another_model(self):
        """A column of a payout that is exported beside its payment is guarded, too."""
        _bill, payment, payout = self.make_payout()
        payout.sudo().hold_reason = "@SUM(A1)"
        rows = payment._export_rows([["amount"], ["soko_mpesa_payout_id", "hold_reason"]])
        self.assertEqual(rows, [[1500, "'@SUM(A1)"]])

    def test_pivot(self):
        table = {
            "title": "Payouts", "model": "soko.mpesa.payout", "measure_count": 1,
            "origin_count": 1, "origin_headers": [], "measure_headers": [],
            "col_group_headers": [[{"title": "=1+1", "width": 1, "height": 1}]],
            "rows": [{"title": "=2+2", "indent": 0, "values": [{"value": -42}]}],
        }

        def pivot(model):
            return self.sheet(self.url_open("/web/pivot/export_xlsx", data={
                "data": json.dumps({**table, "model": model}),
                "csrf_token": http.Request.csrf_token(self)}).content)
        sheet = pivot("soko.mpesa.payout")
        self.assertCalm(sheet)
        self.assertEqual((sheet["B1"].value, sheet["A2"].value, sheet["B2"].value),
                         ("'=1+1", "'=2+2", -42))
        self.assertEqual(pivot("res.partner")["A2"].data_type, "f", "others stay as they were")

    def test_every_model_of_ours_guards_its_cells(self):
        """A new model of the module that keeps records must inherit the mixin."""
        ours = [model for name, model in self.registry.items()
                if name.startswith("soko.mpesa.") and not model._abstract and not model._transient]
        self.assertGreater(len(ours), 20)
        self.assertEqual([model._name for model in ours
                          if not hasattr(model, "_soko_mpesa_guards_cells")], [])
        self.assertFalse(hasattr(self.registry["res.partner"], "_soko_mpesa_guards_cells"))
