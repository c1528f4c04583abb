from odoo import models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    def _soko_is_used_up(self):
        """A piece that is only treated (plated) stays its maker's, on the way back, too."""
        move = self.move_id
        if order := move.raw_material_production_id:
            return super()._soko_is_used_up() and move not in order._soko_get_piece_moves()
        taken_apart = move.consume_unbuild_id.mo_id
        return super()._soko_is_used_up() and not (
            taken_apart and taken_apart._soko_get_piece_moves()
        )
