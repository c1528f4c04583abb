from odoo import api, fields, models
from odoo.exceptions import AccessError


class StockMove(models.Model):
    _inherit = "stock.move"

    soko_inspection_id = fields.Many2one(
        "soko.qc.inspection",
        "Inspection",
        index="btree_not_null",
        copy=False,
        readonly=True,
        help="The inspection whose decision this move carries out.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_inspection_vals(vals)
            # An explicit value: a default_soko_inspection_id in the context of any call that ends
            # in a sudoed create would otherwise open the gate.
            vals.setdefault("soko_inspection_id", False)
        return super().create(vals_list)

    def write(self, vals):
        self._soko_check_inspection_vals(vals)
        return super().write(vals)

    def _soko_check_inspection_vals(self, vals):
        """Only inspections themselves, as superuser, tie a move to an inspection."""
        if vals.get("soko_inspection_id") and not self.env.su:
            raise AccessError(
                self.env._("A move is tied to an inspection by the inspection itself.")
            )

    def _action_done(self, cancel_backorder=False):
        done = super()._action_done(cancel_backorder=cancel_backorder)
        # Both: anybody who may write a transfer could write the location.
        lines = done.move_line_ids.filtered(
            lambda line: line.soko_intended_location_id and line._soko_qc_is_required()
        )
        if lines:
            # Whoever may receive the pieces must have them inspected, quality rights or not.
            self.env["soko.qc.inspection"].sudo()._create_from_move_lines(lines.sudo())
        return done
