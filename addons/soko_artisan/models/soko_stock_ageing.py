from odoo import fields, models
from odoo.tools import SQL


class SokoStockAgeing(models.Model):
    """Pieces of artisans in the house by the time since their drop-off; read from the stock."""

    _name = "soko.stock.ageing"
    _description = "Age of Pieces in the House"
    _auto = False
    _order = "age_days desc, id"

    artisan_id = fields.Many2one("soko.artisan", readonly=True)
    owner_id = fields.Many2one("res.partner", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    lot_id = fields.Many2one("stock.lot", readonly=True)
    location_id = fields.Many2one("stock.location", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    drop_off_date = fields.Date(string="Dropped off on", readonly=True)
    age_days = fields.Integer(string="Days in the house", aggregator="avg", readonly=True)
    age = fields.Selection(
        [
            ("0", "0 to 30 days"),
            ("1", "31 to 60 days"),
            ("2", "61 to 90 days"),
            ("3", "Over 90 days"),
        ],
        readonly=True,
    )
    quantity = fields.Float(digits="Product Unit", readonly=True)
    value = fields.Monetary(
        readonly=True, help="At fixed agreed prices; pieces paid by a share count 0 here."
    )

    @property
    def _table_query(self):
        today = self.env.company._soko_today()
        return SQL(
            """
            SELECT quant.id, lot.soko_artisan_id AS artisan_id, quant.owner_id,
                   quant.product_id, quant.lot_id, quant.location_id, quant.company_id,
                   company.currency_id, since.drop_off_date, since.age_days, quant.quantity,
                   CASE WHEN since.age_days <= 30 THEN '0' WHEN since.age_days <= 60 THEN '1'
                        WHEN since.age_days <= 90 THEN '2' ELSE '3' END AS age,
                   quant.quantity * COALESCE(lot.soko_unit_price, 0) AS value
              FROM stock_quant quant
              JOIN stock_lot lot ON lot.id = quant.lot_id
              JOIN stock_location location ON location.id = quant.location_id
              JOIN res_company company ON company.id = quant.company_id
        CROSS JOIN LATERAL (
                   SELECT COALESCE(lot.soko_drop_off_date, quant.in_date::date) AS drop_off_date,
                          %(today)s::date
                          - COALESCE(lot.soko_drop_off_date, quant.in_date::date) AS age_days
                   ) since
             WHERE lot.soko_artisan_id IS NOT NULL
               AND location.usage IN ('internal', 'transit')
               AND quant.quantity <> 0
            """,
            today=today,
        )
