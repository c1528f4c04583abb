from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools.pricing import is_payable

TIER_BASES = [
    ("none", "One share"),
    ("month", "By pieces sold in a month"),
    ("year", "By pieces sold in a year"),
    ("price", "By sale price"),
]


class SokoAgreementLine(models.Model):
    """The price of one product, and how many of it the office wants to have."""

    _name = "soko.agreement.line"
    _description = "Consignment Agreement Line"
    _order = "agreement_id, id"
    _check_company_auto = True

    agreement_id = fields.Many2one("soko.agreement", required=True, index=True, ondelete="cascade")
    artisan_id = fields.Many2one(related="agreement_id.artisan_id", store=True, index=True)
    company_id = fields.Many2one(related="agreement_id.company_id", store=True)
    currency_id = fields.Many2one(related="agreement_id.currency_id")
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company's currency"
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('soko_consigned', '=', True)]",
    )
    price_type = fields.Selection(
        [("fixed", "Fixed price a piece"), ("split", "Share of the sale price")],
        required=True,
        default="fixed",
    )
    price_fixed = fields.Monetary(
        string="Price a piece",
        help="What the artisan earns for each piece that is sold. Pieces already dropped off keep "
        "the price of their day.",
    )
    split_percent = fields.Float(
        string="Share (%)",
        digits=(5, 2),
        help="The artisan's share of what the shopper paid, without tax. Who bears a discount is "
        "said above.",
    )
    tier_basis = fields.Selection(
        TIER_BASES,
        string="Share changes",
        required=True,
        default="none",
        help="By pieces: each piece earns the share of its place in the calendar month or year, "
        "returns not counted. By sale price: each piece earns the share of its own price.",
    )
    tier_ids = fields.One2many("soko.agreement.tier", "line_id", string="Tiers", copy=True)
    price_text = fields.Char(string="Agreed price", compute="_compute_price_text")
    floor_price = fields.Monetary(
        string="Lowest shop price",
        currency_field="company_currency_id",
        help="A markdown never takes the shop's price below this. 0: no limit.",
    )
    tier_turn = fields.Integer(
        readonly=True, copy=False, groups="base.group_system",
        help="Counts deliveries with tiers, so that two at once take turns.",
    )
    min_stock = fields.Float(
        string="Minimum",
        digits="Product Unit",
        help="Ask for more when fewer than this are left or promised. 0: ask after each sale.",
    )
    target_stock = fields.Float(
        string="Target",
        digits="Product Unit",
        help="Ask for as many as fill up to this. 0: one new piece for each piece sold.",
    )

    _price_positive = models.Constraint(
        "CHECK (price_type <> 'fixed' OR price_fixed > 0)", "A fixed price must be above zero."
    )
    _split_in_range = models.Constraint(
        "CHECK (price_type <> 'split' OR (split_percent > 0 AND split_percent <= 100))",
        "The artisan's share must be above 0 and at most 100 %.",
    )
    _stock_in_order = models.Constraint(
        "CHECK (min_stock >= 0 AND (target_stock = 0 OR target_stock >= min_stock))",
        "The target stock can't be below the minimum, and neither below zero.",
    )
    _floor_positive = models.Constraint(
        "CHECK (floor_price >= 0)", "The lowest shop price can't be negative."
    )
    _product_once = models.UniqueIndex(
        "(agreement_id, product_id)", "This product is on the agreement already."
    )

    # === COMPUTE METHODS === #

    @api.depends("agreement_id.name", "product_id.display_name")
    def _compute_display_name(self):
        # sudo: an artisan may not read products on the portal, but her own agreement names them
        for line in self:
            product = line.sudo().product_id.display_name
            line.display_name = f"{line.agreement_id.name}: {product}"

    @api.depends(
        "price_type", "price_fixed", "split_percent", "tier_basis", "currency_id",
        "tier_ids.threshold", "tier_ids.percent",
    )
    @api.depends_context("lang")
    def _compute_price_text(self):
        for line in self:
            line.price_text = line._get_price_text()

    # === CONSTRAINTS === #

    @api.constrains("price_type", "tier_basis", "tier_ids")
    def _check_tiers(self):
        for line in self:
            if bool(line.tier_ids) != (line.tier_basis != "none"):
                raise ValidationError(
                    self.env._(
                        "%(product)s: say both by what the share changes and from where on, or "
                        "neither.",
                        product=line.product_id.display_name,
                    )
                )
            if line.tier_ids and line.price_type != "split":
                raise ValidationError(
                    self.env._(
                        "%(product)s has a fixed price: tiers are for shares.",
                        product=line.product_id.display_name,
                    )
                )

    @api.constrains("product_id")
    def _check_product_consigned(self):
        for line in self:
            if not line.product_id.soko_consigned:
                raise ValidationError(
                    self.env._(
                        "%(product)s is not a consigned product, so its stock would count as ours. "
                        'Tick "Consigned by artisans" on the product first.',
                        product=line.product_id.display_name,
                    )
                )

    @api.constrains("price_type", "price_fixed")
    def _check_price_payable(self):
        for line in self.filtered(lambda li: li.price_type == "fixed"):
            if not is_payable(line.price_fixed, line.currency_id._soko_payable_step()):
                raise ValidationError(
                    self.env._(
                        "%(price)s can't be paid out in %(currency)s: agree on a whole sum.",
                        price=line.price_fixed,
                        currency=line.currency_id.name,
                    )
                )

    @api.constrains("product_id", "agreement_id")
    def _check_overlap(self):
        """Refuse two active agreements on one product of one artisan on the same day."""
        for line in self.filtered(lambda li: li.agreement_id.state == "active"):
            other = self.search(line._get_overlap_domain(), limit=1)
            if other:
                raise ValidationError(
                    self.env._(
                        "%(artisan)s has %(product)s on %(other)s already, on some of the same "
                        "days. Expire that agreement first, or change the dates.",
                        artisan=line.artisan_id.name,
                        product=line.product_id.display_name,
                        other=other.agreement_id.name,
                    )
                )

    def _get_overlap_domain(self):
        self.ensure_one()
        agreement = self.agreement_id
        domain = Domain(
            [
                ("id", "!=", self.id),
                ("artisan_id", "=", self.artisan_id.id),
                ("product_id", "=", self.product_id.id),
                ("agreement_id.state", "=", "active"),
                "|",
                ("agreement_id.date_end", "=", False),
                ("agreement_id.date_end", ">=", agreement.date_start),
            ]
        )
        if agreement.date_end:
            domain &= Domain("agreement_id.date_start", "<=", agreement.date_end)
        return domain

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.agreement_id._note_change()
        return lines

    def write(self, vals):
        if "agreement_id" in vals and any(
            line.agreement_id.id != vals["agreement_id"] for line in self
        ):
            raise ValidationError(self.env._("A product stays on its agreement."))
        res = super().write(vals)
        self.agreement_id._note_change()
        return res

    def unlink(self):
        agreements = self.agreement_id
        res = super().unlink()
        agreements._note_change()
        return res

    # === BUSINESS METHODS === #

    def _get_terms(self):
        """Return the price of one product as plain data, for versions."""
        self.ensure_one()
        fixed = self.price_type == "fixed"
        return {
            "product_id": self.product_id.id,
            "product": self.product_id.display_name,
            "price_type": self.price_type,
            "price": self.price_fixed if fixed else self.split_percent,
            "tier_basis": self.tier_basis,
            "tiers": self._get_tiers(),
            "floor_price": self.floor_price,
        }

    def _get_tiers(self):
        """Return [[threshold, percent]] in order; empty without tiers."""
        self.ensure_one()
        return [[tier.threshold, tier.percent] for tier in self.tier_ids.sorted("threshold")]

    def _get_price_text(self):
        """Return the price in words, for people."""
        self.ensure_one()
        return self._describe_price(self._get_terms(), self.currency_id)

    @api.model
    def _describe_price(self, terms, currency):
        """Return a price in words.

        :param terms: as of :meth:`_get_terms`, or None for no price
        :param currency: `res.currency` of fixed prices
        """
        if not terms:
            return self.env._("not agreed")
        if terms["price_type"] == "fixed":
            return currency.format(terms["price"])
        text = self.env._("%(percent)s %% of the sale price", percent=f"{terms['price']:g}")
        return ", ".join([text, *self._describe_tiers(terms, currency)])

    @api.model
    def _describe_tiers(self, terms, currency):
        """Return one text for each tier."""
        for threshold, percent in terms["tiers"]:
            values = {"percent": f"{percent:g}", "count": f"{threshold:g}"}
            if terms["tier_basis"] == "month":
                yield self.env._("%(percent)s %% after %(count)s pieces a month", **values)
            elif terms["tier_basis"] == "year":
                yield self.env._("%(percent)s %% after %(count)s pieces a year", **values)
            else:
                yield self.env._(
                    "%(percent)s %% from a price of %(price)s",
                    percent=values["percent"],
                    price=currency.format(threshold),
                )

    def _prepare_lot_snapshot_vals(self):
        """Return the values that freeze today's terms on the lot of a drop-off."""
        self.ensure_one()
        agreement, fixed = self.agreement_id, self.price_type == "fixed"
        markdown = agreement.markdown_schedule_id._get_terms()
        return {
            "soko_artisan_id": self.artisan_id.id,
            "soko_agreement_line_id": self.id,
            "soko_agreement_version_id": agreement.version_id.id,
            "soko_price_type": self.price_type,
            "soko_unit_price": self.price_fixed if fixed else 0,
            "soko_split_percent": 0 if fixed else self.split_percent,
            "soko_tier_basis": False if self.tier_basis == "none" else self.tier_basis,
            "soko_tiers": self._get_tiers() or False,
            "soko_currency_id": self.currency_id.id,
            "soko_discount_bearer": agreement.discount_bearer,
            "soko_debt_trigger": agreement.debt_trigger,
            "soko_hold_days": agreement.hold_days,
            "soko_payee": agreement.payee,
            "soko_markdown": markdown and markdown | {"floor": self.floor_price},
        }
