from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    soko_mpesa_frozen = fields.Boolean(related="company_id.soko_mpesa_frozen", readonly=False)
    soko_mpesa_frozen_reason = fields.Char(
        related="company_id.soko_mpesa_frozen_reason", related_sudo=True,
        groups="base.group_system",
    )
    soko_mpesa_cooling_hours = fields.Integer(
        related="company_id.soko_mpesa_cooling_hours", readonly=False,
    )
    soko_mpesa_first_payment_limit = fields.Integer(
        related="company_id.soko_mpesa_first_payment_limit", readonly=False,
    )
    soko_mpesa_day_limit = fields.Integer(
        related="company_id.soko_mpesa_day_limit", readonly=False,
    )
    soko_mpesa_keep_years = fields.Integer(
        related="company_id.soko_mpesa_keep_years", readonly=False,
    )
