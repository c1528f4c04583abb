from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    soko_sms_gateway_url = fields.Char(
        related="company_id.soko_sms_gateway_url", readonly=False, groups="base.group_system"
    )
    soko_auto_pay = fields.Boolean(related="company_id.soko_auto_pay", readonly=False)
    soko_default_hold_days = fields.Integer(
        related="company_id.soko_default_hold_days", readonly=False
    )
    soko_allow_unsigned = fields.Boolean(related="company_id.soko_allow_unsigned", readonly=False)
    soko_expiry_notice_days = fields.Integer(
        related="company_id.soko_expiry_notice_days", readonly=False
    )
    soko_reminder_days = fields.Integer(related="company_id.soko_reminder_days", readonly=False)
    soko_dormant_months = fields.Integer(related="company_id.soko_dormant_months", readonly=False)
