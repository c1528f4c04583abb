from odoo import fields, models
from odoo.exceptions import UserError

from ..models.res_partner_bank import Confirmation
from ..models.soko_mpesa_payee_change import HOW


class SokoMpesaPayeeVerify(models.TransientModel):
    """A second person says how she made sure that a number is the payee's."""

    _name = "soko.mpesa.payee.verify"
    _description = "Verify an M-Pesa number"

    partner_bank_id = fields.Many2one(
        "res.partner.bank", required=True, readonly=True, ondelete="cascade",
    )
    partner_id = fields.Many2one(related="partner_bank_id.partner_id")
    number = fields.Char(related="partner_bank_id.acc_number", string="Number to verify")
    old_number = fields.Char(
        related="partner_bank_id.soko_mpesa_old_number", string="Old number",
    )
    edited_by = fields.Many2one(related="partner_bank_id.soko_mpesa_edited_by")
    how = fields.Selection(
        HOW, string="Confirmed by", required=True,
        help="A message that came with the new number proves nothing: whoever stole a phone or a "
             "login writes such messages.",
    )
    registered_name = fields.Char(
        help="The name under which the number is registered at M-Pesa, as you heard or saw it. "
             "The name that M-Pesa returns with each payment is compared with it.",
    )
    note = fields.Text(help="Whom you spoke with, and what else matters.")
    document = fields.Binary(help="The signed form, for example. Makers and approvers see it.")
    document_name = fields.Char()

    def action_confirm(self):
        """Verify the number; the bank account checks that the user is a second person."""
        self.ensure_one()
        if self.how == "other" and not (self.note or "").strip():
            raise UserError(self.env._("Say in the note how you confirmed the number."))
        self.partner_bank_id._soko_mpesa_verify(Confirmation(
            how=self.how, registered_name=" ".join((self.registered_name or "").split()),
            note=self.note or "", document=self.with_context(bin_size=False).document or b"",
            document_name=self.document_name or "",
        ))
        return {"type": "ir.actions.act_window_close"}
