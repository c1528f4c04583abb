import hmac
import logging
import secrets
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..tools import explain
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

# How long M-Pesa's answer to the balance query is waited for; it usually takes some seconds.
WAIT_SECONDS = 120
STATUSES = ("problem", "waiting", "warning", "ok")


class SokoMpesaCheck(models.Model):
    """One check of an account's set-up, kept as it was. A button makes it, a job carries it out:
    nothing outside is called from a web request."""

    _name = "soko.mpesa.check"
    _description = "M-Pesa set-up check"
    _inherit = ["soko.mpesa.check.looks", "soko.mpesa.export.mixin"]
    _order = "id desc"
    _allow_sudo_commands = False

    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="cascade", readonly=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, index=True)
    user_id = fields.Many2one(
        "res.users", string="Asked by", required=True, ondelete="restrict", readonly=True,
    )
    state = fields.Selection(
        [("queued", "About to begin"), ("waiting", "Waiting for M-Pesa"), ("done", "Done")],
        required=True, default="queued", readonly=True, index=True,
    )
    result = fields.Selection(
        [("ok", "All right"), ("warning", "Look at some points"), ("problem", "Mend some points"),
         ("waiting", "Not finished")],
        compute="_compute_result", store=True,
    )
    environment = fields.Selection(
        selection=[("sandbox", "Sandbox (trial)"), ("production", "Production (real money)")],
        required=True, default="sandbox", readonly=True,
    )
    waiting_until = fields.Datetime(readonly=True)
    ping_ask = fields.Char(readonly=True, groups="base.group_no_one")
    ping_answer = fields.Char(readonly=True, groups="base.group_no_one")
    line_ids = fields.One2many("soko.mpesa.check.line", "check_id", readonly=True)

    @api.depends("line_ids.status", "state")
    def _compute_result(self):
        for check in self:
            found = set(check.line_ids.mapped("status"))
            if check.state == "queued" or not found:
                check.result = "waiting"
            else:
                check.result = next(status for status in STATUSES if status in found)

    @api.depends("account_id", "create_date")
    def _compute_display_name(self):
        for check in self:
            check.display_name = self.env._("Set-up of %s", check.account_id.name)

    # === STARTING === #

    @api.model
    def _start(self, account):
        """Make a check of `account` and have it carried out at once.

        :rtype: soko.mpesa.check
        """
        # sudo: people can't write checks; the caller has checked the right
        check = self.sudo().create({
            "account_id": account.id, "user_id": self.env.uid,
            "environment": account.environment,
            "ping_ask": secrets.token_urlsafe(24), "ping_answer": secrets.token_urlsafe(24),
        })
        self.env.ref("soko_mpesa.ir_cron_check").sudo()._trigger()
        return check.with_env(self.env)

    @api.model
    def _answer_ping(self, ask):
        """Return what a check expects to hear at our public address; empty for strangers.

        :param str ask: the last part of the address
        """
        # sudo: the caller is the public controller; a check that isn't running has no answer
        check = self.sudo().search([("ping_ask", "=", ask), ("state", "=", "queued")], limit=1)
        return check.ping_answer or ""

    # === CARRYING OUT === #

    @api.model
    @beats("ir_cron_check")
    def _cron_check(self):
        """Carry out the checks that were asked for, and end those that M-Pesa left waiting."""
        # sudo: the cron's user need not have an M-Pesa role
        for check in self.sudo().search([("state", "=", "queued")], order="id"):
            # the words are for the person who asked
            check.with_context(lang=check.user_id.lang, tz=check.user_id.tz)._carry_out()
        for check in self.sudo().search([
            ("state", "=", "waiting"), ("waiting_until", "<=", fields.Datetime.now()),
        ]):
            check.with_context(lang=check.user_id.lang)._give_up()

    def _carry_out(self):
        self.ensure_one()
        try:
            if self.try_lock_for_update().state != "queued":
                return
            for code in self._get_local_looks():
                self._look(code)
            self.env["ir.cron"]._commit_progress()
            for code in self._get_outside_looks():
                self._look(code)
                self.env["ir.cron"]._commit_progress()
            self._finish()
            self.env["ir.cron"]._commit_progress(1)
        except OperationalError:
            self.env.cr.rollback()
            self.env.ref("soko_mpesa.ir_cron_check")._trigger()  # goes on with what is missing
            self.env["ir.cron"]._commit_progress()

    def _look(self, code):
        """Look at one thing; a fault of ours is a finding, not the end of the check."""
        if code in self.line_ids.mapped("code"):
            return
        try:
            finding = getattr(self, f"_look_at_{code}")()
        except OperationalError:
            raise
        except Exception:  # noqa: BLE001  the other points must be looked at all the same
            _logger.warning("M-Pesa set-up check: %s", code, exc_info=True)
            finding = (
                "warning", "",
                self.env._("This could not be looked at; the server's log says why."),
                self.env._("Show it to the person who looks after the server."),
            )
        if finding:
            self._set_line(code, *finding)

    def _set_line(self, code, status, tried="", meaning="", advice=""):
        line = self.line_ids.filtered(lambda line: line.code == code)
        values = {"status": status, "tried": tried, "meaning": meaning, "advice": advice}
        if line:
            line.write(values)
        else:
            codes = [*self._get_local_looks(), *self._get_outside_looks()]
            self.env["soko.mpesa.check.line"].create({
                "check_id": self.id, "code": code, "name": self._get_titles()[code],
                "sequence": codes.index(code), **values,
            })

    def _finish(self):
        waits = "waiting" in self.line_ids.mapped("status")
        self.state = "waiting" if waits else "done"
        if not waits:
            self.account_id._refresh_golive()

    # === THE BALANCE QUERY'S ROUND TRIP === #

    def _wait_for_balance(self):
        """Note that M-Pesa's answer is awaited, so that an answer finds the line however fast."""
        until = fields.Datetime.now() + timedelta(seconds=WAIT_SECONDS)
        self.waiting_until = until
        self._set_line(
            "balance", "waiting", self.env._("Asked M-Pesa for the balance of the shortcode."),
            self.env._("Waiting for M-Pesa's answer; it usually takes some seconds."),
            self.env._("Reload this page in half a minute."),
        )
        self.env.ref("soko_mpesa.ir_cron_check")._trigger(at=until + timedelta(seconds=1))
        self.env["ir.cron"]._commit_progress()

    @api.model
    def _on_balance(self, account, result):
        """Complete the checks that wait for a balance of `account`.

        :param BalanceResult result: M-Pesa's answer, whatever it says
        """
        # sudo: the cron that applies letters need not have an M-Pesa role
        lines = self.env["soko.mpesa.check.line"].sudo().search([
            ("check_id.account_id", "=", account.id), ("code", "=", "balance"),
            ("status", "=", "waiting"),
        ])
        for line in lines:
            check = line.check_id.with_context(lang=line.check_id.user_id.lang)
            check._set_line("balance", *check._judge_balance(result))
            if check.state == "waiting":
                check._finish()

    def _judge_balance(self, result):
        tried = self.env._("Asked M-Pesa for the balance of the shortcode. It answered.")
        if result.code == "0" and result.utility is not None:
            return "ok", tried, self.env._(
                "M-Pesa accepts the operator's name and password, the operator may ask for "
                "balances, and M-Pesa's answers reach this Odoo. Float: %s KES.",
                f"{result.utility:,.2f}",
            ), ""
        told = explain.explain(result.code, result.description)
        return (
            "problem", f"{tried} [{result.code} {result.description}]".strip(),
            " ".join((
                self.env._("M-Pesa's answers reach this Odoo, but it gave no balance."),
                self.env._(told.happened))),
            self.env._(told.advice),
        )

    def _give_up(self):
        """Nothing came in two minutes: say what that means."""
        try:
            if self.try_lock_for_update().state != "waiting":
                return
            self._set_line(
                "balance", "problem",
                self.env._("Asked M-Pesa for the balance of the shortcode; it took the question."),
                self.env._(
                    "No answer after 2 minutes: M-Pesa probably can't reach %s from the internet. "
                    "Payments would be made, but Odoo would hear of them by asking only, later.",
                    self.account_id._get_callback_url()),
                self.env._(
                    "See that this address is right, that its certificate is valid, and that "
                    "nothing between keeps strangers away from /soko/daraja/. The sandbox loses "
                    "answers often: there, try again."),
            )
            self._finish()
            self.env["ir.cron"]._commit_progress(1)
        except OperationalError:
            self.env.cr.rollback()  # the answer arrives at this very moment

    def _is_our_answer(self, body):
        return hmac.compare_digest(body.decode("latin-1").strip(), self.ping_answer or "-")
