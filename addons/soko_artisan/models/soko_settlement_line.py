from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_round

from ..const import SETTLER
from ..tools.pricing import (
    base_price,
    percent_at,
    reduce_fixed,
    round_payable,
    split_price,
    tiered_price,
)


class SokoSettlementLine(models.Model):
    """What one artisan earned with one done move line. A ledger: machines write, people read."""

    _name = "soko.settlement.line"
    _description = "Settlement Line"
    _order = "id desc"
    _allow_sudo_commands = False

    artisan_id = fields.Many2one(
        "soko.artisan", required=True, readonly=True, index=True, ondelete="restrict"
    )
    payee_id = fields.Many2one(
        "res.partner",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Who gets the money: the artisan, or her group when the agreement says so.",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    kind = fields.Selection(
        [
            ("sale", "Sale"),
            ("loss", "Lost or broken in the house"),
            ("use", "Used in production"),
            ("return", "Return after settlement"),
        ],
        required=True,
        readonly=True,
        default="sale",
    )
    date = fields.Date(string="Shipped on", required=True, readonly=True, index=True)
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, index=True, ondelete="restrict"
    )
    lot_id = fields.Many2one(
        "stock.lot", string="Drop-off lot", readonly=True, index=True, ondelete="restrict"
    )
    move_line_id = fields.Many2one(
        "stock.move.line",
        string="Move line",
        readonly=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    picking_id = fields.Many2one(
        "stock.picking", string="Transfer", readonly=True, index=True, groups="base.group_user"
    )
    sale_line_id = fields.Many2one(
        "sale.order.line", readonly=True, index="btree_not_null", groups="base.group_user"
    )
    origin_line_id = fields.Many2one(
        "soko.settlement.line", string="Takes back", readonly=True, index="btree_not_null"
    )
    quantity = fields.Float(digits="Product Unit", required=True, readonly=True)
    quantity_returned = fields.Float(
        string="Returned",
        digits="Product Unit",
        readonly=True,
        help="Pieces that the shopper sent back before they were settled.",
    )
    quantity_kept = fields.Float(
        string="Counts", digits="Product Unit", compute="_compute_amount", store=True
    )
    price_unit = fields.Monetary(string="Price a piece", readonly=True)
    agreed_currency_id = fields.Many2one(
        "res.currency", readonly=True, help="Currency that the price was agreed in."
    )
    agreed_price = fields.Monetary(
        currency_field="agreed_currency_id",
        readonly=True,
        help="Fixed price of a piece in the agreement's currency.",
    )
    agreed_rate = fields.Float(
        string="Rate",
        digits=(16, 6),
        readonly=True,
        help="What one unit of the agreement's currency was worth on the day of the sale.",
    )
    amount = fields.Monetary(compute="_compute_amount", store=True)
    state = fields.Selection(
        [
            ("awaiting_receipt", "Waiting for the shopper"),
            ("due", "Due"),
            ("settled", "Settled"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="awaiting_receipt",
        index=True,
    )
    due_date = fields.Date(readonly=True, help="Settled on this day at the earliest.")
    settlement_id = fields.Many2one(
        "soko.settlement", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    settlement_state = fields.Selection(
        related="settlement_id.state", store=True, string="Settlement status"
    )
    blocking_reasons = fields.Text(
        string="Held because",
        compute="_compute_blocking_reasons",
        groups="soko_artisan.soko_artisan_group_user",
        help="Why the line is not settled although it is due.",
    )

    _move_line_uniq = models.UniqueIndex(
        "(move_line_id)", "What was earned with this delivery line is written down already."
    )
    _due = models.Index("(company_id, payee_id, due_date) WHERE state = 'due'")
    _quantity_not_zero = models.Constraint(
        "CHECK (quantity <> 0)", "A settlement line needs a number of pieces."
    )

    # === COMPUTE METHODS === #

    @api.depends("product_id.display_name", "artisan_id.name")
    def _compute_display_name(self):
        # sudo: an artisan may not read products on the portal, but what she sold names them
        for line in self:
            product = line.sudo().product_id.display_name
            line.display_name = f"{line.artisan_id.name}: {product}"

    @api.depends("quantity", "quantity_returned", "price_unit")
    def _compute_amount(self):
        for line in self:
            line.quantity_kept = line.quantity - line.quantity_returned
            line.amount = line.currency_id.round(line.quantity_kept * line.price_unit)

    @api.depends("state", "price_unit", "kind")
    def _compute_blocking_reasons(self):
        for line in self:
            open_line = line.state in ("awaiting_receipt", "due")
            reasons = line._get_blocking_reasons() if open_line else []
            line.blocking_reasons = "\n".join(reasons) or False

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([vals | self._prepare_sums(vals) for vals in vals_list])

    @api.model
    def _prepare_sums(self, vals):
        """Return what `_compute_amount` finds for the values of a new line.

        A row with its sums is written once; else Odoo writes it, computes and writes again.
        """
        if "quantity" not in vals or not vals.get("currency_id") or vals.get("quantity_returned"):
            return {}
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        kept = float_round(vals["quantity"], precision_digits=digits)
        currency = self.env["res.currency"].browse(vals["currency_id"])
        price = currency.round(vals.get("price_unit") or 0)
        return {"quantity_kept": kept, "amount": currency.round(kept * price)}

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Settlement lines are the proof of what is owed and are never deleted.")
        )

    # === ACTION METHODS === #

    def action_settle_now(self):
        """Settle the chosen due lines at once instead of waiting for the scheduled run."""
        if not self.env.user.has_group(SETTLER):
            raise AccessError(self.env._("Only a settlement officer can settle. Ask one."))
        self.check_access("read")
        # sudo: the ledger is written by machines only; the manager starts what the cron would do
        settlements = self.sudo()._settle(minimum=False)
        if not settlements:
            raise UserError(
                self.env._(
                    "Nothing to settle: the chosen lines are not due yet, are held, or a payee's "
                    "returns are worth more than the sales."
                )
            )
        settlements._process()
        return self.env["soko.settlement"].browse(settlements.ids)._get_records_action()

    def action_price_again(self):
        """Price lines that had no price when they were sent: a rate or a price is known now."""
        if not self.env.user.has_group(SETTLER):
            raise AccessError(self.env._("Only a settlement officer can price again. Ask one."))
        self.check_access("read")
        # sudo: the ledger is written by machines only; lines that have a price stay as they are
        lines = self.sudo()
        lines._fill_missing_prices(lines.lot_id)
        if not any(lines.mapped("price_unit")):
            raise UserError(
                self.env._(
                    "Still no price: enter the rate of the day on which the piece was sent, or put "
                    "the price on its lot right."
                )
            )

    # === BUSINESS METHODS - FROM THE DELIVERY === #

    @api.model
    def _create_from_move_lines(self, move_lines):
        """Write down what the owners of delivered pieces earned: one create for all of them.

        :param move_lines: done `stock.move.line` records, each with an artisan's lot or owner
        :return: the new lines
        """
        artisans = self._find_artisans(move_lines)
        vals_list = [
            self._prepare_sale_vals(move_line, artisans[move_line])
            for move_line in move_lines
            if artisans.get(move_line)
        ]
        lines = self.create(vals_list)
        lines._price_by_count()
        lines.filtered(lambda li: li.state == "due")._trigger_settlement()
        return lines

    @api.model
    def _find_artisans(self, move_lines):
        """Return {move line: artisan}: the maker named by the lot, else the one who owns it."""
        owners = move_lines.filtered(lambda ml: not ml.lot_id.soko_artisan_id).owner_id
        by_owner = {}
        if owners:
            found = self.env["soko.artisan"].search([("partner_id", "in", owners.ids)])
            by_owner = {(a.partner_id, a.company_id): a for a in found}
        return {
            ml: ml.lot_id.soko_artisan_id or by_owner.get((ml.owner_id, ml.company_id))
            for ml in move_lines
        }

    @api.model
    def _prepare_sale_vals(self, move_line, artisan):
        """Return the values of the line for one delivered move line.

        :param move_line: done `stock.move.line` to a customer
        :param artisan: `soko.artisan` that owned the pieces
        """
        company, lot = move_line.company_id, move_line.lot_id
        today = company._soko_today()
        # Pieces to be owed on use that were sold as they are: they are used when they are sent.
        at_shipping = lot.soko_debt_trigger in ("shipped", "used")
        return {
            "artisan_id": artisan.id,
            "payee_id": artisan._get_payee(lot.soko_payee).id,
            "company_id": company.id,
            "currency_id": company.currency_id.id,
            "date": today,
            "product_id": move_line.product_id.id,
            "lot_id": lot.id,
            "move_line_id": move_line.id,
            "picking_id": move_line.picking_id.id,
            "sale_line_id": move_line.move_id.sale_line_id.id,
            "quantity": move_line.quantity_product_uom,
            "state": "due" if at_shipping else "awaiting_receipt",
            "due_date": today + timedelta(days=lot.soko_hold_days) if at_shipping else False,
            **self._prepare_price_vals(move_line),
        }

    @api.model
    def _prepare_price_vals(self, move_line):
        """Return what one piece earns, from the lot's snapshot; 0 when nothing is known."""
        lot, step = move_line.lot_id, move_line.company_id.currency_id._soko_payable_step()
        if lot.soko_price_type == "fixed":
            return self._prepare_fixed_price_vals(move_line, step)
        if lot.soko_price_type == "split":
            base = self._get_base_price(move_line)
            tiers = lot.soko_tiers if lot.soko_tier_basis == "price" else []
            percent = percent_at(lot.soko_split_percent, tiers or [], base)
            return {"price_unit": split_price(base, percent, step)}
        return {"price_unit": 0}

    @api.model
    def _prepare_fixed_price_vals(self, move_line, step):
        """Return a fixed price in the company's currency, at the rate of the day it was sent."""
        lot, company = move_line.lot_id, move_line.company_id
        price, own = lot.soko_unit_price, company.currency_id
        currency = lot.soko_currency_id or own
        day, values = self._get_rate_day(move_line), {}
        if currency != own:
            values = {"agreed_currency_id": currency.id, "agreed_price": price, "agreed_rate": 0}
            if not currency._soko_has_rate(own, company, day):
                return values | {"price_unit": 0}
            rate = currency._get_conversion_rate(currency, own, company, day)
            values["agreed_rate"] = rate
            price = round_payable(price * rate, step)
        if (lot.soko_markdown or {}).get("bearer") == "shared":
            price = reduce_fixed(price, *self._get_shop_prices(move_line), step)
        return values | {"price_unit": price}

    @api.model
    def _get_rate_day(self, move_line):
        """Return the day whose rates count: the one on which the piece was sent.

        Also when the line is priced later, because a rate or price was missing then.
        """
        return move_line.company_id._soko_day_of(move_line.move_id.date)

    @api.model
    def _get_base_price(self, move_line):
        """Return the price of one piece that the share is taken from; 0 when it is unknown."""
        lot, currency = move_line.lot_id, move_line.company_id.currency_id
        net = self._get_net_sale_price(move_line, currency)
        if not net:
            return 0
        return base_price(
            net,
            *self._get_shop_prices(move_line),
            house_bears_discount=lot.soko_discount_bearer == "house",
            house_bears_markdown=(lot.soko_markdown or {}).get("bearer") != "shared",
        )

    @api.model
    def _get_shop_prices(self, move_line):
        """Return (full, marked down) price of one piece in the shop when it was ordered."""
        sale_line = move_line.move_id.sale_line_id
        if sale_line.product_id != move_line.product_id:
            return 0, 0
        return sale_line.soko_list_price, sale_line.soko_marked_price

    def _price_by_count(self):
        """Price new lines whose share depends on the pieces sold before, in their order.

        Two deliveries at once take turns: the second finds the agreement line changed and is run
        again by Odoo.
        """
        counted = self.filtered(
            lambda li: li.kind == "sale" and li.lot_id.soko_tier_basis in ("month", "year")
        )
        for agreed in counted.lot_id.soko_agreement_line_id:
            agreed.tier_turn += 1
        for line in counted.sorted("id"):
            lot = line.lot_id
            base = self._get_base_price(line.move_line_id)
            line.price_unit = tiered_price(
                base,
                lot.soko_split_percent,
                lot.soko_tiers or [],
                line._get_sold_before(),
                line.quantity,
                line.currency_id._soko_payable_step(),
            )

    def _get_sold_before(self):
        """Return the pieces sold before this line in its period, less what came back."""
        self.ensure_one()
        period = {"month": {"day": 1}, "year": {"day": 1, "month": 1}}[self.lot_id.soko_tier_basis]
        [[sold]] = self._read_group(
            [
                ("lot_id.soko_agreement_line_id", "=", self.lot_id.soko_agreement_line_id.id),
                ("date", ">=", self.date.replace(**period)),
                ("date", "<=", self.date),
                "|",
                ("kind", "=", "sale"),
                ("origin_line_id.kind", "=", "sale"),
                ("state", "!=", "cancelled"),
                ("id", "<", self.id),
            ],
            aggregates=["quantity_kept:sum"],
        )
        return max(sold or 0, 0)

    @api.model
    def _get_net_sale_price(self, move_line, currency):
        """Return the shopper's price of one piece after discount, without tax, in `currency`.

        At the rate of the day on which it was sent: that is when it is earned. 0 when there is no
        rate, or the order line sells something else than this piece, such as a set.
        """
        sale_line = move_line.move_id.sale_line_id
        if not sale_line.product_uom_qty or sale_line.product_id != move_line.product_id:
            return 0
        day, company = self._get_rate_day(move_line), move_line.company_id
        if not sale_line.currency_id._soko_has_rate(currency, company, day):
            return 0
        per_unit = sale_line.price_subtotal / sale_line.product_uom_qty
        per_piece = sale_line.product_uom_id._compute_price(per_unit, move_line.product_id.uom_id)
        return sale_line.currency_id._convert(per_piece, currency, company, day, round=False)

    @api.model
    def _prepare_unsold_vals(self, move_line, artisan, kind):
        """Return the values of the line for pieces that left the house without a sale.

        :param str kind: "loss" or "use"
        """
        return self._prepare_sale_vals(move_line, artisan) | {
            "kind": kind,
            "state": "due",
            "due_date": move_line.company_id._soko_today(),
            **self._prepare_unsold_price_vals(move_line),
        }

    @api.model
    def _prepare_unsold_price_vals(self, move_line):
        """Return what a piece earns that nobody bought, as :meth:`_prepare_price_vals` does.

        A share is one of today's sales price, whatever its markdown: no shopper paid less. It is
        the share below the first number of pieces, since what is lost or used counts as none sold.
        """
        lot = move_line.lot_id
        if lot.soko_price_type != "split":
            return self._prepare_price_vals(move_line)
        company, product = move_line.company_id, move_line.product_id
        taxes = product.taxes_id._filter_taxes_by_company(company)
        net = taxes.compute_all(product.lst_price, product=product)["total_excluded"]
        currency = company.currency_id
        net = product.currency_id._convert(
            net, currency, company, self.env.company._soko_today(), round=False
        )
        tiers = lot.soko_tiers if lot.soko_tier_basis == "price" else []
        percent = percent_at(lot.soko_split_percent, tiers or [], net)
        return {"price_unit": split_price(net, percent, currency._soko_payable_step())}

    @api.model
    def _fill_missing_prices(self, lots):
        """Price the open lines of `lots` that had none when they were sold. Others stay."""
        lines = self.search(
            [
                ("lot_id", "in", lots.ids),
                ("kind", "!=", "return"),
                ("state", "in", ("awaiting_receipt", "due")),
                ("price_unit", "=", 0),
            ]
        )
        for line in lines:
            if line.kind == "sale":
                line.write(line._prepare_price_vals(line.move_line_id))
            else:
                line.write(line._prepare_unsold_price_vals(line.move_line_id))
        lines._price_by_count()
        lines.filtered(lambda li: li.state == "due")._trigger_settlement()

    # === BUSINESS METHODS - RETURNS === #

    @api.model
    def _apply_returns(self, move_lines):
        """Take back what was earned with pieces that shoppers sent back.

        Not yet settled: the line counts fewer pieces, or is cancelled. Settled already: a
        negative line, due at once, is netted in the payee's next settlement.

        :param move_lines: done `stock.move.line` records that came from a customer
        """
        vals_list = []
        for move_line in move_lines:
            vals_list += self._return_one(move_line)
        self.create(vals_list)._trigger_settlement()

    @api.model
    def _return_one(self, move_line):
        """Take back one returned move line. Return the values of the negative lines to make."""
        return self._take_back(
            self._find_sold_lines(move_line), move_line, move_line.quantity_product_uom
        )

    @api.model
    def _take_back(self, lines, move_line, quantity):
        """Take `quantity` pieces back from `lines`, the first ones first.

        Lines that are not settled count fewer pieces at once.

        :return: the values of the negative lines to make for those that are settled
        """
        left = quantity
        vals_list = []
        for line in lines:
            taken = min(left, line._get_returnable_quantity())
            if taken <= 0:
                continue
            left -= taken
            if line.state == "settled":
                vals_list.append(line._prepare_return_vals(move_line, taken))
            else:
                line._cancel_quantity(taken)
        return vals_list

    @api.model
    def _find_sold_lines(self, move_line):
        """Return the sales that a returned move line may take back, the likeliest first."""
        lines = self.search(
            [
                ("lot_id", "=", move_line.lot_id.id),
                ("kind", "=", "sale"),
                ("state", "!=", "cancelled"),
                ("company_id", "=", move_line.company_id.id),
            ]
        )
        origin = move_line.move_id.origin_returned_move_id
        if origin:
            return lines.filtered(lambda li: li.move_line_id.move_id == origin)
        return lines

    def _get_returnable_quantity(self):
        """Return how many pieces of this sale the shopper still has."""
        self.ensure_one()
        taken_back = self.search([("origin_line_id", "=", self.id), ("state", "!=", "cancelled")])
        return self.quantity_kept + sum(taken_back.mapped("quantity"))

    def _prepare_return_vals(self, move_line, quantity):
        """Return the values of the negative line for `quantity` returned pieces."""
        self.ensure_one()
        today = self.company_id._soko_today()
        names = ("artisan_id", "payee_id", "company_id", "currency_id", "product_id", "lot_id")
        return {name: self[name].id for name in (*names, "sale_line_id")} | {
            "kind": "return",
            "origin_line_id": self.id,
            "move_line_id": move_line.id,
            "picking_id": move_line.picking_id.id,
            "date": today,
            "due_date": today,
            "quantity": -quantity,
            "price_unit": self.price_unit,
            "state": "due",
        }

    def _cancel_quantity(self, quantity):
        """Count `quantity` pieces less; a line without pieces is cancelled."""
        self.ensure_one()
        self.quantity_returned += quantity
        if self.product_id.uom_id.is_zero(self.quantity_kept):
            self.state = "cancelled"

    # === BUSINESS METHODS - BECOMING DUE === #

    def _make_due(self):
        """The shopper has the pieces: lines waiting for that become due after their hold days."""
        waiting = self.filtered(lambda li: li.state == "awaiting_receipt")
        for date, lines in waiting.grouped(lambda li: li._get_due_date()).items():
            lines.write({"state": "due", "due_date": date})
        waiting._trigger_settlement()

    def _get_due_date(self):
        """Return the day from which this line may be settled: hold days after the receipt.

        The day of the receipt is the one where the company is.

        :rtype: datetime.date
        """
        self.ensure_one()
        received, company = self.picking_id.soko_received_date, self.company_id
        day = company._soko_day_of(received) if received else company._soko_today()
        return day + timedelta(days=self.lot_id.soko_hold_days)

    def _trigger_settlement(self):
        """Wake the settlement run on the days these lines fall due."""
        if not self:
            return
        cron = self.env.ref("soko_artisan.ir_cron_settle_due")
        today = self.env.company._soko_today()
        for date in set(self.mapped("due_date")):
            at = None if not date or date <= today else datetime.combine(date, time.min)
            # sudo: whoever ships or receives may wake the run, and nothing else of it
            cron.sudo()._trigger(at=at)

    def _get_blocking_reasons(self):
        """Return why this line must not be settled although it is due.

        Hook. Contract: return a list of sentences for people, empty when nothing stands in the
        way; read only, no side effects; call `super()` and add to its list. A returned piece
        (kind "return") is never held back: it is money that comes back to us.

        :rtype: list[str]
        """
        self.ensure_one()
        if self.kind != "return" and self.currency_id.compare_amounts(self.price_unit, 0) <= 0:
            return [
                self.env._(
                    "No price is agreed for this drop-off, or the sale price of the piece is "
                    "unknown. Put the price on the lot right. If it was sold or agreed in another "
                    'currency: enter the rate of that day, then take "Price again".'
                )
            ]
        return []

    # === BUSINESS METHODS - SETTLING === #

    def _split_for_bill(self):
        """Return these lines of one settlement in groups that share a line of the bill.

        What one artisan earned with pieces of one product at one price is one line: what each
        delivery earned stands here. Where rounding makes a difference, each has its own.

        :rtype: list of record sets
        """
        parts = []
        groups = self.grouped(lambda li: (li.artisan_id, li.product_id, li.kind, li.price_unit))
        for (_artisan, _product, _kind, price), lines in groups.items():
            currency = lines.currency_id
            together = currency.round(sum(lines.mapped("quantity_kept")) * price)
            exact = currency.compare_amounts(together, sum(lines.mapped("amount"))) == 0
            parts += [lines] if exact else list(lines)
        return parts

    def _get_bill_text(self):
        """Return the description on the bill of these lines of one product and kind."""
        text = self.product_id.display_name
        kind = self[0].kind
        if kind == "return":
            text = self.env._("Returned: %(product)s", product=text)
        elif kind == "loss":
            text = self.env._("Lost or broken: %(product)s", product=text)
        elif kind == "use":
            text = self.env._("Used: %(product)s", product=text)
        if not self.lot_id:
            return text
        dates = sorted({str(date) for date in self.mapped("date")})
        days = dates[0] if len(dates) == 1 else f"{dates[0]} – {dates[-1]}"
        return f"{text} ({', '.join(sorted(self.lot_id.mapped('name')))}, {days})"

    @api.model
    def _get_due_domain(self):
        return [("state", "=", "due"), ("due_date", "<=", self.env.company._soko_today())]

    def _settle(self, minimum=True):
        """Collect those of these lines that are due and free into draft settlements.

        Lines that another worker is settling are skipped. A payee whose returns are worth more
        than the sales waits for the next sales: nobody is ever asked for money.

        Open advances take their share at once.

        :param bool minimum: leave payees out who earned less than the company's smallest payout
        :return: the new `soko.settlement` records, one for each payee and company
        """
        lines = self.try_lock_for_update()._filter_due()
        lines = lines.filtered(lambda li: not li._get_blocking_reasons())
        by_payee = lines.grouped(lambda li: (li.company_id, li.payee_id))
        payable = {
            key: group
            for key, group in by_payee.items()
            if group._is_worth_paying(key[0], minimum)
        }
        settlements = self.env["soko.settlement"].create(
            [
                {
                    "company_id": company.id,
                    "payee_id": payee.id,
                    "date": company._soko_today(),
                }
                for company, payee in payable
            ]
        )
        for settlement, group in zip(settlements, payable.values(), strict=True):
            group.write({"state": "settled", "settlement_id": settlement.id})
        settlements._deduct_advances()
        return settlements

    def _filter_due(self):
        """Return those that are due, each by the day of its own company."""
        due = self.browse()
        for company, lines in self.grouped("company_id").items():
            due |= lines.filtered_domain(lines.with_company(company)._get_due_domain())
        return due

    def _is_worth_paying(self, company, minimum):
        """Tell whether these lines of one payee add up to a payout."""
        total = sum(self.mapped("amount"))
        floor = company.soko_minimum_payout if minimum else 0
        compare = company.currency_id.compare_amounts
        return compare(total, 0) > 0 and compare(total, floor) >= 0
