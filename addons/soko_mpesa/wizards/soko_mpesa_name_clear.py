from odoo import fields, models


class SokoMpesaNameClear(models.TransientModel):
    """A second person says why payments may go on although M-Pesa named somebody else."""

    _name = "soko.mpesa.name.clear"
    _description = "Clear an M-Pesa name warning"

    partner_bank_id = fields.Many2one(
        "res.partner.bank", required=True, readonly=True, ondelete="cascade",
    )
    partner_id = fields.Many2one(related="partner_bank_id.partner_id")
    warning = fields.Char(related="partner_bank_id.soko_mpesa_name_warning")
    reason = fields.Text(
        required=True, help="Why this is the right person: whom you asked, what you saw.",
    )
    registered_name = fields.Char(
        help="The name under which the number is registered at M-Pesa, if you know it now: it is "
             "compared from now on. Leave it empty to keep what is there.",
    )

    def action_confirm(self):
        """Clear the warning; the bank account checks that the user is a second person."""
        self.ensure_one()
        self.partner_bank_id._soko_mpesa_clear_name_warning(
            self.reason, " ".join((self.registered_name or "").split()))
        return {"type": "ir.actions.act_window_close"}
