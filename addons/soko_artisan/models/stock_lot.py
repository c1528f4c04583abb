from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..const import MANAGER
from .soko_agreement_line import TIER_BASES

PRICE_FIELDS = (
    "soko_price_type",
    "soko_unit_price",
    "soko_split_percent",
    "soko_currency_id",
    "soko_tier_basis",
    "soko_tiers",
    "soko_discount_bearer",
)
SNAPSHOT_FIELDS = (
    "soko_artisan_id",
    "soko_agreement_line_id",
    "soko_agreement_version_id",
    *PRICE_FIELDS,
    "soko_debt_trigger",
    "soko_hold_days",
    "soko_payee",
    "soko_markdown",
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
    soko_currency_id = fields.Many2one("res.currency", string="Currency of the agreement")
    soko_agreement_version_id = fields.Many2one(
        "soko.agreement.version",
        string="Version",
        index="btree_not_null",
        ondelete="restrict",
        help="The terms that the pieces came under.",
    )
    soko_unit_price = fields.Monetary(
        string="Price a piece",
        currency_field="soko_currency_id",
        help="What the artisan earns for each of these pieces, as agreed on the day of drop-off. "
        "A later change of the agreement does not touch it.",
    )
    soko_split_percent = fields.Float(string="Share (%)", digits=(5, 2))
    soko_tier_basis = fields.Selection(TIER_BASES, string="Share changes")
    soko_tiers = fields.Json(string="Tiers")
    soko_discount_bearer = fields.Selection(
        [("shared", "The artisan shares it"), ("house", "We bear it")],
        string="Who bears a discount",
    )
    soko_debt_trigger = fields.Selection(
        [
            ("received", "The shopper has received the piece"),
            ("shipped", "The piece is sent"),
            ("used", "We use the piece in production"),
        ],
        string="Owed when",
    )
    soko_hold_days = fields.Integer(string="Hold days")
    soko_payee = fields.Selection(
        [("artisan", "The artisan"), ("group", "Her group")], string="Who is paid"
    )
    soko_markdown = fields.Json(string="Markdown")
    soko_price_text = fields.Char(string="Agreed price", compute="_compute_soko_price_text")
    soko_photo = fields.Image(
        string="Photo of the pieces", max_width=1920, max_height=1920,
        help="Taken when they were dropped off.",
    )
    soko_drop_off_date = fields.Date(
        string="Dropped off on", help="Of pieces of one kind, those dropped off first sell first."
    )

    @api.depends(*PRICE_FIELDS)
    @api.depends_context("lang")
    def _compute_soko_price_text(self):
        Line = self.env["soko.agreement.line"]
        for lot in self:
            fixed = lot.soko_price_type == "fixed"
            terms = lot.soko_price_type and {
                "price_type": lot.soko_price_type,
                "price": lot.soko_unit_price if fixed else lot.soko_split_percent,
                "tier_basis": lot.soko_tier_basis,
                "tiers": lot.soko_tiers or [],
            }
            lot.soko_price_text = Line._describe_price(terms, lot.soko_currency_id)

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

    def _soko_get_age_key(self):
        """Return what drop-offs are ordered by, the oldest first."""
        self.ensure_one()
        return self.soko_drop_off_date or self.create_date.date(), self.id

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
        manager = self.env.user.has_group(MANAGER)
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
        if self.env.su or self.env.user.has_group(MANAGER):
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
