from odoo import api, fields, models


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

    @api.model
    def _soko_get_snapshot_fields(self):
        """Whether a lot is payable without inspection is a manager's decision, as its price is."""
        return (*super()._soko_get_snapshot_fields(), "soko_qc_waived")
