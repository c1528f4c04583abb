from odoo import models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    def _get_picking_type_create_values(self, max_sequence):
        """Inspect what artisans drop off at a new warehouse."""
        data, next_sequence = super()._get_picking_type_create_values(max_sequence)
        data["soko_drop_off_type_id"]["soko_qc_required"] = True
        return data, next_sequence
