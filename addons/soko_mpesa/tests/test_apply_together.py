from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .fake_daraja import payment_result
from .test_run import RunCase


@tagged("post_install", "-at_install", "mpesa")
class TestApplyTogether(RunCase):
    """Results that are applied many at once end as those that are applied alone."""

    def setUp(self):
        super().setUp()
        self.taken = 100
        for module in ("attempt", "inbox"):  # a slow machine ends no pass early
            self.startPatcher(patch(
                f"odoo.addons.soko_mpesa.models.soko_mpesa_{module}.PASS_BUDGET", 3600))

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    # === HELPERS === #

    def make_sent(self, count):
        """:return: the payouts of `count` payees, sent, in the order of the requests"""
        partners = self.make_payees(count, self.taken)
        self.taken += count
        self.make_bills(partners)
        self.make_run().action_confirm()
        self.work()
        self.daraja.payments.clear()
        self.send()
        self.env.invalidate_all()
        attempts = self.env["soko.mpesa.attempt"]
        return attempts.browse([
            attempts.search([
                ("originator_id", "=", request["OriginatorConversationID"])]).id
            for request in self.daraja.payments
        ]).payout_id

    def letter_of(self, number, **changes):
        """:return: (address, body) of the result of the request with this number"""
        request = self.daraja.payments[number]
        name = self.env["soko.mpesa.payout"].search(
            [("msisdn", "=", request["PartyB"])], limit=1).payee_name
        changes = {"party": f"{request['PartyB']} - {name}", **changes}
        receipt = changes.pop("receipt", f"SG{request['PartyB'][-8:]}")
        return request["ResultURL"], payment_result(request, receipt=receipt, **changes)

    def store(self, *letters):
        """:return: soko.mpesa.inbox of these (address, body)"""
        inbox = self.env["soko.mpesa.inbox"]
        before = inbox.search([])
        for url, raw in letters:
            inbox._store(*url.split("/")[-2:], raw, "127.0.0.1")
        return (inbox.search([]) - before).sorted("id")

    def apply(self):
        res = super().apply()
        self.env.invalidate_all()
        return res

    def count_applying(self, count):
        self.make_sent(count)
        self.store(*map(self.letter_of, range(count)))
        before = self.cr.sql_log_count
        self.apply()
        return self.cr.sql_log_count - before

    def outcome_of(self, payout):
        """What must be alike whichever way the result was applied; names of payees left out."""
        lines = self.env["account.bank.statement.line"].search(
            [("soko_mpesa_key", "=like", f"{payout.receipt}/%")], order="id")
        bill = payout._get_bills()
        return {
            "payout": (payout.state, payout.receipt == f"SG{payout.msisdn[-8:]}",
                       payout.fee, payout.fee_source, payout.name_check, payout.paid_late,
                       bool(payout.paid_at), payout.booking_error, payout.exception_reason),
            "attempt": (payout.attempt_ids.state, payout.attempt_ids.next_query_at,
                        payout.attempt_ids.lease_until),
            "evidence": [(e.kind, e.channel, e.verdict, e.code, e.amount, e.source_address,
                          bool(e.chain)) for e in payout.evidence_ids],
            "chained": payout.attempt_ids.evidence_chain == payout.evidence_ids[:1].chain,
            "payment": (payout.payment_id.state, payout.payment_id.payment_reference
                        == payout.receipt, payout.payment_id.is_matched),
            "bill": (bill.payment_state, bill.amount_residual),
            "lines": [(line.soko_mpesa_key.split("/")[1], line.amount, line.is_reconciled,
                       line.date, line.partner_id == payout.partner_id) for line in lines],
            "messages": sorted(str(value.new_value_char) for value in
                               payout.message_ids.sudo().tracking_value_ids),
            "tasks": len(payout.activity_ids),
        }

    # === TESTS === #

    def test_outcome_is_that_of_one_by_one(self):
        payouts = self.make_sent(4)
        inbox = self.registry["soko.mpesa.inbox"]
        self.store(*map(self.letter_of, (0, 1)))
        with patch.object(inbox, "_apply_together", lambda letters: letters.browse()):
            self.apply()
        self.store(*map(self.letter_of, (2, 3)))
        with patch.object(inbox, "_apply", lambda letter: self.fail("it was applied alone")):
            self.apply()
        alone, *others = map(self.outcome_of, payouts)
        self.assertEqual(alone["payout"][0], "paid")
        self.assertEqual(alone["bill"], ("paid", 0))
        self.assertTrue(alone["lines"])
        for other in others:
            self.assertEqual(other, alone)

    def test_statements_of_many(self):
        self.count_applying(2)  # warm
        few, many = self.count_applying(5), self.count_applying(20)
        self.assertLessEqual((many - few) / 15, 45)

    def test_a_bad_letter_does_not_hold_the_others(self):
        payouts = self.make_sent(10)
        letters = self.store(*(
            self.letter_of(number, **({"amount": 99} if number == 4 else {}))
            for number in range(10)))
        self.apply()
        self.assertEqual(set(letters.mapped("state")), {"applied"})
        self.assertEqual(payouts[4].state, "exception")
        self.assertEqual(set((payouts - payouts[4]).mapped("state")), {"paid"})

    def test_a_payment_that_the_books_refuse_does_not_hold_the_others(self):
        payouts = self.make_sent(10)
        self.store(*map(self.letter_of, range(10)))
        refused = payouts[4].payment_id
        payments = self.registry["account.payment"]
        prepare = payments._soko_mpesa_prepare_statement_line

        def refuse(payment, *args):
            if payment.id == refused.id:
                raise UserError("The period is locked.")
            return prepare(payment, *args)

        with patch.object(payments, "_soko_mpesa_prepare_statement_line", refuse), \
                mute_logger("odoo.addons.soko_mpesa.models.soko_mpesa_payout"):
            self.apply()
        self.assertEqual(payouts[4].state, "exception")
        self.assertIn("The period is locked.", payouts[4].booking_error)
        self.assertEqual(payouts[4].attempt_ids.state, "paid", "the proof stays")
        self.assertEqual(set((payouts - payouts[4]).payment_id.mapped("state")), {"paid"})
        payouts[4]._book()
        self.assertEqual((payouts[4].state, refused.state), ("paid", "paid"))

    def test_a_letter_that_raises_fails_alone(self):
        payouts = self.make_sent(4)
        letters = self.store(*map(self.letter_of, range(4)))
        attempts = self.registry["soko.mpesa.attempt"]
        decide = attempts._decide

        def breaks(attempt):
            if attempt.payout_id.id == payouts[1].id:
                raise ValueError("unheard of")
            return decide(attempt)

        with patch.object(attempts, "_decide", breaks), \
                mute_logger("odoo.addons.soko_mpesa.models.soko_mpesa_inbox"):
            self.apply()
        self.assertEqual(letters.mapped("state"), ["applied", "failed", "applied", "applied"])
        self.assertEqual(payouts.mapped("state"), ["paid", "in_flight", "paid", "paid"])
        self.assertFalse(payouts[1].evidence_ids.filtered(lambda e: e.kind == "result"))

    def test_a_crash_leaves_all_new(self):
        payouts = self.make_sent(3)
        letters = self.store(*map(self.letter_of, range(3)))
        payments = self.registry["soko.mpesa.payout"]
        book = payments._book_together

        def dies(self):
            book(self)
            self.env.flush_all()
            raise SystemExit  # as a worker that is told to go

        with patch.object(payments, "_book_together", dies), self.assertRaises(SystemExit), \
                self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr, user=self.env.ref("base.user_root"))["soko.mpesa.inbox"]._cron_apply()
        self.env.invalidate_all()
        self.assertEqual(set(letters.mapped("state")), {"new"})
        self.assertEqual(set(payouts.mapped("state")), {"in_flight"})
        self.assertFalse(payouts.evidence_ids.filtered(lambda e: e.kind == "result"))
        self.apply()
        self.assertEqual(set(payouts.mapped("state")), {"paid"})

    def test_letters_that_another_worker_holds(self):
        payouts = self.make_sent(3)
        letters = self.store(*map(self.letter_of, range(3)))
        inbox = self.registry["soko.mpesa.inbox"]
        lock = inbox.try_lock_for_update

        def held(self, **kwargs):
            return lock(self, **kwargs).filtered(lambda letter: letter.id != letters[0].id)

        with patch.object(inbox, "try_lock_for_update", held):
            self.apply()
        self.assertEqual(letters.mapped("state"), ["new", "applied", "applied"])
        self.assertEqual(payouts.mapped("state"), ["in_flight", "paid", "paid"])

    def test_copies_in_one_batch(self):
        """Two results of one payment that aren't alike byte by byte, among others."""
        payouts = self.make_sent(3)
        url, raw = self.letter_of(1)
        letters = self.store(self.letter_of(0), (url, raw), (url, raw + b" "), self.letter_of(2))
        self.assertEqual(len(letters), 4)
        self.apply()
        self.assertEqual(set(letters.mapped("state")), {"applied"})
        self.assertEqual(set(payouts.mapped("state")), {"paid"})
        self.assertEqual(len(self.env["account.bank.statement.line"].search(
            [("soko_mpesa_key", "=", f"{payouts[1].receipt}/payment")])), 1)

    def test_one_receipt_for_two(self):
        payouts = self.make_sent(3)
        self.store(self.letter_of(0, receipt="SG00000001"),
                   self.letter_of(1, receipt="SG00000001"), self.letter_of(2))
        self.apply()
        self.assertEqual(payouts.mapped("state"), ["paid", "exception", "paid"])

    def test_failure_and_success_in_one_batch(self):
        payouts = self.make_sent(4)
        good, bad = self.letter_of(1), self.letter_of(1, code=2001)
        self.store(self.letter_of(0), good, bad)
        self.apply()
        self.assertEqual(payouts[:2].mapped("state"), ["paid", "exception"])
        good, bad = self.letter_of(3), self.letter_of(3, code=2001)
        self.store(self.letter_of(2), bad, good)
        self.apply()
        self.assertEqual(payouts[2].state, "paid")
        self.assertEqual(payouts[3].attempt_ids.state, "paid")
        self.assertEqual(payouts[3].payment_id.state, "paid")
