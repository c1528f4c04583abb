from odoo import models
from odoo.fields import Domain


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    def _soko_get_owned_quant_domain(self):
        """Return the domain of the stock that these lines took consigned pieces from."""
        whose = Domain("owner_id", "in", self.owner_id.ids) | Domain(
            "lot_id", "in", self.lot_id.filtered("soko_artisan_id").ids
        )
        return whose & Domain(
            [
                ("product_id", "in", self.product_id.ids),
                ("location_id", "in", self.location_id.ids),
            ]
        )
