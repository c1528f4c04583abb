from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    soko_mpesa_frozen = fields.Boolean(related="company_id.soko_mpesa_frozen", readonly=False)
