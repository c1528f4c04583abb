from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.base.models.res_users import check_identity

# Payouts that are approved in one go; between two of them nothing is committed.
CHUNK = 200


class SokoMpesaApproval(models.TransientModel):
    """Approve many payouts at once, after a look at the whole."""

    _name = "soko.mpesa.approval"
    _description = "Approve M-Pesa payouts"

    line_ids = fields.One2many("soko.mpesa.approval.line", "approval_id", readonly=True)
    state = fields.Selection(
        [("ask", "To approve"), ("done", "Done")], required=True, default="ask", readonly=True,
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.ref("base.KES"), readonly=True,
    )
    count = fields.Integer(string="Payouts", compute="_compute_totals")
    total = fields.Integer(string="Total (KES)", compute="_compute_totals")
    fees = fields.Monetary(compute="_compute_totals", help="By the accounts' tariffs.")
    news_count = fields.Integer(string="New or changed", compute="_compute_totals")
    left_count = fields.Integer(string="Not yours to approve", compute="_compute_totals")
    float_known = fields.Boolean(compute="_compute_totals")
    float_amount = fields.Monetary(
        string="Float now", compute="_compute_totals",
        help="Of the accounts that pay; what M-Pesa last said.",
    )
    float_after = fields.Monetary(
        compute="_compute_totals", help="The float less these payouts and their fees.",
    )
    approved_count = fields.Integer(string="Approved", readonly=True)
    approved_total = fields.Integer(string="Approved (KES)", readonly=True)

    @api.depends("line_ids.reason", "line_ids.amount")
    def _compute_totals(self):
        for approval in self:
            lines = approval.line_ids.filtered(lambda line: not line.reason)
            # sudo: an approver may see the float of the accounts whose payouts she approves
            accounts = lines.payout_id.sudo().account_id
            approval.count = len(lines)
            approval.total = sum(lines.mapped("amount"))
            approval.fees = sum(lines.mapped("fee"))
            approval.news_count = len(lines.filtered("is_new"))
            approval.left_count = len(approval.line_ids) - len(lines)
            approval.float_known = bool(accounts) and all(accounts.mapped("float_at"))
            approval.float_amount = sum(accounts.mapped("float_amount"))
            approval.float_after = approval.float_amount - approval.total - approval.fees

    @api.model
    def _open_for(self, payouts):
        """Return the action that shows what approving `payouts` means to the present user."""
        waiting = payouts.filtered(lambda payout: payout.state == "submitted")
        if not waiting:
            raise UserError(self.env._("None of these payouts waits for approval."))
        lines = self.env["soko.mpesa.approval.line"]._prepare_lines(waiting)
        approval = self.create({"line_ids": [Command.create(vals) for vals in lines]})
        return approval._show()

    def _show(self):
        return {
            "type": "ir.actions.act_window", "res_model": self._name, "res_id": self.id,
            "name": self.env._("Approve payouts"), "view_mode": "form", "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_approve(self):
        """Approve what the user may approve; the others stay as they are."""
        self.ensure_one()
        self.check_access("write")
        payouts = self.line_ids.payout_id
        payouts._check_group("soko_mpesa.soko_mpesa_group_approver")
        if self.env["res.users"]._soko_mpesa_identity() == "stale":
            return self.action_approve_checked()
        if self.state != "ask":
            raise UserError(self.env._("This was done. Open the payouts again."))
        self._approve()
        return self._show()

    @check_identity
    def action_approve_checked(self):
        """The same, once Odoo has asked for the password."""
        return self.action_approve()

    def _approve(self):
        lines = self.line_ids.filtered(lambda line: not line.reason)
        for start in range(0, len(lines), CHUNK):
            lines[start:start + CHUNK]._approve()
        done = lines.filtered(lambda line: not line.reason)
        self.write({
            "state": "done", "approved_count": len(done),
            "approved_total": sum(done.mapped("amount")),
        })
