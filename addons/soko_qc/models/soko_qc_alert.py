from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import is_html_empty

# In the order in which an alert goes through them.
STAGES = [
    ("new", "New"),
    ("cause", "Cause Found"),
    ("action", "Action Taken"),
    ("verified", "Verified"),
    ("closed", "Closed"),
]
ORDER = [stage for stage, _label in STAGES]
# Who did what, and when, is written by the steps and never by hand.
STAMPS = ("action_user_id", "action_date", "verified_user_id", "verified_date", "date_closed")
DEFAULT_DAYS = 7


class SokoQcAlert(models.Model):
    """Something went wrong that must not happen again: its cause, and what was done about it."""

    _name = "soko.qc.alert"
    _description = "Quality Alert"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "priority desc, date_deadline, id desc"
    _check_company_auto = True
    _rec_names_search = ["name", "title"]

    name = fields.Char("Number", readonly=True, copy=False, default="/")
    title = fields.Char(required=True, tracking=True, help="What went wrong, in a few words.")
    stage = fields.Selection(
        STAGES,
        required=True,
        default="new",
        index=True,
        copy=False,
        tracking=True,
        group_expand=True,
    )
    priority = fields.Selection([("0", "Normal"), ("1", "Urgent")], default="0")
    reason = fields.Selection(
        [
            ("manual", "Reported"),
            ("critical", "Critical defect"),
            ("refused", "Refused lot"),
            ("repeated", "Lots refused again and again"),
        ],
        "Raised By",
        required=True,
        readonly=True,
        default="manual",
        copy=False,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        "Responsible",
        default=lambda self: self.env.user,
        index=True,
        tracking=True,
        help="Who sees to it that the cause is found and something is done.",
    )
    tag_ids = fields.Many2many("soko.qc.tag", string="Tags")
    date_deadline = fields.Date(
        "Due",
        default=lambda self: fields.Date.context_today(self) + timedelta(days=DEFAULT_DAYS),
        tracking=True,
    )
    inspection_id = fields.Many2one(
        "soko.qc.inspection", check_company=True, index="btree_not_null"
    )
    product_id = fields.Many2one("product.product", index="btree_not_null", check_company=True)
    lot_id = fields.Many2one("stock.lot", index="btree_not_null", check_company=True)
    partner_id = fields.Many2one("res.partner", "Maker or Supplier", index="btree_not_null")
    description = fields.Html(help="What was seen, on which pieces, since when.")
    cause_category = fields.Selection(
        [
            ("material", "Material"),
            ("method", "Way of working"),
            ("tool", "Tool or machine"),
            ("skill", "Skill or training"),
            ("design", "Design"),
            ("measurement", "Measuring"),
            ("handling", "Transport or storage"),
            ("other", "Other"),
        ],
        "Kind of Cause",
        tracking=True,
    )
    cause = fields.Html("Root Cause", help="Why it happened. Ask why until the answer is a cause.")
    corrective_action = fields.Html(help="What was done about these pieces and this cause.")
    preventive_action = fields.Html(help="What keeps it from happening again, here or elsewhere.")
    action_user_id = fields.Many2one("res.users", "Action By", readonly=True, copy=False)
    action_date = fields.Datetime("Action On", readonly=True, copy=False)
    verified_user_id = fields.Many2one("res.users", "Verified By", readonly=True, copy=False)
    verified_date = fields.Datetime("Verified On", readonly=True, copy=False)
    date_closed = fields.Datetime("Closed On", readonly=True, copy=False)
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")

    _verified_by_another = models.Constraint(
        "CHECK(verified_user_id IS NULL OR verified_user_id != action_user_id)",
        "Whether an action helped is verified by another person than the one who took it.",
    )

    # === COMPUTE METHODS === #

    @api.depends("date_deadline", "stage")
    def _compute_is_late(self):
        today = fields.Date.context_today(self)
        for alert in self:
            due = alert.date_deadline
            alert.is_late = bool(due and due < today and alert.stage != "closed")

    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        return [("date_deadline", "<", today), ("stage", "!=", "closed")]

    @api.depends("name", "title")
    def _compute_display_name(self):
        for alert in self:
            alert.display_name = f"{alert.name} {alert.title or ''}".strip()

    @api.onchange("inspection_id")
    def _onchange_inspection_id(self):
        if self.inspection_id:
            self.update(self._prepare_inspection_vals(self.inspection_id))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_stamps(vals)
            if vals.get("name", "/") == "/":
                company_id = vals.get("company_id") or self.env.company.id
                sequence = self.env["ir.sequence"].with_company(company_id)
                vals["name"] = sequence.next_by_code("soko.qc.alert") or "/"
        # An alert begins at its beginning: the steps check what they need.
        wanted = [vals.pop("stage", "new") for vals in vals_list]
        alerts = super().create(vals_list)
        for alert, stage in zip(alerts, wanted, strict=True):
            if stage != "new":
                alert.stage = stage
        alerts._plan_activity()
        return alerts

    def write(self, vals):
        self._check_stamps(vals)
        if "stage" not in vals:
            res = super().write(vals)
        else:
            for alert in self:
                super(SokoQcAlert, alert).write({**vals, **alert._get_stamps(vals["stage"])})
            self._check_stage()
            res = True
        if {"stage", "user_id", "date_deadline"} & vals.keys():
            self._plan_activity()
        return res

    def _check_stamps(self, vals):
        """Refuse signatures that somebody writes by hand.

        :raises AccessError: for a value in a field that the steps write
        """
        if not self.env.su and any(vals.get(name) for name in STAMPS):
            raise AccessError(
                self.env._(
                    "Who took and who verified an action is written when the alert goes on to "
                    "that stage, and never by hand."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_new(self):
        if any(alert.stage != "new" for alert in self):
            raise UserError(
                self.env._(
                    "An alert that was worked on is a record and is not deleted. Close it, and "
                    "say in its cause why it was none."
                )
            )

    # === STAGES === #

    def _get_stamps(self, stage):
        """Who and when, for the step to another stage; a step back takes signatures away."""
        self.ensure_one()
        now, uid = fields.Datetime.now(), self.env.uid
        before, after = ORDER.index(self.stage), ORDER.index(stage)
        stamps = {}
        if after < ORDER.index("action"):
            stamps.update(action_user_id=False, action_date=False)
        elif before < ORDER.index("action") and after == ORDER.index("action"):
            stamps.update(action_user_id=uid, action_date=now)
        if after < ORDER.index("verified"):
            stamps.update(verified_user_id=False, verified_date=False)
        elif before < ORDER.index("verified") and after == ORDER.index("verified"):
            stamps.update(verified_user_id=uid, verified_date=now)
        stamps["date_closed"] = now if stage == "closed" else False
        return stamps

    def _check_stage(self):
        """Each stage needs what the ones before it leave behind.

        :raises ValidationError: when something is missing
        """
        for alert in self:
            reached = ORDER.index(alert.stage)
            for stage, missing in alert._get_missing():
                if missing and ORDER.index(stage) <= reached:
                    raise ValidationError(
                        self.env._("%(name)s is not there yet. %(missing)s", name=alert.name,
                                   missing=missing)
                    )

    def _get_missing(self):
        """Pairs of a stage and what it still needs (False when it is there)."""
        self.ensure_one()
        user = self.action_user_id
        is_own = user and user == self.verified_user_id
        return [
            ("cause", (not self.cause_category or is_html_empty(self.cause)) and self.env._(
                "Say what the cause was, and of which kind."
            )),
            ("action", is_html_empty(self.corrective_action) and self.env._(
                "Say what was done about it (corrective action)."
            )),
            ("action", not user and self.env._(
                "Mark the action as taken first, so that it is known who took it."
            )),
            ("verified", not self.verified_user_id and self.env._(
                "Have somebody verify that the action helped."
            )),
            ("verified", is_own and self.env._(
                "%s took the action; somebody else has to verify that it helped.", user.name
            )),
        ]  # fmt: skip

    # === ACTIONS === #

    def action_next(self):
        """Go on to the next stage."""
        for alert in self:
            position = ORDER.index(alert.stage)
            if alert.stage == "closed":
                raise UserError(self.env._("%s is closed. Reopen it first.", alert.name))
            alert.stage = ORDER[position + 1]
        return True

    def action_reopen(self):
        """Begin anew: what was done did not help."""
        self.stage = "new"
        return True

    # === BUSINESS METHODS === #

    def _plan_activity(self):
        """One open activity for the responsible, due when the alert is; none once it is closed."""
        xmlid = "soko_qc.mail_activity_type_alert"
        for alert in self:
            if alert.stage == "closed" or not alert.user_id:
                alert.activity_unlink([xmlid])
                continue
            due = alert.date_deadline or fields.Date.context_today(alert)
            planned = alert.activity_reschedule(
                [xmlid], date_deadline=due, new_user_id=alert.user_id.id
            )
            if not planned:
                alert.activity_schedule(
                    xmlid, date_deadline=due, summary=alert.title, user_id=alert.user_id.id
                )

    @api.model
    def _prepare_inspection_vals(self, inspection):
        """What an alert takes over from its inspection."""
        return {
            "inspection_id": inspection.id,
            "product_id": inspection.product_id.id,
            "lot_id": inspection.lot_id.id,
            "partner_id": inspection.partner_id.id,
            "company_id": inspection.company_id.id,
        }
