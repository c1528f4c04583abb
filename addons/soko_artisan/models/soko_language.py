from odoo import fields, models


class SokoLanguage(models.Model):
    """A language an artisan speaks: many are spoken here that no screen is written in."""

    _name = "soko.language"
    _description = "Spoken Language"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex("(name)", "There is a language of that name already.")
