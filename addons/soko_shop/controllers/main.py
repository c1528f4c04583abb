from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale


class SokoWebsiteSale(WebsiteSale):
    def _get_additional_shop_values(self, values, **kwargs):
        """Look up the makers of all tiles of the page at once."""
        result = super()._get_additional_shop_values(values, **kwargs)
        result["soko_made_by"] = values["products"]._soko_get_made_by(request.website)
        return result

    def _prepare_product_values(self, product, category, **kwargs):
        values = super()._prepare_product_values(product, category, **kwargs)
        values["soko_makers"] = product._soko_get_made_by(request.website).get(product.id, [])
        return values
