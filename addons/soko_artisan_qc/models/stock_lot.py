from odoo import api, fields, models
from odoo.exceptions import AccessError


class StockLot(models.Model):
    _inherit = "stock.lot"

    soko_qc_waived = fields.Boolean(
        "Payable Without Inspection",
        copy=False,
        help="The pieces came in before drop-offs were inspected, or a manager vouches for them: "
        "they are paid when sold although no inspection accepted them.",
    )
    soko_qc_cleared = fields.Boolean(
        "Quality Cleared",
        compute="_compute_soko_qc_cleared",
        store=True,
        recursive=True,
        help="An inspection accepted pieces of this lot, or of the raw lot they were plated from.",
    )

    @api.depends(
        "soko_qc_waived", "soko_inspection_ids.qty_accepted", "soko_origin_lot_id.soko_qc_cleared"
    )
    def _compute_soko_qc_cleared(self):
        for lot in self:
            lot.soko_qc_cleared = (
                lot.soko_qc_waived
                or lot.soko_origin_lot_id.soko_qc_cleared
                or any(inspection.qty_accepted > 0 for inspection in lot.soko_inspection_ids)
            )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_cleared({name for name, value in vals.items() if value})
        # Explicit values: a default of the context or of a user is no decision.
        lots = super().create([{"soko_qc_waived": False, **vals} for vals in vals_list])
        self.env.add_to_compute(self._fields["soko_qc_cleared"], lots)
        return lots

    def write(self, vals):
        self._soko_check_cleared(set(vals))
        return super().write(vals)

    def _soko_check_cleared(self, names):
        """Cleared pieces are paid when sold: the inspection says it, nobody writes it.

        `readonly` keeps no RPC call away, and anybody who keeps stock may write lots.

        :param set names: names of the fields somebody writes
        :raises AccessError: when it is among them
        """
        if not self.env.su and "soko_qc_cleared" in names:
            raise AccessError(
                self.env._(
                    "Whether pieces are cleared follows from their inspection. An artisan manager "
                    "can tick 'Payable Without Inspection' on the lot instead."
                )
            )

    @api.model
    def _soko_get_snapshot_fields(self):
        """Whether a lot is payable without inspection is a manager's decision, as its price is."""
        return (*super()._soko_get_snapshot_fields(), "soko_qc_waived")
