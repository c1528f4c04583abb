from odoo import fields, models


class SokoMaterial(models.Model):
    """What the pieces are made of: brass, recycled bone, horn."""

    _name = "soko.material"
    _description = "Material"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    color = fields.Integer(string="Colour")
    source = fields.Char(
        help="Where the material comes from, such as scrap yards of Gikomba or by-product of "
        "licensed abattoirs. Shoppers and auditors ask for it.",
    )

    _name_uniq = models.UniqueIndex("(name)", "There is a material of that name already.")
