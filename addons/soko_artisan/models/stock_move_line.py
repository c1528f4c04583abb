from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# What a debt was written down from.
SETTLED_FIELDS = (
    "quantity",
    "product_uom_id",
    "lot_id",
    "owner_id",
    "location_id",
    "location_dest_id",
)


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered(
            lambda ml: ml.owner_id or ml.product_id.soko_consigned
        )._soko_refuse_correction()
        return lines

    def write(self, vals):
        changed = self.filtered(
            lambda ml: any(
                name in vals and ml._fields[name].convert_to_write(ml[name], ml) != vals[name]
                for name in SETTLED_FIELDS
            )
        )
        changed.filtered(
            lambda ml: ml.owner_id or vals.get("owner_id") or ml.product_id.soko_consigned
        )._soko_refuse_correction()
        return super().write(vals)

    def _soko_refuse_correction(self):
        """Refuse to correct a done delivery or return of consigned pieces.

        Odoo moves stock for it without a new transfer, so pieces would come or go without a word
        to their owner: a debt without a piece, or a piece without its debt.

        :raise UserError: one of these lines is done, and between house and customer
        """
        done = self.filtered(lambda ml: ml.move_id.state == "done")
        crossing = done.move_id._soko_filtered_house_to_customer().move_line_ids & done
        if lines := crossing | done.filtered(lambda ml: ml._soko_get_cause()):
            raise UserError(
                self.env._(
                    "%(transfer)s is done, and what its artisans earned or lost is written down. "
                    "Don't correct it: make a return for what came back or never left, and "
                    "another transfer for what left besides.",
                    transfer=lines[0].reference,
                )
            )

    # === BUSINESS METHODS === #

    def _soko_filtered_owned(self):
        """Return the lines that move pieces of somebody else."""
        return self.filtered(
            lambda ml: ml.quantity > 0 and ml.owner_id and ml.owner_id != ml.company_id.partner_id
        )

    def _soko_get_cause(self):
        """Return how owned pieces left the house unsold, or came back into it; else False.

        :return: a value of `soko.stock.decision.cause`
        """
        self.ensure_one()
        source, target = self.location_id, self.location_dest_id
        if source._soko_is_house() == target._soko_is_house():
            return False
        if target._soko_is_house():
            return "found" if source.usage == "inventory" else False
        if target.usage == "production":
            return "use" if self._soko_is_used_up() else False
        if target.usage == "inventory":
            return "scrap" if self.move_id.scrap_id else "loss"
        if target.usage == "supplier":
            return "return" if self._soko_goes_to_owner() else "gone"
        return False if target.usage == "customer" else "gone"

    def _soko_is_used_up(self):
        """Tell whether production uses these pieces up.

        Hook. Default: yes. Answer no where the finished pieces stay the owner's, so that they are
        not paid for before they are sold.
        """
        self.ensure_one()
        return True

    def _soko_goes_to_owner(self):
        """Tell whether these pieces are handed back to whom they belong, or their group."""
        self.ensure_one()
        partner = self.move_id.picking_id.partner_id
        # sudo: who hands pieces over may not see artisans
        artisan = self.lot_id.sudo().soko_artisan_id
        theirs = self.owner_id | artisan.partner_id | artisan.group_id.partner_id
        return not partner or bool(
            (partner | partner.commercial_partner_id)
            & (theirs | theirs.commercial_partner_id)
        )

    def _soko_check_may_come_in(self):
        """Refuse owned pieces of products that the books would value as ours.

        Measured: first-in-first-out, value by lot and value at invoicing count owners' pieces.

        :raise UserError: naming the product and what to change
        """
        for template in self.product_id.product_tmpl_id:
            reasons = [] if template.soko_consigned else template._soko_get_value_obstacles()
            if reasons:
                raise UserError(
                    self.env._(
                        "%(product)s can't be taken in for another owner: our books would count "
                        "the pieces as ours.\n%(reasons)s",
                        product=template.display_name,
                        reasons="\n".join(f"- {reason}" for reason in reasons),
                    )
                )
        if ordered := self.filtered(lambda ml: ml.move_id.purchase_line_id):
            raise UserError(
                self.env._(
                    "%(order)s buys these pieces, so they can't belong to %(owner)s. Take the "
                    "owner off the receipt, or take the pieces in with a drop-off.",
                    order=ordered[0].move_id.purchase_line_id.order_id.name,
                    owner=ordered[0].owner_id.name,
                )
            )

    def _soko_get_owned_quant_domain(self):
        """Return the domain of the stock that these lines took consigned pieces from."""
        whose = Domain("owner_id", "in", self.owner_id.ids) | Domain(
            "lot_id", "in", self.lot_id.filtered("soko_artisan_id").ids
        )
        return whose & Domain(
            [
                ("product_id", "in", self.product_id.ids),
                ("location_id", "in", self.location_id.ids),
            ]
        )
