from odoo.tests import tagged

from ..tools import invariants
from .common import MpesaCase
from .fake_daraja import payment_result, status_result

PAYOUT, ATTEMPT, EVIDENCE = (
    f"ALTER TABLE soko_mpesa_{table} DISABLE TRIGGER USER"
    for table in ("payout", "attempt", "evidence")
)
COPY_ATTEMPT = """
    INSERT INTO soko_mpesa_attempt (payout_id, account_id, company_id, number, originator_id, state,
                                    request_sha256, send_count, sent_at, receipt, create_date)
    SELECT payout_id, account_id, company_id, number + 1, 'ZZZZZZZZZZZZZZZZZZZZ', {state},
           request_sha256, 1, sent_at, {receipt}, {born}
      FROM soko_mpesa_attempt WHERE payout_id = %({payout})s
"""
SWEPT = """
    UPDATE ir_cron SET lastcall = now() AT TIME ZONE 'UTC'
     WHERE id = (SELECT res_id FROM ir_model_data
                  WHERE module = 'soko_mpesa' AND name = 'ir_cron_sweep')
"""
LIVE_INDEX = "DROP INDEX soko_mpesa_attempt_live_uniq"
ALTER_AMOUNT = "ALTER TABLE soko_mpesa_payout DROP CONSTRAINT soko_mpesa_payout_amount_range"


def second_attempt(payout, state="'paid'", receipt="'SGX0000000'", born="now()"):
    """:return: SQL that gives a payout another attempt"""
    return COPY_ATTEMPT.format(payout=payout, state=state, receipt=receipt, born=born)


