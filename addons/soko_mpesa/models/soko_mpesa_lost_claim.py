from odoo import api, fields, models
from odoo.exceptions import UserError


class SokoMpesaLostClaim(models.Model):
    """A payment that this server sent and this database doesn't know: the database is a copy of an
    older state. Nothing more is sent until a manager has accounted for it."""

    _name = "soko.mpesa.lost.claim"
    _description = "M-Pesa payment sent and forgotten"
    _order = "claimed_at desc, id desc"
    _rec_name = "originator_id"
    _inherit = ["mail.thread", "soko.mpesa.export.mixin"]
    _allow_sudo_commands = False

    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    originator_id = fields.Char(
        string="Reference", required=True, readonly=True,
        help="OriginatorConversationID: M-Pesa can find the payment by it.",
    )
    claimed_at = fields.Char(string="Sent at (UTC)", readonly=True)
    amount = fields.Integer(string="Amount (KES)", required=True, readonly=True)
    request_sha256 = fields.Char(readonly=True, string="Digest of the request")
    state = fields.Selection(
        [("open", "Not accounted for"), ("accounted", "Accounted for")],
        required=True, default="open", readonly=True, tracking=True, index=True,
    )
    accounted_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    accounted_at = fields.Datetime(readonly=True)

    _originator_uniq = models.Constraint(
        "UNIQUE(account_id, originator_id)", "This claim is listed already.",
    )

    def action_account(self):
        """Declare that the books contain these payments now, or that they weren't made."""
        self.account_id._check_is_manager()
        self.check_access("read")
        # sudo: people can't write these; the right was checked
        claims = self.sudo().filtered(lambda claim: claim.state == "open")
        if not claims:
            raise UserError(self.env._("These are accounted for already."))
        claims.write({
            "state": "accounted", "accounted_by_id": self.env.uid,
            "accounted_at": fields.Datetime.now(),
        })
        for account in claims.account_id:
            names = ", ".join(claims.filtered(
                lambda claim, account=account: claim.account_id == account,
            ).mapped("originator_id"))
            account.message_post(body=self.env._(
                "%(user)s says that these payments are accounted for: %(names)s",
                user=self.env.user.name, names=names,
            ))

    @api.model
    def _find_unaccounted(self, account, claims):
        """Keep those of `claims` that aren't listed, and return all that no manager has accounted
        for.

        :param claims: list of tools.claims.Claim that the database doesn't know
        :rtype: soko.mpesa.lost.claim
        """
        # sudo: the sender lists them; this method is private
        model = self.sudo()
        domain = [("account_id", "=", account.id),
                  ("originator_id", "in", [claim.originator_id for claim in claims])]
        listed = set(model.search(domain).mapped("originator_id"))
        # one that was sent again, because nothing had left before, stands in the list twice
        claims = {claim.originator_id: claim for claim in claims}.values()
        model.create([
            {
                "account_id": account.id, "originator_id": claim.originator_id,
                "claimed_at": claim.at, "amount": claim.amount, "request_sha256": claim.sha256,
            }
            for claim in claims if claim.originator_id not in listed
        ])
        return model.search([*domain, ("state", "=", "open")])
