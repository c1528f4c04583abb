import hashlib
import secrets

from odoo import api, fields, models

# Words of the addresses that Safaricom calls. It refuses addresses with "mpesa", "query" ...
KINDS = {
    "payout": "result",
    "payout-late": "timeout",
    "status": "status",
    "status-late": "status_timeout",
}


class SokoMpesaCallback(models.Model):
    """An address that Safaricom was given for one purpose; its token is kept as a digest."""

    _name = "soko.mpesa.callback"
    _description = "M-Pesa callback address"
    _allow_sudo_commands = False

    attempt_id = fields.Many2one(
        "soko.mpesa.attempt", required=True, index=True, ondelete="restrict",
    )
    company_id = fields.Many2one(related="attempt_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("result", "Payment result"),
            ("timeout", "Payment time-out"),
            ("status", "Status result"),
            ("status_timeout", "Status time-out"),
        ],
        required=True,
    )
    token_sha256 = fields.Char(required=True)

    _token_uniq = models.Constraint("UNIQUE(token_sha256)", "A token is used once.")

    @api.model
    def _make_url(self, attempt, word):
        """Return a new address for `attempt`; its token is known to the request alone.

        :param str word: one of KINDS
        """
        token = secrets.token_urlsafe(32)
        # sudo: addresses are made by the sender only; this method is private
        self.sudo().create({
            "attempt_id": attempt.id, "kind": KINDS[word], "token_sha256": self._digest(token),
        })
        base = attempt.account_id._get_callback_url()
        return f"{base}/soko/daraja/{word}/{token}"

    @api.model
    def _find(self, word, token):
        """Return the address with this word and token; empty when there is none."""
        # sudo: the caller is the public controller, which shows nothing of it
        return self.sudo().search([
            ("token_sha256", "=", self._digest(token)), ("kind", "=", KINDS.get(word, "")),
        ])

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()
