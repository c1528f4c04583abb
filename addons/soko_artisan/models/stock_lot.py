from odoo import api, fields, models
from odoo.exceptions import AccessError

PRICE_FIELDS = ("soko_price_type", "soko_unit_price", "soko_split_percent")
SNAPSHOT_FIELDS = (
    "soko_artisan_id",
    "soko_agreement_line_id",
    "soko_price_type",
    "soko_unit_price",
    "soko_split_percent",
    "soko_drop_off_date",
)


class StockLot(models.Model):
    """One drop-off: whose pieces they are, and the price they were dropped off at."""

    _inherit = "stock.lot"

    soko_artisan_id = fields.Many2one(
        "soko.artisan", string="Artisan", index="btree_not_null", ondelete="restrict"
    )
    soko_agreement_line_id = fields.Many2one(
        "soko.agreement.line",
        string="Agreement line",
        index="btree_not_null",
        ondelete="restrict",
    )
    soko_price_type = fields.Selection(
        [("fixed", "Fixed price a piece"), ("split", "Share of the sale price")],
        string="Price agreed as",
    )
    soko_currency_id = fields.Many2one(
        related="soko_artisan_id.company_id.currency_id", string="Currency of the agreement"
    )
    soko_unit_price = fields.Monetary(
        string="Price a piece",
        currency_field="soko_currency_id",
        help="What the artisan earns for each of these pieces, as agreed on the day of drop-off. "
        "A later change of the agreement does not touch it.",
    )
    soko_split_percent = fields.Float(string="Share (%)", digits=(5, 2))
    soko_drop_off_date = fields.Date(
        string="Dropped off on", help="Of pieces of one kind, those dropped off first sell first."
    )

    def write(self, vals):
        self._soko_check_snapshot_write(vals)
        res = super().write(vals)
        if any(name in vals for name in PRICE_FIELDS):
            # sudo: the ledger has no writers; only lines that had no price at all are filled in
            self.env["soko.settlement.line"].sudo()._fill_missing_prices(self)
        return res

    @api.model
    def _soko_get_snapshot_fields(self):
        """Return the names of the fields that say whose pieces these are, at what price."""
        return SNAPSHOT_FIELDS

    def _soko_check_snapshot_write(self, vals):
        """Refuse to change what was agreed on pieces in the house, except by a manager."""
        if self.env.su or not any(key in vals for key in self._soko_get_snapshot_fields()):
            return
        manager = self.env.user.has_group("soko_artisan.soko_artisan_group_manager")
        if not manager and any(lot.soko_artisan_id for lot in self):
            raise AccessError(
                self.env._(
                    "Maker and price of pieces that are in the house are what was agreed on the "
                    "day of drop-off. Only an artisan manager may put a mistake right."
                )
            )

    def _soko_prepare_snapshot_vals(self):
        """Return maker, price and date of this lot, for a lot made of the same pieces."""
        self.ensure_one()
        return {
            name: self._fields[name].convert_to_write(self[name], self)
            for name in self._soko_get_snapshot_fields()
        }
