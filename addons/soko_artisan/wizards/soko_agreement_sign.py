from odoo import fields, models
from odoo.exceptions import UserError


class SokoAgreementSign(models.TransientModel):
    """The artisan signed on paper: an officer keeps the scan with the version she signed."""

    _name = "soko.agreement.sign"
    _description = "Paper Signature"

    version_id = fields.Many2one("soko.agreement.version", required=True, readonly=True)
    signed_by = fields.Char(string="Signed by", required=True)
    scan = fields.Binary(string="Scan or photo of the paper", required=True, attachment=False)
    scan_name = fields.Char()

    def action_confirm(self):
        """Keep the scan and start the agreement."""
        self.ensure_one()
        self.version_id.agreement_id.check_access("write")
        if not self.scan:
            raise UserError(self.env._("Add a scan or a photo of the signed paper."))
        # sudo: versions have no writers; the officer may write this agreement, and how is checked
        self.version_id.sudo()._sign(
            self.signed_by, "paper", scan=self.scan, scan_name=self.scan_name or "signed"
        )
        return {"type": "ir.actions.act_window_close"}
