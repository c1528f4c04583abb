import base64
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import PlatingCase


@tagged("post_install", "-at_install")
class TestSokoQcLotReport(PlatingCase):
    def _print(self, lot, user=None):
        report = self.env["ir.actions.report"].with_user(user or self.inspector)
        html, _type = report._render_qweb_html("soko_qc.report_lot", lot.ids)
        return html.decode()

    def _claim(self, **values):
        claim = self.env["soko.qc.claim"].with_user(self.inspector).create(
            {"product_tmpl_id": self.plated.product_tmpl_id.id, **values}
        )
        claim.with_user(self.manager).action_approve()

    def _create_report(self):
        report = self.env["soko.qc.test.report"].with_user(self.inspector).create(
            {
                "name": "KE-17",
                "laboratory_id": self.env["res.partner"].create({"name": "Maabara Mfano"}).id,
                "product_tmpl_id": self.plated.product_tmpl_id.id,
                "file": base64.b64encode(b"%PDF-1.4 report"),
                "line_ids": [
                    Command.create(
                        {"limit_id": self.env.ref("soko_qc.soko_qc_limit_lead").id, "value": 0.01}
                    )
                ],
            }
        )
        report.with_user(self.manager).action_approve()
        return report

    def test_plated_lot_tells_all(self):
        """Its raw lot's inspection, its run, and the claims that hold today."""
        raw = self._accept(4)
        lot = self._plate(raw)
        gold = {"kind": "karat", "karat": 22, "statement": "Gold of <22> karat"}
        self._claim(**gold)
        today = fields.Date.today()
        self._claim(kind="horn", origin="Expired cattle", date=today - timedelta(days=9),
                    date_expiry=today - timedelta(days=1))
        self._claim(kind="lead", report_ids=[Command.link(self._create_report().id)])
        html = self._print(lot)
        run = lot._soko_get_plating_workorders().soko_plating_run_id
        for text in (lot.name, raw.name, raw.soko_inspection_ids.name, "Accepted", run.name,
                     "Not measured", "22</span> karat", "Gold of &lt;22&gt; karat",
                     "Maabara Mfano", "KE-17", "REACH"):
            self.assertIn(text, html)
        self.assertNotIn("Expired cattle", html)

    def test_lot_nobody_decided_on(self):
        inspection = self._receive(2)
        html = self._print(inspection.lot_id, self.clerk)
        self.assertIn("No inspection of these pieces was decided", html)
        self.assertIn("No claim about these pieces is valid today", html)
        self.assertNotIn("<h3>Plating</h3>", html)

    def test_rights(self):
        lot = self._accept(1)
        employee = self._create_user("employee", "base.group_user")
        with self.assertRaises(AccessError):
            self._print(lot, employee)
