from odoo import models
from odoo.exceptions import UserError


class StockMove(models.Model):
    _inherit = "stock.move"

    def _update_reserved_quantity(
        self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True
    ):
        """Honour the owner that was asked for: plain Odoo reserves anybody's pieces."""
        owner_id = owner_id or self._soko_get_wanted_owner()
        return super()._update_reserved_quantity(
            need, location_id, lot_id, package_id, owner_id, strict
        )

    def _soko_get_wanted_owner(self):
        """Return the only owner whose pieces this move may take, or an empty record."""
        self.ensure_one()
        return self.picking_id.owner_id or self.restrict_partner_id

    def _action_done(self, cancel_backorder=False):
        done = super()._action_done(cancel_backorder=cancel_backorder)
        done._soko_check_owners_stock()
        done._soko_settle_consigned()
        done._soko_decide_owned()
        return done

    def _soko_decide_owned(self):
        """Leave no piece of an owner to vanish, or to come in, without a document."""
        lines = self.filtered(lambda m: m.state == "done").move_line_ids._soko_filtered_owned()
        lines.filtered(
            lambda ml: ml.location_dest_id._soko_is_house()
            and not ml.location_id._soko_is_house()
        )._soko_check_may_come_in()
        unsold = lines.filtered(lambda ml: ml._soko_get_cause())
        if unsold:
            # sudo: whoever moves the pieces makes the document, but may not touch the journal
            self.env["soko.stock.decision"].sudo()._record(unsold.sudo())

    def _soko_get_decision(self):
        """Return (action, reason) as somebody decided for the owned pieces of this move.

        Asked on the scrap, or by the dialog of a count, which hands it on in the context key
        ``soko_decision``. Hook: other apps may name their own; empty strings mean nobody decided.
        """
        self.ensure_one()
        if self.scrap_id:
            scrap = self.scrap_id
            return scrap.soko_decision or "", scrap.soko_decision_reason or ""
        decision = self.env.context.get("soko_decision") or {}
        action = decision.get("action")
        return action if action in ("pay", "write_off") else "", decision.get("reason") or ""

    def _soko_check_owners_stock(self):
        """Refuse to take more of somebody's pieces than there are, in one query.

        Plain Odoo lets the stock of an owner go below zero, when the owner or the lot was chosen
        by hand. That would be a debt to one artisan for the piece of another.

        :raise UserError: naming owner, product and place
        """
        lines = self.move_line_ids.filtered(
            lambda ml: ml.location_id.usage in ("internal", "transit")
            and (ml.owner_id or ml.lot_id.soko_artisan_id)
        )
        if not lines:
            return
        # sudo: the check counts all pieces, also those that the user's rules hide
        missing = self.env["stock.quant"].sudo()._read_group(
            lines._soko_get_owned_quant_domain(),
            ["product_id", "owner_id", "lot_id", "location_id"],
            ["quantity:sum"],
            having=[("quantity:sum", "<", 0)],
        )
        for product, owner, lot, location, quantity in missing:
            if product.uom_id.compare(quantity, 0) < 0:
                raise UserError(
                    self.env._(
                        "%(owner)s has too few pieces of %(product)s (lot %(lot)s) in "
                        "%(location)s: %(missing)s are missing. Nothing was moved. Choose the lot "
                        "and owner of pieces that are there, or count the shelf.",
                        owner=owner.name or self.env._("Nobody (our own stock)"),
                        product=product.display_name,
                        lot=lot.name or "-",
                        location=location.display_name,
                        missing=f"{-quantity:g}",
                    )
                )

    def _soko_settle_consigned(self):
        """Write down what owners of delivered pieces earned, and take back what came back."""
        move_lines = self._soko_get_consigned_move_lines()
        if not move_lines:
            return
        # sudo: whoever validates a transfer makes the debt, but may not touch the ledger
        Line = self.env["soko.settlement.line"].sudo()
        sold = move_lines.filtered(lambda ml: ml.location_dest_id.usage == "customer")
        if sold:
            lines = Line._create_from_move_lines(sold.sudo())
            self.env["soko.replenishment"].sudo()._create_from_settlement_lines(lines)
        if returned := move_lines - sold:
            Line._apply_returns(returned.sudo())

    def _soko_get_consigned_move_lines(self):
        """Return the done move lines between house and customer of pieces that are not ours."""
        moves = self.filtered(lambda m: m.state == "done")._soko_filtered_house_to_customer()
        return moves.move_line_ids._soko_filtered_owned()

    def _soko_filtered_house_to_customer(self):
        """Return the moves between house and customer, either way."""
        return self.filtered(
            lambda m: (m.location_id.usage == "customer")
            != (m.location_dest_id.usage == "customer")
        )
