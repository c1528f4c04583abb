from odoo import api, fields, models


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = ["stock.lot", "soko.qc.alerted.lot"]

    soko_origin_lot_id = fields.Many2one(
        "stock.lot",
        "Plated From",
        index="btree_not_null",
        readonly=True,
        copy=False,
        help="The lot of the raw pieces these pieces were made of.",
    )
    soko_derived_lot_ids = fields.One2many("stock.lot", "soko_origin_lot_id", "Plated Lots")
    soko_inspection_ids = fields.One2many(
        "soko.qc.inspection", "lot_id", "Inspections", groups="stock.group_stock_user"
    )
    soko_inspection_count = fields.Integer(
        compute="_compute_soko_inspection_count", groups="stock.group_stock_user"
    )

    @api.depends("soko_inspection_ids")
    def _compute_soko_inspection_count(self):
        for lot in self:
            lot.soko_inspection_count = len(lot.soko_inspection_ids)

    def action_view_soko_inspections(self):
        return self.soko_inspection_ids._get_records_action(name=self.env._("Inspections"))

    def action_plate(self):
        """Open the small form that orders the plating of pieces of this lot."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_plating_order_action")
        return dict(action, context={"default_lot_id": self.id})
