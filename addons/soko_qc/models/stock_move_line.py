from odoo import api, fields, models
from odoo.exceptions import UserError

# What of a done line moves pieces when it is changed.
CORRECTIONS = {"quantity", "lot_id", "owner_id", "location_id", "location_dest_id"}


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
        lines.filtered(lambda line: line.state == "done")._soko_check_plating()
        return lines

    def write(self, vals):
        if not CORRECTIONS & vals.keys():
            return super().write(vals)
        self._soko_qc_check_no_correction(vals)
        done = self.filtered(lambda line: line.state == "done")
        before = {line: (line.lot_id, line.location_dest_id, line.quantity) for line in done}
        res = super().write(vals)
        done.filtered(lambda line: line._soko_delivers_more(*before[line]))._soko_check_plating()
        return res

    def _soko_delivers_more(self, lot, destination, quantity):
        """Whether a corrected done line, compared with before, brings other or more pieces."""
        self.ensure_one()
        same = self.lot_id == lot and self.location_dest_id == destination
        return not same or self.product_uom_id.compare(self.quantity, quantity) > 0

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
        moving = self._soko_filtered_moving()
        guarded = moving.location_id._soko_qc_filtered_guarded()
        for line in moving:
            if line.location_id in guarded and not line._soko_qc_is_allowed_out():
                raise UserError(line._soko_qc_get_refusal())
        moving.filtered(lambda x: x.location_id not in guarded)._soko_qc_check_not_overdrawn()

    def _soko_check_plating(self):
        """Refuse to deliver plated pieces whose layer is too thin, or unproven where it must be.

        :raises UserError: for a lot that a quality manager has not released
        """
        lines = self._soko_filtered_moving()
        lines = lines.filtered(lambda x: x.location_dest_id.usage == "customer")
        if not lines:
            return
        lots = self.env["stock.lot"].concat(*lines._soko_get_lots().values())
        # One query for what was never plated here, which is most of what goes out.
        for lot in lots & lots._soko_get_plating_orders().lot_producing_ids:
            if lot._soko_is_plating_refused():
                raise UserError(
                    self.env._(
                        "The layer of %s is too thin or was not measured, so it cannot be sold as "
                        "plated. Measure it, plate it again, or ask a quality manager to release "
                        "it on the lot.",
                        lot.display_name,
                    )
                )

    def _soko_filtered_moving(self):
        """The lines that move something: Odoo deletes lines of zero, and refuses negative ones."""
        return self.filtered(lambda x: x.product_uom_id.compare(x.quantity, 0) > 0)

    def _soko_get_lots(self):
        """The lot of each line: its own, else the one whose name was typed.

        A name becomes a lot only when Odoo moves the line, which is after the guards.

        :rtype: dict[stock.move.line, stock.lot]
        """
        lots = {line: line.lot_id for line in self}
        typed = self.filtered(lambda x: x.lot_name and not x.lot_id)
        if typed:
            # sudo: a guard must see every lot, whatever its user may see.
            found = self.env["stock.lot"].sudo().search(
                [
                    ("product_id", "in", typed.product_id.ids),
                    ("name", "in", typed.mapped("lot_name")),
                ]
            )
            for line in typed:
                same = found.filtered(
                    lambda x, line=line: x.name == line.lot_name
                    and x.product_id == line.product_id
                    and (not x.company_id or x.company_id == line.company_id)
                )
                lots[line] = same.sudo(False)
        return lots

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
        lots = self._soko_get_lots()
        # The stock user may not read the quants of the quality locations' company.
        quants = self.env["stock.quant"].sudo()
        held_lots = quants.search(
            [
                ("lot_id", "in", self.env["stock.lot"].concat(*lots.values()).ids),
                ("location_id.soko_qc_role", "!=", False),
                ("quantity", ">", 0),
            ]
        ).lot_id
        lines = self.filtered(
            lambda x: lots[x] & held_lots and not x.location_id.should_bypass_reservation()
        )
        for (product, location, lot), group in lines.grouped(
            lambda x: (x.product_id, x.location_id, lots[x])
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
