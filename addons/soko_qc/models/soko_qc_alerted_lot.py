from odoo import fields, models


class SokoQcAlertedLot(models.AbstractModel):
    """The alerts about a lot."""

    _name = "soko.qc.alerted.lot"
    _description = "Lot With Quality Alerts"

    soko_alert_count = fields.Integer(
        compute="_compute_soko_alert_count", groups="stock.group_stock_user"
    )

    def _compute_soko_alert_count(self):
        counts = dict(
            self.env["soko.qc.alert"]._read_group(
                [("lot_id", "in", self.ids)], ["lot_id"], ["__count"]
            )
        )
        for lot in self:
            lot.soko_alert_count = counts.get(lot, 0)

    def action_view_soko_alerts(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_qc_alert_action")
        context = {"default_lot_id": self.id, "default_product_id": self.product_id.id}
        return dict(action, domain=[("lot_id", "=", self.id)], context=context)
