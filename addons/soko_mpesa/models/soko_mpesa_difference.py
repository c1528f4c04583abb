from odoo import fields, models


class SokoMpesaDifference(models.Model):
    """What an import of M-Pesa's statement found to be other than the books had it."""

    _name = "soko.mpesa.difference"
    _description = "Difference from M-Pesa's statement"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "statement_id desc, id"
    _rec_name = "receipt"
    _allow_sudo_commands = False

    statement_id = fields.Many2one(
        "soko.mpesa.statement", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one(related="statement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="statement_id.currency_id")
    kind = fields.Selection(
        [
            ("edited", "Other than imported before"), ("duplicate", "Twice in the file"),
            ("gap", "The file doesn't add up"), ("several", "Fits several payments"),
            ("contradiction", "Contradicts a payment"), ("twice", "Paid twice"),
            ("late", "Paid after all"), ("fee", "Other charge than expected"),
            ("stranger", "No payment of Odoo's"), ("failed", "Not booked"),
            ("missing", "Paid here, not on the statement"),
        ],
        required=True, readonly=True,
    )
    receipt = fields.Char(readonly=True)
    amount = fields.Monetary(readonly=True, help="In KES, as on the statement.")
    reason = fields.Text(required=True, readonly=True)
    row_id = fields.Many2one("soko.mpesa.statement.row", readonly=True, ondelete="restrict",
                             index="btree_not_null")
    payout_id = fields.Many2one("soko.mpesa.payout", readonly=True, ondelete="restrict",
                                index="btree_not_null")
    row_state = fields.Selection(related="row_id.state", string="Now")
