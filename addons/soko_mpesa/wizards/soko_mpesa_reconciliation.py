from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models

# Items that are many are shown as one line beyond this number.
SHOWN = 500


class SokoMpesaReconciliation(models.TransientModel):
    """Our books beside M-Pesa's, the difference, and why: to the cent.

    M-Pesa's closing balance less ours is, by arithmetic, the sum of: what M-Pesa had before the
    first imported statement; rows that aren't booked; less what is booked and on no statement;
    and what moved in times that no statement covers. So the items always explain all of it.
    """

    _name = "soko.mpesa.reconciliation"
    _description = "M-Pesa reconciliation"

    name = fields.Char(compute="_compute_name")
    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, ondelete="cascade",
        default=lambda self: self.env["soko.mpesa.account"].search(
            [("journal_id", "!=", False)], limit=1),
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    made_at = fields.Datetime(string="Made at", default=fields.Datetime.now, readonly=True)
    statement_id = fields.Many2one(
        "soko.mpesa.statement", compute="_compute_figures", store=True, ondelete="cascade",
        string="Newest statement",
    )
    provider_balance = fields.Monetary(
        compute="_compute_figures", store=True, string="M-Pesa's statement says",
    )
    books_balance = fields.Monetary(
        compute="_compute_figures", store=True, string="Our books say",
    )
    difference = fields.Monetary(compute="_compute_figures", store=True)
    explained = fields.Monetary(compute="_compute_figures", store=True)
    in_flight_amount = fields.Monetary(
        compute="_compute_figures", store=True, string="In flight",
        help="Handed to M-Pesa and not proven; it may have left M-Pesa's account already.",
    )
    in_flight_count = fields.Integer(compute="_compute_figures", store=True)
    clearing_amount = fields.Monetary(
        compute="_compute_figures", store=True, string="To be cleared",
        help="Booked movements of which nobody has said yet what they are.",
    )
    queried_balance = fields.Monetary(
        compute="_compute_figures", store=True, string="M-Pesa's balance query says",
    )
    queried_at = fields.Datetime(
        compute="_compute_figures", store=True, string="Asked at")
    queried_difference = fields.Monetary(
        compute="_compute_figures", store=True, string="Difference from the query",
    )
    line_ids = fields.One2many(
        "soko.mpesa.reconciliation.line", "reconciliation_id", compute="_compute_figures",
        store=True,
    )

    @api.depends("account_id")
    def _compute_name(self):
        for page in self:
            page.name = page.env._("Reconciliation of %s", page.account_id.display_name or "")

    @api.depends("account_id")
    def _compute_figures(self):
        for page in self:
            # sudo: the page is for people with a role in M-Pesa, who need not be accountants; it
            # shows balances of the M-Pesa journal only
            page.update(page.sudo()._prepare_figures())

    def _prepare_figures(self):
        account = self.account_id
        statement = account._get_newest_statement()
        provider, books = _cents(statement.closing_balance), account._get_books_balance()
        items = self._get_items(statement, provider) if statement else []
        flying = self.env["soko.mpesa.payout"].search([
            ("account_id", "=", account.id), ("attempt_ids.state", "in",
                                              ("sending", "accepted", "unknown"))])
        queried = _cents(account.float_amount) + _cents(account.charges_amount)
        return {
            "statement_id": statement.id,
            "provider_balance": float(provider), "books_balance": float(books),
            "difference": float(provider - books) if statement else 0,
            "explained": float(sum((item["amount"] for item in items), Decimal(0))),
            "in_flight_amount": sum(flying.mapped("amount")), "in_flight_count": len(flying),
            "clearing_amount": float(account._get_balance_of(account.clearing_account_id)),
            "queried_balance": float(queried) if account.float_at else 0,
            "queried_at": account.float_at,
            "queried_difference": float(queried - books) if account.float_at else 0,
            "line_ids": [fields.Command.clear()] + [
                fields.Command.create({**item, "amount": float(item["amount"])})
                for item in items],
        }

    def _get_items(self, statement, provider):
        """Return what explains the difference, as values of lines with Decimal amounts."""
        rows = self.env["soko.mpesa.statement.row"].search([
            ("account_id", "=", self.account_id.id), ("status", "=", "completed")])
        first = self.env["soko.mpesa.statement"].search([
            ("account_id", "=", self.account_id.id), ("state", "in", ("importing", "imported")),
        ], order="begins, id", limit=1)
        opening = _cents(first.opening_balance)
        moved = sum((row._get_decimal() for row in rows), Decimal(0))
        items = []
        if opening:
            items.append({
                "kind": "opening", "name": first.name, "amount": opening, "reason": self.env._(
                    "What M-Pesa held before the first imported statement. Book it once as the "
                    "opening balance of the journal.")})
        items += self._get_row_items(rows)
        items += self._get_book_items()
        if gap := provider - opening - moved:
            items.append({
                "kind": "gap", "name": statement.name, "amount": gap, "reason": self.env._(
                    "Moved in a time that no imported statement covers, or in rows that weren't "
                    "taken. Import the statements between %(first)s and %(last)s without a gap.",
                    first=first.name, last=statement.name)})
        return items

    def _get_row_items(self, rows):
        """Rows of the statement that the books don't have, or have with another amount."""
        booked = defaultdict(Decimal)
        for row, amount in self.env["account.bank.statement.line"]._read_group(
            [("soko_mpesa_row_id", "in", rows.ids)], ["soko_mpesa_row_id"], ["amount:sum"],
        ):
            booked[row.id] = _cents(amount)
        return [{
            "kind": "row", "name": row.receipt, "day": row.completed_at, "payout_id":
            row.payout_id.id, "amount": row._get_decimal() - booked[row.id],
            "reason": row.note or self.env._("On M-Pesa's statement, not in the books."),
        } for row in rows if row._get_decimal() != booked[row.id]]

    def _get_book_items(self):
        """Journal items of the M-Pesa account that are on no imported statement."""
        account = self.account_id
        items, rest = [], self.env["account.move.line"].search([
            *account._get_books_domain(), "|", ("move_id.statement_line_id", "=", False),
            ("move_id.statement_line_id.soko_mpesa_row_id", "=", False)], order="date, id")
        payouts = {
            receipt: payout
            for payout in self.env["soko.mpesa.payout"].search([
                ("account_id", "=", account.id), ("receipt", "!=", False),
                ("statement_row_id", "=", False)])
            for receipt in (payout.receipt, payout.reversal_receipt) if receipt
        }
        for item in rest[:SHOWN]:
            key = item.move_id.statement_line_id.soko_mpesa_key or ""
            payout = payouts.get(key.split("/")[0])
            items.append({
                "kind": "book", "name": key.replace("/", " ") or item.move_id.name,
                "day": item.date, "payout_id": payout.id if payout else False,
                "amount": -account._get_amount_of(item), "reason": self._explain_item(key, payout)})
        if len(rest) > SHOWN:
            items.append({
                "kind": "book", "name": self.env._("%s more", len(rest) - SHOWN),
                "amount": -sum((account._get_amount_of(i) for i in rest[SHOWN:]), Decimal(0)),
                "reason": self.env._("In the books, on no imported statement.")})
        return items

    def _explain_item(self, key, payout):
        if "/fee" in key and payout and payout.fee_source == "tariff":
            return self.env._("An estimate of the charge; the statement will say it.")
        if key:
            return self.env._("Proven and booked; it is on no imported statement yet.")
        return self.env._("Entered by hand; on no imported statement.")

    # === ACTION METHODS === #

    def action_print(self):
        """Print the page for an auditor."""
        self.ensure_one()
        return self.env.ref("soko_mpesa.soko_mpesa_reconciliation_report").report_action(self)

    def action_refresh(self):
        """Look again, now."""
        self.ensure_one()
        return self.account_id.action_reconciliation()


def _cents(amount):
    return Decimal(f"{amount or 0:.2f}")
