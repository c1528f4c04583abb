from odoo import models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _soko_get_made_by(self, website=None):
        """Return what shoppers may know of the makers of each product.

        The makers of all products are looked up together: the number of queries does not grow
        with the number of products.

        :param website: record of the website, or nothing where there is none (an e-mail)
        :return: {template id: what `soko.artisan._soko_get_public_vals` gives}
        :rtype: dict[int, list[dict]]
        """
        # sudo: shoppers can't read artisans or stock; only the makers' public values leave this
        consigned = self.sudo().filtered("soko_consigned")
        makers = consigned._soko_get_makers()
        together = self.env["soko.artisan"].sudo().union(*makers.values()).ids
        return {
            template.id: makers[template.id].with_prefetch(together)._soko_get_public_vals(website)
            for template in consigned
        }
