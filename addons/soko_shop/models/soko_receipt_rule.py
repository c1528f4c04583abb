from odoo import api, fields, models
from odoo.fields import Domain

# Above what a place weighs: how long a parcel travels is the carrier's matter first.
CARRIER_WEIGHT = 4


class SokoReceiptRule(models.Model):
    _inherit = "soko.receipt.rule"

    carrier_id = fields.Many2one(
        "delivery.carrier",
        string="By carrier",
        check_company=True,
        index="btree_not_null",
        help="Empty: by any. A rule for a carrier goes before a rule for a country.",
    )

    @api.depends("carrier_id")
    def _compute_display_name(self):
        return super()._compute_display_name()

    def _get_conditions(self):
        return [*self.carrier_id.mapped("display_name"), *super()._get_conditions()]

    @api.constrains("carrier_id")
    def _check_no_twin(self):
        return super()._check_no_twin()

    def _get_twin_domain(self):
        return Domain(super()._get_twin_domain()) & Domain("carrier_id", "=", self.carrier_id.id)

    def _matches(self, picking):
        """A rule for a carrier is about its parcels only."""
        if self.carrier_id and self.carrier_id != picking.carrier_id:
            return False
        return super()._matches(picking)

    def _get_weight(self):
        return super()._get_weight() + (CARRIER_WEIGHT if self.carrier_id else 0)
