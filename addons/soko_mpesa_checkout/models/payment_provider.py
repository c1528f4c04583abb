from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.payment import utils as payment_utils
from odoo.addons.soko_mpesa.tools import client

from ..const import MAX_AMOUNT, PASSKEY_KIND, PROVIDER_CODE, PUSH_DEADLINE
from ..tools import stk


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    code = fields.Selection(
        selection_add=[(PROVIDER_CODE, "M-Pesa")], ondelete={PROVIDER_CODE: "set default"},
    )
    soko_mpesa_account_id = fields.Many2one(
        "soko.mpesa.account", string="M-Pesa account", check_company=True, copy=False,
        ondelete="restrict", groups="base.group_system",
        help="The shortcode that is paid, with its consumer key and secret.",
    )
    soko_mpesa_till = fields.Char(
        string="Till number", copy=False, groups="base.group_system",
        help="Only for Buy Goods: the till that is paid, when the account's shortcode is the "
             "head office of a till. Empty for a paybill.",
    )
    soko_mpesa_passkey = fields.Char(
        string="Passkey", compute="_compute_soko_mpesa_passkey",
        inverse="_inverse_soko_mpesa_passkey", copy=False, groups="base.group_system",
        help="From Safaricom, for M-Pesa Express (Lipa na M-Pesa Online). It can be replaced, "
             "never read again.",
    )
    soko_mpesa_missing = fields.Text(
        string="Still missing", compute="_compute_soko_mpesa_missing",
        groups="base.group_system", help="Why no shopper can pay yet.",
    )

    # === COMPUTE METHODS === #

    def _compute_soko_mpesa_passkey(self):
        """The passkey goes in and never comes out."""
        self.soko_mpesa_passkey = False

    def _inverse_soko_mpesa_passkey(self):
        for provider in self.filtered("soko_mpesa_passkey"):
            if not provider.soko_mpesa_account_id:
                raise ValidationError(self.env._(
                    "Choose the M-Pesa account first: the passkey belongs to its shortcode."
                ))
            self.env["soko.mpesa.secret"]._put(
                provider.soko_mpesa_account_id, PASSKEY_KIND, provider.soko_mpesa_passkey.strip(),
            )
        self.invalidate_recordset(["soko_mpesa_passkey"])

    @api.depends("soko_mpesa_account_id", "soko_mpesa_passkey")
    def _compute_soko_mpesa_missing(self):
        for provider in self:
            is_mpesa = provider.code == PROVIDER_CODE
            provider.soko_mpesa_missing = (
                "\n".join(provider._soko_mpesa_get_missing()) if is_mpesa else False
            )

    # === CONSTRAINT METHODS === #

    @api.constrains("code", "state", "soko_mpesa_account_id")
    def _check_soko_mpesa_environment(self):
        wanted = {"test": "sandbox", "enabled": "production"}
        for provider in self.filtered(lambda provider: provider.code == PROVIDER_CODE):
            account = provider.soko_mpesa_account_id
            if account and account.environment != wanted.get(provider.state, account.environment):
                raise ValidationError(self.env._(
                    "A provider in test mode uses an account of Safaricom's sandbox, an enabled "
                    "provider one of production. Otherwise trial orders would move real money, "
                    "or real orders none."
                ))

    @api.constrains("soko_mpesa_till")
    def _check_soko_mpesa_till(self):
        for provider in self.filtered("soko_mpesa_till"):
            till = provider.soko_mpesa_till
            if not (till.isascii() and till.isdigit() and 5 <= len(till) <= 7):
                raise ValidationError(self.env._("A till number has five to seven digits."))

    # === BUSINESS METHODS === #

    def _get_supported_currencies(self):
        """Override of `payment`: M-Pesa knows shillings only."""
        currencies = super()._get_supported_currencies()
        if self.code == PROVIDER_CODE:
            currencies = currencies.filtered(lambda currency: currency.name == "KES")
        return currencies

    def _get_default_payment_method_codes(self):
        """Override of `payment`: Odoo's own method M-Pesa."""
        self.ensure_one()
        if self.code != PROVIDER_CODE:
            return super()._get_default_payment_method_codes()
        return {"mpesa"}

    @api.model
    def _get_compatible_providers(
        self, company_id, partner_id, amount, currency_id=None, is_validation=False, report=None,
        **kwargs,
    ):
        """Override of `payment`: offer M-Pesa only for what a prompt can ask for."""
        providers = super()._get_compatible_providers(
            company_id, partner_id, amount, currency_id=currency_id,
            is_validation=is_validation, report=report, **kwargs,
        )
        mpesa = providers.filtered(lambda provider: provider.code == PROVIDER_CODE)
        # sudo: shoppers can't read the account; whether there is one is no secret
        with_account = mpesa.sudo().filtered("soko_mpesa_account_id").ids
        is_unfit = is_validation or self._soko_mpesa_explain_amount(amount)
        unfit = mpesa.filtered(lambda provider: is_unfit or provider.id not in with_account)
        payment_utils.add_to_report(
            report, unfit, available=False,
            reason=self.env._("M-Pesa takes whole shillings from 1 to 250,000, and needs an "
                              "M-Pesa account on the provider"),
        )
        return providers - unfit

    @api.model
    def _soko_mpesa_explain_amount(self, amount):
        """Return why M-Pesa can't ask for `amount` shillings, or an empty text."""
        if not amount:
            return ""  # not known yet, or nothing to pay
        amount = round(amount, 2)
        if amount != int(amount):
            return self.env._(
                "M-Pesa takes whole shillings only, and this is KES %(amount).2f. Please pay in "
                "another way, or ask the shop to round the amount.", amount=amount,
            )
        if not 1 <= amount <= MAX_AMOUNT:
            return self.env._(
                "M-Pesa takes payments from KES 1 to KES 250,000. Please pay in another way."
            )
        return ""

    def _soko_mpesa_get_missing(self):
        """Return what keeps prompts from being sent, as sentences for the back office."""
        self.ensure_one()
        # sudo: shoppers cause this check; only the back office reads the sentences
        account = self.sudo().soko_mpesa_account_id
        if not account:
            return [self.env._("The M-Pesa account is missing.")]
        secrets = self.env["soko.mpesa.secret"]
        try:
            secrets._box()
        except UserError as error:
            return [str(error)]
        checks = [
            (secrets._has(account, "consumer_key") and secrets._has(account, "consumer_secret"),
             self.env._("The account has no consumer key or no consumer secret.")),
            (secrets._has(account, PASSKEY_KIND), self.env._("The passkey is missing.")),
            (client.check_base_url(account._get_callback_url()),
             self.env._("The account has no https address for Safaricom's answers.")),
        ]
        missing = [text for good, text in checks if not good]
        if not missing and not account._fence_holds():
            missing.append(self.env._(
                "The credentials were stored by another database or with another key; enter "
                "the consumer key again if this is the live database."
            ))
        return missing

    # === DARAJA === #

    def _soko_mpesa_get_credentials(self):
        """Return BusinessShortCode, Password and Timestamp of a request."""
        self.ensure_one()
        account = self.sudo().soko_mpesa_account_id  # sudo: shoppers can't read the account
        passkey = self.env["soko.mpesa.secret"]._get(account, PASSKEY_KIND)
        return stk.credentials(account.shortcode, passkey)

    def _soko_mpesa_call(self, path, payload):
        """Post `payload` and return what the answer proves; a stale token is replaced once.

        Commits, so that no row is locked and nothing is unsaved while the network is slow: what
        must be known about the call is to be written before.

        :rtype: odoo.addons.soko_mpesa.tools.classify.Outcome
        """
        outcome, token = self._soko_mpesa_call_once(path, payload)
        if outcome.token_invalid:
            # sudo: shoppers can't read the account
            self.env["soko.mpesa.secret"]._drop_token(self.sudo().soko_mpesa_account_id, token)
            outcome, token = self._soko_mpesa_call_once(path, payload)
        return outcome

    def _soko_mpesa_call_once(self, path, payload):
        account = self.sudo().soko_mpesa_account_id  # sudo: as above
        token, error = self.env["soko.mpesa.secret"]._token(account)
        base_url = account._get_base_url()
        # The token's row is locked and the claim unsaved until here; see the docstring above.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        if not token:
            return client.not_sent(error), token
        request = client.make_request(base_url, path, token, payload)
        return client.send(request, PUSH_DEADLINE), token
