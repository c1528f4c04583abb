from odoo import api, fields, models


class SokoQcReworkBack(models.TransientModel):
    _name = "soko.qc.rework.back"
    _description = "Take Back Mended Pieces"

    inspection_id = fields.Many2one("soko.qc.inspection", required=True, readonly=True)
    product_id = fields.Many2one(related="inspection_id.product_id")
    lot_id = fields.Many2one(related="inspection_id.lot_id")
    partner_id = fields.Many2one(related="inspection_id.partner_id")
    quantity_out = fields.Float(
        "Handed Out", digits="Product Unit", compute="_compute_quantity_out"
    )
    quantity = fields.Float(
        "Came Back",
        digits="Product Unit",
        compute="_compute_quantity",
        store=True,
        readonly=False,
        help="The others stay handed out; take them back when they come.",
    )

    @api.depends("inspection_id")
    def _compute_quantity_out(self):
        for back in self:
            inspection = back.inspection_id
            back.quantity_out = inspection._get_qty_being_mended() if inspection else 0

    @api.depends("inspection_id")
    def _compute_quantity(self):
        for back in self:
            back.quantity = back.quantity_out

    def action_confirm(self):
        """Put the pieces on hold and open the inspection that looks at them again."""
        self.ensure_one()
        inspection = self.inspection_id._take_back(self.quantity)
        return inspection._get_records_action(name=self.env._("Mended Pieces"))
