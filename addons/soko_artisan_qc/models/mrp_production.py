from odoo import models


class MrpProduction(models.Model):
    _inherit = "mrp.production"

    def _plating_prepare_finished_lot_vals(self, component_lot):
        """A plated piece stays its maker's, at the price agreed on the day of drop-off."""
        vals = super()._plating_prepare_finished_lot_vals(component_lot)
        # sudo: a plater may not see prices, but the plated lot must carry them on.
        return {**vals, **component_lot.sudo()._soko_prepare_snapshot_vals()}
