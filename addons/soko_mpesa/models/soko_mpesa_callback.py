import hashlib
import secrets

from odoo import api, fields, models

# Words of the addresses that Safaricom calls. It refuses addresses with "mpesa", "query" ...
KINDS = {
    "payout": "result",
    "payout-late": "timeout",
    "status": "status",
    "status-late": "status_timeout",
    "float": "balance",
    "float-late": "balance_timeout",
}


class SokoMpesaCallback(models.Model):
    """An address that Safaricom was given for one purpose; its token is kept as a digest."""

    _name = "soko.mpesa.callback"
    _description = "M-Pesa callback address"
    _inherit = ["soko.mpesa.export.mixin"]
    _allow_sudo_commands = False

    attempt_id = fields.Many2one("soko.mpesa.attempt", index=True, ondelete="restrict")
    account_id = fields.Many2one(
        "soko.mpesa.account", index="btree_not_null", ondelete="restrict",
        help="For questions about the account itself, such as its balance.",
    )
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True, index=True,
    )
    kind = fields.Selection(
        [
            ("result", "Payment result"),
            ("timeout", "Payment time-out"),
            ("status", "Status result"),
            ("status_timeout", "Status time-out"),
            ("balance", "Balance result"),
            ("balance_timeout", "Balance time-out"),
        ],
        required=True,
    )
    token_sha256 = fields.Char(required=True)

    _token_uniq = models.Constraint("UNIQUE(token_sha256)", "A token is used once.")

    _one_owner = models.Constraint(
        "CHECK(num_nonnulls(attempt_id, account_id) = 1)",
        "An address belongs to one attempt or to one account.",
    )

    @api.depends("attempt_id.company_id", "account_id.company_id")
    def _compute_company_id(self):
        for callback in self:
            owner = callback.attempt_id or callback.account_id
            callback.company_id = owner.company_id

    @api.model
    def _make_url(self, owner, word):
        """Return a new address for `owner`; its token is known to the request alone.

        :param owner: the attempt or the account that the answer is about
        :param str word: one of KINDS
        """
        token = secrets.token_urlsafe(32)
        is_account = owner._name == "soko.mpesa.account"
        # sudo: addresses are made by the sender only; this method is private
        self.sudo().create({
            "account_id" if is_account else "attempt_id": owner.id, "kind": KINDS[word],
            "token_sha256": self._digest(token),
        })
        base = (owner if is_account else owner.account_id)._get_callback_url()
        return f"{base}/soko/daraja/{word}/{token}"

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()
