from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..tools.pricing import is_payable

PRICE_FIELDS = ("price_type", "price_fixed", "split_percent")


class SokoAgreementLine(models.Model):
    """The price of one product, and how many of it the office wants to have."""

    _name = "soko.agreement.line"
    _description = "Consignment Agreement Line"
    _order = "agreement_id, id"
    _check_company_auto = True

    agreement_id = fields.Many2one("soko.agreement", required=True, index=True, ondelete="cascade")
    artisan_id = fields.Many2one(related="agreement_id.artisan_id", store=True, index=True)
    company_id = fields.Many2one(related="agreement_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
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
        help="The artisan's share of what the shopper paid, after discount and without tax.",
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

    # === CONSTRAINTS === #

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

    def write(self, vals):
        changes_price = any(key in vals for key in PRICE_FIELDS)
        before = {line: line._get_price_text() for line in self} if changes_price else {}
        res = super().write(vals)
        for line, old in before.items():
            if old != (new := line._get_price_text()):
                line.agreement_id._message_log(
                    body=self.env._(
                        "%(product)s: %(old)s becomes %(new)s for pieces dropped off from now on.",
                        product=line.product_id.display_name,
                        old=old,
                        new=new,
                    )
                )
        return res

    # === BUSINESS METHODS === #

    def _get_price_text(self):
        """Return the price in words, for people."""
        self.ensure_one()
        if self.price_type == "split":
            return self.env._("%(percent)s %% of the sale price", percent=self.split_percent)
        return self.currency_id.format(self.price_fixed)

    def _prepare_lot_snapshot_vals(self):
        """Return the values that freeze today's price on the lot of a drop-off."""
        self.ensure_one()
        return {
            "soko_artisan_id": self.artisan_id.id,
            "soko_agreement_line_id": self.id,
            "soko_price_type": self.price_type,
            "soko_unit_price": self.price_fixed if self.price_type == "fixed" else 0,
            "soko_split_percent": self.split_percent if self.price_type == "split" else 0,
        }
