from odoo import api, fields, models

from .soko_qc_limit import GOLD, KINDS, ORIGIN, PLATED, TESTED

SILVER = "silver_925"


class SokoQcClaim(models.Model):
    """What the company says about a product or lot, and what proves it."""

    _name = "soko.qc.claim"
    _description = "Compliance Claim"
    _inherit = ["soko.qc.dated.proof"]
    _order = "product_tmpl_id, kind, id"
    _check_company_auto = True

    kind = fields.Selection(KINDS, "Claim", required=True, index=True, tracking=True)
    statement = fields.Text(translate=True, help="What may be told to customers, in your words.")
    report_ids = fields.Many2many(
        "soko.qc.test.report",
        string="Laboratory Reports",
        check_company=True,
        domain="[('product_tmpl_id', '=', product_tmpl_id)]",
    )
    karat = fields.Float(digits=(4, 1), help="Gold of 24 parts. 24 is fine gold.")
    thickness_um = fields.Float(
        "Thickness (um)",
        digits=(8, 3),
        help="The thinnest place on the surfaces that count, as fine gold, in micrometres.",
    )
    base_metal = fields.Selection(
        [
            (SILVER, "Sterling silver (925)"),
            ("brass", "Brass"),
            ("copper", "Copper"),
            ("steel", "Steel"),
            ("other", "Other"),
        ],
    )
    layer_between = fields.Char(help="A metal between base and gold, e.g. nickel: it must be told.")
    origin = fields.Char(help="Species and where it comes from, e.g. Ankole cattle, Kajiado.")
    file = fields.Binary("Proof", attachment=True, copy=False, help="E.g. a permit or a receipt.")
    file_name = fields.Char(copy=False)
    problem = fields.Char("Still Missing", compute="_compute_problem")

    _karat_in_range = models.Constraint(
        "CHECK(karat >= 0 AND karat <= 24)", "Gold has at most 24 karat."
    )
    _thickness_positive = models.Constraint(
        "CHECK(thickness_um >= 0)", "A thickness cannot be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("kind", "product_tmpl_id", "lot_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for claim in self:
            of = claim.lot_id.name or claim.product_tmpl_id.display_name or ""
            claim.display_name = f"{kinds.get(claim.kind, '')}: {of}"

    @api.depends("kind", "karat", "thickness_um", "base_metal", "origin", "report_ids.line_ids")
    def _compute_problem(self):
        for claim in self:
            claim.problem = claim.kind and claim._get_problem()

    # === PROOF === #

    def _get_problem(self):
        """Why the claim doesn't hold today, as a text; False when it does."""
        self.ensure_one()
        if self.kind in TESTED:
            return self._get_test_problem()
        if self.kind in GOLD:
            return self._get_gold_problem()
        if self.kind in ORIGIN and not (self.origin or "").strip():
            return self.env._("say which species it is and where it comes from.")
        return False

    def _get_test_problem(self):
        lines = self._get_proving_lines()
        if not lines:
            return self.env._(
                "it needs an approved laboratory report of this product or lot, not expired, with "
                "a result for it."
            )
        failed = lines.filtered(lambda line: line.verdict != "pass")
        if failed:
            return self.env._(
                "%(value)s %(unit)s does not keep the limit: %(limit)s.",
                value=f"{failed[0].value:g}",
                unit=failed[0].unit,
                limit=failed[0].limit_id.display_name,
            )
        return False

    def _get_proving_lines(self):
        """Results that count today; a report of another lot proves nothing for this one."""
        self.ensure_one()
        reports = self.report_ids.filtered(
            lambda r: r.product_tmpl_id == self.product_tmpl_id and r.lot_id in (
                self.lot_id, self.lot_id.browse()
            )
        )  # fmt: skip
        return reports._get_lines_of(self.kind)

    def _get_gold_problem(self):
        if not self.karat:
            return self.env._("say of how many karat the gold is.")
        if self.kind in PLATED and not self.thickness_um:
            return self.env._("say how thick the gold is.")
        if self.kind == "vermeil" and self.base_metal != SILVER:
            return self.env._("vermeil is gold on sterling silver; the base here is another.")
        values = {"thickness": self.thickness_um, "karat": self.karat}
        for limit in self.env["soko.qc.limit"].search([("kind", "=", self.kind)]):
            value = values.get(limit.measure)
            if value is not None and not limit._is_kept(value):
                return self.env._(
                    "%(value)s does not keep the rule: %(limit)s (%(rule)s).",
                    value=f"{value:g}",
                    limit=limit.display_name,
                    rule=limit.source,
                )
        return False

    def _prepare_proof(self):
        """Plain values for who shows the claim; no records, no files."""
        self.ensure_one()
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        lines = self._get_proving_lines() if self.kind in TESTED else self.env["soko.qc.test.line"]
        ends = [self.date_expiry, *lines.report_id.mapped("date_expiry")]
        return {
            "kind": self.kind,
            "label": kinds[self.kind],
            "statement": self.statement or "",
            "lot": self.lot_id.name or "",
            "karat": self.karat,
            "thickness_um": self.thickness_um,
            "base_metal": self.base_metal or "",
            "layer_between": self.layer_between or "",
            "origin": self.origin or "",
            "valid_until": min((end for end in ends if end), default=False),
            "tests": [line._prepare_proof() for line in lines],
        }
