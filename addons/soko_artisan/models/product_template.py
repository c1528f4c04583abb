from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class ProductTemplate(models.Model):
    _inherit = "product.template"

    soko_consigned = fields.Boolean(
        string="Consigned by artisans",
        help="The pieces in stock belong to their makers until a shopper has them. Needs lots, "
        "standard cost 0 and periodic valuation, so that the books never count them as ours.",
    )
    soko_artisan_ids = fields.Many2many(
        "soko.artisan",
        string="Made by",
        compute="_compute_soko_artisan_ids",
        search="_search_soko_artisan_ids",
        compute_sudo=True,
        help="Artisans with an agreement in force on this product, or with pieces of it in stock.",
    )

    soko_markdown_percent = fields.Float(
        string="Marked down by (%)",
        digits=(5, 2),
        compute="_compute_soko_markdown",
        help="Because the oldest pieces are long in the house. The sales price stays what it was.",
    )
    soko_shop_price = fields.Float(
        string="Price in the shop", compute="_compute_soko_markdown", digits="Product Price"
    )

    # === COMPUTE METHODS === #

    @api.depends("list_price", "product_variant_ids.soko_shop_price")
    def _compute_soko_markdown(self):
        for template in self:
            variant = template._soko_get_least_marked_down()
            template.soko_markdown_percent = variant.soko_markdown_percent
            template.soko_shop_price = variant.soko_shop_price

    def _soko_get_least_marked_down(self):
        """Return the variant with the smallest markdown: the shop's list promises no more."""
        self.ensure_one()
        return self.product_variant_ids.sorted("soko_markdown_percent")[:1]

    def _price_compute(self, price_type, uom=None, currency=None, company=None, date=False):
        """Mark the sales price down, as its variants do."""
        prices = super()._price_compute(price_type, uom, currency, company, date)
        if price_type == "list_price":
            for template in self.filtered("soko_consigned"):
                if variant := template._soko_get_least_marked_down():
                    factor = variant._soko_get_markdown_factor()
                    prices[template.id] = float(Decimal(str(prices[template.id])) * factor)
        return prices

    @api.depends_context("company")
    def _compute_soko_artisan_ids(self):
        makers = self._soko_get_makers()
        for template in self:
            template.soko_artisan_ids = makers.get(template.id, self.env["soko.artisan"])

    def _soko_get_makers(self):
        """Return {template id: artisans}, with two queries for any number of products."""
        makers = defaultdict(lambda: self.env["soko.artisan"])
        for artisan, products in self._soko_get_maker_groups(
            [("product_tmpl_id", "in", self.ids)]
        ):
            for template in products.product_tmpl_id:
                makers[template.id] |= artisan
        return makers

    @api.model
    def _soko_get_maker_groups(self, product_domain, artisan_ids=None):
        """Return a list of (artisan, products) by agreement in force or pieces in stock."""
        agreement_domain = Domain(self.env["soko.agreement"]._get_running_domain("agreement_id."))
        agreement_domain &= Domain("product_id", "any", product_domain)
        quant_domain = Domain(
            [
                ("lot_id.soko_artisan_id", "!=", False),
                ("quantity", ">", 0),
                ("location_id.usage", "=", "internal"),
                ("product_id", "any", product_domain),
            ]
        )
        if artisan_ids is not None:
            agreement_domain &= Domain("artisan_id", "in", artisan_ids)
            quant_domain &= Domain("lot_id.soko_artisan_id", "in", artisan_ids)
        groups = self.env["soko.agreement.line"]._read_group(
            agreement_domain, ["artisan_id"], ["product_id:recordset"]
        )
        lots = self.env["stock.quant"]._read_group(quant_domain, ["lot_id"])
        return groups + [(lot.soko_artisan_id, lot.product_id) for (lot,) in lots]

    def _search_soko_artisan_ids(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: who makes what is shown in the shop; agreements and stock behind it are not
        groups = self.sudo()._soko_get_maker_groups([("soko_consigned", "=", True)], list(value))
        templates = self.browse().union(*(products.product_tmpl_id for _maker, products in groups))
        return [("id", "in", templates.ids)]

    # === CONSTRAINTS === #

    @api.constrains("soko_consigned", "categ_id", "tracking", "is_storable", "lot_valuated")
    def _check_soko_consigned(self):
        """Keep goods that belong to artisans out of our stock value."""
        for template in self.filtered("soko_consigned"):
            if reasons := template._soko_get_valuation_obstacles():
                raise ValidationError(
                    self.env._(
                        "%(product)s is consigned by artisans, so the books must never value it:\n"
                        "%(reasons)s",
                        product=template.display_name,
                        reasons="\n".join(f"- {reason}" for reason in reasons),
                    )
                )
        self.filtered(lambda t: not t.soko_consigned)._soko_check_owned_inside()

    def _soko_check_owned_inside(self):
        """Refuse a valuation that counts owners' pieces while there are some in the house."""
        risky = self.filtered(lambda t: t._soko_get_value_obstacles())
        if not risky:
            return
        # sudo: the check counts all pieces, also those that the user's rules hide
        inside = self.env["stock.quant"].sudo()._read_group(
            [
                ("product_tmpl_id", "in", risky.ids),
                ("owner_id", "!=", False),
                ("owner_id.ref_company_ids", "=", False),
                ("location_id.usage", "in", ("internal", "transit")),
                ("quantity", "!=", 0),
                ("company_id", "=", self.env.company.id),
            ],
            ["product_id"],
            ["quantity:sum"],
        )
        for product, quantity in inside[:1]:
            reasons = product.product_tmpl_id._soko_get_value_obstacles()
            raise ValidationError(
                self.env._(
                    "%(quantity)s x %(product)s in the house belong to others, so the books must "
                    "never value it:\n%(reasons)s\nReturn or sell the pieces first.",
                    quantity=f"{quantity:g}",
                    product=product.display_name,
                    reasons="\n".join(f"- {reason}" for reason in reasons),
                )
            )

    def _soko_get_valuation_obstacles(self):
        """Return, in words, what would put a value of this product in our books."""
        self.ensure_one()
        checks = (
            (self.is_storable, self.env._('tick "Track inventory"')),
            (self.tracking == "lot", self.env._("track it by lots: each drop-off is one")),
        )
        return [text for good, text in checks if not good] + self._soko_get_value_obstacles()

    def _soko_get_value_obstacles(self):
        """Return, in words, what would let the books count owners' pieces as ours."""
        self.ensure_one()
        checks = (
            (self.cost_method == "standard", self.env._("its category must use standard cost")),
            (self.valuation == "periodic", self.env._("its category must be valued periodically")),
            (not self.lot_valuated, self.env._("it can't be valued by lot")),
            (
                not any(self.product_variant_ids.mapped("standard_price")),
                self.env._("its cost must be 0: the cost is what we owe when it is sold"),
            ),
        )
        return [text for good, text in checks if not good]
