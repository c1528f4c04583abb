import base64
from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError

from ..const import LOCK_TIMEOUT_MS
from ..tools import names, parse, proof, waiting
from ..tools import verdict as verdicts

# States of attempts that a first positive result makes paid.
OPEN = ("sending", "accepted", "unknown")


class NotTogether(Exception):
    """These results can't be applied together; alone, each may."""


class SokoMpesaPayoutTogether(models.AbstractModel):
    """Many plain successes applied at once, with the outcome that each has alone.

    What is applied here is the everyday case and nothing else: the only letter of its attempt in
    the batch, a success that proves an attempt which is still open, of a payout with no exception,
    no earlier booking and no name that differs. `_hear_together` takes those out of the letters
    given and leaves all others to the way of one by one.

    The caller owns the transaction. Whatever is raised here, he rolls all of it back and applies
    each letter alone: nothing is caught on the way, so that no half of a batch can stay. The order
    of the locks is the one of `soko.mpesa.attempt._lock`, payouts before attempts, each by id, so
    that two that lock can't wait for each other.

    The writes are those of `_hear_result`, `_become_paid`, `_on_paid` and `_enter_books`, in that
    order, each once for all: who changes one of them changes it here, and the test that compares
    both ways tells who forgets.
    """

    _name = "soko.mpesa.payout.together"
    _description = "M-Pesa payout: results applied together"

    def _hear_together(self, letters):
        """Apply those of these letters that can be applied together. Doesn't commit.

        :param letters: soko.mpesa.inbox, locked, each the only one of its attempt
        :return: the letters that were applied
        :raise Exception: of any kind; then the transaction has to be rolled back
        """
        attempts = letters.callback_id.attempt_id
        self._lock_together(attempts)
        heard = self._choose_together(letters)
        if len(heard) < 2:
            return letters.browse()
        self._keep_together(heard)
        proven = attempts.browse([attempt.id for attempt in heard])
        if any(attempt._decide() != "paid" for attempt in proven):
            raise NotTogether
        for attempt in proven:
            attempt.receipt = heard[attempt][2].receipt
        # the states at once: to look for what follows from a state costs more than to write it
        proven._set_state("paid", next_query_at=False, lease_owner=False, lease_until=False)
        payouts = proven.payout_id
        payouts.write({"paid_at": fields.Datetime.now(), "paid_late": False})
        payouts.flush_recordset()
        payouts._book_together()
        for payout in payouts:
            payout._text_receipt()
        self._name_together(heard)
        return letters.browse([letter.id for letter, _raw, _result in heard.values()])

    def _lock_together(self, attempts):
        cr = self.env.cr
        cr.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        for table, ids in (
            ("soko_mpesa_payout", attempts.payout_id.ids), ("soko_mpesa_attempt", attempts.ids),
        ):
            cr.execute(
                f"SELECT id FROM {table} WHERE id IN %s ORDER BY id FOR NO KEY UPDATE",
                [tuple(ids)])
        self.env.invalidate_all()

    # === CHOOSING === #

    def _choose_together(self, letters):
        """Return {attempt: (letter, body, result)} of the everyday case."""
        read = {}
        for letter in letters.with_context(bin_size=False):
            raw = base64.b64decode(letter.raw or b"")
            read[letter.callback_id.attempt_id] = (letter, raw, parse.parse_payment_result(raw))
        receipts = [result.receipt for _letter, _raw, result in read.values() if result.receipt]
        taken = self._find_taken(
            receipts, letters.callback_id.attempt_id.account_id.journal_id)
        return {
            attempt: one for attempt, one in read.items()
            if one[2].receipt not in taken and attempt.payout_id._is_everyday(attempt, one[2])
        }

    def _find_taken(self, receipts, journals):
        """Return those of these receipts that somebody has, that are booked or that came twice."""
        taken = {receipt for receipt in receipts if receipts.count(receipt) > 1}
        known = self.env["soko.mpesa.attempt"].search([("receipt", "in", receipts)])
        taken |= set(known.mapped("receipt"))
        make_key = self.env["soko.mpesa.account"]._make_key
        booked = self.env["account.bank.statement.line"].search([
            ("journal_id", "in", journals.ids), ("soko_mpesa_key", "in", [
                make_key(receipt, kind) for receipt in receipts for kind in ("payment", "fee")]),
        ])
        return taken | {line.soko_mpesa_key.split("/")[0] for line in booked}

    def _is_everyday(self, attempt, result):
        """Whether `result` proves this payout's open attempt and nothing about it is special."""
        expected = verdicts.Expected(
            attempt.originator_id, self.amount, self.msisdn,
            lambda _receipt: bool(attempt.receipt))  # of others: see _find_taken
        payment = self.payment_id
        in_flight, _counterpart, _writeoff = payment._seek_for_lines()
        return (
            verdicts.of_result(result, expected) == proof.POSITIVE
            and attempt.state in OPEN and len(self.attempt_ids) == 1
            and not (self.exception_reason or self.booking_error or self.reversal_receipt
                     or self.paid_at or self.fee_source)
            and not attempt.account_id._was_tried_by(attempt)
            and payment.state == "in_process" and len(in_flight) == 1
            and not in_flight.reconciled
            and names.compare(names.split_party(result.party), self._get_known_name())
            != names.MISMATCH
        )

    # === APPLYING === #

    def _keep_together(self, heard):
        evidence = self.env["soko.mpesa.evidence"]
        evidence._add_all([
            evidence._prepare(
                attempt, "result", "callback", proof.POSITIVE, raw, **attempt._get_facts(result),
                callback_id=letter.callback_id.id, source_address=letter.source_address)
            for attempt, (letter, raw, result) in heard.items()
        ])

    def _book_together(self):
        """Book the payments and their fees, and match each with its entry in flight.

        :raise Exception: the books refuse one of them
        """
        lines, plan = [], []
        for payout in self:
            payment = payout.payment_id
            payment.payment_reference = payout.receipt
            in_flight, _counterpart, _writeoff = payment._seek_for_lines()
            if in_flight.reconciled:
                raise NotTogether
            plan.append((len(lines), in_flight))
            lines.append(payment._soko_mpesa_prepare_statement_line(
                payout.receipt, in_flight.account_id))
            lines += payout._prepare_fee_lines()
        made = self.env["account.bank.statement.line"].create(lines)
        items = []
        for index, in_flight in plan:
            item = made[index].move_id.line_ids.filtered(
                lambda item, account=in_flight.account_id: item.account_id == account)
            items.append(in_flight | item)
        self.env["account.move.line"]._reconcile_plan(items)
        for _index, in_flight in plan:
            if not in_flight.reconciled:
                raise UserError(self.env._("%s stays open.", in_flight.display_name))

    def _prepare_fee_lines(self):
        """Return the values of the line of the fee, which nobody has booked; none for nothing."""
        account = self.account_id
        self._note_fee(account._get_fee(self.amount), "tariff")
        fee = Decimal(f"{self.fee:.2f}")
        if not self.fee_source or not fee:
            return []
        account._ensure_book_accounts()
        return [account._prepare_line(
            self.receipt, "fee", -fee, account.fee_account_id,
            payment_ref=self.env._("M-Pesa charge for %s", self.receipt))]

    def _name_together(self, heard):
        banks = self.browse([attempt.payout_id.id for attempt in heard]).partner_bank_id
        for attempt, (_letter, _raw, result) in heard.items():
            payout = attempt.payout_id
            payout.name_check = names.compare(
                names.split_party(result.party), payout._get_known_name())
        if self.search_count([
            ("partner_bank_id", "in", banks.ids), ("state", "=", "held"),
            ("hold_code", "=", waiting.FIRST),
        ], limit=1):
            self._recheck_soon()
