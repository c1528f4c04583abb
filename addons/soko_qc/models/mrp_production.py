from odoo import models
from odoo.exceptions import UserError

from .stock_lot import PROVENANCE


class MrpProduction(models.Model):
    """Orders that treat a piece (plating) keep whose piece it is and where it came from.

    Odoo itself makes the finished goods the company's own, whoever owned the components.
    """

    _inherit = "mrp.production"

    # === HOOKS === #

    def _plating_prepare_finished_lot_vals(self, component_lot):
        """Values of the finished lot of a treated piece.

        Called when the lot is created, and for a lot somebody chose by hand when the order is
        posted (without ``name``). Override to copy more of the raw lot; call ``super()``.

        :param component_lot: stock.lot of the raw piece
        :return: values for ``stock.lot`` ``create`` or ``write``
        :rtype: dict
        """
        self.ensure_one()
        if self._soko_is_plated_again():
            suffix, made = "A", component_lot.soko_replated_lot_ids
        else:
            derived = component_lot.soko_derived_lot_ids
            suffix, made = "P", derived.filtered(lambda lot: not lot.soko_thin_lot_id)
        return {
            "product_id": self.product_id.id,
            "name": f"{component_lot.name}-{suffix}{len(made) + 1}",
            **self._soko_prepare_provenance_vals(component_lot),
        }

    # === BUSINESS METHODS === #

    def _soko_is_plated_again(self):
        """Whether the piece is this order's own product: it goes through the bath once more."""
        self.ensure_one()
        return bool(self.product_id) and self._soko_get_piece_moves().product_id == self.product_id

    def _soko_prepare_provenance_vals(self, component_lot):
        """Where finished pieces come from: however often they are plated, from one raw lot."""
        if self._soko_is_plated_again():
            raw_lot = component_lot.soko_origin_lot_id
            return {"soko_origin_lot_id": raw_lot.id, "soko_thin_lot_id": component_lot.id}
        return {"soko_origin_lot_id": component_lot.id}

    def _soko_get_piece_moves(self):
        """The component moves of the piece itself; empty when this order makes a new thing."""
        self.ensure_one()
        moves = self.move_raw_ids.filtered(lambda m: m.state != "cancel")
        flagged = moves.filtered("bom_line_id.soko_is_piece")
        if flagged or not self.workorder_ids.soko_plating_process_id:
            return flagged
        return moves.filtered(
            lambda m: m.has_tracking != "none" or m.move_line_ids.owner_id
        )[:1]

    def _soko_get_piece_lines(self):
        """The reserved or consumed lines of the piece itself."""
        lines = self._soko_get_piece_moves().move_line_ids
        return lines.filtered(lambda line: line.quantity > 0)

    def _soko_check_one_owner(self):
        """Refuse an order whose pieces would not know their owner or lot afterwards.

        :raises UserError: for pieces of two owners, or of two lots
        """
        for production in self:
            lines = production._soko_get_piece_lines()
            owners = {line.owner_id for line in lines}
            if len(owners) > 1:
                names = [o.name or self.env._("the company itself") for o in owners]
                raise UserError(
                    self.env._(
                        "%(order)s takes pieces of several owners: %(owners)s. Afterwards nobody "
                        "could tell whose piece is whose. Make one order for each owner.",
                        order=production.name,
                        owners=", ".join(sorted(names)),
                    )
                )
            if len(lines.lot_id) > 1:
                raise UserError(
                    self.env._(
                        "%(order)s takes pieces of several lots: %(lots)s. Make one order for "
                        "each lot, so that each finished piece knows where it comes from.",
                        order=production.name,
                        lots=", ".join(sorted(lines.lot_id.mapped("name"))),
                    )
                )

    def _soko_link_finished_lots(self):
        """Tie lots that were chosen by hand to the raw lot."""
        for production in self:
            component_lot = production._soko_get_piece_lines().lot_id
            lots = production.lot_producing_ids.filtered(
                lambda x: not (x.soko_origin_lot_id or x.soko_thin_lot_id)
            )
            if component_lot and lots:
                vals = production._plating_prepare_finished_lot_vals(component_lot)
                kept = ("name", "product_id", *PROVENANCE)
                lots.write({k: v for k, v in vals.items() if k not in kept})
                production._soko_tie_to_raw_lot(lots)

    def _soko_tie_to_raw_lot(self, lots):
        component_lot = self._soko_get_piece_lines().lot_id
        if lots and len(component_lot) == 1:
            # sudo: only orders write where pieces come from; it is read from what they consume.
            lots.sudo().write(self._soko_prepare_provenance_vals(component_lot))

    # === OVERRIDES === #

    def _prepare_stock_lot_values(self):
        component_lot = self._soko_get_piece_lines().lot_id
        if len(component_lot) != 1:
            return super()._prepare_stock_lot_values()
        vals = self._plating_prepare_finished_lot_vals(component_lot)
        # Nobody may write this by hand; it is tied as soon as the lot is there.
        return {name: value for name, value in vals.items() if name not in PROVENANCE}

    def action_generate_serial(self, workorder=False):
        before = self.lot_producing_ids
        res = super().action_generate_serial(workorder=workorder)
        self._soko_tie_to_raw_lot(self.lot_producing_ids - before)
        return res

    def _prepare_finished_extra_vals(self):
        vals = super()._prepare_finished_extra_vals()
        owner = self._soko_get_piece_lines().owner_id
        return {**vals, "owner_id": owner.id} if owner else vals

    def _post_inventory(self, cancel_backorder=False):
        self._soko_check_one_owner()
        self._soko_link_finished_lots()
        return super()._post_inventory(cancel_backorder=cancel_backorder)
