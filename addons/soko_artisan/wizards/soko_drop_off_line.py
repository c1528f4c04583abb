from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SokoDropOffLine(models.TransientModel):
    """So many pieces of one product: one lot."""

    _name = "soko.drop.off.line"
    _description = "Drop-off Line"

    drop_off_id = fields.Many2one("soko.drop.off", required=True, index=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", required=True)
    quantity = fields.Float(digits="Product Unit", default=1, required=True)

    @api.constrains("quantity")
    def _check_quantity(self):
        for line in self:
            if line.quantity <= 0 or line.quantity != int(line.quantity):
                raise ValidationError(
                    self.env._(
                        "%(quantity)s pieces of %(product)s can't be dropped off: count whole "
                        "pieces, at least one.",
                        quantity=line.quantity,
                        product=line.product_id.display_name,
                    )
                )
