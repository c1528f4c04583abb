from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools import judgement


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
    sampling = fields.Selection(
        [("every", "Every piece"), ("first_n", "A sample of each lot")],
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
        "else they are rejected."
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

    # === COMPUTE METHODS === #

    def _compute_pass_rate(self):
        rates = self.env["soko.qc.inspection.piece"]._get_pass_rates("plan_id", self)
        for plan in self:
            plan.piece_count, plan.pass_rate = rates.get(plan, (0, 0.0))

    @api.constrains("sampling", "sample_size", "accept_number")
    def _check_accept_number(self):
        for plan in self:
            if plan.sampling == "first_n" and plan.accept_number >= plan.sample_size:
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
        """All active plans that may serve these companies, in one query."""
        return self.search(Domain("company_id", "in", [False, *companies.ids]))

    def _get_most_specific(self, product, picking_type, company):
        """The plan of ``self`` that fits best, or an empty recordset.

        A plan that names the product beats one that names a category, a deeper category beats a
        higher one, an operation type decides next, then the plan's sequence.

        :param product: product.product
        :param picking_type: stock.picking.type, may be empty
        :param company: res.company
        """
        ranked = []
        for plan in self:
            rank = plan._get_rank(product, picking_type, company)
            if rank is not None:
                ranked.append((rank, -plan.sequence, -plan.id, plan))
        return max(ranked)[-1] if ranked else self.browse()

    def _get_rank(self, product, picking_type, company):
        """How specific this plan is for the product; None when it is not for it."""
        self.ensure_one()
        if self.company_id and self.company_id != company:
            return None
        if self.product_tmpl_ids and product.product_tmpl_id not in self.product_tmpl_ids:
            return None
        if self.picking_type_ids and picking_type not in self.picking_type_ids:
            return None
        depth = self._get_category_depth(product.categ_id)
        if depth is None:
            return None
        return (bool(self.product_tmpl_ids), depth, bool(self.picking_type_ids))

    def _get_category_depth(self, category):
        """Depth of the deepest category of the plan above the product; 0 without a filter."""
        if not self.categ_ids:
            return 0
        path = [int(x) for x in (category.parent_path or "").split("/") if x]
        depths = [i for i, categ_id in enumerate(path, 1) if categ_id in self.categ_ids.ids]
        return max(depths, default=None)

    def _get_sample_size(self, quantity):
        """Pieces to look at in a lot; every piece when ``self`` is empty."""
        return judgement.sample_size(quantity, self.sampling or "every", self.sample_size)
