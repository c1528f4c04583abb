from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools import judgement, sampling

LEVELS = [(level, level) for level in sampling.LEVELS]
AQLS = [(aql, f"{aql} %") for aql in sampling.AQLS]
NONE_ALLOWED = (sampling.NONE_ALLOWED, "None allowed")
DEFAULT_REWORK_LIMIT = 2  # also where there is no plan


class SokoQcPlan(models.Model):
    _name = "soko.qc.plan"
    _description = "Inspection Plan"
    _inherit = ["mail.thread"]
    _order = "sequence, id"

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10, help="Among equally specific plans, the first wins.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: the plan is for all companies."
    )
    product_tmpl_ids = fields.Many2many(
        "product.template",
        string="Products",
        help="The plan is for these products. Empty: for any product.",
    )
    categ_ids = fields.Many2many(
        "product.category",
        string="Product Categories",
        help="The plan is for products of these categories and the ones below them. "
        "Empty: for any category.",
    )
    picking_type_ids = fields.Many2many(
        "stock.picking.type",
        string="Operation Types",
        help="The plan is for pieces received by these operations. Empty: for any operation.",
    )
    operation_ids = fields.Many2many(
        "mrp.routing.workcenter",
        string="Work Order Steps",
        help="The plan is for pieces at these steps of manufacturing: such a work order can't be "
        "finished before its inspection accepted the pieces. A plan with steps is for them only.",
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Makers",
        help="The plan is for pieces these makers or suppliers answer for. Empty: for anybody's.",
    )
    sampling = fields.Selection(
        [
            ("every", "Every piece"),
            ("first_n", "A sample of each lot"),
            ("percent", "A share of each lot"),
            ("first_piece", "The first piece"),
            ("aql", "By AQL (ISO 2859-1)"),
        ],
        string="How Many",
        required=True,
        default="every",
        tracking=True,
    )
    sample_size = fields.Integer(
        default=5, help="Pieces looked at in each lot. A smaller lot is looked at whole."
    )
    accept_number = fields.Integer(
        help="The pieces nobody looked at are accepted when at most this many of the sample fail, "
        "else the lot is refused."
    )
    sample_percent = fields.Float(
        "Share (%)",
        digits=(5, 2),
        default=10,
        help="Rounded up to whole pieces; at least one piece of each lot.",
    )
    inspection_level = fields.Selection(
        LEVELS,
        required=True,
        default="II",
        help="How much of a lot is looked at. II is usual, I less, III more; S-1 to S-4 are for "
        "costly looks at very few pieces.",
    )
    aql_critical = fields.Selection(
        [NONE_ALLOWED, *AQLS],
        "AQL Critical",
        default=NONE_ALLOWED[0],
        help="The worst share of pieces with a critical defect that is still acceptable as a "
        "lasting average. Empty: critical defects do not decide about the lot.",
    )
    aql_major = fields.Selection(
        AQLS,
        "AQL Major",
        default="2.5",
        help="The same for pieces whose worst defect is major. 2.5 % is usual.",
    )
    aql_minor = fields.Selection(
        AQLS,
        "AQL Minor",
        default="4.0",
        help="The same for pieces with minor defects only. 4 % is usual. Empty: minor defects do "
        "not decide about the lot.",
    )
    on_refusal = fields.Selection(
        [
            ("unseen", "Reject the pieces nobody looked at"),
            ("screen", "Look at all the other pieces"),
            ("lot", "Reject the whole lot"),
        ],
        "When a Lot Is Refused",
        required=True,
        default="unseen",
        tracking=True,
        help="What happens to a lot whose sample has too many bad pieces. Where each piece was "
        "looked at, each piece keeps its own result.",
    )
    new_maker_lots = fields.Integer(
        "Full Inspection Until",
        default=3,
        tracking=True,
        help="A new maker's pieces are all looked at until so many lots in a row were accepted. "
        "0: the sample is enough from the first lot on.",
    )
    reduced_inspection = fields.Boolean(
        default=True,
        help="After a long row of good lots the smaller samples of reduced inspection are enough. "
        "Turn off when production is not steady.",
    )
    rework_limit = fields.Integer(
        "Rework at Most",
        default=DEFAULT_REWORK_LIMIT,
        tracking=True,
        help="How often a piece may go back to be mended. After that it can only be accepted or "
        "rejected. 0: no rework.",
    )
    alert_on_critical = fields.Boolean(
        "Alert for Critical Defects",
        help="A critical defect or failed criterion raises a quality alert.",
    )
    alert_on_refused = fields.Boolean(
        "Alert for Refused Lots",
        help="A lot that its sample refused, or of which no piece was accepted, raises an alert.",
    )
    alert_refused_lots = fields.Integer(
        "Alert After Refused Lots",
        help="So many refused lots of one maker raise an alert; then the counting begins anew. "
        "0: never.",
    )
    alert_user_id = fields.Many2one(
        "res.users", "Alerts Go To", help="Empty: to who inspected the pieces."
    )
    alert_days = fields.Integer(
        "Days to Act", default=7, help="When an alert is due, in days after it was raised."
    )
    instructions = fields.Html(help="Shown to the inspector at the bench.")
    image_1920 = fields.Image("Master Sample", max_width=1920, max_height=1920)
    criterion_ids = fields.One2many("soko.qc.criterion", "plan_id", "Criteria", copy=True)
    piece_count = fields.Integer("Inspected Pieces", compute="_compute_pass_rate")
    pass_rate = fields.Float(compute="_compute_pass_rate", help="Share of inspected pieces passed.")

    _sample_size_positive = models.Constraint(
        "CHECK(sample_size > 0)", "A sample has at least one piece."
    )
    _accept_number_positive = models.Constraint(
        "CHECK(accept_number >= 0)", "The accepted number of failed pieces cannot be negative."
    )
    _sample_percent_sound = models.Constraint(
        "CHECK(sample_percent > 0 AND sample_percent <= 100)",
        "A share of the lot is above 0 % and at most 100 %.",
    )
    _rework_limit_positive = models.Constraint(
        "CHECK(rework_limit >= 0)", "A piece cannot be mended fewer than 0 times."
    )
    _alert_numbers_positive = models.Constraint(
        "CHECK(alert_refused_lots >= 0 AND alert_days >= 0)",
        "The lots and days of alerts cannot be negative.",
    )
    _new_maker_lots_positive = models.Constraint(
        "CHECK(new_maker_lots >= 0)", "The number of lots under full inspection cannot be negative."
    )

    # === COMPUTE METHODS === #

    def _compute_pass_rate(self):
        rates = self.env["soko.qc.inspection.piece"]._get_pass_rates("plan_id", self)
        for plan in self:
            plan.piece_count, plan.pass_rate = rates.get(plan, (0, 0.0))

    @api.constrains("sampling", "aql_critical", "aql_major", "aql_minor")
    def _check_aql(self):
        for plan in self:
            if plan.sampling == "aql" and not set(plan._get_aqls().values()) & set(sampling.AQLS):
                raise ValidationError(
                    self.env._(
                        "%s cannot tell how many pieces to look at: choose an AQL for critical, "
                        "major or minor defects.",
                        plan.name,
                    )
                )

    @api.constrains("sampling", "sample_size", "accept_number")
    def _check_accept_number(self):
        for plan in self:
            size = {"first_n": plan.sample_size, "first_piece": 1}.get(plan.sampling)
            if size and plan.accept_number >= size:
                raise ValidationError(
                    self.env._(
                        "%s would accept a lot whose whole sample failed. Set an accepted number "
                        "of failed pieces below the sample size.",
                        plan.name,
                    )
                )

    # === ACTIONS === #

    def action_view_pieces(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_inspection_piece_action"
        )
        return dict(action, domain=[("plan_id", "=", self.id)])

    # === BUSINESS METHODS === #

    @api.model
    def _get_candidates(self, companies):
        """All active plans of receipts that may serve these companies, in one query."""
        company = Domain("company_id", "in", [False, *companies.ids])
        return self.search(company & Domain("operation_ids", "=", False))

    def _get_most_specific(self, product, picking_type, company, partner=None):
        """The plan of ``self`` that fits best, or an empty recordset.

        A plan that names the product beats one that names a category, a deeper category beats a
        higher one; next decides whether it names the maker, then the operation type, then the
        plan's sequence.

        :param product: product.product
        :param picking_type: stock.picking.type, may be empty
        :param company: res.company
        :param partner: res.partner who answers for the pieces, may be empty
        """
        ranked = []
        for plan in self:
            rank = plan._get_rank(product, picking_type, company, partner)
            if rank is not None:
                ranked.append((rank, -plan.sequence, -plan.id, plan))
        return max(ranked)[-1] if ranked else self.browse()

    def _get_rank(self, product, picking_type, company, partner):
        """How specific this plan is for the product; None when it is not for it."""
        self.ensure_one()
        if self.company_id and self.company_id != company:
            return None
        if self.product_tmpl_ids and product.product_tmpl_id not in self.product_tmpl_ids:
            return None
        if self.picking_type_ids and picking_type not in self.picking_type_ids:
            return None
        if self.partner_ids and not self._is_for_partner(partner):
            return None
        depth = self._get_category_depth(product.categ_id)
        if depth is None:
            return None
        named = (self.product_tmpl_ids, self.partner_ids, self.picking_type_ids)
        by_product, by_partner, by_type = map(bool, named)
        return (by_product, depth, by_partner, by_type)

    def _is_for_partner(self, partner):
        """A plan for a company is also for its contacts."""
        return bool(partner and self.partner_ids & (partner | partner.commercial_partner_id))

    def _get_category_depth(self, category):
        """Depth of the deepest category of the plan above the product; 0 without a filter."""
        if not self.categ_ids:
            return 0
        path = [int(x) for x in (category.parent_path or "").split("/") if x]
        depths = [i for i, categ_id in enumerate(path, 1) if categ_id in self.categ_ids.ids]
        return max(depths, default=None)

    def _get_aqls(self):
        """AQL for each severity that decides about a lot."""
        self.ensure_one()
        aqls = {s: self[f"aql_{s}"] for s in judgement.SEVERITIES}
        return {severity: aql for severity, aql in aqls.items() if aql}

    def _is_sampling(self):
        """Whether pieces may be accepted that nobody looked at."""
        return bool(self) and self.sampling != "every"

    def _has_history(self):
        """Whether earlier lots of a maker change how many pieces are looked at."""
        return self.sampling == "aql" or (self._is_sampling() and self.new_maker_lots > 0)

    def _get_first_stage(self):
        return sampling.FULL if self.new_maker_lots else sampling.NORMAL

    def _get_sample(self, quantity, stage):
        """Pieces to look at and acceptance numbers; every piece when ``self`` is empty.

        :param float quantity: pieces in the lot
        :param str stage: one of the stages of ``tools.sampling``
        :return: for AQL an acceptance number for each severity, else one for ``failed`` pieces;
            none where every piece is looked at anyway
        :rtype: sampling.Sample
        """
        pieces = judgement.piece_count(quantity)
        if not self._is_sampling():
            return sampling.Sample(pieces, {})
        if self.sampling == "aql":
            return sampling.lot_sample(pieces, self.inspection_level, self._get_aqls(), stage)
        size = judgement.sample_size(
            quantity, self.sampling, self.sample_size, self.sample_percent
        )
        accept = min(self.accept_number, size - 1)
        if stage in (sampling.FULL, sampling.STOPPED):
            # The same share of the whole lot as of the sample.
            size, accept = pieces, accept * pieces // size
        return sampling.Sample(size, {"failed": accept})

    def _after_lot(self, history, accepted, points):
        """The history of a maker after one more lot."""
        return sampling.after_lot(
            history,
            accepted,
            points,
            new_maker_lots=self.new_maker_lots,
            tables=self.sampling == "aql",
            reduced=self.reduced_inspection,
        )
