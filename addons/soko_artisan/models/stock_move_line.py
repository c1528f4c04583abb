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
        if lines := done.move_id._soko_filtered_house_to_customer().move_line_ids & done:
            raise UserError(
                self.env._(
                    "%(transfer)s is done, and what its artisans earned is written down. Don't "
                    "correct it: make a return for what came back or never left, and another "
                    "delivery for what left besides.",
                    transfer=lines[0].reference,
                )
            )

    # === BUSINESS METHODS === #

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
