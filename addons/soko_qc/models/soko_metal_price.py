from odoo import api, fields, models

from ..tools import plating

ELEMENTS = {key.split("_")[0]: key.split("_")[0].capitalize() for key in plating.METALS}


class SokoMetalPrice(models.Model):
    """Price of a fine metal from a day on."""

    _name = "soko.metal.price"
    _description = "Metal Price"
    _order = "date desc, metal, id desc"
    _rec_name = "metal"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda s: s.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    metal = fields.Selection(list(ELEMENTS.items()), required=True, default="gold")
    date = fields.Date("From", required=True, default=fields.Date.context_today)
    price_per_gram = fields.Monetary("Price per Gram, Fine", required=True)

    _price_positive = models.Constraint("CHECK(price_per_gram > 0)", "A price is above zero.")
    _one_a_day = models.UniqueIndex(
        "(company_id, metal, date)", "There is a price of this metal for this day already."
    )

    @api.model
    def _get_price(self, company, metal, date):
        """The price in force on a day: the newest that is not younger.

        :param str metal: key of ``plating.METALS``
        :return: price of a gram, or None when there is none
        """
        prices = self.search(
            [
                ("company_id", "=", company.id),
                ("metal", "=", metal.split("_")[0]),
                ("date", "<=", date),
            ],
            limit=1,
        )
        return prices.price_per_gram if prices else None
