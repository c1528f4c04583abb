from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import APPROVER, MANAGER, UNKNOWN_ALARM_HOURS

SOURCES = (False, "tariff", "status", "statement")


class SokoMpesaPayoutBooks(models.AbstractModel):
    """How what is proven of a payout gets into the books: each movement once, in any order."""

    _name = "soko.mpesa.payout.books"
    _description = "M-Pesa payout: books"

    booking_error = fields.Char(
        readonly=True, copy=False, help="Why the books refused what is proven.",
    )
    book_again_at = fields.Datetime(readonly=True, copy=False)
    statement_row_id = fields.Many2one(
        "soko.mpesa.statement.row", string="On M-Pesa's statement", readonly=True, copy=False,
        index="btree_not_null", ondelete="restrict",
        help="The row of M-Pesa's own statement that confirms this payment.",
    )
    reversal_receipt = fields.Char(
        readonly=True, copy=False, index="btree_not_null",
        help="M-Pesa's receipt of taking the payment back.",
    )
    declaration_ids = fields.One2many("soko.mpesa.declaration", "payout_id", readonly=True)

    # === ACTION METHODS === #

    def action_book_again(self):
        """Book what is proven and what the books refused before."""
        self._check_group(APPROVER, MANAGER)
        # sudo: people can't write payouts; what is proven is booked as it is, the right was checked
        for payout in self.sudo():
            payout._lock()
            if not payout.booking_error:
                raise UserError(self.env._("%s is booked already.", payout.name))
            payout._book()

    def action_declare(self):
        """Open the form in which two persons say what became of a payment that stays unknown."""
        self.ensure_one()
        self._check_group(APPROVER)
        # sudo: the check reads attempts; the right was checked
        self.sudo()._check_may_be_declared()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Declare the outcome"),
            "res_model": "soko.mpesa.declaration",
            "view_mode": "form",
            "target": "new",
            "context": {"default_payout_id": self.id},
        }

    def action_open_declarations(self):
        self.ensure_one()
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("soko_mpesa.soko_mpesa_declaration_action")
        return {**action, "domain": [("payout_id", "=", self.id)], "context": {}}

    # === BOOKING === #

    def _enter_books(self):
        """Bring the books to what the attempts prove. What is booked already stays as it is.

        :raise UserError: the books refuse
        """
        states = set(self.attempt_ids.mapped("state"))
        if {"paid", "reversed"} & states:
            self._enter_paid()
            self._book_fee()
        elif "not_paid" in states and self.payment_id.state == "in_process" and self.state in (
            "failed", "exception",
        ):
            self.payment_id._soko_mpesa_reject()
        if "reversed" in states and self.reversal_receipt and not self._is_taken_back():
            self.payment_id._soko_mpesa_take_back(self)

    def _enter_paid(self):
        if self._is_taken_back():
            return
        if self.paid_late:
            self.payment_id._soko_mpesa_settle_late(self.receipt)
        else:
            self.payment_id._soko_mpesa_settle(self.receipt)

    def _is_taken_back(self):
        return bool(self.reversal_receipt and self.account_id._find_line(
            self.reversal_receipt, "reversal"))

    def _note_fee(self, fee, source):
        """Take in what M-Pesa charged, unless who knows better has said it before.

        :param fee: Decimal shillings or None
        :param str source: tariff, status or statement
        :return: whether it is news
        :rtype: bool
        """
        if fee is None or SOURCES.index(source) < SOURCES.index(self.fee_source):
            return False
        if self.fee_source == source and not self.currency_id.compare_amounts(self.fee, fee):
            return False
        self.write({"fee": float(fee), "fee_source": source})
        return True

    def _book_fee(self):
        """Book the fee, or what is missing of it after an estimate. No line for nothing."""
        account = self.account_id
        if not self.fee_source:
            self._note_fee(account._get_fee(self.amount), "tariff")
        if not self.fee_source:
            return
        lines = self._get_fee_lines()
        missing = Decimal(f"{self.fee:.2f}") + sum(
            (Decimal(f"{line.amount:.2f}") for line in lines), Decimal(0))
        if not missing:
            return
        account._ensure_book_accounts()
        kind = f"fee+{len(lines)}" if lines else "fee"
        account._book_line(
            self.receipt, kind, -missing, account.fee_account_id,
            payment_ref=self.env._("M-Pesa charge for %s", self.receipt))

    def _get_fee_lines(self):
        return self.env["account.bank.statement.line"].search([
            ("journal_id", "=", self.account_id.journal_id.id),
            "|", ("soko_mpesa_key", "=", f"{self.receipt}/fee"),
            ("soko_mpesa_key", "=like", f"{self.receipt}/fee+%"),
        ], order="id")

    def _on_reversed(self, receipt):
        """Take a proven payment out of the books again; its bill is open.

        :param str receipt: M-Pesa's receipt of the reversal
        """
        self.reversal_receipt = receipt
        self.flush_recordset()
        if self._book():
            self._alert(self.env._(
                "M-Pesa took the payment %(receipt)s back (%(reversal)s). Its bill is open again. "
                "Find out why before you pay it once more.",
                receipt=self.receipt, reversal=receipt,
            ))

    @api.model
    def _book_leftovers(self):
        """Try again what the books refused, such as before a lock date was moved."""
        for payout in self.search([
            ("booking_error", "!=", False), ("book_again_at", "<=", fields.Datetime.now()),
        ], limit=50):
            if payout.try_lock_for_update(allow_referencing=True):
                payout.invalidate_recordset()
                payout._book()

    # === CHECKS === #

    def _check_may_be_declared(self):
        """:raise UserError: the ordinary ways of proof aren't exhausted yet"""
        attempt = self._get_undecided()
        if not attempt:
            raise UserError(self.env._(
                "The outcome of %s isn't open, so there is nothing to declare.", self.name))
        day_ago = fields.Datetime.subtract(fields.Datetime.now(), hours=UNKNOWN_ALARM_HOURS)
        if attempt.sent_at > day_ago and not self.exception_reason:
            raise UserError(self.env._(
                "%s was sent less than a day ago. Safaricom is still being asked what became of "
                "it; only after a day, or when something contradicts, people decide.", self.name,
            ))

    def _get_undecided(self):
        return self.attempt_ids.filtered(lambda a: a.state in ("accepted", "unknown"))[:1]
