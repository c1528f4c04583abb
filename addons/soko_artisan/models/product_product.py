from decimal import Decimal

from odoo import api, fields, models

from ..tools.pricing import marked_down


class ProductProduct(models.Model):
    _inherit = "product.product"

    soko_markdown_percent = fields.Float(
        string="Marked down by (%)",
        digits=(5, 2),
        readonly=True,
        copy=False,
        help="Because the oldest pieces are long in the house. Kept by the markdowns of artisans' "
        "agreements; the sales price itself stays what it was.",
    )
    soko_markdown_floor = fields.Float(readonly=True, copy=False, digits="Product Price")
    soko_shop_price = fields.Float(
        string="Price in the shop",
        compute="_compute_soko_shop_price",
        digits="Product Price",
        help="The sales price less the markdown of today.",
    )

    @api.depends("lst_price", "soko_markdown_percent", "soko_markdown_floor")
    def _compute_soko_shop_price(self):
        for product in self:
            product.soko_shop_price = product._soko_mark_down(product.lst_price)

    @api.constrains("standard_price")
    def _check_soko_consigned_cost(self):
        self.product_tmpl_id._check_soko_consigned()

    # === MARKDOWN === #

    def _soko_mark_down(self, price):
        """Return the price of one piece after the markdown of today."""
        self.ensure_one()
        return marked_down(price, self.soko_markdown_percent, self.soko_markdown_floor)

    def _soko_get_markdown_factor(self):
        """Return what is left of the full price, as a Decimal: 1 without a markdown."""
        self.ensure_one()
        full = self.lst_price
        if not self.soko_markdown_percent or full <= 0:
            return Decimal(1)
        return Decimal(str(self._soko_mark_down(full))) / Decimal(str(full))

    def _price_compute(self, price_type, uom=None, currency=None, company=None, date=False):
        """Mark the sales price down, for each pricelist that starts from it and for none."""
        prices = super()._price_compute(price_type, uom, currency, company, date)
        if price_type == "list_price":
            for product in self.filtered("soko_markdown_percent"):
                factor = product._soko_get_markdown_factor()
                prices[product.id] = float(Decimal(str(prices[product.id])) * factor)
        return prices

    def _soko_refresh_markdown(self):
        """Take the markdown over that runs now: the largest of the oldest drop-off, or none."""
        running = self.env["soko.markdown"].search(
            [("product_id", "in", self.ids), ("state", "=", "running")], order="percent desc"
        )
        by_product = running.grouped("product_id")
        for product in self:
            markdown = by_product.get(product, running.browse())[:1]
            values = (markdown.percent, markdown.floor)
            if values != (product.soko_markdown_percent, product.soko_markdown_floor):
                # sudo: an artisan manager need not be allowed to write products
                product.sudo().write(
                    {"soko_markdown_percent": values[0], "soko_markdown_floor": values[1]}
                )

    # === REORDER RULES === #

    @api.depends_context("soko_own_stock")
    def _compute_quantities(self):
        return super()._compute_quantities()

    def _compute_quantities_dict(
        self, lot_id, owner_id, package_id, from_date=False, to_date=False
    ):
        """Leave out what belongs to others, where the context asks for our own stock."""
        res = super()._compute_quantities_dict(lot_id, owner_id, package_id, from_date, to_date)
        if "soko_own_stock" in self.env.context:
            own = self.env.context["soko_own_stock"]
            for product_id, there, coming, reserved in self._soko_get_owned(own):
                values = res[product_id]
                values["qty_available"] -= there
                values["free_qty"] -= there - reserved
                values["incoming_qty"] -= coming
                values["outgoing_qty"] -= reserved
                values["virtual_available"] -= there + coming - reserved
        return res

    def _soko_get_owned(self, own_partner_id):
        """Return (product id, there, coming, reserved) of others' pieces in the context's place.

        What is reserved from others' stock is no need of ours: they serve it.
        """
        quant_domain, in_domain, _out_domain = self._get_domain_locations()
        ours = (False, own_partner_id)
        quants = self.env["stock.quant"]._read_group(
            [("product_id", "in", self.ids), ("owner_id", "not in", ours), *quant_domain],
            ["product_id"],
            ["quantity:sum", "reserved_quantity:sum"],
        )
        moves = self.env["stock.move"]._read_group(
            [
                ("product_id", "in", self.ids),
                ("picking_id.owner_id", "not in", ours),
                ("state", "in", ("waiting", "confirmed", "assigned", "partially_available")),
                *in_domain,
            ],
            ["product_id"],
            ["product_qty:sum"],
        )
        coming = {product.id: quantity for product, quantity in moves}
        owned = {product.id: (there, reserved) for product, there, reserved in quants}
        for product_id in coming | owned:
            there, reserved = owned.get(product_id, (0, 0))
            yield product_id, there, coming.get(product_id, 0), reserved
