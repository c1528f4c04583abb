from odoo import fields, models


class SokoCraft(models.Model):
    """A skill an artisan works with: casting, beading, horn carving."""

    _name = "soko.craft"
    _description = "Craft"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    color = fields.Integer(string="Colour")

    _name_uniq = models.UniqueIndex("(name)", "There is a craft of that name already.")
