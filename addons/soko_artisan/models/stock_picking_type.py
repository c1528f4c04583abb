from odoo import fields, models


class StockPickingType(models.Model):
    _inherit = "stock.picking.type"

    soko_is_drop_off = fields.Boolean(
        string="Drop-off of artisans",
        help="Receipts of this type bring pieces that stay the property of the artisan.",
    )
