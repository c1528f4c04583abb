from decimal import Decimal

from odoo import fields, models

from ..tools.tariff import Band, fee_for


class SokoMpesaTariff(models.Model):
    _name = "soko.mpesa.tariff"
    _description = "M-Pesa tariff"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "name"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", index=True, help="Empty: every company may use this tariff.",
    )
    source = fields.Char(help="Where the figures come from: a contract, a price list, a page.")
    band_ids = fields.One2many("soko.mpesa.tariff.band", "tariff_id", copy=True)

    def _get_fee(self, amount, day):
        """Return what a payment of `amount` shillings costs on `day`.

        :param int amount: shillings
        :param date day: the company's day of the payment
        :return: Decimal shillings, or None when the table doesn't say
        """
        return fee_for(
            (Band(band.date_from, band.up_to, Decimal(str(band.fee))) for band in self.band_ids),
            amount, day,
        )
