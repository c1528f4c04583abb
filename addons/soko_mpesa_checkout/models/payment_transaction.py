import hashlib
import logging
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.payment import utils as payment_utils
from odoo.addons.soko_mpesa.tools import msisdn
from odoo.addons.soko_mpesa.tools.classify import NOT_SENT, REJECTED

from ..const import (
    CALLBACK_WORD,
    CANCELLED_CODE,
    PATH_PUSH,
    PATH_QUERY,
    PROVIDER_CODE,
    QUERY_DELAYS,
    UNFINISHED_CODES,
)
from ..tools import stk

_logger = logging.getLogger(__name__)
POST_PROCESS_AFTER = timedelta(minutes=1)


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    soko_mpesa_msisdn = fields.Char(
        string="M-Pesa number", readonly=True, copy=False,
        groups="account.group_account_invoice", help="The phone that was asked to pay.",
    )
    soko_mpesa_checkout_request = fields.Char(
        string="M-Pesa request", readonly=True, copy=False,
        groups="account.group_account_invoice",
        help="Safaricom's number of the prompt; with it Safaricom can be asked for the outcome.",
    )
    soko_mpesa_token_sha256 = fields.Char(readonly=True, copy=False, groups="base.group_system")
    soko_mpesa_query_at = fields.Datetime(
        string="Ask Safaricom at", readonly=True, copy=False, index="btree_not_null",
        groups="account.group_account_invoice",
    )
    soko_mpesa_query_count = fields.Integer(
        string="Times asked", readonly=True, copy=False, groups="account.group_account_invoice",
    )

    _soko_mpesa_token_uniq = models.UniqueIndex(
        "(soko_mpesa_token_sha256) WHERE soko_mpesa_token_sha256 IS NOT NULL",
    )

    # === PROCESSING VALUES === #

    def _get_specific_processing_values(self, processing_values):
        """Override of `payment`: the form may ask for a prompt for this transaction only."""
        if self.provider_code != PROVIDER_CODE:
            return super()._get_specific_processing_values(processing_values)
        return {"access_token": payment_utils.generate_access_token(
            processing_values["reference"], processing_values["partner_id"], env=self.env,
        )}

    # === PUSH === #

    def _soko_mpesa_claim(self, phone):
        """Reserve this transaction for one prompt.

        To be committed before the prompt is sent, so that a crash leaves a pending transaction
        and never a second prompt.

        :param str phone: a number as a person writes it
        :return: the secret of the callback address; empty when the prompt was claimed before
        :rtype: str
        :raise UserError: nothing can be asked for; says why and what to do
        """
        self.ensure_one()
        self._soko_mpesa_lock()
        if self.state != "draft":
            return ""
        number = self._soko_mpesa_check(phone)
        token = secrets.token_urlsafe(32)
        self.write({
            "soko_mpesa_msisdn": number, "soko_mpesa_token_sha256": self._soko_mpesa_digest(token),
        })
        self._set_pending()
        return token

    def _soko_mpesa_check(self, phone):
        try:
            number = msisdn.normalise(phone)
        except ValueError:
            raise UserError(self.env._(
                "This isn't a Kenyan mobile number. Write it like 0712 345 678."
            )) from None
        if self.currency_id.name != "KES":
            raise UserError(self.env._("M-Pesa takes Kenyan shillings only."))
        problem = self.provider_id._soko_mpesa_explain_amount(self.amount)
        if problem:
            raise UserError(problem)
        self._ensure_provider_is_not_disabled()
        missing = self.provider_id._soko_mpesa_get_missing()
        if missing:
            _logger.warning("M-Pesa checkout is not set up: %s", " ".join(missing))
            raise UserError(self.env._(
                "This shop can't take M-Pesa at the moment. You have not been charged; please "
                "pay in another way."
            ))
        return number

    def _soko_mpesa_push(self, token):
        """Send the prompt of a claimed and committed transaction, and note what is proven.

        :param str token: what the claim returned
        """
        self.ensure_one()
        payload = self._soko_mpesa_prepare_push(token)
        outcome = self.provider_id._soko_mpesa_call(PATH_PUSH, payload)
        self._soko_mpesa_lock()  # the callback may have come first
        if self.state != "pending":
            return
        answer = stk.read_push_answer(outcome.status, outcome.body)
        if answer.state == stk.PROMPTED:
            self.soko_mpesa_checkout_request = answer.checkout_id
            self._soko_mpesa_plan_query()
        elif answer.state == stk.REFUSED or outcome.kind in (NOT_SENT, REJECTED):
            _logger.info("M-Pesa refused %s: %s", self.reference, outcome.description)
            self._set_error(self._soko_mpesa_explain_refusal(answer.reason))
        else:
            # It may be on the phone. Only Safaricom's callback can tell: there is no number to
            # ask by.
            _logger.info("M-Pesa gave no clear answer for %s: %s", self.reference, outcome.reason)

    def _soko_mpesa_prepare_push(self, token):
        """Return the fields of the push request."""
        provider = self.provider_id.sudo()  # sudo: shoppers can't read the account
        account, till = provider.soko_mpesa_account_id, provider.soko_mpesa_till
        return {
            **provider._soko_mpesa_get_credentials(),
            "TransactionType": "CustomerBuyGoodsOnline" if till else "CustomerPayBillOnline",
            "Amount": int(self.amount),
            "PartyA": self.soko_mpesa_msisdn,
            "PartyB": till or account.shortcode,
            "PhoneNumber": self.soko_mpesa_msisdn,
            "CallBackURL": f"{account._get_callback_url()}/soko/daraja/{CALLBACK_WORD}/{token}",
            "AccountReference": stk.account_reference(self.reference),
            "TransactionDesc": "Shop order",
        }

    def _soko_mpesa_explain_refusal(self, reason):
        if reason.lower().startswith("unable to lock subscriber"):
            return self.env._(
                "Another M-Pesa request is open on this phone. Finish or cancel it there, wait a "
                "minute, then try again."
            )
        return self.env._(
            "M-Pesa could not send the request to your phone. You have not been charged. Please "
            "try again in a few minutes, or pay in another way."
        )

    # === OUTCOME === #

    @api.model
    def _soko_mpesa_find(self, token):
        """Return the transaction whose callback address has this secret; empty when none has."""
        # sudo: Safaricom's letter comes without a user; nothing is shown to the sender
        return self.sudo().search([
            ("soko_mpesa_token_sha256", "=", self._soko_mpesa_digest(token)),
            ("provider_code", "=", PROVIDER_CODE),
        ])

    def _soko_mpesa_hear(self, result):
        """Apply what Safaricom told about the prompt of this transaction.

        :param PushResult result: from a callback or from a query
        """
        self.ensure_one()
        self._soko_mpesa_lock()
        known = self.soko_mpesa_checkout_request
        if not result.code or (known and result.checkout_id != known):
            _logger.warning("M-Pesa letter for %s is of another request", self.reference)
            return
        if result.checkout_id and not known:
            self.soko_mpesa_checkout_request = result.checkout_id
        if result.code not in UNFINISHED_CODES:
            self._process(PROVIDER_CODE, {"reference": self.reference, "result": result})

    def _extract_amount_data(self, payment_data):
        """Override of `payment`: only the callback of a success tells an amount."""
        if self.provider_code != PROVIDER_CODE:
            return super()._extract_amount_data(payment_data)
        result = payment_data["result"]
        if result.code != "0" or result.amount is None:
            return None
        return {"amount": float(result.amount), "currency_code": "KES"}

    def _apply_updates(self, payment_data):
        """Override of `payment`: done, cancelled or failed, in words for the shopper."""
        if self.provider_code != PROVIDER_CODE:
            super()._apply_updates(payment_data)
            return
        result = payment_data["result"]
        if result.code == "0":
            self._soko_mpesa_set_paid(result)
        elif self.state == "pending":
            explanation = self._soko_mpesa_explain(result)
            if result.code == CANCELLED_CODE:
                self._set_canceled(explanation)
            else:
                self._set_error(explanation)
        if self.state != "pending":
            self.soko_mpesa_query_at = False

    def _soko_mpesa_set_paid(self, result):
        # `payment` lets a wrong amount pass when the transaction is in error already
        if result.amount is not None and result.amount != int(self.amount):
            return
        if result.receipt:
            self.provider_reference = result.receipt
        elif not self.provider_reference:
            self.provider_reference = result.checkout_id
        if self.state == "done":
            return
        self._set_done(extra_allowed_states=("cancel",))
        # The shopper's page does the rest, unless it was closed. Not at once: they would collide.
        # sudo: a cron is triggered, not edited
        self.env.ref("payment.cron_post_process_payment_tx").sudo()._trigger(
            fields.Datetime.now() + POST_PROCESS_AFTER
        )

    def _soko_mpesa_explain(self, result):
        """Return in words for the shopper why the prompt was not paid."""
        again = self.env._("You have not been charged. You can try again or pay in another way.")
        reasons = {
            "1": self.env._("There isn't enough money in this M-Pesa account."),
            "17": self.env._("M-Pesa refuses the same payment twice within two minutes."),
            "1001": self.env._("Another M-Pesa request was open on this phone."),
            "1019": self.env._("The request on the phone expired before the PIN was entered."),
            "1032": self.env._("The request was cancelled on the phone."),
            "1037": self.env._(
                "The phone didn't answer in time: it may be off, out of reach, or the PIN was "
                "not entered."
            ),
            "2001": self.env._("The M-Pesa PIN was wrong."),
        }
        other = self.env._(
            "M-Pesa didn't take the payment (%(code)s: %(text)s).",
            code=result.code, text=result.description,
        )
        return f"{reasons.get(result.code, other)} {again}"

    # === QUERY === #

    def _soko_mpesa_plan_query(self):
        """Plan when Safaricom is asked next; after the last time nobody asks any more."""
        count = self.soko_mpesa_query_count
        if count >= len(QUERY_DELAYS):
            self.soko_mpesa_query_at = False
            return
        at = fields.Datetime.now() + timedelta(minutes=QUERY_DELAYS[count])
        self.write({"soko_mpesa_query_at": at, "soko_mpesa_query_count": count + 1})
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa_checkout.ir_cron_query").sudo()._trigger(at)

    @api.model
    def _cron_soko_mpesa_query(self):
        """Ask Safaricom about prompts of which nothing was heard."""
        waiting = self.search([
            ("provider_code", "=", PROVIDER_CODE), ("state", "=", "pending"),
            ("soko_mpesa_query_at", "<=", fields.Datetime.now()),
        ])
        for transaction in waiting:
            transaction._soko_mpesa_plan_query()
            transaction._soko_mpesa_query()
            self.env["ir.cron"]._commit_progress(1)

    def _soko_mpesa_query(self):
        """Ask Safaricom what became of the prompt and apply the answer."""
        self.ensure_one()
        if self.provider_id._soko_mpesa_get_missing():
            return  # set up differently since; asked again as planned
        payload = {
            **self.provider_id._soko_mpesa_get_credentials(),
            "CheckoutRequestID": self.soko_mpesa_checkout_request,
        }
        outcome = self.provider_id._soko_mpesa_call(PATH_QUERY, payload)
        result = stk.read_query_answer(outcome.status, outcome.body)
        if result.code:
            self._soko_mpesa_hear(result)

    # === HELPERS === #

    def _soko_mpesa_lock(self):
        """Wait for the row and read it again."""
        self.flush_recordset()
        self.env.cr.execute(
            "SELECT id FROM payment_transaction WHERE id = %s FOR NO KEY UPDATE", [self.id]
        )
        self.invalidate_recordset()

    @api.model
    def _soko_mpesa_digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()
