from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class SokoPlatingAgain(models.TransientModel):
    """Send pieces whose layer is too thin through the bath once more.

    It is a manufacturing order that takes the plated pieces as its component, with the plating step
    alone: owner, maker, costs and evidence go the same way as at the first plating, and the pieces
    get a lot of their own. No bill of materials makes a product of itself, so it has none.
    """

    _name = "soko.plating.again"
    _inherit = ["soko.plating.order"]
    _description = "Plate Pieces Again"

    lot_id = fields.Many2one(required=True)
    quantity = fields.Float(
        help="The thinnest pieces. They get a lot of their own, the others keep theirs."
    )
    thickness_before_um = fields.Float(
        "Layer Now (um)",
        digits=(16, 3),
        compute="_compute_thickness_before",
        help="Mean of the thinnest pieces; a reading afterwards is of the whole layer.",
    )

    # === COMPUTE METHODS === #

    @api.depends("lot_id")
    def _compute_available_bom_ids(self):
        for order in self:
            order.available_bom_ids = order._get_step().operation_id.bom_id

    @api.depends("lot_id")
    def _compute_process_id(self):
        for order in self:
            order.process_id = order._get_step().soko_plating_process_id

    @api.depends("lot_id")
    def _compute_quantity(self):
        for order in self:
            step = order._get_step()
            minimum = step and step._soko_get_thickness_goal()[1]
            thin = [mean for _piece, mean in order._get_thinnest() if mean < minimum]
            order.quantity = len(thin) or order.available_quantity

    @api.depends("lot_id", "quantity")
    def _compute_thickness_before(self):
        for order in self:
            means = [mean for _piece, mean in order._get_thinnest(order.quantity)]
            step = order._get_step()
            layer = step._soko_get_mean_layer() if step else 0.0
            order.thickness_before_um = sum(means) / len(means) if means else layer

    # === BUSINESS METHODS === #

    def _get_step(self):
        """The step that plated these pieces last."""
        self.ensure_one()
        return self.lot_id._soko_get_plating_steps().sudo(False)[-1:]

    def _get_readings(self):
        """Readings of pieces that are still in this lot and wait for no other bath."""
        self.ensure_one()
        return self._get_step().soko_reading_ids.filtered(
            lambda r: r.replated_workorder_id.production_id.state in (False, "cancel")
        )

    def _get_thinnest(self, count=None):
        """Measured pieces from the thinnest on.

        :param count: how many at most, None for all
        :return: pairs of the piece and its mean thickness in um
        """
        means = self._get_readings()._get_piece_means()
        pieces = sorted(means.items(), key=lambda item: (item[1], item[0][1]))
        return pieces if count is None else pieces[: max(int(count), 0)]

    def _get_picking_type(self):
        return self._get_step().production_id.picking_type_id or super()._get_picking_type()

    def _check_order(self):
        self._check_thin()
        run, bath = self.run_id, self.bath_id
        if bath.process_id != self.process_id or (
            run and (run.bath_id != bath or run.state != "draft")
        ):
            raise UserError(
                self.env._(
                    "%(lot)s was plated by %(process)s. Choose a bath of this process, and a run "
                    "of this bath that is still loading.",
                    lot=self.lot_id.display_name,
                    process=self.process_id.name,
                )
            )
        if self.quantity % 1:
            raise UserError(self.env._("Plate whole pieces again: a lot is split between pieces."))
        return super()._check_order()

    def _check_thin(self):
        """Refuse what has no thin layer.

        :raises UserError: for pieces that were not plated here, not measured, or thick enough
        """
        verdict, name = self.lot_id._soko_get_plating_verdict(), self.lot_id.display_name
        if not verdict:
            raise UserError(
                self.env._(
                    "No plating run made %s, so there is no layer to plate again. Plate raw pieces "
                    "with 'Plate These Pieces'.",
                    name,
                )
            )
        if verdict == "unmeasured":
            raise UserError(
                self.env._(
                    "The layer of %s was not measured. Enter the readings on its run first: what "
                    "is missing is computed from them.",
                    name,
                )
            )
        if verdict == "pass":
            raise UserError(
                self.env._("The layer of %s is thick enough: there is nothing to do.", name)
            )

    def _prepare_production_vals(self):
        return {
            "product_id": self.product_id.id,
            "bom_id": False,
            "product_qty": self.quantity,
            "product_uom_id": self.product_id.uom_id.id,
            "picking_type_id": self._get_picking_type().id,
            "company_id": self.bath_id.company_id.id,
            "origin": self.lot_id.name,
        }

    def _create_production(self):
        production = self.env["mrp.production"].create(self._prepare_production_vals())
        piece = production._get_move_raw_values(
            self.product_id, self.quantity, self.product_id.uom_id
        )
        made = production.move_finished_ids
        production.move_raw_ids = [Command.create(piece)]
        # Made after the component: of moves of one second Odoo values the older record first, and
        # the average cost must lose the pieces before it gets them back with more metal on them.
        production.move_finished_ids = [Command.delete(move.id) for move in made] + [
            Command.create(vals) for vals in production._get_moves_finished_values()
        ]
        production.action_confirm()
        # After that: a draft order drops the steps that are not of its bill of materials.
        self._mark_readings(self.env["mrp.workorder"].create(self._prepare_step_vals(production)))
        return production

    def _prepare_step_vals(self, production):
        step = self._get_step()
        return {
            "name": step.name,
            "production_id": production.id,
            "product_uom_id": production.product_uom_id.id,
            "workcenter_id": step.operation_id.workcenter_id.id,
            "operation_id": step.operation_id.id,
        }

    def _mark_readings(self, workorder):
        """Say whose readings no longer speak for the lot once this work order is done."""
        taken = {piece for piece, _mean in self._get_thinnest(self.quantity)}
        readings = self._get_readings().filtered(lambda r: (r.workorder_id, r.piece) in taken)
        # sudo: only this step says which pieces are plated again; the run is open to the user.
        readings.sudo().replated_workorder_id = workorder
