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
    soko_minimum_payout = fields.Monetary(
        related="company_id.soko_minimum_payout",
        readonly=False,
        currency_field="company_currency_id",
    )
    soko_settle_schedule = fields.Selection(
        related="company_id.soko_settle_schedule", readonly=False
    )
    soko_settle_weekday = fields.Selection(
        related="company_id.soko_settle_weekday", readonly=False
    )
    soko_settle_monthday = fields.Integer(
        related="company_id.soko_settle_monthday", readonly=False
    )
    soko_settlement_journal_id = fields.Many2one(
        related="company_id.soko_settlement_journal_id", readonly=False
    )
    soko_advance_account_id = fields.Many2one(
        related="company_id.soko_advance_account_id", readonly=False
    )
    soko_default_hold_days = fields.Integer(
        related="company_id.soko_default_hold_days", readonly=False
    )
    soko_allow_unsigned = fields.Boolean(related="company_id.soko_allow_unsigned", readonly=False)
    soko_expiry_notice_days = fields.Integer(
        related="company_id.soko_expiry_notice_days", readonly=False
    )
    soko_reminder_days = fields.Integer(related="company_id.soko_reminder_days", readonly=False)
    soko_dormant_months = fields.Integer(related="company_id.soko_dormant_months", readonly=False)
