from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from ..tools import compliance

STATES = [
    (compliance.DRAFT, "Draft"),
    (compliance.COMING, "Not Yet"),
    (compliance.VALID, "Valid"),
    (compliance.EXPIRED, "Expired"),
    (compliance.WITHDRAWN, "Withdrawn"),
]
# Written by the steps, never by hand.
STAMPS = ("approved_user_id", "approved_date", "withdrawn", "warned_for")
# What may change once a manager vouched for it.
FREE = ("user_id", "warning_days", "active", "withdrawn_reason")
CHATTER = ("activity_", "message_")


class SokoQcDatedProof(models.AbstractModel):
    """A paper that counts from a day to a day, once a manager vouched for it.

    Its state is computed by the date and never stored, so that it can't be out of date.
    """

    _name = "soko.qc.dated.proof"
    _description = "Dated Proof"
    _inherit = ["mail.thread", "mail.activity.mixin"]

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    active = fields.Boolean(default=True)
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        default=lambda self: self.env.user,
        help="Who is told before it expires.",
    )
    date = fields.Date(
        "From", required=True, default=fields.Date.context_today, tracking=True
    )
    date_expiry = fields.Date("Valid Until", tracking=True, help="Last day. Empty: without end.")
    warning_days = fields.Integer(
        "Warn Before", default=30, help="Days before the end when the responsible is told."
    )
    warned_for = fields.Date(readonly=True, copy=False)
    approved_user_id = fields.Many2one("res.users", "Approved By", readonly=True, copy=False)
    approved_date = fields.Datetime("Approved On", readonly=True, copy=False)
    withdrawn = fields.Boolean(readonly=True, copy=False, tracking=True)
    withdrawn_reason = fields.Char("Why Withdrawn", copy=False, tracking=True)
    state = fields.Selection(STATES, compute="_compute_state", search="_search_state")
    product_tmpl_id = fields.Many2one(
        "product.template", "Product", required=True, index=True, check_company=True, tracking=True
    )
    lot_id = fields.Many2one(
        "stock.lot",
        index="btree_not_null",
        domain="[('product_id.product_tmpl_id', '=', product_tmpl_id)]",
        tracking=True,
        help="Empty: for all pieces of the product.",
    )

    # === COMPUTE METHODS === #

    @api.depends("approved_user_id", "withdrawn", "date", "date_expiry")
    def _compute_state(self):
        today = fields.Date.context_today(self)
        for proof in self:
            proof.state = compliance.state_on(
                today,
                bool(proof.approved_user_id),
                proof.withdrawn,
                proof.date,
                proof.date_expiry,
            )

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        approved = Domain("withdrawn", "=", False) & Domain("approved_user_id", "!=", False)
        open_end = Domain("date_expiry", "=", False) | Domain("date_expiry", ">=", today)
        domains = {
            compliance.WITHDRAWN: Domain("withdrawn", "=", True),
            compliance.DRAFT: Domain("withdrawn", "=", False)
            & Domain("approved_user_id", "=", False),
            compliance.EXPIRED: approved & Domain("date_expiry", "<", today),
            compliance.COMING: approved & open_end & Domain("date", ">", today),
            compliance.VALID: approved & open_end & Domain("date", "<=", today),
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    @api.constrains("date", "date_expiry")
    def _check_dates(self):
        for proof in self:
            if proof.date_expiry and proof.date_expiry < proof.date:
                raise ValidationError(
                    self.env._(
                        "%s would end before it begins. Check its two dates.", proof.display_name
                    )
                )

    @api.constrains("lot_id", "product_tmpl_id")
    def _check_lot(self):
        for proof in self:
            lot = proof.lot_id
            if lot and lot.product_id.product_tmpl_id != proof.product_tmpl_id:
                raise ValidationError(
                    self.env._(
                        "Lot %(lot)s is of %(other)s, not of %(product)s.",
                        lot=lot.name,
                        other=lot.product_id.display_name,
                        product=proof.product_tmpl_id.display_name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_stamps(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_stamps(vals)
        written = {name for name in vals if not name.startswith(CHATTER)} - {*FREE, *STAMPS}
        fixed = self.filtered("approved_user_id")
        if written and fixed:
            raise UserError(
                self.env._(
                    "%s is approved and can no longer be changed. Withdraw it and make a new one.",
                    fixed[0].display_name,
                )
            )
        return super().write(vals)

    def _check_stamps(self, vals):
        if not self.env.su and any(vals.get(name) for name in STAMPS):
            raise AccessError(
                self.env._("Approve or withdraw it with the buttons: they say who did it.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        if self.filtered(lambda p: p.approved_user_id or p.withdrawn):
            raise UserError(
                self.env._("What was approved once is a record. Withdraw it instead.")
            )

    # === ACTIONS === #

    def action_approve(self):
        """Vouch for it: from now on it counts, within its dates."""
        self._check_manager()
        for proof in self:
            if proof.approved_user_id or proof.withdrawn:
                raise UserError(self.env._("%s is no draft.", proof.display_name))
            problem = proof._get_problem()
            if problem:
                raise UserError(
                    self.env._(
                        "%(name)s proves nothing yet: %(problem)s",
                        name=proof.display_name,
                        problem=problem,
                    )
                )
        # sudo: only this step approves; the right was checked above.
        self.sudo().write(
            {"approved_user_id": self.env.uid, "approved_date": fields.Datetime.now()}
        )
        return True

    def action_withdraw(self):
        """Take it back, for good; whoever relies on it no longer can."""
        self._check_manager()
        for proof in self:
            if not (proof.withdrawn_reason or "").strip():
                raise UserError(
                    self.env._("Say why %s is withdrawn, in its own field.", proof.display_name)
                )
        # sudo: only this step withdraws; the right was checked above.
        self.sudo().write({"withdrawn": True})
        self.activity_unlink(["soko_qc.mail_activity_type_expiry"])
        return True

    def _check_manager(self):
        self.check_access("write")
        if not self.env.user.has_group("soko_qc.soko_qc_group_manager"):
            raise AccessError(
                self.env._("Only a quality manager vouches for what the company claims.")
            )

    # === BUSINESS METHODS === #

    def _get_problem(self):
        """Why this proves nothing, as a text; False when it does. Override it."""
        return False

    @api.model
    def _cron_warn_expiry(self):
        """Tell the responsible, once for each end, of what is about to expire."""
        today = fields.Date.context_today(self)
        proofs = self.search([("state", "=", compliance.VALID), ("date_expiry", "!=", False)])
        ending = proofs.filtered(
            lambda p: p.warned_for != p.date_expiry
            and (p.date_expiry - today).days <= p.warning_days
        )
        for proof in ending:
            proof.activity_schedule(
                "soko_qc.mail_activity_type_expiry",
                date_deadline=proof.date_expiry,
                user_id=(proof.user_id or proof.approved_user_id).id,
                summary=self.env._("Expires: %s", proof.display_name),
            )
            proof.warned_for = proof.date_expiry
        return ending
