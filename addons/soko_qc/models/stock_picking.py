from odoo import api, fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    soko_inspection_ids = fields.One2many(
        "soko.qc.inspection", "picking_id", "Inspections", groups="stock.group_stock_user"
    )
    soko_inspection_count = fields.Integer(
        compute="_compute_soko_inspection_count", groups="stock.group_stock_user"
    )

    @api.depends("soko_inspection_ids")
    def _compute_soko_inspection_count(self):
        for picking in self:
            picking.soko_inspection_count = len(picking.soko_inspection_ids)

    def action_view_soko_inspections(self):
        return self.soko_inspection_ids._get_records_action(name=self.env._("Inspections"))
