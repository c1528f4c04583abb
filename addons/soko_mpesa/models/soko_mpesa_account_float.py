import time
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import (
    BASE_URL_VARIABLE,
    HTTP_DEADLINE,
    LOCKING_RESULTS,
    PASS_BUDGET,
    PATH_BALANCE,
)
from ..tools import classify, client, explain, parse, setup
from .soko_mpesa_heartbeat import beats

# Minutes. A little less than the hour of the job, so that a late run doesn't skip a turn.
BALANCE_EVERY = 50


class SokoMpesaAccountFloat(models.AbstractModel):
    """The part of an account that knows what there is to pay with."""

    _name = "soko.mpesa.account.float"
    _description = "M-Pesa account: float"

    balance_wanted = fields.Boolean(
        readonly=True, copy=False, help="Somebody asked for the balance; it is on its way.",
    )
    balance_asked_at = fields.Datetime(string="Balance asked", readonly=True, copy=False)
    balance_error = fields.Char(
        string="Balance query", readonly=True, copy=False,
        help="Why M-Pesa gave no balance when it was last asked.",
    )
    float_is_low = fields.Boolean(
        compute="_compute_float_is_low", store=True, string="Float is low",
        help="M-Pesa last told less than \"Warn below\".",
    )
    clock_difference = fields.Integer(
        string="Clock ahead (s)", readonly=True, copy=False,
        help="By how much this server's clock is ahead of M-Pesa's.",
    )

    # === COMPUTE METHODS === #

    @api.depends("float_at", "float_amount", "float_threshold", "currency_id")
    def _compute_float_is_low(self):
        for account in self:
            account.float_is_low = bool(account.float_at and account.float_threshold) and (
                account.currency_id.compare_amounts(
                    account.float_amount, account.float_threshold) < 0)

    # === ACTION METHODS === #

    def action_ask_balance(self):
        """Have the balance asked for soon; the answer takes some seconds."""
        self._check_is_manager()
        for account in self:
            if missing := account._get_missing_settings():
                raise UserError("\n".join(missing))
        # sudo: what is known of the float can't be written by hand; the right was checked
        self.sudo()._want_balance()
        return {
            "type": "ir.actions.client", "tag": "display_notification",
            "params": {"message": self.env._(
                "M-Pesa is being asked for the balance. Reload this page in half a minute."
            ), "next": {"type": "ir.actions.client", "tag": "soft_reload"}},
        }

    def action_open_balances(self):
        self.ensure_one()
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("soko_mpesa.soko_mpesa_balance_action")
        return {**action, "domain": [("account_id", "=", self.id)], "context": {}}

    # === ASKING === #

    def _want_balance(self):
        self.write({"balance_wanted": True})
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_balance").sudo()._trigger()

    @api.model
    @beats("ir_cron_balance")
    def _cron_balance(self):
        """Ask M-Pesa what the accounts hold: hourly, and when somebody wants to know."""
        stop_at = time.monotonic() + PASS_BUDGET
        # sudo: the cron's user need not have an M-Pesa role
        for account in self.sudo().search([("active", "=", True)]):
            if time.monotonic() + HTTP_DEADLINE > stop_at:
                self.env.ref("soko_mpesa.ir_cron_balance")._trigger()
                return
            if account._is_balance_due():
                account._ask_balance()

    def _is_balance_due(self):
        """Whether to ask now. A stopped account is asked only when a person wants it: a wrong
        password that is tried again and again locks the operator."""
        if self._is_paused():
            return False
        if self.balance_wanted:
            return True
        old = fields.Datetime.now() - timedelta(minutes=BALANCE_EVERY)
        return not self.stopped_reason and (
            not self.balance_asked_at or self.balance_asked_at <= old)

    def _ask_balance(self):
        """Send one balance query; ends the transaction before the call and after it.

        :return: what the call proved; None when nothing was asked
        :rtype: Outcome or None
        """
        self.ensure_one()
        try:
            token, request = self._claim_balance()
        except OperationalError:
            self.env.cr.rollback()  # somebody writes the account just now: the next run asks
            return None
        if request is None:
            return None
        outcome = client.send(request)
        for _try in range(5):
            try:
                self._record_balance_answer(outcome, token)
                self.env["ir.cron"]._commit_progress()
                return outcome
            except OperationalError:
                self.env.cr.rollback()
        return outcome

    def _claim_balance(self):
        if self._get_missing_settings() or not self._fence_holds():
            if self.balance_wanted:
                self.balance_wanted = False
            self.env["ir.cron"]._commit_progress()
            return "", None
        token = self.env["soko.mpesa.attempt"]._get_token(self)
        if not token:
            return "", None
        request = self._build_balance_request(token)
        self.write({"balance_asked_at": fields.Datetime.now(), "balance_wanted": False})
        self.env["ir.cron"]._commit_progress()
        return token, request

    def _build_balance_request(self, token):
        callbacks = self.env["soko.mpesa.callback"]
        return client.make_request(self._get_base_url(), PATH_BALANCE, token, {
            "Initiator": self.initiator_name,
            "SecurityCredential": self._get_security_credential(),
            "CommandID": "AccountBalance",
            "PartyA": self.shortcode,
            "IdentifierType": "4",
            "Remarks": "Balance",
            "QueueTimeOutURL": callbacks._make_url(self, "float-late"),
            "ResultURL": callbacks._make_url(self, "float"),
        }, self._needs_public_address(BASE_URL_VARIABLE))

    def _record_balance_answer(self, outcome, token):
        """Write down what Daraja said at once; the balance itself comes by callback."""
        if outcome.token_invalid:
            self.env["soko.mpesa.secret"]._drop_token(self, token)
            self._want_balance()
        elif outcome.reason == "throttle":
            self._pause()
            self.balance_wanted = True
        elif outcome.kind != classify.ACCEPTED:
            self.balance_error = explain.sentence(
                self.env, outcome.code, outcome.description or outcome.reason)
        ahead = setup.clock_difference(outcome.date)
        if ahead is not None and ahead != self.clock_difference:
            self.clock_difference = ahead

    # === HEARING === #

    def _hear_balance(self, raw, **source):
        """Take in the answer to a balance query. Doesn't touch the float: see `_fill_float`.

        :param bytes raw: the body of the callback
        :param source: callback_id and source_address
        """
        result = parse.parse_balance_result(raw)
        if result.readable and result.code == "0" and result.utility is not None:
            self.env["soko.mpesa.balance"]._add(
                self, "query", result, raw, fields.Datetime.now())
            if self.balance_error:
                self.balance_error = False
            self._end_trial()  # the operator is the one of payments
        else:
            self.balance_error = explain.sentence(self.env, result.code, result.description)
        if result.code in LOCKING_RESULTS:
            self._stop(self.env._(
                "M-Pesa refused the balance query, and would refuse every payment: %s",
                self.balance_error,
            ))
        self.env["soko.mpesa.check"]._on_balance(self, result)

    def _hear_balance_timeout(self, raw, **source):
        """The query wasn't answered in time; the next one is due within the hour."""
        self.balance_error = self.env._(
            "M-Pesa was too busy to tell the balance. It is asked again within the hour.")

    # === FLOAT === #

    def _fill_float(self):
        """Let the account show its newest balance, and see whether that is enough."""
        newest = self.env["soko.mpesa.balance"].search([("account_id", "=", self.id)], limit=1)
        if not newest or (self.float_at and self.float_at > newest.at):
            return
        values = {
            "float_amount": newest.utility, "charges_amount": newest.charges,
            "float_at": newest.at,
        }
        if any(self[name] != value for name, value in values.items()):
            self.write(values)
            if self.waiting_reason:
                self._nudge_send()  # payouts wait for more float; there may be enough now
