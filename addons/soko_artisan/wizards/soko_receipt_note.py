from odoo import fields, models
from odoo.exceptions import UserError


class SokoReceiptNote(models.TransientModel):
    """Staff know that the shopper has a parcel: when, and from whom they know."""

    _name = "soko.receipt.note"
    _description = "Received by the Shopper"

    picking_ids = fields.Many2many("stock.picking", string="Deliveries", required=True)
    date = fields.Datetime(
        string="Received on", required=True, default=lambda self: fields.Datetime.now()
    )
    note = fields.Char(
        string="How you know",
        required=True,
        help="Kept with the receipt: who told you, how and when.",
    )

    def action_confirm(self):
        """Note the receipt, once."""
        self.ensure_one()
        self.picking_ids._soko_check_may_note()
        if not (self.note or "").strip():
            raise UserError(self.env._("Say how you know: the maker is paid on your word."))
        for picking in self.picking_ids:
            picking._soko_check_receivable(self.date)
        self.picking_ids._soko_mark_received(
            "staff", date=self.date, evidence=self.note, user_id=self.env.uid
        )
        return {"type": "ir.actions.act_window_close"}
