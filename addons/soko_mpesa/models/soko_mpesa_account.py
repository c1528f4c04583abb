import base64
import os
import re
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import plaintext2html

from ..const import (
    ABSENT_SETTLE_MINUTES,
    BASE_URL_VARIABLE,
    CALLBACK_URL_VARIABLE,
    HOSTS,
    MAX_AMOUNT,
    METHOD_CODE,
    MIN_AMOUNT,
    PASSWORD_DAYS,
    PAYEE_DAY_LIMIT,
    QUERY_DELAYS,
)
from ..tools import amounts, credential, eat, states
from ..tools.client import check_base_url
from ..tools.context import defaults
from ..tools.serial import touch

# A float that M-Pesa told longer ago says nothing about the next payout.
FLOAT_FRESH = timedelta(hours=1)

# What Odoo knows by itself; `readonly` keeps no RPC call away from it.
OWN_FIELDS = frozenset({
    "stopped_reason", "last_error", "float_amount", "charges_amount", "float_at", "float_is_low",
    "balance_wanted", "balance_asked_at", "balance_error", "paused_until", "pause_count",
    "clock_difference", "golive_is_complete", "waiting_reason", "credential_refused",
    "trial_since",
})

SECRET_FIELDS = ("consumer_key", "consumer_secret", "initiator_password", "security_credential")


