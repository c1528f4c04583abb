from odoo import api, fields, models
from odoo.exceptions import UserError


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    soko_intended_location_id = fields.Many2one(
        "stock.location",
        "Meant For",
        copy=False,
        readonly=True,
        help="Where the piece was meant to go before its inspection put it on hold.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._soko_qc_check_no_correction({})
        return lines

    def write(self, vals):
        if {"quantity", "lot_id", "owner_id", "location_id", "location_dest_id"} & vals.keys():
            self._soko_qc_check_no_correction(vals)
        return super().write(vals)

    def _soko_qc_check_no_correction(self, vals):
        """Changing a done line moves pieces without a new move, so past the gate: refuse it."""
        done = self.filtered(lambda line: line.move_id.state == "done")
        locations = done.location_id | done.location_dest_id
        if done:
            changed = [vals.get("location_id"), vals.get("location_dest_id")]
            locations |= locations.browse([x for x in changed if x])
        if locations and locations._soko_qc_filtered_guarded():
            raise UserError(
                self.env._(
                    "This done transfer put pieces on hold, or took them out, and can no longer "
                    "be changed. A quality manager can correct the count on hold instead."
                )
            )

    # === GATE === #

    def _action_done(self):
        # Every way out of stock (delivery, scrap, consumption, count, relocation) ends here, with
        # exactly the lines that will move.
        self._soko_qc_check_gate()
        self._soko_check_plating()
        self._soko_qc_divert()
        return super()._action_done()

    def _soko_qc_check_gate(self):
        """Refuse to take pieces out of a hold or rejected location, except by their inspection.

        :raises UserError: when a line takes pieces past their inspection
        """
        guarded = self.location_id._soko_qc_filtered_guarded()
        for line in self:
            if line.location_id in guarded and not line._soko_qc_is_allowed_out():
                raise UserError(line._soko_qc_get_refusal())
        free = self.filtered(lambda line: line.lot_id and line.location_id not in guarded)
        free._soko_qc_check_not_overdrawn()

    def _soko_check_plating(self):
        """Refuse to deliver plated pieces whose layer is too thin, or unproven where it must be.

        :raises UserError: for a lot that a quality manager has not released
        """
        lines = self.filtered(lambda x: x.lot_id and x.location_dest_id.usage == "customer")
        # Only pieces that were made here can have been plated here.
        for lot in lines.lot_id.filtered("soko_origin_lot_id"):
            if lot._soko_is_plating_refused():
                raise UserError(
                    self.env._(
                        "The layer of %s is too thin or was not measured, so it cannot be sold as "
                        "plated. Measure it, plate it again, or ask a quality manager to release "
                        "it on the lot.",
                        lot.display_name,
                    )
                )

    def _soko_qc_is_allowed_out(self):
        self.ensure_one()
        inspection = self.move_id.soko_inspection_id
        if inspection:
            same = self.product_id == inspection.product_id and self.lot_id == inspection.lot_id
            # A transfer waits where people can change it: it may only be the return it was made as.
            is_return = (
                self.location_id == inspection.rejected_location_id
                and self.location_dest_id.usage in ("supplier", "customer")
            )
            same = same and self.owner_id == inspection.owner_id
            return same and (not self.picking_id or is_return)
        # A relocation is flagged as a count too, but only a count loses the piece.
        is_count = self.move_id.is_inventory and self.location_dest_id.usage == "inventory"
        is_scrap = self.move_id.scrap_id and self.location_id.soko_qc_role == "rejected"
        return bool(is_count or is_scrap) and self.env.user.has_group(
            "soko_qc.soko_qc_group_manager"
        )

    def _soko_qc_check_not_overdrawn(self):
        """A held lot must not leave from a place that hasn't got it: stock would go negative."""
        # The stock user may not read the quants of the quality locations' company.
        quants = self.env["stock.quant"].sudo()
        held_lots = quants.search(
            [
                ("lot_id", "in", self.lot_id.ids),
                ("location_id.soko_qc_role", "!=", False),
                ("quantity", ">", 0),
            ]
        ).lot_id
        lines = self.filtered(
            lambda x: x.lot_id in held_lots and not x.location_id.should_bypass_reservation()
        )
        for (product, location, lot), group in lines.grouped(
            lambda x: (x.product_id, x.location_id, x.lot_id)
        ).items():
            needed = sum(group.mapped("quantity_product_uom"))
            there = quants._gather(product, location, lot_id=lot)
            found = sum(q.quantity for q in there if q.lot_id == lot)
            if product.uom_id.compare(found, needed) < 0:
                raise UserError(group[0]._soko_qc_get_refusal())

    def _soko_qc_get_refusal(self):
        self.ensure_one()
        return self.env._(
            "%(product)s%(lot)s is on hold or rejected in quality control and cannot be moved by "
            "this document. Finish its inspection first: accepted pieces go to the stock by "
            "themselves; rejected ones go back with 'Return Rejected'.",
            product=self.product_id.display_name,
            lot=f" ({self.lot_id.name})" if self.lot_id else "",
        )

    # === DIVERSION TO HOLD === #

    def _soko_qc_divert(self):
        """Send received pieces to the hold location and remember where they were meant to go."""
        lines = self.filtered(lambda line: line._soko_qc_is_required())
        for (warehouse, intended), group in lines.grouped(
            lambda x: (x.move_id.picking_type_id.warehouse_id, x.location_dest_id)
        ).items():
            hold = warehouse.soko_qc_hold_location_id
            target = warehouse.lot_stock_id if intended.soko_qc_role else intended
            group.write({"soko_intended_location_id": target.id, "location_dest_id": hold.id})
            # The move too: push rules then wait until the inspection puts the pieces there.
            group.move_id.write({"location_dest_id": hold.id})

    def _soko_qc_is_required(self):
        """Whether this line's pieces must be inspected before they are stock.

        Default: storable pieces that come in by an operation type that asks for it. Override to
        widen or narrow; called for each line of every done move, so keep it free of queries.
        """
        self.ensure_one()
        picking_type = self.move_id.picking_type_id
        return (
            picking_type.soko_qc_required
            and picking_type.code == "incoming"
            and self.product_id.is_storable
            and self.quantity > 0
        )
