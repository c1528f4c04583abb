from odoo import api, fields, models
from odoo.exceptions import AccessError

# Where plated pieces come from: written by their order alone.
PROVENANCE = ("soko_origin_lot_id", "soko_thin_lot_id")


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
    soko_thin_lot_id = fields.Many2one(
        "stock.lot",
        "Plated Again From",
        index="btree_not_null",
        readonly=True,
        copy=False,
        help="The plated lot these pieces were in when their layer was too thin.",
    )
    soko_replated_lot_ids = fields.One2many("stock.lot", "soko_thin_lot_id", "Plated Again Into")
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
        # No dependencies, since orders name their lots and not the other way round: it is read anew
        # with each request. The guard at the door asks the method.
        for lot in self:
            lot.soko_plating_verdict = lot._soko_get_plating_verdict()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_provenance({name for name, value in vals.items() if value})
            self._soko_check_release(vals.get("soko_plating_released_by_id") or None)
        # Explicit values: a default of the context or of a user is no decision.
        missing = dict.fromkeys((*PROVENANCE, "soko_plating_released_by_id"), False)
        return super().create([{**missing, **vals} for vals in vals_list])

    def write(self, vals):
        self._soko_check_provenance(set(vals))
        if "soko_plating_released_by_id" in vals:
            self._soko_check_release(vals["soko_plating_released_by_id"] or False)
        return super().write(vals)

    def _soko_check_provenance(self, names):
        """Refuse what only the system writes; `readonly` keeps no RPC call away.

        :param set names: names of the fields somebody writes
        :raises AccessError: when the raw lot, or the lot before, is among them
        """
        if not self.env.su and not names.isdisjoint(PROVENANCE):
            raise AccessError(
                self.env._(
                    "Which lot plated pieces were made of is written by their manufacturing order, "
                    "not by hand."
                )
            )

    def _soko_check_release(self, user_id):
        """Only a quality manager releases, in their own name, or takes a release back.

        :param user_id: who is written as releasing; False to take it back, None for nothing written
        """
        if user_id is None:
            return
        is_manager = self.env.user.has_group("soko_qc.soko_qc_group_manager")
        if not self.env.su and not (is_manager and user_id in (False, self.env.uid)):
            raise AccessError(
                self.env._(
                    "Only a quality manager releases plated pieces, in their own name, with the "
                    "button on the lot."
                )
            )

    # === ACTIONS === #

    def action_soko_release_plating(self):
        """Let thin or unmeasured pieces be delivered all the same, and say who decided it."""
        self.check_access("write")
        self.write({"soko_plating_released_by_id": self.env.uid})
        for lot in self:
            lot.message_post(body=self.env._("Released although the layer is not proven."))
        return True

    # === BUSINESS METHODS === #

    def _soko_get_plating_orders(self):
        """The orders with a plating step that made pieces of these lots."""
        # sudo: the guard at the door must know the layer, whatever its user may see.
        return self.env["mrp.production"].sudo().search(
            [
                ("lot_producing_ids", "in", self.ids),
                "|",
                ("workorder_ids.soko_plating_run_id", "!=", False),
                ("workorder_ids.operation_id.soko_plating_process_id", "!=", False),
            ]
        )

    def _soko_get_plating_steps(self):
        """The last plating step of each order that made these pieces, if it is behind them.

        Without a finished run it is behind them when the order is closed: nobody measured then.
        """
        steps = self.env["mrp.workorder"].sudo()  # sudo: as above
        for order in self._soko_get_plating_orders():
            plating = order.workorder_ids.filtered(
                lambda w: w._soko_get_process() and w.state != "cancel"
            )
            if order.state != "done":
                plating = plating.filtered(lambda w: w.soko_plating_run_id.state == "done")
            steps |= plating[-1:]
        return steps

    def _soko_get_plating_workorders(self):
        """The steps of :meth:`_soko_get_plating_steps` with their run, for the certificate."""
        steps = self._soko_get_plating_steps()
        return steps.filtered(lambda w: w.soko_plating_run_id.state == "done")

    def _soko_get_plating_verdict(self):
        """The worst verdict on these pieces' layer, as the readings are now; False: not plated."""
        verdicts = {w._soko_get_plating_verdict() for w in self._soko_get_plating_steps()}
        return next((v for v in ("under", "unmeasured", "pass") if v in verdicts), False)

    def _soko_is_plating_refused(self):
        """Whether a delivery of these pieces must be stopped."""
        self.ensure_one()
        if self.soko_plating_released_by_id:
            return False
        verdict = self._soko_get_plating_verdict()
        if verdict != "unmeasured":
            return verdict == "under"
        steps = self._soko_get_plating_steps()
        return any(step._soko_get_process().measure_required for step in steps)

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

    def action_plate_again(self):
        """Open the small form that sends the thin pieces of this lot through the bath again."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_plating_again_action")
        return dict(action, context={"default_lot_id": self.id})
