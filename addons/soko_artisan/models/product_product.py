from odoo import api, models


class ProductProduct(models.Model):
    _inherit = "product.product"

    @api.constrains("standard_price")
    def _check_soko_consigned_cost(self):
        self.product_tmpl_id._check_soko_consigned()
