from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    soko_list_price = fields.Float(
        string="Shop's full price",
        compute="_compute_soko_prices",
        store=True,
        digits="Product Price",
        groups="base.group_user",
        help="Of one piece when it was ordered, without tax, in the company's currency. An "
        "artisan whose share is not to suffer from a discount is paid from it.",
    )
    soko_marked_price = fields.Float(
        string="Shop's price after markdown",
        compute="_compute_soko_prices",
        store=True,
        digits="Product Price",
        groups="base.group_user",
    )

    @api.depends("product_id", "product_uom_id", "product_uom_qty")
    def _compute_soko_prices(self):
        for line in self:
            product = line.product_id.with_company(line.company_id)
            prices = (0, 0)
            if product.soko_consigned:
                prices = (product.lst_price, product.soko_shop_price)
            taxes = product.taxes_id._filter_taxes_by_company(line.company_id)
            line.soko_list_price, line.soko_marked_price = (
                taxes.compute_all(price, product=product)["total_excluded"] if price else 0
                for price in prices
            )
