from odoo import api, fields, models
from odoo.exceptions import AccessError


class StockLot(models.Model):
    _inherit = "stock.lot"

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

    soko_plating_verdict = fields.Selection(
        [("pass", "Thick enough"), ("under", "Too thin"), ("unmeasured", "Not measured")],
        "Plating",
        compute="_compute_soko_plating_verdict",
    )
    soko_plating_released_by_id = fields.Many2one(
        "res.users",
        "Released By",
        readonly=True,
        copy=False,
        help="The quality manager who lets thin or unmeasured pieces go, to be sold as what they "
        "are.",
    )

    def _compute_soko_plating_verdict(self):
        for lot in self:
            verdicts = [w._soko_get_plating_verdict() for w in lot._soko_get_plating_workorders()]
            worst = ("under", "unmeasured", "pass")
            lot.soko_plating_verdict = next((v for v in worst if v in verdicts), False)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_release(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._soko_check_release(vals)
        return super().write(vals)

    def _soko_check_release(self, vals):
        allowed = self.env.su or self.env.user.has_group("soko_qc.soko_qc_group_manager")
        if vals.get("soko_plating_released_by_id") and not allowed:
            raise AccessError(self.env._("Only a quality manager releases plated pieces."))

    def action_soko_release_plating(self):
        """Let thin or unmeasured pieces be delivered all the same, and say who decided it."""
        self.check_access("write")
        self.write({"soko_plating_released_by_id": self.env.uid})
        for lot in self:
            lot.message_post(body=self.env._("Released although the layer is not proven."))
        return True

    def _soko_get_plating_workorders(self):
        """The last plating step of each order that made these pieces, its run done."""
        # sudo: the guard at the door must know the layer, whatever its user may see.
        orders = self.env["mrp.production"].sudo().search([("lot_producing_ids", "in", self.ids)])
        found = self.env["mrp.workorder"].sudo()
        for order in orders:
            runs = order.workorder_ids.filtered(lambda w: w.soko_plating_run_id.state == "done")
            found |= runs[-1:]
        return found

    def _soko_is_plating_refused(self):
        """Whether a delivery of these pieces must be stopped."""
        self.ensure_one()
        if self.soko_plating_released_by_id:
            return False
        if self.soko_plating_verdict != "unmeasured":
            return self.soko_plating_verdict == "under"
        processes = self._soko_get_plating_workorders().soko_plating_run_id.process_id
        return any(processes.mapped("measure_required"))

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
