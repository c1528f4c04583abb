from odoo import Command, fields, models
from odoo.exceptions import UserError


class SokoReturnOwnerLine(models.TransientModel):
    """So many pieces of one lot on one shelf."""

    _name = "soko.return.owner.line"
    _description = "Return Line"

    wizard_id = fields.Many2one(
        "soko.return.owner", required=True, index=True, ondelete="cascade"
    )
    quant_id = fields.Many2one("stock.quant", string="Pieces", required=True, ondelete="cascade")
    product_id = fields.Many2one(related="quant_id.product_id")
    lot_id = fields.Many2one(related="quant_id.lot_id")
    location_id = fields.Many2one(related="quant_id.location_id")
    drop_off_date = fields.Date(related="quant_id.lot_id.soko_drop_off_date")
    available = fields.Float(related="quant_id.available_quantity", string="Free")
    quantity = fields.Float(string="Give back", digits="Product Unit")

    def _check_free(self):
        """Refuse pieces of somebody else, and more than are free.

        :raise UserError: naming the lot
        """
        self.ensure_one()
        quant = self.quant_id
        theirs = quant.owner_id == self.wizard_id.artisan_id.partner_id
        if not theirs or quant.product_uom_id.compare(self.quantity, quant.available_quantity) > 0:
            raise UserError(
                self.env._(
                    "%(free)s pieces of %(product)s (lot %(lot)s) can be given back to "
                    "%(artisan)s; the others are promised to shoppers, or not theirs.",
                    free=f"{quant.available_quantity if theirs else 0:g}",
                    product=quant.product_id.display_name,
                    lot=quant.lot_id.name or "-",
                    artisan=self.wizard_id.artisan_id.name,
                )
            )

    def _prepare_move_vals(self, target):
        """Return the values of the move of these pieces to the location `target`."""
        self.ensure_one()
        quant = self.quant_id
        places = {"location_id": quant.location_id.id, "location_dest_id": target.id}
        line = {
            "product_id": quant.product_id.id,
            "lot_id": quant.lot_id.id,
            "owner_id": quant.owner_id.id,
            "package_id": quant.package_id.id,
            "quantity": self.quantity,
            **places,
        }
        return {
            "product_id": quant.product_id.id,
            "product_uom": quant.product_uom_id.id,
            "product_uom_qty": self.quantity,
            "restrict_partner_id": quant.owner_id.id,
            "move_line_ids": [Command.create(line)],
            **places,
        }
