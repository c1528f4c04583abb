from odoo import models


class StockLocation(models.Model):
    _inherit = "stock.location"

    def _soko_is_house(self):
        """Tell whether pieces here are in our keeping."""
        self.ensure_one()
        return self.usage in ("internal", "transit")
