from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    soko_artisan_ids = fields.One2many("soko.artisan", "partner_id", string="Artisan")
