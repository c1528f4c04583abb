from odoo import api, fields, models
from odoo.exceptions import UserError


class SokoQcInspectedWorkorder(models.AbstractModel):
    """A work order whose step has an inspection plan is finished with accepted pieces only."""

    _name = "soko.qc.inspected.workorder"
    _description = "Inspected Work Order"

    soko_inspection_ids = fields.One2many(
        "soko.qc.inspection", "workorder_id", "Inspections", groups="stock.group_stock_user"
    )
    soko_needs_inspection = fields.Boolean(compute="_compute_soko_needs_inspection")

    @api.depends("operation_id", "company_id")
    def _compute_soko_needs_inspection(self):
        plans = self._soko_find_plans()
        for workorder in self:
            workorder.soko_needs_inspection = bool(plans[workorder])

    # === OVERRIDES === #

    def button_start(self, raise_on_invalid_state=False):
        res = super().button_start(raise_on_invalid_state=raise_on_invalid_state)
        self._soko_create_inspections()
        return res

    def write(self, vals):
        # Every way to finish a work order, or its manufacturing order, writes this state.
        if vals.get("state") == "done":
            for workorder, plan in self._soko_find_plans().items():
                if plan and workorder.state not in ("done", "cancel"):
                    workorder._soko_check_inspected(vals.get("qty_produced"))
        return super().write(vals)

    # === ACTIONS === #

    def action_soko_inspect(self):
        """Open the inspections of this work order; make the one that is missing."""
        self.ensure_one()
        self.check_access("write")
        self._soko_create_inspections()
        inspections = self.soko_inspection_ids
        if not inspections:
            raise UserError(
                self.env._("No inspection plan names the step %s.", self.operation_id.name)
            )
        return inspections._get_records_action(name=self.env._("Inspections"))

    # === BUSINESS METHODS === #

    def _soko_find_plans(self):
        """The plan of each step, which may be empty. Override to choose by more than the step.

        :rtype: dict[record of mrp.workorder, record of soko.qc.plan]
        """
        # sudo: whoever runs a work order is bound by its plan, whatever they may read.
        plans = self.env["soko.qc.plan"].sudo()
        plans = plans.search([("operation_ids", "in", self.operation_id.ids)])
        return {
            workorder: plans.filtered(
                lambda p, w=workorder: w.operation_id in p.operation_ids
                and (not p.company_id or p.company_id == w.company_id)
            )[:1]
            for workorder in self
        }

    def _soko_create_inspections(self):
        """An inspection for each work order whose plan asks for one and that has none open."""
        # sudo: whoever runs the work order must have its pieces inspected, quality rights or not.
        inspections = self.env["soko.qc.inspection"].sudo()
        todo = self.filtered(lambda w: w.state not in ("done", "cancel"))
        for workorder, plan in todo._soko_find_plans().items():
            missing = workorder._soko_get_qty_to_inspect() if plan else 0
            if workorder.product_id.uom_id.compare(missing, 0) > 0:
                vals = inspections._qc_prepare_workorder_vals(workorder, missing)
                inspections.create({**vals, "plan_id": plan.id})

    def _soko_get_qty_to_inspect(self):
        """Pieces of the order that no inspection has decided on, nor is about to."""
        self.ensure_one()
        # sudo: as above; mended pieces are counted in the inspection that sent them back.
        done = self.sudo().soko_inspection_ids.filtered(lambda i: not i.reworked_from_id)
        pieces = self.product_uom_id._compute_quantity(
            self.qty_production, self.product_id.uom_id
        )
        return pieces - sum(done.mapped("quantity"))

    def _soko_check_inspected(self, quantity=None):
        """Refuse to finish a step whose pieces were not inspected and accepted.

        :param float quantity: pieces the order goes on with, in the order's unit
        :raises UserError: when an inspection is missing or open, or fewer pieces were accepted
        """
        self.ensure_one()
        # sudo: whoever finishes the work order may not read inspections.
        inspections = self.sudo().soko_inspection_ids.filtered(lambda i: i.state != "cancel")
        if not inspections or any(i.state != "done" for i in inspections):
            raise UserError(
                self.env._(
                    "%s can't be finished: its pieces are still to be inspected. Press Inspect on "
                    "the work order; an inspector decides there.",
                    self.display_name,
                )
            )
        uom = self.product_id.uom_id
        pieces = self.product_uom_id._compute_quantity(
            quantity or self.qty_produced or self.qty_producing or self.qty_production, uom
        )
        accepted = sum(inspections.mapped("qty_accepted"))
        if uom.compare(pieces, accepted) > 0:
            raise UserError(
                self.env._(
                    "%(name)s would go on with %(pieces)s pieces, but its inspection accepted "
                    "%(accepted)s. Set the quantity of the manufacturing order to the accepted "
                    "pieces, or have the others mended and inspected again.",
                    name=self.display_name,
                    pieces=f"{pieces:g}",
                    accepted=f"{accepted:g}",
                )
            )
