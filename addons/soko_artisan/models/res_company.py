import os
from datetime import datetime

import pytz

from odoo import api, fields, models

from ..tools.sms_gateway import SmsApiSoko

SMS_URL_VARIABLE = "SOKO_SMS_URL"


class ResCompany(models.Model):
    _inherit = "res.company"

    soko_sms_gateway_url = fields.Char(
        string="SMS gateway address",
        groups="base.group_system",
        help="Address that takes text messages as JSON. Empty: Odoo's own SMS service sends them.",
    )
    soko_auto_pay = fields.Boolean(
        string="Pay settlements by themselves",
        help="As soon as a settlement's bill is posted, register its payment with the payment "
        "method of the payee. Off: the bills wait for somebody to pay them.",
    )
    soko_default_hold_days = fields.Integer(
        string="Hold days",
        help="Days between the shopper's receipt of a piece and the day its maker is owed for it. "
        "New agreements start with this figure.",
    )

    soko_undecided_policy = fields.Selection(
        [
            ("pay", "Pay the owner the agreed price"),
            ("refuse", "Refuse the move until somebody decides"),
        ],
        string="Owners' pieces that leave unsold",
        required=True,
        default="pay",
        help="What happens when production or another app takes pieces of an owner out of the "
        "house and nobody was asked what becomes of them.",
    )

    _soko_hold_days_positive = models.Constraint(
        "CHECK (soko_default_hold_days >= 0)", "Hold days can't be negative."
    )

    def _soko_today(self):
        """Return the date where the company is: the day that the clerk writes on a receipt.

        Clerks, shoppers and scheduled actions have time zones of their own, or none; a piece that
        one of them calls due today must be due today for the others.

        :rtype: datetime.date
        """
        zones = pytz.country_timezones.get(self.country_id.code or "", [])
        # sudo: the shopper or artisan who runs this may not read the company's address
        zone = self.sudo().partner_id.tz or (zones[0] if len(zones) == 1 else "UTC")
        return datetime.now(pytz.timezone(zone)).date()

    def _soko_get_sms_gateway_url(self):
        """Return the address that takes this company's text messages, or an empty string.

        The environment variable SOKO_SMS_URL wins over the company's own setting, so that a test
        or staging system can never reach the real gateway of a copied database.
        """
        self.ensure_one()
        # sudo: the address may hold a key and is for administrators only; it is used, never shown
        return os.environ.get(SMS_URL_VARIABLE) or self.sudo().soko_sms_gateway_url or ""

    def _get_sms_api_class(self):
        if self._soko_get_sms_gateway_url():
            return SmsApiSoko
        return super()._get_sms_api_class()

    @api.constrains("cost_method", "inventory_valuation")
    def _check_soko_consigned_products(self):
        """Products without a category of their own follow the company's valuation."""
        for company in self:
            templates = self.env["product.template"].with_company(company)
            templates.search([("is_storable", "=", True)])._soko_check_owned_inside()
