from odoo import fields, models
from odoo.fields import Domain


class SokoReceiptToken(models.Model):
    _inherit = "soko.receipt.token"

    carrier_id = fields.Many2one(
        "delivery.carrier",
        string="Delivery method",
        check_company=True,
        index="btree_not_null",
        help="This token may report parcels of this delivery method only. Empty: all parcels.",
    )

    def _get_delivery_domain(self):
        domain = Domain(super()._get_delivery_domain())
        return domain & Domain("carrier_id", "=", self.carrier_id.id) if self.carrier_id else domain
