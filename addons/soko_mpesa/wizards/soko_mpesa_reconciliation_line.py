from odoo import fields, models


class SokoMpesaReconciliationLine(models.TransientModel):
    _name = "soko.mpesa.reconciliation.line"
    _description = "Why M-Pesa's balance isn't ours"
    _order = "id"

    reconciliation_id = fields.Many2one(
        "soko.mpesa.reconciliation", required=True, ondelete="cascade", index=True,
    )
    currency_id = fields.Many2one(related="reconciliation_id.currency_id")
    kind = fields.Selection(
        [
            ("opening", "Before the first statement"), ("row", "Not in the books"),
            ("book", "Not on a statement"), ("gap", "No statement"),
        ],
        required=True,
    )
    name = fields.Char(required=True)
    day = fields.Date()
    amount = fields.Monetary(help="What it adds to M-Pesa's balance beside ours.")
    reason = fields.Char()
    payout_id = fields.Many2one("soko.mpesa.payout", ondelete="cascade")
