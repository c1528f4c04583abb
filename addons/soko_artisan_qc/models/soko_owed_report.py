from odoo import api, models
from odoo.tools import SQL


class SokoOwedReport(models.Model):
    _inherit = "soko.owed.report"
    _depends = {"stock.lot": ["soko_qc_cleared"]}

    @api.model
    def _get_held_sql(self):
        """What no inspection accepted is held, as the settlement of its line is."""
        return SQL(
            "(%s OR (line.kind = 'sale' AND lot.soko_qc_cleared IS NOT TRUE))",
            super()._get_held_sql(),
        )
