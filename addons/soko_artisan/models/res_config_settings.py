from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    soko_sms_gateway_url = fields.Char(
        related="company_id.soko_sms_gateway_url", readonly=False, groups="base.group_system"
    )
    soko_auto_pay = fields.Boolean(related="company_id.soko_auto_pay", readonly=False)
    soko_undecided_policy = fields.Selection(
        related="company_id.soko_undecided_policy", readonly=False
    )
    soko_default_hold_days = fields.Integer(
        related="company_id.soko_default_hold_days", readonly=False
    )
