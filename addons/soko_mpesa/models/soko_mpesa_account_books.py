import itertools
from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models

from ..tools import eat, match
from .soko_mpesa_heartbeat import beats


class SokoMpesaAccountBooks(models.AbstractModel):
    """The accounts that M-Pesa's movements are booked on, and how they are.

    The journal mirrors two of M-Pesa's accounts together: the utility account, from which it
    pays, and the charges account, in which it collects its fees.
    """

    _name = "soko.mpesa.account.books"
    _description = "M-Pesa account: books"

    fee_account_id = fields.Many2one(
        "account.account", check_company=True, copy=False, string="Charges are booked on",
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost', 'expense_other'))]",
        help="The expense account for what M-Pesa charges. \"Set up journal\" makes one.",
    )
    clearing_account_id = fields.Many2one(
        "account.account", check_company=True, copy=False, string="To be cleared on",
        domain="[('reconcile', '=', True)]",
        help="Movements on M-Pesa's statement that are no payment of Odoo's wait here until "
             "somebody has said what they are. \"Set up journal\" makes one.",
    )

    # === JOURNAL === #

    def _ensure_book_accounts(self):
        """Make the accounts for charges and for what is to be cleared, where they are missing."""
        # sudo: who books a proof need not be an accountant; what is made here is fixed
        account = self.sudo().with_company(self.company_id)
        accounts = account.env["account.account"]
        if not account.fee_account_id:
            account.fee_account_id = accounts.create(account._prepare_book_account_vals(
                account.env._("M-Pesa charges"), "expense", "620000"))
        if not account.clearing_account_id:
            account.clearing_account_id = accounts.create(account._prepare_book_account_vals(
                account.env._("M-Pesa movements to clear"), "asset_current",
                account.journal_id.default_account_id.code or "101400", reconcile=True))

    def _prepare_book_account_vals(self, name, account_type, start, **values):
        return {
            "name": name,
            "code": self.env["account.account"]._search_new_account_code(start),
            "account_type": account_type,
            "company_ids": [fields.Command.link(self.company_id.id)],
            **values,
        }

    # === MATCHING === #

    def _get_matcher(self, rows):
        """Return what assigns these rows to payments of this account.

        :param list rows: tools.statement.Row, all that are assigned together
        :rtype: tools.match.Matcher
        """
        words = {row.receipt for row in rows} | {row.linked for row in rows}
        for row in rows:
            words.update(match.WORDS.findall(row.details.upper()))
        begin = min((row.completed for row in rows), default=fields.Datetime.now())
        attempts = self.env["soko.mpesa.attempt"].search([
            ("account_id", "=", self.id), "|", "|",
            ("receipt", "in", list(words)), ("originator_id", "in", list(words)),
            "&", ("state", "in", (*match.OPEN, "not_paid")),
            ("sent_at", ">=", begin - match.LATEST - timedelta(days=1)),
        ])
        return match.Matcher([
            match.Payment(
                attempt.id, attempt.originator_id, attempt.receipt or "",
                attempt.payout_id.msisdn, attempt.payout_id.amount, attempt.state,
                attempt.sent_at or None)
            for attempt in attempts
        ], rows)

    # === BOOKING === #

    @api.model
    def _make_key(self, receipt, kind):
        """Return what makes a bank statement line the only one of its kind."""
        return f"{receipt}/{kind}"

    def _find_line(self, receipt, kind):
        return self.env["account.bank.statement.line"].search([
            ("journal_id", "=", self.journal_id.id),
            ("soko_mpesa_key", "=", self._make_key(receipt, kind)),
        ])

    def _book_line(self, receipt, kind, amount, counterpart, **values):
        """Book a movement of M-Pesa's as a bank statement line, once.

        :param str receipt: M-Pesa's receipt
        :param str kind: payment, fee, fee+1..., top_up, reversal, or other
        :param amount: signed shillings; negative when money left
        :param counterpart: account.account of the other side
        :param values: other values of the line, such as partner_id and date
        :return: the line; the existing one when it was booked before
        :rtype: account.bank.statement.line
        """
        if line := self._find_line(receipt, kind):
            return line
        return self.env["account.bank.statement.line"].create(
            self._prepare_line(receipt, kind, amount, counterpart, **values))

    def _prepare_line(self, receipt, kind, amount, counterpart, **values):
        """Return the values of the line; see `_book_line`."""
        day = self.env.context.get("soko_mpesa_day")
        return {
            "journal_id": self.journal_id.id,
            "date": day or eat.day_of(fields.Datetime.now()),
            "payment_ref": receipt,
            "amount": float(amount),
            "counterpart_account_id": counterpart.id,
            "soko_mpesa_key": self._make_key(receipt, kind),
            **values,
        }

    def _clear(self, item, counterpart, partner, label):
        """Carry a journal item that waits to be cleared over to the account where it belongs.

        :param item: account.move.line on the clearing account
        :param counterpart: account.account
        :param partner: res.partner, or empty
        :param str label: what it is
        :return: the new account.move.line on `counterpart`
        """
        values = {"name": label, "currency_id": item.currency_id.id}
        move = self.env["account.move"].create({
            "journal_id": self.journal_id.id,
            "date": max(item.date, fields.Date.context_today(self)),
            "ref": label,
            "line_ids": [
                fields.Command.create({
                    **values, "account_id": item.account_id.id, "balance": -item.balance,
                    "amount_currency": -item.amount_currency}),
                fields.Command.create({
                    **values, "account_id": counterpart.id, "balance": item.balance,
                    "amount_currency": item.amount_currency, "partner_id": partner.id}),
            ],
        })
        move.action_post()
        (item | move.line_ids.filtered(lambda i: i.account_id == item.account_id)).reconcile()
        return move.line_ids.filtered(lambda i: i.account_id == counterpart)

    # === LOCKING === #

    @api.model
    @beats("ir_cron_secure")
    def _cron_secure(self):
        """Lock what is final in the M-Pesa journals into Odoo's hash chain."""
        # sudo: the cron's user need not have an M-Pesa role
        self.sudo().with_context(active_test=False).search(
            [("journal_id", "!=", False)])._secure_entries()

    def _secure_entries(self):
        """Lock entries in their order, up to the first that isn't final.

        Not by the journal's own "Secure Posted Entries with Hash": that one locks a payment the
        moment it is posted, so that it couldn't be withdrawn before it is sent, and refuses to
        post a bank statement line that waits to be matched.
        """
        for account in self:
            moves = self.env["account.move"].search([
                ("journal_id", "=", account.journal_id.id), ("state", "=", "posted"),
                ("inalterable_hash", "=", False)])
            for chain in moves.grouped("sequence_prefix").values():
                final = list(itertools.takewhile(
                    lambda move: move._soko_mpesa_is_final(), chain.sorted("sequence_number")))
                if final:
                    final[-1]._hash_moves(
                        force_hash=True, raise_if_gap=False, raise_if_no_document=False)

    # === BALANCES === #

    def action_reconciliation(self):
        """Open the page that compares our books with M-Pesa's."""
        self.ensure_one()
        self.check_access("read")
        page = self.env["soko.mpesa.reconciliation"].create({"account_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reconciliation"),
            "res_model": "soko.mpesa.reconciliation",
            "res_id": page.id,
            "view_mode": "form",
        }

    def _get_newest_statement(self):
        """Return the imported statement that reaches furthest."""
        return self.env["soko.mpesa.statement"].search([
            ("account_id", "=", self.id), ("state", "in", ("importing", "imported")),
            ("ends", "!=", False),
        ], order="ends desc, id desc", limit=1)

    def _get_books_domain(self):
        """Return what finds the posted journal items of M-Pesa's own account."""
        return [
            ("account_id", "=", self.journal_id.default_account_id.id),
            ("parent_state", "=", "posted"), ("company_id", "=", self.company_id.id),
        ]

    def _get_amount_of(self, item):
        """Return shillings of a journal item, whatever the company counts in."""
        return Decimal(f"{item.amount_currency:.2f}")

    def _get_books_balance(self):
        """Return what the books say that M-Pesa holds for us: Decimal shillings."""
        total = self.env["account.move.line"]._read_group(
            self._get_books_domain(), [], ["amount_currency:sum"])[0][0]
        return Decimal(f"{total or 0:.2f}")

    def _get_balance_of(self, account):
        """Return the balance of another account of the company: Decimal shillings."""
        total = self.env["account.move.line"]._read_group([
            ("account_id", "=", account.id), ("parent_state", "=", "posted"),
            ("company_id", "=", self.company_id.id), ("currency_id", "=", self.currency_id.id),
        ], [], ["amount_currency:sum"])[0][0]
        return Decimal(f"{total or 0:.2f}")
