import base64
import hashlib

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..tools import parse
from ..tools.redact import readable, redact

NOTE_TRIES = 5
# How many of a pass's letters are read for the newest float; they arrive nearly in order.
NOTED_LETTERS = 50


class SokoMpesaBalance(models.Model):
    """What the accounts of a shortcode held when M-Pesa said so. A trigger keeps it as it is."""

    _name = "soko.mpesa.balance"
    _description = "M-Pesa balance"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "at desc, id desc"
    _rec_name = "at"
    _allow_sudo_commands = False

    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    at = fields.Datetime(
        string="As of", required=True, readonly=True,
        help="When M-Pesa took the balance, by its own clock if that makes sense.",
    )
    received_at = fields.Datetime(required=True, readonly=True)
    source = fields.Selection(
        [("query", "Balance query"), ("payment", "Result of a payment")],
        required=True, readonly=True,
    )
    utility = fields.Monetary(
        string="Float", required=True, readonly=True, aggregator="min",
        help="Utility account: payouts are paid from it.",
    )
    working = fields.Monetary(
        string="Working account", readonly=True, aggregator="min",
        help="Money here can't be paid out before it is moved to the utility account.",
    )
    charges = fields.Monetary(
        string="Charges account", readonly=True, aggregator="min",
        help="M-Pesa collects its fees here; it runs below zero until you settle it.",
    )
    merchant = fields.Monetary(string="Merchant account", readonly=True, aggregator="min")
    others = fields.Text(string="Other accounts", readonly=True)
    sha256 = fields.Char(required=True, readonly=True, help="Digest of the text as received.")
    raw = fields.Binary(attachment=False, readonly=True)
    body = fields.Text(compute="_compute_body", string="Text as received")

    _newest_idx = models.Index("(account_id, at DESC, id DESC)")

    def init(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_balance_guard() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'M-Pesa balances are append-only';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_balance_guard ON soko_mpesa_balance;
            CREATE TRIGGER soko_mpesa_balance_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_balance FOR EACH ROW EXECUTE FUNCTION soko_mpesa_balance_guard();
        """)

    @api.depends("raw")
    def _compute_body(self):
        for balance in self.with_context(bin_size=False):
            balance.body = readable(base64.b64decode(balance.raw or b""))

    @api.model
    def _add(self, account, source, facts, raw, received_at):
        """Keep a balance of `account`.

        :param str source: ``query`` or ``payment``
        :param facts: BalanceResult or PaymentResult; its `utility` is known
        :param bytes raw: what was received. Of a payment only the digest is kept: the rest is
            somebody's name and number, and is in the evidence already.
        :param datetime received_at: when it arrived here
        :rtype: soko.mpesa.balance
        """
        raw = redact(raw)
        others = "\n".join(f"{name}: {amount}" for name, amount in getattr(facts, "others", ()))
        # sudo: nobody may write balances by hand; this method is private
        return self.sudo().create({
            "account_id": account.id,
            "company_id": account.company_id.id,
            "currency_id": account.currency_id.id,
            "at": self._get_moment(facts.completed, received_at),
            "received_at": received_at,
            "source": source,
            "utility": facts.utility,
            "charges": facts.charges or 0,
            "working": getattr(facts, "working", None) or 0,
            "merchant": getattr(facts, "merchant", None) or 0,
            "others": others or False,
            "sha256": hashlib.sha256(raw).hexdigest(),
            "raw": base64.b64encode(raw) if source == "query" else False,
        })

    @api.model
    def _get_moment(self, text, received_at):
        """Return the provider's time, unless it lies ahead of ours: a clock that is wrong must
        not make every later balance look old."""
        moment = parse.parse_moment(text)
        return min(moment, received_at) if moment else received_at

    # === AFTER A PASS OVER THE INBOX === #

    @api.model
    def _note_pass(self, letters):
        """Carry the newest float out of the letters of one pass into their accounts.

        Once a pass and in a transaction of its own, so that callbacks don't queue for the row of
        the account. Commits.

        :param letters: soko.mpesa.inbox, those of the pass
        """
        for _try in range(NOTE_TRIES if letters else 0):
            try:
                self._note_letters(letters)
                self.env["ir.cron"]._commit_progress()
                return
            except OperationalError:
                self.env.cr.rollback()  # somebody writes the account just now: read again

    def _note_letters(self, letters):
        # sudo: the cron's user need not have an M-Pesa role
        letters = letters.sudo().search([
            ("id", "in", letters.ids), ("state", "=", "applied"),
            ("callback_id.kind", "in", ("result", "balance")),
        ], order="id desc", limit=NOTED_LETTERS)
        newest = {}
        for letter in letters:
            callback = letter.callback_id
            account = callback.account_id or callback.attempt_id.account_id
            best = newest.setdefault(account, None)
            if callback.kind == "result" and (told := self._read_result(letter)):
                newest[account] = max(filter(None, (best, told)), key=lambda it: it[0])
        for account, told in newest.items():
            if told and (not account.float_at or told[0] >= account.float_at):
                self._add(account, "payment", *told[1:])
            account._fill_float()

    def _read_result(self, letter):
        """Return (as of, result, body, received) of a payment's result that tells the float."""
        raw = base64.b64decode(letter.with_context(bin_size=False).raw or b"")
        result = parse.parse_payment_result(raw)
        ours = letter.callback_id.attempt_id.originator_id
        if result.code != "0" or result.utility is None or result.originator_id != ours:
            return None
        received_at = letter.create_date.replace(microsecond=0)
        return self._get_moment(result.completed, received_at), result, raw, received_at
