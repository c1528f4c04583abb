from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import format_date

OPEN_STATES = ("announced", "running")


class SokoMarkdown(models.Model):
    """One step of a markdown on one product: told to the artisan first, then in the shop."""

    _name = "soko.markdown"
    _description = "Markdown"
    _order = "date_start desc, id desc"
    _rec_name = "product_id"

    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, index=True, ondelete="restrict"
    )
    lot_id = fields.Many2one(
        "stock.lot",
        string="Because of",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        help="The oldest drop-off in the house. It sells first, so its age sets the price.",
    )
    artisan_id = fields.Many2one(
        related="lot_id.soko_artisan_id", store=True, index=True, readonly=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    percent = fields.Float(string="Less (%)", digits=(5, 2), required=True, readonly=True)
    floor = fields.Monetary(string="Lowest price", readonly=True)
    date_start = fields.Date(string="From", required=True, readonly=True)
    date_end = fields.Date(string="Until", readonly=True)
    state = fields.Selection(
        [
            ("announced", "Announced"),
            ("running", "In the shop"),
            ("ended", "Ended"),
            ("stopped", "Stopped"),
        ],
        required=True,
        readonly=True,
        default="announced",
        index=True,
    )

    _step_once = models.UniqueIndex(
        "(lot_id, percent)", "This drop-off has been marked down by so much already."
    )

    # === ACTION METHODS === #

    def action_stop(self):
        """Take the markdown back: the shop shows the price before it, and it does not return."""
        self.check_access("write")
        stopped = self.filtered(lambda m: m.state in OPEN_STATES)
        stopped._end("stopped")
        stopped.product_id._soko_refresh_markdown()

    # === BUSINESS METHODS === #

    def _end(self, state):
        # sudo: markdowns have no writers but this; whoever called was allowed to
        self.sudo().write({"state": state, "date_end": self.env.company._soko_today()})

    @api.model
    def _cron_mark_down(self):
        """Announce, start and end markdowns by the age of the oldest drop-off of each product."""
        lots = self._get_oldest_lots()
        self._end_those_of_others(lots)
        known = self.search([("lot_id", "in", lots.ids)]).grouped("lot_id")
        for lot in lots:
            self._announce(lot, set(known.get(lot, self).mapped("percent")))
        starting = self.search(
            [("state", "=", "announced"), ("date_start", "<=", self.env.company._soko_today())]
        )
        starting.write({"state": "running"})
        running = self.search([("state", "=", "running")])
        marked = self.env["product.product"].search([("soko_markdown_percent", ">", 0)])
        (running.product_id | marked)._soko_refresh_markdown()

    @api.model
    def _get_oldest_lots(self):
        """Return the lot of each product that is longest in the house, if its terms mark down."""
        groups = self.env["stock.quant"]._read_group(
            [
                ("lot_id.soko_artisan_id", "!=", False),
                ("quantity", ">", 0),
                ("location_id.usage", "=", "internal"),
            ],
            ["product_id", "company_id", "lot_id"],
        )
        oldest = {}
        for product, company, lot in groups:
            known = oldest.get((product, company))
            if not known or lot._soko_get_age_key() < known._soko_get_age_key():
                oldest[product, company] = lot
        return self.env["stock.lot"].union(*oldest.values()).filtered("soko_markdown")

    @api.model
    def _end_those_of_others(self, lots):
        """End what runs because of drop-offs that are sold or no longer the oldest."""
        over = self.search([("state", "in", OPEN_STATES), ("lot_id", "not in", lots.ids)])
        over._end("ended")

    def _announce(self, lot, known):
        """Write down, and tell the artisan, the steps of a lot that begin after their notice.

        :param set known: percentages that were announced for the lot before
        """
        today, terms = self.env.company._soko_today(), lot.soko_markdown
        notice = timedelta(days=terms["notice_days"])
        for days, percent in terms["steps"]:
            planned = (lot.soko_drop_off_date or today) + timedelta(days=days)
            if percent in known or planned - notice > today:
                continue
            markdown = self.create(
                {
                    "product_id": lot.product_id.id,
                    "lot_id": lot.id,
                    "company_id": lot.soko_artisan_id.company_id.id,
                    "percent": percent,
                    "floor": terms.get("floor") or 0,
                    "date_start": max(planned, today + notice),
                }
            )
            in_her_words = markdown.with_context(lang=lot.soko_artisan_id.partner_id.lang)
            lot.soko_artisan_id._tell(in_her_words._get_notice_text(), lot)

    def _get_notice_text(self):
        """Return the notice, in the language of the context."""
        self.ensure_one()
        return self.env._(
            "Soko: your %(product)s is with us since %(since)s. From %(date)s it costs "
            "%(percent)s %% less in the shop. Questions? Call the office before.",
            product=self.product_id.display_name,
            since=format_date(self.env, self.lot_id.soko_drop_off_date, date_format="d MMMM"),
            date=format_date(self.env, self.date_start, date_format="d MMMM"),
            percent=f"{self.percent:g}",
        )
