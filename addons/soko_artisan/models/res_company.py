import os
from datetime import datetime

import pytz

from odoo import Command, api, fields, models

from ..tools.payday import last_payday
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

    soko_allow_unsigned = fields.Boolean(
        string="Agreements without a signature",
        help="An agreement may be in force although its artisan has not signed it. Off: it waits "
        "for her signature, also after each change of terms.",
    )
    soko_expiry_notice_days = fields.Integer(
        string="Notice of the end",
        default=30,
        help="Days before the end of an agreement on which artisan and office are told. 0: never.",
    )
    soko_reminder_days = fields.Integer(
        string="Reminder",
        default=3,
        help="Days without an answer after which an artisan is asked once more, and after as many "
        "again the office. 0: never.",
    )
    soko_dormant_months = fields.Integer(
        string="Months until dormant",
        default=6,
        help="An active artisan who has no piece here and brought none for so many months becomes "
        "dormant, and somebody is asked to call her. 0: never.",
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

    soko_minimum_payout = fields.Monetary(
        string="Smallest payout",
        help="A payee who earned less waits for the next sales. 0: everything is paid.",
    )
    soko_settle_schedule = fields.Selection(
        [("at_once", "As soon as it is due"), ("weekly", "Weekly"), ("monthly", "Monthly")],
        string="Settle",
        required=True,
        default="at_once",
    )
    soko_settle_weekday = fields.Selection(
        [
            ("0", "Monday"),
            ("1", "Tuesday"),
            ("2", "Wednesday"),
            ("3", "Thursday"),
            ("4", "Friday"),
            ("5", "Saturday"),
            ("6", "Sunday"),
        ],
        string="Payday of the week",
        required=True,
        default="4",
    )
    soko_settle_monthday = fields.Integer(
        string="Payday of the month",
        default=1,
        help="1 to 31; a shorter month pays on its last day.",
    )
    soko_settlement_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of settlements",
        check_company=True,
        domain="[('type', '=', 'purchase')]",
        help="The bills that we write for artisans are numbered here. Made when first needed.",
    )
    soko_advance_account_id = fields.Many2one(
        "account.account",
        string="Account of advances",
        check_company=True,
        domain="[('account_type', '=', 'asset_current')]",
        help="What artisans owe us. Made when first needed.",
    )

    soko_accrual_account_id = fields.Many2one(
        "account.account",
        string="Account of accrued settlements",
        check_company=True,
        domain="[('account_type', '=', 'liability_current')]",
        help="What we owe for sold pieces at the end of a period and that no bill says yet. Made "
        "when first needed.",
    )

    _soko_notice_days_positive = models.Constraint(
        "CHECK (soko_expiry_notice_days >= 0 AND soko_reminder_days >= 0)",
        "Days can't be negative.",
    )
    _soko_dormant_months_positive = models.Constraint(
        "CHECK (soko_dormant_months >= 0)", "The months until dormant can't be negative."
    )
    _soko_minimum_positive = models.Constraint(
        "CHECK (soko_minimum_payout >= 0)", "The smallest payout can't be negative."
    )
    _soko_monthday_in_month = models.Constraint(
        "CHECK (soko_settle_monthday BETWEEN 1 AND 31)", "A month has the days 1 to 31."
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
        return datetime.now(self._soko_get_timezone()).date()

    def _soko_day_of(self, moment):
        """Return the date that a moment had where the company is.

        :param datetime.datetime moment: UTC without a zone, as Odoo keeps it
        :rtype: datetime.date
        """
        return pytz.utc.localize(moment).astimezone(self._soko_get_timezone()).date()

    def _soko_get_timezone(self):
        """Return where the company is, as a time zone; UTC when nothing says it."""
        # sudo: the shopper or artisan who runs this may not read the company's address
        zone = self.sudo().partner_id.tz
        if not zone:
            zones = pytz.country_timezones.get(self.country_id.code or "", [])
            zone = zones[0] if len(zones) == 1 else "UTC"
        return pytz.timezone(zone)

    def _soko_last_payday(self):
        """Return the latest payday until today: what fell due by then is settled now.

        :rtype: datetime.date
        """
        self.ensure_one()
        return last_payday(
            self._soko_today(),
            self.soko_settle_schedule,
            int(self.soko_settle_weekday or 0),
            self.soko_settle_monthday,
        )

    def _soko_get_settlement_journal(self):
        """Return the purchase journal of self-billed settlements, made when first needed."""
        self.ensure_one()
        # sudo: the settlement run needs a journal; nobody's right to set one up is lent out
        company = self.sudo()
        if not company.soko_settlement_journal_id:
            company.soko_settlement_journal_id = company.env["account.journal"].create(
                {
                    "name": self.env._("Settlements of artisans"),
                    "type": "purchase",
                    "code": "SETT",
                    "company_id": company.id,
                }
            )
        return self.soko_settlement_journal_id

    def _soko_get_advance_account(self):
        """Return the account of what artisans owe us, made when first needed."""
        return self._soko_get_account(
            "soko_advance_account_id", "141000", "asset_current",
            self.env._("Advances to artisans"),
        )

    def _soko_get_accrual_account(self):
        """Return the account of what is owed and not billed, made when first needed."""
        return self._soko_get_account(
            "soko_accrual_account_id", "219000", "liability_current",
            self.env._("Accrued settlements of artisans"),
        )

    def _soko_get_account(self, field, code, account_type, name):
        """Return the account that a field of the company names, made when first needed.

        :param str field: the many2one of the company
        :param str code: of the new account, or the next one that is free
        """
        self.ensure_one()
        # sudo: as for the journal
        company = self.sudo()
        if not company[field]:
            Account = company.env["account.account"].with_company(company)
            company[field] = Account.create(
                {
                    "name": name,
                    "code": Account._search_new_account_code(code),
                    "account_type": account_type,
                    "company_ids": [Command.set(company.ids)],
                }
            )
        return self[field]

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