# invariant: the ways to break it, each a list of statements
SABOTAGE = {
    "I-1 one proven payment a payment": [
        [ATTEMPT, LIVE_INDEX, second_attempt("paid")],
    ],
    "I-2 one live attempt a payout": [
        [ATTEMPT, LIVE_INDEX, second_attempt("flying", "'prepared'", "NULL")],
    ],
    "I-3 the database refuses what must be unique, or out of bounds": [
        [LIVE_INDEX],
        ["DROP INDEX soko_mpesa_attempt_receipt_uniq"],
        ["ALTER TABLE soko_mpesa_payout DROP CONSTRAINT soko_mpesa_payout_two_persons"],
    ],
    "I-4 payee by payee, payments and payouts are equal": [
        [PAYOUT, "UPDATE soko_mpesa_payout SET amount = amount + 1 WHERE id = %(paid)s"],
        ["UPDATE account_move_line SET amount_currency = amount_currency - 1 WHERE credit > 0 "
         "AND move_id = (SELECT p.move_id FROM account_payment p WHERE p.id = %(payment)s)"],
    ],
    "I-5 the entry of each payout is whole, and settled when it is proven": [
        ["UPDATE account_move_line SET parent_state = 'draft' WHERE move_id = "
         "(SELECT move_id FROM account_payment WHERE id = %(payment)s)"],
        ["UPDATE account_move_line SET amount_residual_currency = -5 WHERE credit > 0 AND "
         "move_id = (SELECT move_id FROM account_payment WHERE id = %(payment)s)"],
        ["UPDATE account_move_line SET amount_residual_currency = -5 WHERE credit > 0 AND "
         "move_id = (SELECT p.move_id FROM account_payment p JOIN soko_mpesa_payout o ON "
         "o.payment_id = p.id WHERE o.id = %(failed)s)"],
        ["UPDATE account_payment SET move_id = NULL WHERE id = %(payment)s"],
    ],
    "I-9 what is paid has a receipt and the payment carries it": [
        ["UPDATE account_payment SET payment_reference = 'other' WHERE id = %(payment)s"],
        ["UPDATE account_payment SET state = 'in_process' WHERE id = %(payment)s"],
        ["UPDATE soko_mpesa_attempt SET receipt = NULL WHERE payout_id = %(paid)s"],
    ],
    "I-9 no payment is paid or rejected without proof": [
        ["UPDATE account_payment SET state = 'paid' WHERE id = "
         "(SELECT payment_id FROM soko_mpesa_payout WHERE id = %(flying)s)"],
        ["UPDATE account_payment SET state = 'rejected' WHERE id = "
         "(SELECT payment_id FROM soko_mpesa_payout WHERE id = %(flying)s)"],
        ["UPDATE account_payment SET state = 'rejected' WHERE id = %(payment)s"],
    ],
    "I-9 what is proven paid is not waited for": [
        [ATTEMPT, "UPDATE soko_mpesa_attempt SET state = 'unknown' WHERE payout_id = %(paid)s"],
    ],
    "I-9 payout state follows from its facts": [
        ["UPDATE soko_mpesa_payout SET state = 'failed' WHERE id = %(flying)s"],
        ["UPDATE soko_mpesa_payout SET state = 'in_flight' WHERE id = %(paid)s"],
        ["UPDATE soko_mpesa_payout SET hold_reason = 'x', state = 'held' WHERE id = %(flying)s"],
    ],
    "I-10 what is paid has positive evidence with its receipt, amount and payee": [
        [EVIDENCE, "DELETE FROM soko_mpesa_evidence WHERE payout_id = %(paid)s"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET amount = '15' WHERE payout_id = %(paid)s"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET amount = 'x' WHERE payout_id = %(paid)s"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET party = '254711111111 - X' "
                   "WHERE payout_id = %(paid)s"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET party = '2547*****042 - X' "
                   "WHERE payout_id = %(paid)s"],
        ["UPDATE soko_mpesa_attempt SET receipt = 'SGX0000000' WHERE payout_id = %(paid)s"],
    ],
    "I-11 what is not paid has two voices against it": [
        [EVIDENCE, "DELETE FROM soko_mpesa_evidence "
                   "WHERE payout_id = %(failed)s AND kind = 'status'"],
        [ATTEMPT, "UPDATE soko_mpesa_attempt SET state = 'not_paid' WHERE payout_id = %(flying)s"],
    ],
    "I-11 a second attempt begins after the first is final": [
        [ATTEMPT, LIVE_INDEX, second_attempt("flying", "'prepared'", "NULL")],
        [ATTEMPT, second_attempt("failed", "'prepared'", "NULL", "now() - interval '1 hour'")],
    ],
    "I-12 no claim outlives its lease for long": [
        [ATTEMPT, SWEPT, "UPDATE soko_mpesa_attempt SET state = 'sending', lease_until = (now() "
         "AT TIME ZONE 'UTC') - interval '11 minutes' WHERE payout_id = %(flying)s"],
        [ATTEMPT, "UPDATE soko_mpesa_attempt SET state = 'sending', lease_until = (now() "
         "AT TIME ZONE 'UTC') - interval '3 hours' WHERE payout_id = %(flying)s"],
        [ATTEMPT, "UPDATE soko_mpesa_attempt SET state = 'sending', lease_until = NULL "
         "WHERE payout_id = %(flying)s"],
    ],
    "I-12 what is unknown for a day has somebody's task": [
        [SWEPT, "UPDATE soko_mpesa_attempt SET sent_at = sent_at - interval '27 hours' "
         "WHERE payout_id = %(flying)s",
         "UPDATE soko_mpesa_payout SET write_date = write_date - interval '2 hours' "
         "WHERE id = %(flying)s"],
    ],
    "I-13 two persons, and the approved content": [
        ["ALTER TABLE soko_mpesa_payout DROP CONSTRAINT soko_mpesa_payout_two_persons",
         "UPDATE soko_mpesa_payout SET approver_id = maker_id WHERE id = %(paid)s"],
        ["UPDATE soko_mpesa_payout SET approved_hash = NULL WHERE id = %(paid)s"],
    ],
    "I-13 nothing is sent that nobody approved": [
        ["UPDATE soko_mpesa_payout SET approved_at = NULL WHERE id = %(flying)s"],
    ],
    "I-14 what was sent has the digest of its request": [
        ["UPDATE soko_mpesa_attempt SET request_sha256 = NULL WHERE payout_id = %(paid)s"],
        ["UPDATE soko_mpesa_attempt SET send_count = 0 WHERE payout_id = %(flying)s"],
    ],
    "I-15 the guards of the database are there": [
        [PAYOUT], [ATTEMPT], [EVIDENCE],
        ["DROP TRIGGER soko_mpesa_evidence_whole ON soko_mpesa_evidence"],
        ["DROP TRIGGER soko_mpesa_evidence_link ON soko_mpesa_evidence"],
    ],
    "I-15 evidence is as it was written": [
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET verdict = 'positive' WHERE payout_id = "
                   "%(flying)s"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET raw = '' WHERE payout_id = %(flying)s"],
        [EVIDENCE, "DELETE FROM soko_mpesa_evidence WHERE id = (SELECT min(id) FROM "
                   "soko_mpesa_evidence WHERE payout_id = %(paid)s)"],
        [EVIDENCE, "UPDATE soko_mpesa_evidence SET chain = NULL WHERE id = (SELECT max(id) FROM "
                   "soko_mpesa_evidence WHERE payout_id = %(paid)s)"],
    ],
    "I-15 no evidence is missing": [
        [EVIDENCE, "DELETE FROM soko_mpesa_evidence WHERE id = (SELECT max(id) FROM "
                   "soko_mpesa_evidence WHERE payout_id = %(paid)s)"],
        [EVIDENCE, "DELETE FROM soko_mpesa_evidence WHERE payout_id = %(flying)s"],
    ],
    "I-16 whole shillings within the limits": [
        [PAYOUT, ALTER_AMOUNT, "UPDATE soko_mpesa_payout SET amount = 9 WHERE id = %(paid)s"],
        ["UPDATE account_payment SET amount = amount + 0.5 WHERE id = %(payment)s"],
    ],
    "I-16 no money in a floating-point column": [
        ["ALTER TABLE soko_mpesa_payout ADD COLUMN fee_total double precision"],
    ],
    "I-17 every payment that was handed over has its payout": [
        [PAYOUT, "UPDATE soko_mpesa_payout SET cancelled_at = now() WHERE id = %(flying)s"],
    ],
    "I-19 what is paid left the bank journal, to the shilling": [
        ["UPDATE account_partial_reconcile SET credit_amount_currency = 1499 WHERE "
         "credit_move_id IN (SELECT l.id FROM account_move_line l JOIN account_payment p ON "
         "p.move_id = l.move_id WHERE p.id = %(payment)s)"],
        ["UPDATE account_move SET statement_line_id = NULL WHERE statement_line_id IS NOT NULL"],
    ],
    "carried cents of a payee are never negative": [
        ["UPDATE soko_mpesa_account SET remainder_account_id = (SELECT l.account_id "
         "FROM account_move_line l JOIN account_move m ON m.id = l.move_id "
         "JOIN soko_mpesa_payout p ON p.partner_id = l.partner_id "
         "WHERE m.move_type = 'in_invoice' AND m.state = 'posted' AND l.amount_currency > 0 "
         "LIMIT 1)"],
    ],
}


