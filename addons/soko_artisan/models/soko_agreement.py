from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SokoAgreement(models.Model):
    """What we agreed with an artisan: which pieces, at which price, paid when and to whom."""

    _name = "soko.agreement"
    _description = "Consignment Agreement"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    artisan_id = fields.Many2one(
        "soko.artisan", required=True, index=True, ondelete="restrict", tracking=True
    )
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("expired", "Expired")],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    date_start = fields.Date(
        string="From",
        required=True,
        default=lambda self: self.env.company._soko_today(),
        tracking=True,
    )
    date_end = fields.Date(
        string="Until",
        tracking=True,
        help="Last day on which pieces may be dropped off under this agreement. Pieces that are "
        "in the house by then keep their price. Empty: no end.",
    )
    debt_trigger = fields.Selection(
        [("received", "The shopper has received the piece"), ("shipped", "The piece is sent")],
        string="Owed when",
        required=True,
        default="received",
        tracking=True,
    )
    hold_days = fields.Integer(
        default=lambda self: self.env.company.soko_default_hold_days,
        tracking=True,
        help="Days to wait after that moment before the artisan is paid.",
    )
    payee = fields.Selection(
        [("artisan", "The artisan"), ("group", "Her group")],
        string="Who is paid",
        required=True,
        default="artisan",
        tracking=True,
    )
    replenish_days = fields.Integer(
        string="Days to replenish",
        default=14,
        help="How long the artisan has to bring new pieces when we ask for them.",
    )
    line_ids = fields.One2many("soko.agreement.line", "agreement_id", string="Products", copy=True)
    note = fields.Html(string="Terms")

    _hold_days_positive = models.Constraint(
        "CHECK (hold_days >= 0)", "Hold days can't be negative."
    )
    _replenish_days_positive = models.Constraint(
        "CHECK (replenish_days >= 0)", "Days to replenish can't be negative."
    )
    _dates_in_order = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "The agreement ends before it begins. Mend the dates.",
    )

    # === CONSTRAINTS === #

    @api.constrains("state", "date_start", "date_end", "artisan_id")
    def _check_overlap(self):
        self.line_ids._check_overlap()

    @api.constrains("state", "artisan_id")
    def _check_stage(self):
        self.filtered(lambda a: a.state == "active").artisan_id._check_stage_allows("agreement")

    @api.constrains("state", "payee", "artisan_id")
    def _check_payee(self):
        for agreement in self.filtered(lambda a: a.state == "active" and a.payee == "group"):
            if not agreement.artisan_id.group_id.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(agreement)s pays the group, but %(artisan)s has no group with a "
                        "contact. Put the artisan in a group and give that group a contact.",
                        agreement=agreement.name,
                        artisan=agreement.artisan_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.agreement")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(agreement.state != "draft" for agreement in self):
            raise UserError(
                self.env._("Only a draft can be deleted: pieces may hang on this agreement.")
            )

    # === ACTION METHODS === #

    def action_activate(self):
        """Start the agreement: from now on pieces can be dropped off under it."""
        for agreement in self:
            if not agreement.line_ids:
                raise UserError(
                    self.env._(
                        "%(name)s names no product. Add at least one with its price.",
                        name=agreement.name,
                    )
                )
        self.write({"state": "active"})

    def action_expire(self):
        """End the agreement: no new pieces; those in the house keep their price."""
        self.filtered(lambda a: a.state == "active").write({"state": "expired"})

    def action_draft(self):
        """Take the agreement back to a draft, to mend it."""
        self.write({"state": "draft"})

    # === BUSINESS METHODS === #

    @api.model
    def _get_running_domain(self, prefix=""):
        """Return the domain of agreements in force today.

        :param str prefix: path to the agreement with its dot, such as "agreement_id."
        """
        today = self.env.company._soko_today()
        return [
            (f"{prefix}state", "=", "active"),
            (f"{prefix}date_start", "<=", today),
            "|",
            (f"{prefix}date_end", "=", False),
            (f"{prefix}date_end", ">=", today),
        ]

    @api.model
    def _cron_expire(self):
        """Expire the active agreements whose last day is over."""
        today = self.env.company._soko_today()
        self.search([("state", "=", "active"), ("date_end", "<", today)]).action_expire()