class SokoMpesaAccount(models.Model):
    _name = "soko.mpesa.account"
    _description = "M-Pesa account"
    _inherit = [
        "soko.mpesa.export.mixin",
        "mail.thread", "mail.activity.mixin", "soko.mpesa.account.float",
        "soko.mpesa.account.guard", "soko.mpesa.account.books", "soko.mpesa.account.caps",
    ]
    _check_company_auto = True
    _order = "company_id, name"

    name = fields.Char(required=True, help="How your people call this account.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company,
        help="The company that pays from this account.",
    )
    environment = fields.Selection(
        [("sandbox", "Sandbox (trial)"), ("production", "Production (real money)")],
        required=True, default="sandbox", tracking=True,
        help="Sandbox is Safaricom's playground. Production moves real money.",
    )
    shortcode = fields.Char(
        required=True, tracking=True,
        help="The paybill or bulk disbursement number that pays: five to seven digits.",
    )
    command = fields.Selection(
        [
            ("BusinessPayment", "Business payment"),
            ("SalaryPayment", "Salary payment"),
            ("PromotionPayment", "Promotion payment"),
        ],
        required=True, default="BusinessPayment",
        help="What M-Pesa calls the payment in the message to the person who is paid.",
    )
    initiator_name = fields.Char(
        string="Operator's name",
        tracking=True, help="The API operator's user name in the M-Pesa organisation portal.",
    )
    base_url = fields.Char(
        string="Address of Daraja",
        help="Only to reach Daraja at another address than Safaricom's. The environment variable "
             "SOKO_MPESA_BASE_URL goes before it. After a change the credentials are entered "
             "again.",
    )
    callback_url = fields.Char(
        string="Address for answers",
        tracking=True,
        help="Where M-Pesa reaches this Odoo from outside: https://... The environment "
             "variable SOKO_MPESA_CALLBACK_URL goes before it.",
    )
    journal_id = fields.Many2one(
        "account.journal", check_company=True, domain="[('type', '=', 'bank')]",
        help="The bank journal that mirrors M-Pesa's utility and charges accounts together.",
    )
    auto_approve_limit = fields.Integer(
        string="Approve alone up to (KES)", tracking=True,
        help="Payments up to this amount go without a second person, to payees whom a second "
             "person has verified. 0: each payment waits for an approver. What somebody pays who "
             "may set this limit always waits.",
    )
    auto_approve_day_limit = fields.Integer(
        string="Approve alone a day (KES)", tracking=True,
        help="What the policy may approve in one day of Nairobi, all payments together; what is "
             "above waits for an approver. 0: no limit.",
    )
    payee_day_limit = fields.Integer(
        string="Most a payee and day (KES)", default=PAYEE_DAY_LIMIT, required=True, tracking=True,
        help="Your own limit for what one number gets in one day of Nairobi, at most Safaricom's "
             "500,000. What would exceed it is sent on the next day.",
    )
    pay_due = fields.Selection(
        [("no", "Only by hand"), ("daily", "Each day"), ("weekly", "Each week")],
        string="Pay due bills", required=True, default="no", tracking=True,
        help="Begin a payment run by itself. What the policy doesn't approve waits for an "
             "approver.",
    )
    pay_due_next = fields.Date(
        string="Next run on", tracking=True, copy=False,
        default=lambda self: fields.Date.context_today(self),
    )
    waiting_reason = fields.Char(
        readonly=True, copy=False, help="Why payouts of this account wait just now.",
    )
    payment_limit = fields.Integer(
        string="Largest payment (KES)", default=MAX_AMOUNT, required=True, tracking=True,
        help="Your own limit for one payment, at most Safaricom's 250,000.",
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, readonly=True,
        default=lambda self: self.env.ref("base.KES"),
        help="M-Pesa moves Kenyan shillings, whatever the company counts in.",
    )
    tariff_id = fields.Many2one(
        "soko.mpesa.tariff", check_company=True,
        default=lambda self: self.env.ref(
            "soko_mpesa.soko_mpesa_tariff_standard", raise_if_not_found=False),
        help="What M-Pesa charges you for a payment, as a dated table.",
    )
    remainder_account_id = fields.Many2one(
        "account.account", check_company=True,
        domain="[('account_type', '=', 'liability_current')]",
        string="M-Pesa remainders owed",
        help="M-Pesa pays whole shillings: the cents of a bill wait in this account, for each "
             "payee, until they make a shilling. Empty: bills with cents can't be paid in full.",
    )
    float_amount = fields.Monetary(
        string="Float", readonly=True, copy=False,
        help="What the utility account held when M-Pesa last said it: payouts are paid from it.",
    )
    charges_amount = fields.Monetary(
        string="Charges account", readonly=True, copy=False,
        help="M-Pesa collects its fees in this account; it runs below zero until you settle it.",
    )
    float_at = fields.Datetime(string="Float as of", readonly=True, copy=False)
    float_threshold = fields.Integer(
        string="Warn below (KES)", tracking=True,
        help="When the float falls below this, the person responsible gets a task. 0: never.",
    )
    query_delays = fields.Char(
        string="Ask after (minutes)",
        default=QUERY_DELAYS, required=True,
        help="Minutes after which M-Pesa is asked what became of a payment that it hasn't "
             "reported: each after the one before; the last one is repeated.",
    )
    absent_settle_minutes = fields.Integer(
        string="Believe \"not found\" after (minutes)", default=ABSENT_SETTLE_MINUTES,
        required=True,
        help="M-Pesa may not know a payment yet that it took a moment ago.",
    )
    responsible_id = fields.Many2one(
        "res.users", default=lambda self: self.env.user, required=True,
        help="Who gets a task when a payout needs a person.",
    )
    send_receipt_sms = fields.Boolean(
        string="Text the payee", tracking=True,
        help="Send an SMS with the receipt number when a payment is proven. M-Pesa itself texts "
             "the payee already, and another app may do so too; an SMS costs money.",
    )
    password_set_on = fields.Date(
        string="Password set on",
        copy=False, tracking=True,
        help="When the operator's password was set in the M-Pesa organisation portal. Safaricom "
             "lets it live for 90 days; you are warned after 80.",
    )
    password_expires_on = fields.Date(
        string="Password runs out on",
        compute="_compute_password_expires_on",
        help="Safaricom lets a password live for 90 days.",
    )
    certificate = fields.Binary(
        attachment=False, help="Safaricom's certificate of this environment, PEM or DER.",
    )
    certificate_info = fields.Text(compute="_compute_certificate_info")

    consumer_key = fields.Char(
        string="Consumer key",
        compute="_compute_secrets", inverse="_inverse_consumer_key", copy=False,
        groups="soko_mpesa.soko_mpesa_group_manager",
        help="From the app in the Daraja portal. It can be replaced, never read again.",
    )
    consumer_secret = fields.Char(
        string="Consumer secret",
        compute="_compute_secrets", inverse="_inverse_consumer_secret", copy=False,
        groups="soko_mpesa.soko_mpesa_group_manager",
        help="From the app in the Daraja portal. It can be replaced, never read again.",
    )
    initiator_password = fields.Char(
        string="Operator's password",
        compute="_compute_secrets", inverse="_inverse_initiator_password", copy=False,
        groups="soko_mpesa.soko_mpesa_group_manager",
        help="The API operator's password; it needs the certificate. Safaricom lets it live for "
             "90 days.",
    )
    security_credential = fields.Char(
        string="Ready security credential",
        compute="_compute_secrets", inverse="_inverse_security_credential", copy=False,
        groups="soko_mpesa.soko_mpesa_group_manager",
        help="Instead of password and certificate: the password as encrypted in the portal.",
    )
    stored_secrets = fields.Char(
        compute="_compute_stored_secrets", help="Which credentials are stored.",
    )
    stopped_reason = fields.Char(
        readonly=True, copy=False, tracking=True,
        help="Why nothing more is sent from this account until a person resumes it.",
    )
    last_error = fields.Char(
        readonly=True, copy=False, help="What went wrong when M-Pesa was last asked.",
    )
    blocking_reasons = fields.Text(compute="_compute_blocking_reasons")
    payout_ids = fields.One2many("soko.mpesa.payout", "account_id")
    payout_count = fields.Integer(compute="_compute_payout_count")

    _journal_uniq = models.UniqueIndex(
        "(journal_id) WHERE active AND journal_id IS NOT NULL",
        "Another M-Pesa account uses this journal.",
    )
    _shortcode_uniq = models.UniqueIndex(
        "(shortcode, environment, company_id) WHERE active",
        "This company has an account with this shortcode already.",
    )
    _spacing = models.Constraint(
        "CHECK(send_spacing_ms BETWEEN 0 AND 5000)",
        "Between two requests lie 0 to 5,000 milliseconds.",
    )
    _limits = models.Constraint(
        f"CHECK(payment_limit BETWEEN {MIN_AMOUNT} AND {MAX_AMOUNT} AND auto_approve_limit >= 0 "
        "AND absent_settle_minutes >= 0 AND COALESCE(float_threshold, 0) >= 0)",
        "The largest payment lies between 10 and 250,000 KES; other limits aren't negative.",
    )
    _day_limits = models.Constraint(
        f"CHECK(payee_day_limit BETWEEN {MIN_AMOUNT} AND {PAYEE_DAY_LIMIT} "
        "AND COALESCE(auto_approve_day_limit, 0) >= 0)",
        "A payee gets between 10 and 500,000 KES a day; other limits aren't negative.",
    )

    # === COMPUTE METHODS === #

    def _compute_secrets(self):
        """Secrets go in and never come out."""
        for field_name in SECRET_FIELDS:
            self[field_name] = False

    def _inverse_secret(self, field_name):
        for account in self:
            if account[field_name]:
                self.env["soko.mpesa.secret"]._put(account, field_name, account[field_name])
                self.env["soko.mpesa.secret"]._put(account, "token", "")
                account._arm_fence()
                # sudo: new credentials haven't been refused; the field can't be written by hand
                account.sudo().credential_refused = False
                account._begin_trial()
        self.invalidate_recordset([field_name])

    def _inverse_consumer_key(self):
        self._inverse_secret("consumer_key")

    def _inverse_consumer_secret(self):
        self._inverse_secret("consumer_secret")

    def _inverse_initiator_password(self):
        self._date_password("initiator_password")
        self._inverse_secret("initiator_password")

    def _inverse_security_credential(self):
        self._date_password("security_credential")
        self._inverse_secret("security_credential")

    def _date_password(self, field_name):
        """Take today for the day of a first password; later ones are dated by the manager."""
        for account in self:
            if account[field_name] and not account.password_set_on:
                account.password_set_on = fields.Date.context_today(account)

    def _compute_stored_secrets(self):
        for account in self:
            account.stored_secrets = ", ".join(
                account._fields[name]._description_string(self.env)
                for name in account._get_stored_kinds()
            )

    def _get_stored_kinds(self):
        """Return which credentials are stored, as field names."""
        secrets = self.env["soko.mpesa.secret"]
        return [name for name in SECRET_FIELDS if secrets._has(self, name)]

    @api.depends("password_set_on")
    def _compute_password_expires_on(self):
        for account in self:
            start = account.password_set_on
            account.password_expires_on = start and start + timedelta(days=PASSWORD_DAYS)

    @api.depends("certificate")
    def _compute_certificate_info(self):
        for account in self.with_context(bin_size=False):
            account.certificate_info = account._describe_certificate()

    def _describe_certificate(self):
        if not self.certificate:
            return False
        facts = credential.describe_certificate(base64.b64decode(self.certificate))
        text = self.env._(
            "%(subject)s\nvalid from %(valid_from)s to %(valid_to)s\nSHA-256 %(fingerprint)s",
            **facts,
        )
        if facts["valid_to"] < fields.Date.today():
            text += "\n" + self.env._(
                "This certificate is past its date. Safaricom's often are and still work; "
                "compare the fingerprint with the one that Safaricom gave you."
            )
        return text

    @api.depends_context("uid")
    def _compute_blocking_reasons(self):
        for account in self:
            account.blocking_reasons = "\n".join(account._get_blocking_reasons())

    def _compute_payout_count(self):
        counts = dict(self.env["soko.mpesa.payout"]._read_group(
            [("account_id", "in", self.ids)], ["account_id"], ["__count"],
        ))
        for account in self:
            account.payout_count = counts.get(account, 0)

    # === CONSTRAINT METHODS === #

    @api.constrains("shortcode")
    def _check_shortcode(self):
        for account in self:
            if not re.fullmatch(r"\d{5,7}", account.shortcode or ""):
                raise ValidationError(self.env._("A shortcode has five to seven digits."))

    @api.constrains("base_url", "environment")
    def _check_base_url(self):
        for account in self.filtered("base_url"):
            if not check_base_url(account.base_url, account.environment == "production"):
                raise ValidationError(self.env._(
                    "Daraja is reached by https only, and real money only at an address of the "
                    "internet (the sandbox also by http on this very machine). "
                    "Leave the address empty to use Safaricom's."
                ))
            other = "production" if account.environment == "sandbox" else "sandbox"
            if account.base_url.startswith(HOSTS[other]):
                raise ValidationError(self.env._(
                    "This address belongs to the other environment of Safaricom."
                ))

    @api.constrains("callback_url", "environment")
    def _check_callback_url(self):
        for account in self.filtered("callback_url"):
            if not check_base_url(account.callback_url, account.environment == "production"):
                raise ValidationError(self.env._(
                    "M-Pesa calls back by https only: https://your.address"
                ))

    @api.constrains("certificate")
    def _check_certificate(self):
        for account in self.with_context(bin_size=False).filtered("certificate"):
            try:
                account._describe_certificate()
            except ValueError:
                raise ValidationError(self.env._(
                    "This file is no certificate. Upload the .cer file from the Daraja portal "
                    "as it is (PEM or DER)."
                )) from None

    @api.constrains("query_delays")
    def _check_query_delays(self):
        for account in self:
            account._get_query_delays()

    @api.constrains("active")
    def _check_active(self):
        for account in self.filtered(lambda account: not account.active):
            counts = account._count_open_payouts()
            if any(counts):
                raise ValidationError(self.env._(
                    "%(name)s can't be archived: %(unsent)s of its payouts are still to be sent "
                    "and %(flying)s are in flight, and an archived account sends nothing. Withdraw "
                    "what is to be sent, or let it be sent; wait until M-Pesa has answered what "
                    "is in flight.", name=account.name, unsent=counts[0], flying=counts[1]))

    def _count_open_payouts(self):
        """Return (how many payouts are still to be sent, how many M-Pesa hasn't answered)."""
        # sudo: they count for whoever archives the account
        payouts = self.env["soko.mpesa.payout"].sudo()
        return tuple(payouts.search_count([("account_id", "=", self.id), *domain]) for domain in (
            ["|", ("state", "in", states.PAYOUT_UNSENT), ("attempt_ids.state", "=", "prepared")],
            [("attempt_ids.state", "in", states.ATTEMPT_SENT)],
        ))

    # === CRUD METHODS === #

    def write(self, vals):
        self._check_own_fields(vals)
        if "base_url" in vals and not self.env.su:
            moved = self.filtered(lambda acc: (acc.base_url or "") != (vals["base_url"] or ""))
            moved._forget_secrets()
        if changed := self.filtered(lambda account: account.golive_is_complete and any(
            account[name] != vals.get(name, account[name]) for name in ("environment", "shortcode")
        )):
            changed._reopen_golive()
        return super().write(vals)

    def _forget_secrets(self):
        """Drop the credentials: who doesn't know them must not send them to another address."""
        secrets = self.env["soko.mpesa.secret"]
        for account in self:
            for kind in (*SECRET_FIELDS, "token"):
                secrets._put(account, kind, "")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_own_fields(vals)
        return super().create(vals_list)

    @api.model
    def _check_own_fields(self, vals):
        if not self.env.su and OWN_FIELDS & (vals.keys() | defaults(self.env.context)):
            raise AccessError(self.env._(
                "Use the buttons of the account to stop or resume it. What M-Pesa says of it, Odoo "
                "writes by itself."
            ))

    # === ACTION METHODS === #

    def action_set_up_journal(self):
        """Make what is missing of: bank journal, account for payouts in flight, method line."""
        self._check_is_manager()
        for account in self:
            account._set_up_journal()
            account._ensure_book_accounts()

    def action_resume(self):
        """Send again after a stop; a manager says that the cause is mended."""
        self._check_is_manager()
        if sum(self.mapped("lost_claim_count")):
            raise UserError(self.env._(
                "First account for the payments under Lost claims: they were sent, and this "
                "database doesn't know them."
            ))
        # sudo: the stop reason can't be written by hand; the right was checked
        self.sudo().write({
            "stopped_reason": False, "paused_until": False, "pause_count": 0,
            "credential_refused": False,
        })
        for account in self:
            self.env["soko.mpesa.secret"]._forgive_token(account)
        self._end_trial()
        self._nudge_send()

    def action_check_setup(self):
        """Have every part of the set-up checked; what comes of it is kept."""
        self.ensure_one()
        self._check_is_manager()
        return self.env["soko.mpesa.check"]._start(self)._get_records_action()

    def action_open_payouts(self):
        self.ensure_one()
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("soko_mpesa.soko_mpesa_payout_action")
        return {**action, "domain": [("account_id", "=", self.id)], "context": {}}

    def _check_is_manager(self):
        if not self.env.su and not self.env.user.has_group("soko_mpesa.soko_mpesa_group_manager"):
            raise AccessError(self.env._("Only an M-Pesa manager may do this."))
        self.check_access("write")

    # === JOURNAL === #

    def _set_up_journal(self):
        # sudo: an M-Pesa manager need not be an accountant; what is made here is fixed
        account = self.sudo().with_company(self.company_id)
        if not account.journal_id:
            account.journal_id = account.env["account.journal"].create(
                account._prepare_journal_vals()
            )
        method = account.env.ref("soko_mpesa.account_payment_method_mpesa_b2c")
        lines = account.journal_id.outbound_payment_method_line_ids
        line = lines.filtered(lambda line: line.payment_method_id == method)
        if not line:
            line = account.env["account.payment.method.line"].create({
                "name": account.env._("M-Pesa"),
                "payment_method_id": method.id,
                "journal_id": account.journal_id.id,
            })
        if not line[0].payment_account_id:
            line[0].payment_account_id = account.env["account.account"].create(
                account._prepare_in_flight_account_vals()
            )
        if not account.remainder_account_id:
            account.remainder_account_id = account.env["account.account"].create(
                account._prepare_remainder_account_vals()
            )

    def _prepare_journal_vals(self):
        """Return the values of the bank journal of this account."""
        kes = self.env.ref("base.KES")
        journals = self.env["account.journal"].with_context(active_test=False)
        taken = set(journals.search([("company_id", "=", self.company_id.id)]).mapped("code"))
        codes = ["MPESA"] + [f"MP{number:03}" for number in range(1, 1000)]
        return {
            "name": self.env._("M-Pesa %s", self.shortcode),
            "code": next(code for code in codes if code not in taken),
            "type": "bank",
            "company_id": self.company_id.id,
            "currency_id": kes.id if self.company_id.currency_id != kes else False,
        }

    def _prepare_in_flight_account_vals(self):
        """Return the values of the account for money handed over and not yet proven paid."""
        accounts = self.env["account.account"]
        start = self.journal_id.default_account_id.code or "101400"
        return {
            "name": self.env._("M-Pesa payouts in flight"),
            "code": accounts._search_new_account_code(start),
            "account_type": "asset_current",
            "reconcile": True,
            "company_ids": [fields.Command.link(self.company_id.id)],
        }

    def _prepare_remainder_account_vals(self):
        """Return the values of the account for the cents that are carried to the next payment."""
        accounts = self.env["account.account"]
        liability = accounts.search([
            *accounts._check_company_domain(self.company_id),
            ("account_type", "=", "liability_current"),
        ], limit=1)
        return {
            "name": self.env._("M-Pesa remainders owed"),
            "code": accounts._search_new_account_code(liability.code or "211000"),
            "account_type": "liability_current",
            "company_ids": [fields.Command.link(self.company_id.id)],
        }

    # === LIMITS === #

    def _keep_within_day(self, payouts):
        """Return `payouts` without those of this account that exceed the policy's day.

        :param payouts: soko.mpesa.payout that the policy would approve, in their order
        """
        touch(self.env.cr, self._table, self.ids)  # two at once must not both fill the day
        approved = self.env["soko.mpesa.payout"]._read_group([
            ("account_id", "=", self.id), ("approver_id", "=", False),
            ("approved_at", ">=", eat.day_start(fields.Datetime.now())),
            ("cancelled_at", "=", False),
        ], [], ["amount:sum"])[0][0] or 0
        for payout in payouts.filtered(lambda payout: payout.account_id == self):
            if approved + payout.amount > self.auto_approve_day_limit:
                payouts -= payout
            else:
                approved += payout.amount
        return payouts

    def _lacks_float(self, amount):
        """Whether the float is known not to cover the next payout; says so on the account.

        :param int amount: shillings of the next payout
        """
        reason = False
        left = self._get_float_left()
        needed = amount + (self._get_fee(amount) or 0)
        if left is not None and left < needed:
            reason = self.env._(
                "The float has %(left)s KES left and the next payout needs %(needed)s KES. Top up; "
                "sending goes on by itself when M-Pesa tells the new float.",
                left=left, needed=needed,
            )
        if (self.waiting_reason or False) != reason:
            self.waiting_reason = reason
        return bool(reason)

    def _get_float_left(self):
        """Return the float less what was sent since M-Pesa told it, or None when it is too old.

        :rtype: Decimal
        """
        if not self.float_at or self.float_at < fields.Datetime.now() - FLOAT_FRESH:
            return None
        self.env["soko.mpesa.attempt"].flush_model(["account_id", "sent_at", "state"])
        self.env.cr.execute("""
            SELECT COALESCE(sum(payout.amount), 0)
              FROM soko_mpesa_attempt attempt JOIN soko_mpesa_payout payout
                ON payout.id = attempt.payout_id
             WHERE attempt.account_id = %s AND attempt.sent_at > %s
               AND attempt.state IN ('sending', 'accepted', 'unknown', 'paid')
        """, [self.id, self.float_at])
        return amounts.to_cents(self.float_amount) - self.env.cr.fetchone()[0]

    # === CENTS === #

    def _get_carried(self, partners):
        """Return what the company owes each payee because M-Pesa pays whole shillings.

        Branches may share the account for it; what one carries isn't the other's to pay.

        :param partners: res.partner
        :return: {id of the partner: Decimal shillings}
        """
        if not self.remainder_account_id:
            return {}
        # sudo: a maker need not see the journal items of the account; the sums stay in here
        sums = self.env["account.move.line"].sudo()._read_group([
            ("account_id", "=", self.remainder_account_id.id), ("parent_state", "=", "posted"),
            ("partner_id", "in", partners.ids), ("company_id", "=", self.company_id.id),
        ], ["partner_id"], ["amount_currency:sum"])
        return {partner.id: amounts.to_cents(-total) for partner, total in sums}

    def _touch_carried(self, partners):
        """Make concurrent transactions that carry cents of these payees begin anew."""
        touch(self.env.cr, "res_partner", partners.ids)

    def _prepare_remainder_vals(self, partner, owed, paid, day):
        """Return the values of the journal item that carries cents, or takes carried ones.

        :param partner: res.partner
        :param Decimal owed: what the payment settles
        :param int paid: what it pays
        :param date day: of the payment
        """
        cents = float(paid - owed)
        return {
            "name": self.env._("Cents that M-Pesa can't pay"),
            "account_id": self.remainder_account_id.id,
            "partner_id": partner.id,
            "currency_id": self.currency_id.id,
            "amount_currency": cents,
            "balance": self.currency_id._convert(
                cents, self.company_id.currency_id, self.company_id, day),
        }

    def _plan_amounts(self, debts, day):
        """Return what M-Pesa pays for each debt: whole shillings, in parts that it takes.

        What can't be planned is returned as it is; the checks of the payment refuse it then.

        :param debts: [(res.partner, Decimal owed, whether all of it is to be settled)]
        :param date day: of the payments
        :return: [(list of amounts, list of values of the journal item that carries the cents)]
        :raise UserError: it is too little to be paid now
        """
        partners = self.env["res.partner"].union(*(partner for partner, *_rest in debts))
        carried, moved, plan = self._get_carried(partners), partners.browse(), []
        for partner, owed, in_full in debts:
            pays, cents = owed, []
            if in_full and self.remainder_account_id:
                pays, carried[partner.id] = amounts.whole_shillings(
                    owed, carried.get(partner.id, Decimal(0)))
                if pays != owed:
                    cents = [self._prepare_remainder_vals(partner, owed, pays, day)]
                    moved |= partner
            if in_full and pays < MIN_AMOUNT:
                raise UserError(self._explain_waiting(partner, owed))
            plan.append((self._split_amount(pays), cents))
        if moved:
            self._touch_carried(moved)
        return plan

    def _split_amount(self, amount):
        """Return the parts of whole shillings; anything else is returned as one."""
        if amount != int(amount):
            return [float(amount)]
        try:
            return amounts.split(int(amount), self.payment_limit, MIN_AMOUNT)
        except ValueError:
            return [int(amount)]

    def _explain_waiting(self, partner, owed):
        return self.env._(
            "M-Pesa pays at least %(low)s KES, and %(payee)s is owed %(owed)s KES here. This "
            "waits: the bill stays open and is paid together with the payee's next bills, by "
            "\"Pay due bills\" or when you select them together and press Pay.",
            low=MIN_AMOUNT, payee=partner.display_name, owed=owed,
        )

    def _settle_overdrawn(self, partner, bill_lines):
        """Settle a part of open bills with cents that were paid already.

        A payment that left cents was undone after the next one had paid them.

        :param partner: res.partner
        :param bill_lines: account.move.line, payable items of the bills that are open again
        """
        overdrawn = -self._get_carried(partner).get(partner.id, Decimal(0))
        open_lines = bill_lines.filtered(lambda line: line.amount_residual_currency < 0)
        if overdrawn <= 0 or not open_lines:
            return
        # sudo: who may undo the payment may undo what it left; the entry is fixed
        account = self.sudo()
        cents = account._prepare_remainder_vals(
            partner, overdrawn, 0, fields.Date.context_today(self))
        payable = open_lines[0].account_id
        move = account.env["account.move"].create({
            "journal_id": account.journal_id.id,
            "ref": account.env._("Cents that were paid before"),
            "line_ids": [fields.Command.create(vals) for vals in (cents, {
                **cents, "account_id": payable.id, "balance": -cents["balance"],
                "amount_currency": -cents["amount_currency"],
            })],
        })
        move.action_post()
        (move.line_ids + open_lines).filtered(lambda line: line.account_id == payable).reconcile()

    # === SETTINGS === #

    def _for_journals(self, journals):
        """Return the accounts that pay from these journals: {journal: account or empty}."""
        # sudo: an accountant who posts a payment need not see the account
        accounts = self.sudo().search([("journal_id", "in", journals.ids)])
        found = {account.journal_id.id: account for account in accounts}
        return {journal: found.get(journal.id, accounts.browse()) for journal in journals}

    def _get_method_lines(self):
        """Return the payment method lines of M-Pesa in this account's journal."""
        # sudo: the methods of a journal are no secret
        lines = self.sudo().journal_id.outbound_payment_method_line_ids
        return lines.filtered(lambda line: line.code == METHOD_CODE)

    def _get_fee(self, amount, day=None):
        """Return what M-Pesa charges for a payment, by the account's tariff.

        :param int amount: shillings
        :param date day: the day of the payment in Nairobi; today when left out
        :return: Decimal shillings, or None when the tariff doesn't say
        """
        self.ensure_one()
        return self.tariff_id._get_fee(amount, day or eat.day_of(fields.Datetime.now()))

    def _get_base_url(self):
        self.ensure_one()
        return os.environ.get(BASE_URL_VARIABLE) or self.base_url or HOSTS[self.environment]

    def _get_callback_url(self):
        self.ensure_one()
        url = os.environ.get(CALLBACK_URL_VARIABLE) or self.callback_url or ""
        return url.rstrip("/")

    def _needs_public_address(self, variable):
        """Whether requests and answers may only go over the internet: always for real money.

        Who runs the server may name another address in the environment; a person at a screen or
        over RPC may not send credentials into the house's own network.

        :param str variable: the environment variable that goes before the setting
        """
        return self.environment == "production" and not os.environ.get(variable)

    def _get_query_delays(self):
        """Return the minutes between status queries as floats.

        :raise ValidationError: the setting can't be read
        """
        self.ensure_one()
        try:
            delays = [float(text) for text in (self.query_delays or "").split(",")]
        except ValueError:
            delays = []
        if not delays or min(delays) < 0:
            raise ValidationError(self.env._(
                "Write the delays as minutes with commas between them, such as 1,2,5,15,60."
            ))
        return delays

    def _get_security_credential(self):
        """Return the credential for a request.

        :raise UserError: neither a ready one nor password and certificate are stored
        """
        self.ensure_one()
        secrets = self.env["soko.mpesa.secret"]
        ready = secrets._get(self, "security_credential")
        if ready:
            return ready
        password = secrets._get(self, "initiator_password")
        certificate = self.with_context(bin_size=False).certificate
        if not password or not certificate:
            raise UserError(self.env._("The operator's password or the certificate is missing."))
        return credential.make_credential(password, base64.b64decode(certificate))

    # === MAY WE SEND? === #

    def _get_blocking_reasons(self):
        """Return why nothing may be sent now, as sentences; empty when all is well."""
        reasons = self._get_standing_reasons()
        # sudo: the switch counts for those who can't read their company's settings, too
        if self.sudo().company_id.soko_mpesa_frozen:
            reasons.append(self.env._("Sending is frozen for the company."))
        if self.stopped_reason:
            reasons.append(self.env._("The account is stopped: %s", self.stopped_reason))
        return reasons

    def _get_standing_reasons(self):
        """Return the reasons that nobody switched on: what is missing or wrong with the set-up."""
        self.ensure_one()
        reasons = self._get_missing_settings()
        if not self.active:
            reasons.append(self.env._(
                "The account is archived. Restore it, or withdraw what waits to be sent."))
        if not reasons and not self._fence_holds():
            reasons.append(self.env._(
                "The credentials were stored by another database or with another key. If this "
                "is the one and only live database, enter them again."
            ))
        if not self._database_is_durable():
            reasons.append(self.env._(
                "PostgreSQL is set to lose what it confirmed when the machine stops (fsync, "
                "synchronous_commit or full_page_writes is off). Money is not sent from it."
            ))
        return reasons + self._get_guard_reasons()

    def _get_missing_settings(self):
        secrets = self.env["soko.mpesa.secret"]
        try:
            secrets._box()
        except UserError as error:
            return [str(error)]
        has = {name: secrets._has(self, name) for name in SECRET_FIELDS}
        checks = [
            (has["consumer_key"] and has["consumer_secret"],
             self.env._("The consumer key or the consumer secret is missing.")),
            (has["security_credential"] or (has["initiator_password"] and self.certificate),
             self.env._("The operator's password and certificate, or a ready credential, are "
                        "missing.")),
            (self.initiator_name, self.env._("The operator's user name is missing.")),
            (self.journal_id, self.env._("The journal is missing: press Set up journal.")),
            (check_base_url(self._get_base_url(), self._needs_public_address(BASE_URL_VARIABLE)),
             self.env._("The address of Daraja isn't https, or leads into your own network.")),
            (check_base_url(self._get_callback_url(),
                            self._needs_public_address(CALLBACK_URL_VARIABLE)),
             self.env._("The address for M-Pesa's answers is missing, isn't https, or leads "
                        "into your own network.")),
        ]
        return [text for good, text in checks if not good]

    def _database_is_durable(self):
        """Whether what PostgreSQL has committed survives a crash of the machine."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.env.cr.execute("SELECT current_setting(%s)", [setting])
            if self.env.cr.fetchone()[0] == "off":
                return False
        return True

    def _arm_fence(self):
        secrets = self.env["soko.mpesa.secret"]
        secrets._put(self, "fence", self._get_fingerprint())

    def _fence_holds(self):
        """Whether this is the database, and the key, with which the credentials were stored."""
        secrets = self.env["soko.mpesa.secret"]
        return secrets._box().is_fingerprint(
            secrets._get(self, "fence"), *self._get_fence_parts())

    def _get_fingerprint(self):
        return self.env["soko.mpesa.secret"]._box().fingerprint(*self._get_fence_parts())

    def _get_fence_parts(self):
        return "soko_mpesa", self._get_database_uuid(), str(self.id)

    def _stop(self, reason):
        """Send nothing more from this account until a manager resumes it, and tell somebody.

        :param str reason: what happened, in words
        """
        for account in self.filtered(lambda account: not account.stopped_reason):
            # sudo: a guard stops the line whoever is acting
            account.sudo().write({"stopped_reason": reason})
            for user in account._get_callees():
                # sudo: the same
                account.sudo().activity_schedule(
                    "mail.mail_activity_data_todo", user_id=user.id,
                    summary=self.env._("M-Pesa sending is stopped"), note=plaintext2html(reason),
                )

    def _get_callees(self):
        """Return who gets the tasks of this account.

        :rtype: res.users
        """
        self.ensure_one()
        # sudo: a guard calls a person whoever is acting
        account = self.sudo()
        return self.env["soko.mpesa.watch"]._get_callees(
            account.responsible_id, account.company_id)

    def _nudge_send(self):
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_send").sudo()._trigger()
