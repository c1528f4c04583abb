from odoo import fields, models


class StockPickingType(models.Model):
    _inherit = "stock.picking.type"

    soko_qc_required = fields.Boolean(
        "Inspect Received Pieces",
        help="Pieces received by this operation wait on hold, outside the sellable stock, until "
        "their inspection accepts them.",
    )
