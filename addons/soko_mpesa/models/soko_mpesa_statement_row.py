import json
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError

from ..const import APPROVER
from ..tools import eat, parse
from ..tools import statement as st


class SokoMpesaStatementRow(models.Model):
    """One movement as M-Pesa's statement has it. What M-Pesa said never changes.

    What it means is worked out by tools/match.py and carried out here, one method an effect.
    """

    _name = "soko.mpesa.statement.row"
    _description = "Row of M-Pesa's statement"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "completed_at desc, line desc, id desc"
    _rec_name = "receipt"
    _allow_sudo_commands = False

    statement_id = fields.Many2one(
        "soko.mpesa.statement", required=True, index=True, ondelete="restrict", readonly=True,
    )
    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    line = fields.Integer(readonly=True, string="Line of the file")
    receipt = fields.Char(required=True, readonly=True, index=True)
    kind = fields.Selection(
        [
            ("payment", "Payment"), ("fee", "Charge"), ("top_up", "Top-up"),
            ("reversal", "Reversal"), ("money_in", "Money in"), ("other", "Other"),
        ],
        required=True, readonly=True,
    )
    status = fields.Selection(
        [("completed", "Completed"), ("failed", "Failed"), ("unfinished", "Not finished")],
        required=True, readonly=True,
    )
    completed_at = fields.Datetime(required=True, readonly=True)
    amount = fields.Monetary(required=True, readonly=True, help="Below zero when money left.")
    balance = fields.Monetary(readonly=True)
    details = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    party = fields.Char(readonly=True, string="Other party")
    linked = fields.Char(readonly=True, string="Linked receipt")
    reference = fields.Char(readonly=True)
    key = fields.Char(required=True, readonly=True)
    state = fields.Selection(
        [
            ("new", "Waiting"), ("booked", "Booked"), ("unmatched", "Booked, to be cleared"),
            ("listed", "Needs a person"), ("failed", "Not booked"), ("ignored", "Nothing moved"),
        ],
        required=True, default="new", readonly=True, index=True,
        help="To be cleared: it is no payment of Odoo's, so it waits on the clearing account.",
    )
    effect = fields.Char(readonly=True)
    note = fields.Char(readonly=True, help="What was found, in words.")
    payout_id = fields.Many2one(
        "soko.mpesa.payout", readonly=True, index="btree_not_null", ondelete="restrict",
    )
    confirmed_by = fields.Many2one(
        "res.users", readonly=True, ondelete="restrict",
        help="The second person who says that a doubtful reversal is true.",
    )
    bank_line_ids = fields.One2many(
        "account.bank.statement.line", "soko_mpesa_row_id", readonly=True,
        groups="account.group_account_readonly,account.group_account_invoice",
    )

    _key_uniq = models.Constraint("UNIQUE(account_id, key)", "This row is imported already.")

    def init(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_statement_row_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP IN ('DELETE', 'TRUNCATE') OR
                   (NEW.statement_id, NEW.account_id, NEW.company_id, NEW.line, NEW.receipt,
                    NEW.kind, NEW.status, NEW.completed_at, NEW.amount, NEW.balance,
                    NEW.details, NEW.reason, NEW.party, NEW.linked, NEW.reference, NEW.key)
                    IS DISTINCT FROM
                   (OLD.statement_id, OLD.account_id, OLD.company_id, OLD.line, OLD.receipt,
                    OLD.kind, OLD.status, OLD.completed_at, OLD.amount, OLD.balance,
                    OLD.details, OLD.reason, OLD.party, OLD.linked, OLD.reference, OLD.key)
                THEN
                    RAISE EXCEPTION 'What M-Pesa''s statement says never changes';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_statement_row_guard ON soko_mpesa_statement_row;
            CREATE TRIGGER soko_mpesa_statement_row_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_statement_row FOR EACH ROW
                EXECUTE FUNCTION soko_mpesa_statement_row_guard();
            DROP TRIGGER IF EXISTS soko_mpesa_statement_row_whole ON soko_mpesa_statement_row;
            CREATE TRIGGER soko_mpesa_statement_row_whole BEFORE TRUNCATE
                ON soko_mpesa_statement_row FOR EACH STATEMENT
                EXECUTE FUNCTION soko_mpesa_statement_row_guard();
        """)

    # === AS THE TOOLS SEE IT === #

    def _as_row(self):
        """:rtype: tools.statement.Row"""
        return st.Row(
            line=self.line, receipt=self.receipt, completed=self.completed_at,
            amount=self._get_decimal(), kind=self.kind, status=self.status,
            details=self.details or "", reason=self.reason or "", party=self.party or "",
            linked=self.linked or "", reference=self.reference or "",
        )

    def _get_decimal(self):
        return Decimal(f"{self.amount:.2f}")

    def _as_result(self):
        """Return the row in the form in which a status query answers."""
        return parse.StatusResult(
            readable=True, code="0", status=self.status, receipt=self.receipt,
            amount=abs(self._get_decimal()), party=self.party or "",
            description=self.env._(
                "Line %(line)s of M-Pesa's statement: %(details)s",
                line=self.line, details=self.details or self.reason or self.kind),
        )

    def _as_bytes(self):
        return json.dumps({
            "statement": self.statement_id.id, "file": self.statement_id.sha256,
            "line": self.line, "receipt": self.receipt, "status": self.status,
            "completed": fields.Datetime.to_string(self.completed_at),
            "amount": str(self._get_decimal()), "details": self.details, "party": self.party,
            **({"confirmed_by": self.confirmed_by.id} if self.confirmed_by else {}),
        }).encode()

    def _sort_by_time(self):
        return self.sorted(
            lambda row: (row.completed_at, st.RANK.get(row.kind, 9), row.line, row.id))

    # === APPLYING === #

    def _apply(self, plan):
        """Carry out what the row means. What the books refuse stays to be tried again.

        :param plan: tools.match.Plan
        """
        self.ensure_one()
        day = eat.day_of(self.completed_at)
        attempt = self.env["soko.mpesa.attempt"].with_context(soko_mpesa_day=day).browse(
            plan.payments[0].id if len(plan.payments) == 1 else [])
        row = self.with_context(soko_mpesa_day=day)
        if attempt:
            attempt._lock()
        row.write({"effect": plan.effect, "payout_id": attempt.payout_id.id, "note": False})
        getattr(row, f"_apply_{plan.effect}")(attempt)

    def _apply_confirm(self, attempt):
        """A payment of ours, seen on M-Pesa's own statement."""
        payout = attempt.payout_id
        account = self.account_id
        if not account._find_line(self.receipt, "payment"):
            payout._book()
        if not payout.statement_row_id:
            payout.statement_row_id = self
        self._link(account._find_line(self.receipt, "payment"), payout)

    def _apply_proof(self, attempt):
        """The statement proves a payment that was open."""
        attempt._hear_statement(self)
        if attempt.state == "paid":
            self._apply_confirm(attempt)
        else:
            self._apply_contradiction(attempt, heard=True)

    def _apply_late(self, attempt):
        """The statement proves a payment that was declared not paid."""
        self._apply_proof(attempt)
        self._list("late", self.env._(
            "%(payout)s was declared not paid, and M-Pesa has paid it. If the bill was paid "
            "again meanwhile, %(payee)s has been paid twice.",
            payout=attempt.payout_id.name, payee=attempt.payout_id.payee_name))

    def _apply_failure(self, attempt):
        """M-Pesa says that it failed: one voice. Not from who made the payment."""
        if attempt.payout_id.maker_id == self.statement_id.imported_by:
            self.write({"state": "ignored", "note": self.env._(
                "Who made a payment can't bring the proof that it failed: another person "
                "imports this statement as well.")})
            return
        attempt._hear_statement(self)
        self.state = "ignored"

    def _apply_contradiction(self, attempt, heard=False):
        """It names a payment of ours, and says something else about it."""
        payout = attempt.payout_id
        if self.kind == "payment" and not heard:
            attempt._hear_statement(self)
        elif not heard:
            payout._raise_exception(self.env._(
                "M-Pesa's statement has the reversal %(receipt)s of %(amount)s KES, which isn't "
                "the whole payment.", receipt=self.receipt, amount=self.amount))
        note = self.env._(
            "It names %(payout)s (%(amount)s KES to %(payee)s), but amount, number or receipt "
            "differ.", payout=payout.name, amount=payout.amount, payee=payout.payee_name)
        if payout.receipt == self.receipt:
            self.write({"state": "listed", "note": note})
        elif self.kind == "payment":
            self._book_to_payee(payout, note)
        else:
            self._book_to_clearing(note)
        self._list("contradiction", note)

    def _apply_twice(self, attempt):
        """M-Pesa paid one payment of ours twice."""
        payout = attempt.payout_id
        attempt._hear_statement(self)
        note = self.env._(
            "%(payout)s was paid with the receipt %(first)s already: %(payee)s has been paid "
            "twice and owes you %(amount)s KES.",
            payout=payout.name, first=payout.receipt, payee=payout.payee_name,
            amount=-self.amount)
        self._book_to_payee(payout, note)
        self._list("twice", note)

    def _apply_several(self, _attempt):
        note = self.env._(
            "It fits more than one payment, or another row fits the same one. Nothing is "
            "guessed: the status query or two persons decide, then try again.")
        self.write({"state": "listed", "note": note})
        self._list("several", note)

    def _apply_fee(self, attempt):
        """The charge of a payment of ours: what was estimated is corrected."""
        payout = attempt.payout_id
        before, source = payout.fee, payout.fee_source
        others = self.search([("payout_id", "=", payout.id), ("kind", "=", "fee"),
                              ("status", "=", "completed"), ("id", "!=", self.id),
                              ("state", "=", "booked")])
        total = -sum((row._get_decimal() for row in others), self._get_decimal())
        payout._note_fee(total, "statement")
        payout._book()
        lines = payout._get_fee_lines().filtered(
            lambda line: line.soko_mpesa_row_id.id in (False, self.id))
        self._link(lines, payout)
        if not others and source and self.currency_id.compare_amounts(before, float(total)):
            self._list("fee", self.env._(
                "M-Pesa charged %(fee)s KES for %(payout)s; %(before)s KES had been expected. The "
                "books are corrected.", fee=total, payout=payout.name, before=before,
            ), amount=before - float(total))

    def _apply_other_fee(self, _attempt):
        account = self.account_id
        account._ensure_book_accounts()
        self._book_on(account.fee_account_id)

    def _apply_top_up(self, _attempt):
        """Money from the company's bank: it waits where Odoo keeps transfers between banks."""
        account = self.account_id
        account._ensure_book_accounts()
        transfer = self.company_id.transfer_account_id or account.clearing_account_id
        self._book_on(transfer)

    def _apply_reversal(self, attempt):
        """M-Pesa took a payment back; its bill is open again, so one person can't say it alone."""
        payout = attempt.payout_id
        if doubt := self._find_reversal_doubt(payout):
            self._doubt_reversal(payout, doubt)
            return
        if self.receipt in (payout.exception_reason or ""):
            payout.exception_reason = False  # it was this doubt, and it is over
        attempt._hear_reversal(self)
        self._apply_reversed(attempt)

    def _apply_reversed(self, attempt):
        """The reversal is known; the row confirms it."""
        payout = attempt.payout_id
        if payout.reversal_receipt != self.receipt:
            self._apply_contradiction(attempt)
            return
        if not self.account_id._find_line(self.receipt, "reversal"):
            payout._book()
        self._link(self.account_id._find_line(self.receipt, "reversal"), payout)

    def _apply_stranger(self, _attempt):
        note = self.env._(
            "It is no payment of Odoo's: it was made in M-Pesa's portal, or money came in. It "
            "waits on the clearing account until somebody says what it is.")
        self._book_to_clearing(note)
        self._list("stranger", note)

    def _apply_ignored(self, _attempt):
        self.state = "ignored"

    # === DOUBTFUL REVERSALS === #

    def _find_reversal_doubt(self, payout):
        """Return why the row alone doesn't prove a reversal; empty when it does."""
        statement = self.statement_id
        if self.confirmed_by:
            return ""
        if payout.with_user(statement.imported_by)._find_person_objection():
            return self.env._(
                "%s, who imported it, made the payment, entered its number or is paid by it.",
                statement.imported_by.name)
        if not statement.sound:
            return self.env._("The statement doesn't add up.")
        if not self._has_own_payment(payout):
            return self.env._("No statement that was imported has the payment itself.")
        return ""

    def _has_own_payment(self, payout):
        """Whether M-Pesa's statement has the payment that the row takes back."""
        return bool(self.search_count([
            ("account_id", "=", self.account_id.id), ("receipt", "=", payout.receipt),
            ("kind", "=", st.PAYMENT), ("status", "=", st.COMPLETED),
            ("amount", "=", -payout.amount),
        ], limit=1))

    def _doubt_reversal(self, payout, doubt):
        """Book nothing and call a person, once; the payment stays paid."""
        is_news = self.state == "new"
        note = self.env._(
            "M-Pesa's statement has the reversal %(receipt)s of %(payout)s, and that isn't "
            "proven: %(doubt)s Look %(payment)s up in the M-Pesa portal. If it was taken back, an "
            "approver who neither imported this statement nor made the payment opens the row and "
            "presses Try again. If not, ask where the file comes from.",
            receipt=self.receipt, payout=payout.name, doubt=doubt, payment=payout.receipt)
        self.write({"state": "listed", "note": note})
        self._list("contradiction", note)
        if is_news:
            payout._raise_exception(note)

    def _confirm_reversals(self):
        """Note the present user as the second person of those doubtful reversals that she may
        confirm: as an approver who neither imported the statement nor has to do with the payment.
        """
        user = self.env.user
        if not user.has_group(APPROVER):
            return
        for row in self.filtered(lambda row: (row.effect, row.state) == ("reversal", "listed")):
            importer = row.statement_id.imported_by
            if user == importer or user.partner_id == importer.partner_id:
                continue
            if not row.payout_id._find_person_objection():
                row.confirmed_by = user

    # === HELPERS === #

    def _get_label(self):
        return {"payment_ref": " ".join(filter(None, (self.receipt, self.details or self.reason)))}

    def _book_to_payee(self, payout, note):
        """Money went to the payee without a bill of theirs: they owe it."""
        self._book_on(payout.payment_id.destination_account_id, note=note,
                      partner_id=payout.partner_id.id)

    def _book_to_clearing(self, note):
        account = self.account_id
        account._ensure_book_accounts()
        self._book_on(account.clearing_account_id, "unmatched", note, partner_name=self.party)

    def _book_on(self, counterpart, state="booked", note=False, **values):
        """Book the row by itself, unless the books refuse."""
        try:
            with self.env.cr.savepoint():
                line = self.account_id._book_line(
                    self.receipt, self.kind, self._get_decimal(), counterpart,
                    **{**self._get_label(), **values})
        except UserError as error:
            self._fail(str(error))
            return
        self._link(line, state=state, note=note)

    def _clear_to(self, counterpart, partner, note):
        """Carry what waits on the clearing account over to where it belongs.

        :param counterpart: account.account
        :param partner: res.partner, or empty
        :param str note: what it was
        """
        self.lock_for_update(allow_referencing=True)
        account = self.account_id
        waiting = self.bank_line_ids.move_id.line_ids.filtered(
            lambda item: item.account_id == account.clearing_account_id and not item.reconciled)
        if self.state != "unmatched" or not waiting or counterpart == account.clearing_account_id:
            raise UserError(self.env._("%s doesn't wait to be cleared.", self.receipt))
        account._clear(waiting, counterpart, partner, f"{self.receipt} {note}")
        self.write({"state": "booked", "note": note})

    def _link(self, lines, payout=None, state="booked", note=False):
        """Tie the row to the bank statement lines that book it; they must be its amount."""
        booked = sum((Decimal(f"{line.amount:.2f}") for line in lines), Decimal(0))
        if not lines:
            self._fail(payout and payout.booking_error or self.env._("It isn't booked yet."))
        elif booked != self._get_decimal() or lines.soko_mpesa_row_id not in (self, self.browse()):
            self._fail(self.env._(
                "It is booked with %(booked)s KES and stands on the statement with %(amount)s "
                "KES.", booked=booked, amount=self._get_decimal()))
        else:
            lines.soko_mpesa_row_id = self
            self.write({"state": state, "note": note or self.note})

    def _fail(self, reason):
        note = self.env._("The books refused it: %s", reason)
        self.write({"state": "failed", "note": note})
        self._list("failed", note)

    def _list(self, kind, reason, amount=None):
        self.statement_id._list(
            kind, reason, receipt=self.receipt, row_id=self.id, payout_id=self.payout_id.id,
            amount=self.amount if amount is None else amount)

    # === ACTION METHODS === #

    def action_try_again(self):
        """Work out once more what rows mean that needed a person or that the books refused.

        A doubtful reversal is believed when another person than the importer does so.
        """
        self.env["soko.mpesa.statement"]._check_may_import()
        self.check_access("read")
        # sudo: people can't write rows; what they mean is worked out, the right was checked
        for rows in self.sudo().grouped("account_id").values():
            rows._confirm_reversals()
            rows.filtered(lambda row: row.state in ("listed", "failed"))._work_out()

    def _work_out(self):
        """Apply these rows of one account, in the order of time."""
        rows = self._sort_by_time()
        matcher = rows.account_id._get_matcher([row._as_row() for row in rows])
        for row in rows:
            row._apply(matcher.plan(row._as_row()))