@tagged("post_install", "-at_install", "mpesa")
class TestInvariants(MpesaCase):
    """A checker that never failed proves nothing: each invariant is broken on purpose."""

    def fly(self, amount):
        _bill, payment, payout = self.make_payout(amount)
        self.send()
        return payment, payout, self.daraja.payments[-1]

    def make_three(self):
        """:return: (names for the queries) of a paid, a failed and a flying payout"""
        payment, paid, request = self.fly(1500)
        self.post(request["ResultURL"], payment_result(request))
        _payment, failed, request = self.fly(700)
        self.post(request["ResultURL"], payment_result(request, code=4))
        failed.attempt_ids._query_soon()
        self.ask()
        asked = [query for query in self.daraja.queries
                 if query["OriginalConversationID"] == request["OriginatorConversationID"]]
        self.post(asked[-1]["ResultURL"], status_result(request, "Declined"))
        _payment, flying, _request = self.fly(300)
        self.assertEqual((paid.state, failed.state, flying.state), ("paid", "failed", "in_flight"))
        return {"paid": paid.id, "failed": failed.id, "flying": flying.id, "payment": payment.id}

    def broken_by(self, statements, names, thorough):
        """:return: what the audit finds after `statements`, which are undone again"""
        self.env.flush_all()
        savepoint = self.cr.savepoint(flush=False)
        try:
            for statement in statements:
                self.cr.execute(statement, names if "%(" in statement else None)
            self.env.invalidate_all(flush=False)
            return self.env["soko.mpesa.payout"]._invariant_violations(thorough)
        finally:
            savepoint.rollback()
            savepoint.close(rollback=False)
            self.env.invalidate_all(flush=False)

    def test_each_is_seen_broken(self):
        names = self.make_three()
        self.assertNoViolation()
        for invariant, ways in SABOTAGE.items():
            for statements in ways:
                with self.subTest(invariant=invariant, last=statements[-1]):
                    self.assertIn(invariant, self.broken_by(statements, names, False))
                    self.assertIn(invariant, self.broken_by(statements, names, True))
        self.assertNoViolation()

    def test_none_is_left_out(self):
        known = {*invariants.queries(), "I-9 payout state follows from its facts"}
        self.assertEqual(known, set(SABOTAGE))

    def test_what_is_old_is_seen_by_the_thorough_audit(self):
        """Out of the quick look's scope each scoped rule is silent; the daily one sees all."""
        names = self.make_three()
        self.patch(invariants, "SCOPES", dict.fromkeys(invariants.SCOPES, "FALSE"))
        for invariant in (*invariants.SCOPED, "I-9 payout state follows from its facts"):
            with self.subTest(invariant=invariant):
                statements = SABOTAGE[invariant][0]
                self.assertNotIn(invariant, self.broken_by(statements, names, False))
                self.assertIn(invariant, self.broken_by(statements, names, True))

    def test_an_old_payout_that_changed_is_looked_at(self):
        names = self.make_three()
        self.patch(invariants, "SCOPES", {**invariants.SCOPES, "scope": invariants.SCOPES[
            "scope"].replace(f"- {invariants.NEWEST} ", "+ 0 ")})
        name, touch = "I-9 what is paid has a receipt and the payment carries it", (
            "UPDATE soko_mpesa_payout SET write_date = (now() AT TIME ZONE 'UTC') - "
            "interval '{} minutes'")
        statements = SABOTAGE[name][0]
        self.assertIn(name, self.broken_by([touch.format(50), *statements], names, False))
        self.assertNotIn(name, self.broken_by([touch.format(70), *statements], names, False))

    def test_unfinished(self):
        self.make_three()
        self.assertEqual(list(self.env["soko.mpesa.payout"]._unfinished()),
                         ["I-18 every attempt is final"])
        token = self.daraja.payments[-1]["ResultURL"].rsplit("/", 1)[1]
        self.env["soko.mpesa.inbox"]._store("payout", token, b"{}", "127.0.0.1")
        self.assertEqual(len(self.env["soko.mpesa.payout"]._unfinished()), 2)

    def test_no_false_alarm_while_people_work(self):
        """Held, withdrawn, changed, resolved, archived: none of it is a violation."""
        _payment, payout, request = self.fly(500)
        self.post(request["ResultURL"], payment_result(request, amount=400))
        self.assertEqual(payout.state, "exception")
        self.assertNoViolation()
        payout.with_user(self.approver).action_resolve()
        self.assertEqual(payout.state, "in_flight")
        self.assertNoViolation()
        self.account.with_user(self.manager).action_resume()
        self.post(request["ResultURL"], payment_result(request, "SG00000001"))
        self.assertEqual(payout.state, "paid")
        _bill, _payment, held = self.make_payout(100)
        held.with_user(self.maker).action_hold()
        _bill, payment, _withdrawn = self.make_payout(100)
        payment.with_user(self.maker).action_draft()
        payment.with_user(self.maker).action_post()
        self.assertNoViolation()
        self.bank.with_user(self.maker).write({"acc_number": "0711 000 042"})
        self.archive_account()
        self.payee.active = False
        self.assertNoViolation()

    def test_late_success_is_booked_on_the_payee(self):
        bill, payment, payout = self.make_payout(900)
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, code=4))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Expired"))
        self.assertEqual((payout.state, bill.payment_state), ("failed", "not_paid"))
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payout.paid_late), ("exception", True))
        line = self.env["account.bank.statement.line"].search(
            [("payment_ref", "=", "SG632NMUAB"), ("journal_id", "=", payment.journal_id.id)])
        self.assertEqual(line.amount, -900)
        owed = line.move_id.line_ids.filtered(lambda item: item.debit)
        self.assertEqual((owed.account_id, owed.partner_id),
                         (payment.destination_account_id, self.payee))
        self.assertEqual(bill.payment_state, "paid", "it was still open, so this pays it")
        self.assertNoViolation()
        payout.with_user(self.approver).action_resolve()
        self.assertEqual(payout.state, "paid")
        self.assertNoViolation()

    def test_refused_books_are_tried_again_when_resolved(self):
        _bill, payment, payout = self.make_payout(900)
        self.send()
        request = self.daraja.payments[-1]

        def refuse(_payment, _receipt):
            raise ValueError("locked")
        model = self.registry["account.payment"]
        real = model._soko_mpesa_settle
        self.patch(model, "_soko_mpesa_settle", refuse)
        with self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payment.state), ("exception", "in_process"))
        self.patch(model, "_soko_mpesa_settle", real)
        payout.with_user(self.approver).action_resolve()
        self.assertEqual((payout.state, payment.state), ("paid", "paid"))
        self.assertNoViolation()
