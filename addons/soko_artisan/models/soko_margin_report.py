from odoo import fields, models
from odoo.tools import SQL


class SokoMarginReport(models.Model):
    """What sold pieces brought and cost: the settlement where they were an artisan's."""

    _name = "soko.margin.report"
    _description = "Margin of Sold Pieces"
    _auto = False
    _order = "date desc, id desc"
    _depends = {
        "soko.settlement.line": [
            "artisan_id", "company_id", "currency_id", "product_id", "lot_id", "sale_line_id",
            "date", "state", "kind", "quantity_kept", "amount",
        ],
        "stock.move.line": ["quantity_product_uom", "owner_id", "state", "move_id", "lot_id"],
        "stock.move": ["value", "sale_line_id", "state", "location_id", "location_dest_id"],
        "sale.order.line": ["price_subtotal", "product_uom_qty", "product_uom_id", "product_id"],
        "sale.order": ["currency_rate"],
    }

    date = fields.Date(string="Shipped on", readonly=True)
    whose = fields.Selection(
        [("artisan", "An artisan's"), ("house", "Ours")], string="Whose piece", readonly=True
    )
    artisan_id = fields.Many2one("soko.artisan", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", string="Category", readonly=True)
    lot_id = fields.Many2one("stock.lot", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    quantity = fields.Float(string="Pieces", digits="Product Unit", readonly=True)
    revenue = fields.Monetary(
        string="Net price",
        readonly=True,
        help="After discount, without tax, at the rate of the order. 0 for a part of a set.",
    )
    cost = fields.Monetary(
        readonly=True,
        help="An artisan's piece: what its maker earns. Ours: its value in stock when it left.",
    )
    margin = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            WITH sold AS (%(artisans)s UNION ALL %(ours)s),
                 priced AS (
            SELECT sold.*, sale.order_id, template.categ_id,
                   CASE WHEN sale.product_id = sold.product_id THEN sold.quantity
                        * sale.price_subtotal
                        / NULLIF(sale.product_uom_qty * sale_uom.factor / own_uom.factor, 0)
                        / COALESCE(NULLIF(sales.currency_rate, 0), 1)
                        ELSE 0 END AS revenue
              FROM sold
              JOIN sale_order_line sale ON sale.id = sold.sale_line_id
              JOIN sale_order sales ON sales.id = sale.order_id
              JOIN uom_uom sale_uom ON sale_uom.id = sale.product_uom_id
              JOIN product_product product ON product.id = sold.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN uom_uom own_uom ON own_uom.id = template.uom_id)
            SELECT id, date, whose, artisan_id, product_id, categ_id, lot_id, order_id, company_id,
                   currency_id, quantity, COALESCE(revenue, 0) AS revenue, cost,
                   COALESCE(revenue, 0) - cost AS margin
              FROM priced
            """,
            artisans=self._get_artisans_sql(),
            ours=self._get_ours_sql(),
        )

    def _get_artisans_sql(self):
        """Return the query of artisans' pieces: their cost is what was earned with them."""
        return SQL(
            """
            SELECT line.id * 2 AS id, line.date, 'artisan' AS whose, line.artisan_id,
                   line.product_id, line.lot_id, line.sale_line_id, line.company_id,
                   line.currency_id, line.quantity_kept AS quantity, line.amount AS cost
              FROM soko_settlement_line line
             WHERE line.state <> 'cancelled' AND line.kind IN ('sale', 'return')
            """
        )

    def _get_ours_sql(self):
        """Return the query of our own pieces, sold and sent back, at Odoo's own value.

        Odoo keeps one value for a move; it is shared out to those of its lines that are ours.
        """
        return SQL(
            """
            SELECT line.id * 2 + 1 AS id,
                   (move.date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS date,
                   'house' AS whose, NULL::int AS artisan_id, line.product_id, line.lot_id,
                   move.sale_line_id, move.company_id, company.currency_id,
                   sign.way * line.quantity_product_uom AS quantity,
                   sign.way * COALESCE(move.value, 0) * line.quantity_product_uom
                   / NULLIF(SUM(line.quantity_product_uom) OVER (PARTITION BY move.id), 0) AS cost
              FROM stock_move_line line
              JOIN stock_move move ON move.id = line.move_id
              JOIN res_company company ON company.id = move.company_id
              JOIN stock_location source ON source.id = move.location_id
              JOIN stock_location target ON target.id = move.location_dest_id
        CROSS JOIN LATERAL (SELECT CASE WHEN target.usage = 'customer' THEN 1 ELSE -1 END AS way)
                   AS sign
             WHERE move.state = 'done' AND move.sale_line_id IS NOT NULL
               AND (source.usage = 'customer') <> (target.usage = 'customer')
               AND (line.owner_id IS NULL OR line.owner_id = company.partner_id)
               AND line.quantity_product_uom <> 0
            """,
            zone=self.env.company._soko_get_timezone().zone,
        )
