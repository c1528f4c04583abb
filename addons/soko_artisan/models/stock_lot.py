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

    @api.model_create_multi
    def create(self, vals_list):
        lots = super().create(vals_list)
        lots._soko_check_agreed()
        return lots

    def write(self, vals):
        self._soko_check_snapshot_write(vals)
        res = super().write(vals)
        if any(name in vals for name in self._soko_get_snapshot_fields()):
            self._soko_check_agreed()
        if any(name in vals for name in PRICE_FIELDS):
            # sudo: the ledger has no writers; only lines that had no price at all are filled in
            self.env["soko.settlement.line"].sudo()._fill_missing_prices(self)
        return res

    def action_soko_return(self):
        """Open the dialog that hands pieces of this lot back to their maker."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_return_owner_action"
        )
        return action | {
            "context": {"default_artisan_id": self.soko_artisan_id.id, "soko_lot_ids": self.ids}
        }

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

    def _soko_check_agreed(self):
        """Refuse terms that nobody agreed to, except by a manager.

        Whoever keeps stock may make lots, and a price on a lot becomes money.
        """
        if self.env.su or self.env.user.has_group("soko_artisan.soko_artisan_group_manager"):
            return
        # sudo: a stock user may not read agreements, but must not invent one either
        for lot in self.sudo():
            if not lot._soko_has_agreed_terms():
                raise AccessError(
                    self.env._(
                        "Nobody agreed to the maker or price of lot %(lot)s. Take pieces in with "
                        "a drop-off, which writes both; only an artisan manager may put a mistake "
                        "right.",
                        lot=lot.name,
                    )
                )

    def _soko_has_agreed_terms(self):
        """Tell whether maker and price are those of the agreement, or of a lot under it."""
        self.ensure_one()
        line = self.soko_agreement_line_id
        terms = self._soko_get_terms()
        agreed = line._prepare_lot_snapshot_vals() if line else {}
        if all((value or False) == (agreed.get(name) or False) for name, value in terms.items()):
            return True
        twins = self.search([("soko_agreement_line_id", "=", line.id), ("id", "!=", self.id)])
        return bool(line) and any(terms == twin._soko_get_terms() for twin in twins)

    def _soko_get_terms(self):
        terms = self._soko_prepare_snapshot_vals()
        del terms["soko_drop_off_date"]
        return terms

    def _soko_prepare_snapshot_vals(self):
        """Return maker, price and date of this lot, for a lot made of the same pieces."""
        self.ensure_one()
        return {
            name: self._fields[name].convert_to_write(self[name], self)
            for name in self._soko_get_snapshot_fields()
        }
