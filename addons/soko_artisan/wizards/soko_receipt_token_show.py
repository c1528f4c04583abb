from odoo import fields, models


class SokoReceiptTokenShow(models.AbstractModel):
    """Shows a new token once. It comes in the context and is kept nowhere."""

    _name = "soko.receipt.token.show"
    _description = "Show a Carrier's Token"

    # the field 'id' is necessary for the onchange that returns the value of 'key'
    id = fields.Id()
    key = fields.Char(string="Token", readonly=True)
