from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import date_utils, format_date

from ..const import SETTLER
from ..tools.accrual import cover


class SokoAccrual(models.TransientModel):
    """Put what we owe for sold pieces into the period of their sale, though its bill comes later.

    One entry for each company and period end, taken back by itself on the next day: the bill of
    the settlement then stands in its own period, and the cost of a sale is in the books once.
    """

    _name = "soko.accrual"
    _description = "Accrue What Is Not Billed"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="End of the period", required=True, default=lambda self: self._default_date()
    )
    include_uninvoiced = fields.Boolean(
        string="Also pieces whose sale is not invoiced",
        help="Tick it when the income of these deliveries is accrued, too. Else their cost waits, "
        "as the income does.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        check_company=True,
        domain="[('type', '=', 'general')]",
        compute="_compute_journal_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    amount = fields.Monetary(string="To accrue", compute="_compute_figures")
    quantity = fields.Float(string="Pieces", digits="Product Unit", compute="_compute_figures")
    existing_id = fields.Many2one(
        "account.move", string="Entry of this period", compute="_compute_figures"
    )

    def _default_date(self):
        """Return the last day of the month before this one."""
        return date_utils.start_of(self.env.company._soko_today(), "month") - timedelta(days=1)

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    def _compute_journal_id(self):
        Journal = self.env["account.journal"]
        for wizard in self:
            domain = Domain(Journal._check_company_domain(wizard.company_id))
            wizard.journal_id = Journal.search(domain & Domain("type", "=", "general"), limit=1)

    @api.depends("company_id", "date", "include_uninvoiced")
    def _compute_figures(self):
        for wizard in self:
            shares = wizard._get_shares() if wizard.date else []
            wizard.amount = sum(amount for _line, _quantity, amount in shares)
            wizard.quantity = sum(quantity for _line, quantity, _amount in shares)
            wizard.existing_id = wizard._find_entry()

    # === ACTION METHODS === #

    def action_accrue(self):
        """Post the entry and the one that takes it back; show those of the period if there are."""
        self.ensure_one()
        if not self.env.user.has_group(SETTLER):
            raise AccessError(self.env._("Only a settlement officer can accrue. Ask one."))
        entry = self._find_entry() or self._make_entry()
        return (entry | entry.reversal_move_ids)._get_records_action(
            name=self.env._("Accrued settlements")
        )

    # === BUSINESS METHODS - WHAT IS OWED === #

    def _find_entry(self):
        """Return the entry of this period end that stands in the books, or none."""
        return self.env["account.move"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("soko_accrual_date", "=", self.date),
                ("state", "!=", "cancel"),
            ],
            limit=1,
        )

    def _get_shares(self):
        """Return (settlement line, pieces, amount) of what is owed and not billed on the day.

        A sale counts as far as it is invoiced by then. Lost and used pieces, and what was sent
        without an order, wait for no invoice. A return of settled pieces takes its amount back.
        Pieces that came back before they were settled are left out, also when that was later.
        """
        lines = self._get_unbilled_lines()
        covered = {} if self.include_uninvoiced else self._get_covered(lines)
        shares = []
        for line in lines:
            quantity = covered.get(line, line.quantity_kept)
            amount = line.currency_id.round(quantity * line.price_unit)
            if not line.currency_id.is_zero(amount):
                shares.append((line, quantity, amount))
        return shares

    def _get_unbilled_lines(self):
        """Return the lines of pieces that left until the day and are on no bill by then."""
        domain = Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("date", "<=", self.date),
                ("state", "!=", "cancelled"),
            ]
        )
        bill = "settlement_id.bill_id"
        # Leaves out what was billed long ago, but for bills that were taken back.
        domain &= (
            Domain("settlement_id", "=", False)
            | Domain(bill, "=", False)
            | Domain(f"{bill}.state", "!=", "posted")
            | Domain(f"{bill}.date", ">", self.date)
            | Domain(f"{bill}.reversal_move_ids", "!=", False)
        )
        # sudo: the officer may see the ledger; bills and deliveries behind it are only compared
        lines = self.env["soko.settlement.line"].sudo().search(domain, order="id")
        return lines.filtered(lambda li: not self._is_billed(li.settlement_id.bill_id))

    def _is_billed(self, bill):
        """Tell whether a bill stood in the books on the day."""
        if bill.state != "posted" or bill.date > self.date:
            return False
        return not any(
            back.state == "posted" and back.date <= self.date for back in bill.reversal_move_ids
        )

    def _get_covered(self, lines):
        """Return {line: pieces whose sale is invoiced} for the lines of orders."""
        covered = {}
        sales = lines.filtered(lambda li: li.sale_line_id and li.kind == "sale")
        invoiced = self._get_invoiced(sales.sale_line_id)
        of_orders = self.env["soko.settlement.line"].sudo().search(  # sudo: as above
            [
                ("sale_line_id", "in", sales.sale_line_id.ids),
                ("date", "<=", self.date),
                ("state", "!=", "cancelled"),
            ],
            order="id",
        )
        for sale_line, group in of_orders.grouped("sale_line_id").items():
            # What came back after its settlement is a line of its own, whatever the credit note.
            back = group.filtered(lambda li: li.kind == "return")
            sent = [(li, li.quantity_kept) for li in group - back]
            pieces = invoiced.get(sale_line, 0) - sum(back.mapped("quantity_kept"))
            if sale_line.product_id != group.product_id:
                pieces = sum(count for _li, count in sent) if invoiced.get(sale_line) else 0
            covered.update(cover(sent, pieces))
        return covered

    def _get_invoiced(self, sale_lines):
        """Return {order line: pieces on posted invoices of the day, less those credited}."""
        invoiced = dict.fromkeys(sale_lines, 0)
        # sudo: quantities of invoices are compared, and nothing of them is shown
        groups = self.env["account.move.line"].sudo()._read_group(
            [
                ("sale_line_ids", "in", sale_lines.ids),
                ("parent_state", "=", "posted"),
                ("date", "<=", self.date),
                ("move_type", "in", ("out_invoice", "out_refund")),
            ],
            ["sale_line_ids", "product_uom_id", "move_type"],
            ["quantity:sum"],
        )
        for sale_line, uom, move_type, quantity in groups:
            if sale_line in invoiced:
                pieces = uom._compute_quantity(quantity, sale_line.product_id.uom_id, round=False)
                invoiced[sale_line] += pieces if move_type == "out_invoice" else -pieces
        return invoiced

    # === BUSINESS METHODS - THE ENTRY === #

    def _make_entry(self):
        """Post the entry and its reversal on the next day; return the entry."""
        if self.date > self.company_id._soko_today():
            raise UserError(
                self.env._("This period is not over yet. Choose a day that has passed.")
            )
        shares = self._get_shares()
        if not shares:
            raise UserError(
                self.env._(
                    "Nothing to accrue: what was sold until %(date)s is billed, or not invoiced.",
                    date=format_date(self.env, self.date),
                )
            )
        entry = self.env["account.move"].with_company(self.company_id).create(
            self._prepare_entry_vals(shares)
        )
        entry._post()
        back = entry._reverse_moves(
            [
                {
                    "ref": self.env._("Reversal of: %s", entry.ref),
                    "name": "/",
                    "date": self.date + timedelta(days=1),
                }
            ]
        )
        back._post()
        return entry

    def _prepare_entry_vals(self, shares):
        """Return the values of the entry: a debit for each line, a credit for each payee."""
        credit = self.company_id._soko_get_accrual_account()
        owed = {}
        rows = []
        for line, quantity, amount in shares:
            owed[line.payee_id] = owed.get(line.payee_id, 0) + amount
            rows.append(self._prepare_row_vals(self._get_label(line, quantity), amount)
                        | {"account_id": self._get_expense_account(line).id,
                           "partner_id": line.payee_id.id})
        for payee, amount in owed.items():
            rows.append(self._prepare_row_vals(self.env._("Not billed yet"), -amount)
                        | {"account_id": credit.id, "partner_id": payee.id})
        return {
            "move_type": "entry",
            "soko_accrual_date": self.date,
            "ref": self.env._(
                "Settlements not billed on %(date)s", date=format_date(self.env, self.date)
            ),
            "journal_id": self.journal_id.id,
            "company_id": self.company_id.id,
            "date": self.date,
            "line_ids": [Command.create(row) for row in rows],
        }

    def _prepare_row_vals(self, name, balance):
        return {
            "name": name,
            "debit": max(balance, 0),
            "credit": max(-balance, 0),
            "tax_ids": [Command.clear()],
        }

    def _get_label(self, line, quantity):
        """Return the description of a row: the pieces as on their bill, and how many."""
        return self.env._(
            "%(what)s, %(quantity)s x %(price)s",
            what=line._get_bill_text(),
            quantity=f"{quantity:g}",
            price=line.currency_id.format(line.price_unit),
        )

    def _get_expense_account(self, line):
        """Return the account that the bill of this line will be on."""
        payee = line.payee_id.with_company(self.company_id)
        template = line.product_id.product_tmpl_id.with_company(self.company_id)
        accounts = template.get_product_accounts(
            fiscal_pos=payee.property_account_position_id
        )
        return accounts["expense"]
