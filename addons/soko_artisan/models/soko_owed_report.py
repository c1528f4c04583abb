from odoo import api, fields, models
from odoo.tools import SQL


class SokoOwedReport(models.Model):
    """What artisans are owed, or will be, by what it waits for and since when."""

    _name = "soko.owed.report"
    _description = "Owed to Artisans"
    _auto = False
    _order = "age_days desc, id"
    _depends = {
        "soko.settlement.line": [
            "artisan_id", "payee_id", "company_id", "currency_id", "product_id", "lot_id",
            "settlement_id", "date", "due_date", "state", "kind", "price_unit", "quantity_kept",
            "amount",
        ],
        "soko.settlement": ["state", "date", "payee_id", "bill_id"],
        "soko.advance.repayment": ["amount", "artisan_id", "settlement_id", "company_id"],
        "account.move": ["amount_residual", "amount_total"],
    }

    artisan_id = fields.Many2one("soko.artisan", readonly=True)
    payee_id = fields.Many2one("res.partner", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    lot_id = fields.Many2one("stock.lot", string="Drop-off lot", readonly=True)
    settlement_id = fields.Many2one("soko.settlement", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    status = fields.Selection(
        [
            ("1_shipped", "Sent, not received"),
            ("2_hold", "In its hold days"),
            ("3_held", "Held"),
            ("4_due", "Due"),
            ("5_settled", "Settled, not billed"),
            ("6_billed", "Billed, not paid"),
            ("7_on_way", "On the way"),
        ],
        readonly=True,
        help="Held: due, and something stands in the way, or its bill was cancelled. On the way: "
        "handed over, and not proven to have arrived.",
    )
    since = fields.Date(
        readonly=True, help="Sent on, due on or settled on: what the status waits since."
    )
    age_days = fields.Integer(string="Days", aggregator="avg", readonly=True)
    age = fields.Selection(
        [
            ("0", "0 to 30 days"),
            ("1", "31 to 60 days"),
            ("2", "61 to 90 days"),
            ("3", "Over 90 days"),
        ],
        readonly=True,
    )
    quantity = fields.Float(string="Pieces", digits="Product Unit", readonly=True)
    amount = fields.Monetary(
        string="Owed",
        readonly=True,
        help="Less advances paid back. Of a bill that is paid in part: the open part.",
    )

    @api.model
    def _get_held_sql(self):
        """Return the condition under which a due line is held.

        Hook. Contract: SQL over `line` (soko_settlement_line) and `lot` (stock_lot, may be NULL)
        that says the same as `soko.settlement.line._get_blocking_reasons`; call `super()` and add
        yours with OR.
        """
        return SQL("(line.kind <> 'return' AND line.price_unit <= 0)")

    @property
    def _table_query(self):
        return SQL(
            """
            WITH owed AS (%(lines)s UNION ALL %(repayments)s)
            SELECT owed.*, GREATEST(%(today)s::date - owed.since, 0) AS age_days,
                   CASE WHEN %(today)s::date - owed.since <= 30 THEN '0'
                        WHEN %(today)s::date - owed.since <= 60 THEN '1'
                        WHEN %(today)s::date - owed.since <= 90 THEN '2' ELSE '3' END AS age
              FROM owed
            """,
            lines=self._get_lines_sql(),
            repayments=self._get_repayments_sql(),
            today=self.env.company._soko_today(),
        )

    def _get_lines_sql(self):
        """Return the query of the ledger's open lines."""
        return SQL(
            """
            SELECT line.id * 2 AS id, line.artisan_id, line.payee_id, line.product_id, line.lot_id,
                   line.settlement_id, line.company_id, line.currency_id,
                   line.quantity_kept AS quantity, line.amount * %(open)s AS amount,
                   %(status)s AS status,
                   CASE WHEN line.settlement_id IS NOT NULL THEN settlement.date
                        WHEN line.state = 'due' AND line.due_date <= %(today)s THEN line.due_date
                        ELSE line.date END AS since
              FROM soko_settlement_line line
         LEFT JOIN stock_lot lot ON lot.id = line.lot_id
         LEFT JOIN soko_settlement settlement ON settlement.id = line.settlement_id
         LEFT JOIN account_move bill ON bill.id = settlement.bill_id
             WHERE line.state <> 'cancelled'
               AND (settlement.id IS NULL OR settlement.state <> 'paid')
            """,
            open=self._get_open_sql(),
            status=self._get_status_sql(),
            today=self.env.company._soko_today(),
        )

    def _get_repayments_sql(self):
        """Return the query of advances that open settlements pay back: less is paid out."""
        return SQL(
            """
            SELECT repayment.id * 2 + 1 AS id, repayment.artisan_id, settlement.payee_id,
                   NULL::int AS product_id, NULL::int AS lot_id, repayment.settlement_id,
                   repayment.company_id, company.currency_id, 0 AS quantity,
                   -repayment.amount * %(open)s AS amount, %(status)s AS status,
                   settlement.date AS since
              FROM soko_advance_repayment repayment
              JOIN soko_settlement settlement ON settlement.id = repayment.settlement_id
              JOIN res_company company ON company.id = repayment.company_id
         LEFT JOIN account_move bill ON bill.id = settlement.bill_id
             WHERE settlement.state NOT IN ('paid', 'cancelled')
            """,
            open=self._get_open_sql(),
            status=self._get_settled_sql(),
        )

    def _get_open_sql(self):
        """Return the part of a settlement that is open: less than 1 when its bill is paid in part.

        A bill that is in payment has nothing open by Odoo; it is owed until that is proven.
        """
        return SQL(
            """
            CASE WHEN settlement.state = 'billed' AND bill.amount_total <> 0
                 THEN bill.amount_residual / bill.amount_total ELSE 1 END
            """
        )

    def _get_status_sql(self):
        return SQL(
            """
            CASE WHEN line.settlement_id IS NOT NULL THEN %(settled)s
                 WHEN line.state = 'awaiting_receipt' THEN '1_shipped'
                 WHEN line.due_date > %(today)s THEN '2_hold'
                 WHEN %(held)s THEN '3_held'
                 ELSE '4_due' END
            """,
            settled=self._get_settled_sql(),
            today=self.env.company._soko_today(),
            held=self._get_held_sql(),
        )

    def _get_settled_sql(self):
        return SQL(
            """
            CASE settlement.state WHEN 'billed' THEN '6_billed' WHEN 'in_payment' THEN '7_on_way'
                                  WHEN 'cancelled' THEN '3_held' ELSE '5_settled' END
            """
        )
