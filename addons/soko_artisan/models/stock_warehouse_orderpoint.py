from odoo import api, models
from odoo.exceptions import ValidationError


class StockWarehouseOrderpoint(models.Model):
    """Reorder rules look at what is ours, and never buy what artisans consign."""

    _inherit = "stock.warehouse.orderpoint"

    @api.constrains("product_id")
    def _check_soko_consigned(self):
        for rule in self.filtered("product_id.soko_consigned"):
            raise ValidationError(
                self.env._(
                    "%(product)s is consigned by artisans, so it is never bought. Put a minimum "
                    "and a target on the artisan's agreement: she is asked when it sells.",
                    product=rule.product_id.display_name,
                )
            )

    def _get_product_context(self):
        return super()._get_product_context() | {
            "soko_own_stock": self.company_id.partner_id.id,
        }

    def _get_qty_to_order(self, qty_in_progress_by_orderpoint=None):
        if self.product_id.soko_consigned:
            return 0
        return super()._get_qty_to_order(qty_in_progress_by_orderpoint)

    def _get_orderpoint_products(self):
        """Odoo proposes rules for what is short: consigned pieces are asked for otherwise."""
        return super()._get_orderpoint_products().filtered(lambda p: not p.soko_consigned)
