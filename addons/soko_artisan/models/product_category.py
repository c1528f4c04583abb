from odoo import api, models


class ProductCategory(models.Model):
    _inherit = "product.category"

    @api.constrains("property_cost_method", "property_valuation")
    def _check_soko_consigned_products(self):
        self.env["product.template"].search(
            [("categ_id", "in", self.ids), ("is_storable", "=", True)]
        )._check_soko_consigned()
