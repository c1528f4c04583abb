from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import sampling

STAGES = [
    (sampling.FULL, "Full"),
    (sampling.NORMAL, "Normal"),
    (sampling.TIGHTENED, "Tightened"),
    (sampling.REDUCED, "Reduced"),
    (sampling.STOPPED, "Discontinued"),
]


class SokoQcSamplingState(models.Model):
    """How closely the lots of one maker and product are looked at, by the lots before.

    Only inspections write it, and a manager by the small form that asks for a reason.
    """

    _name = "soko.qc.sampling.state"
    _description = "Inspection Severity"
    _inherit = ["mail.thread"]
    _order = "partner_id, product_id, id"

    plan_id = fields.Many2one(
        "soko.qc.plan", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", "Maker", required=True, readonly=True, index=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    stage = fields.Selection(
        STAGES,
        "Inspection Severity",
        required=True,
        readonly=True,
        default=sampling.FULL,
        index=True,
        help="Full: every piece, for a new maker. Normal, tightened and reduced: by the tables of "
        "ISO 2859-1. Discontinued: too many refused lots; every piece until a manager decides.",
    )
    run = fields.Integer(
        "Accepted in a Row", readonly=True, help="Counted on full and on tightened inspection."
    )
    recent = fields.Char(
        "Last Lots", readonly=True, help="The last five on normal inspection: A accepted, R not."
    )
    score = fields.Integer(
        "Switching Score", readonly=True, help="30 points of good lots lead to reduced inspection."
    )
    refused = fields.Integer(
        "Refused Lots", readonly=True, help="Since tightened inspection began; 5 discontinue it."
    )
    inspection_ids = fields.One2many(
        "soko.qc.inspection", "sampling_state_id", "Lots", readonly=True
    )
    lot_count = fields.Integer("Lots Decided", compute="_compute_lot_count")

    _maker_uniq = models.Constraint(
        "UNIQUE(plan_id, partner_id, product_id, company_id)",
        "Somebody else began a lot of this maker at the same moment. Press the button again.",
    )

    # === COMPUTE METHODS === #

    @api.depends("inspection_ids.state")
    def _compute_lot_count(self):
        for state in self:
            state.lot_count = len(state.inspection_ids.filtered(lambda i: i.state == "done"))

    @api.depends("partner_id", "product_id")
    def _compute_display_name(self):
        for state in self:
            maker, product = state.partner_id.display_name, state.product_id.display_name
            state.display_name = f"{maker} / {product}"

    # === ACTIONS === #

    def action_reset(self):
        """Open the small form that sets another severity and asks why."""
        self._check_manager()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_sampling_reset_action"
        )
        return dict(action, context={"default_state_ids": self.ids})

    # === BUSINESS METHODS === #

    def _check_manager(self):
        if not self.env.user.has_group("soko_qc.soko_qc_group_manager"):
            raise AccessError(
                self.env._(
                    "How closely a maker's lots are looked at follows from the lots before. Ask a "
                    "quality manager when it should be changed by hand."
                )
            )

    @api.model
    def _find(self, plan, partner, product, company):
        """The state of this maker, or an empty recordset."""
        return self.search(
            [
                ("plan_id", "=", plan.id),
                ("partner_id", "=", partner.id),
                ("product_id", "=", product.id),
                ("company_id", "=", company.id),
            ]
        )

    @api.model
    def _find_or_create(self, plan, partner, product, company):
        # sudo: an inspector begins a lot; nobody writes states by hand.
        states = self.sudo()
        return states._find(plan, partner, product, company) or states.create(
            {
                "plan_id": plan.id,
                "partner_id": partner.id,
                "product_id": product.id,
                "company_id": company.id,
                "stage": plan._get_first_stage(),
            }
        )

    def _get_history(self):
        self.ensure_one()
        return sampling.History(self.stage, self.run, self.recent or "", self.score, self.refused)

    def _set_history(self, history, reason):
        """Write a history, and say in the chatter why the severity is another one."""
        self.ensure_one()
        before = self.stage
        self.write(history._asdict())
        if before != history.stage:
            labels = dict(self._fields["stage"]._description_selection(self.env))
            self.message_post(
                body=self.env._(
                    "Severity changed from %(before)s to %(after)s: %(reason)s",
                    before=labels[before],
                    after=labels[history.stage],
                    reason=reason,
                )
            )

    def _record_lot(self, inspection, accepted, points):
        """Apply the switching rules for one decided lot.

        A lot that was begun before the severity changed counts only where it was judged.
        """
        self.ensure_one()
        if inspection.sampling_stage != self.stage:
            return
        history = self.plan_id._after_lot(self._get_history(), accepted, points)
        verdict = self.env._("accepted") if accepted else self.env._("refused")
        reason = self.env._("%(lot)s was %(verdict)s.", lot=inspection.name, verdict=verdict)
        self._set_history(history, reason)
