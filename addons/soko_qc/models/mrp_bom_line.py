from odoo import fields, models


class MrpBomLine(models.Model):
    _inherit = "mrp.bom.line"

    soko_is_piece = fields.Boolean(
        "The Piece Itself",
        help="The finished product is this component, only treated: it keeps the component's owner "
        "and its lot remembers the component's lot. In a plating order without such a line, the "
        "first component with a lot or an owner is the piece.",
    )
