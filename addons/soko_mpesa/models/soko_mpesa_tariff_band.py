from odoo import fields, models


class SokoMpesaTariffBand(models.Model):
    _name = "soko.mpesa.tariff.band"
    _description = "M-Pesa tariff band"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "date_from desc, up_to"
    _rec_name = "up_to"

    tariff_id = fields.Many2one(
        "soko.mpesa.tariff", required=True, index=True, ondelete="cascade",
    )
    company_id = fields.Many2one(related="tariff_id.company_id", store=True, index=True)
    date_from = fields.Date(
        string="Valid from", required=True,
        help="From this day on. A table that begins later replaces the earlier one whole.",
    )
    up_to = fields.Integer(
        string="Up to (KES)", required=True, help="The largest payment that this fee is for.",
    )
    fee = fields.Monetary(required=True, help="What M-Pesa charges you, not the payee.")
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.ref("base.KES"),
    )

    _once = models.Constraint(
        "UNIQUE(tariff_id, date_from, up_to)", "This band stands in the table of that day already."
    )
    _sense = models.Constraint(
        "CHECK(up_to > 0 AND fee >= 0)", "A band ends above zero and costs nothing or more."
    )
