from datetime import timedelta
from unittest.mock import patch

from psycopg2 import OperationalError
from psycopg2.errors import DeadlockDetected, DiskFull, LockNotAvailable, SerializationFailure

from odoo import fields
from odoo.tests import tagged

from ..tools.claims import Claim
from .common import MpesaCase
from .fake_daraja import answer, payment_result, refuse


def failing(real, errors):
    """:return: a method that raises these errors, one a call, before it works"""
    left = list(errors)

    def method(self, *arguments, **keywords):
        if left:
            raise left.pop(0)
        return real(self, *arguments, **keywords)
    return method


@tagged("post_install", "-at_install", "mpesa")
class TestFaults(MpesaCase):
    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def again(self):
        """Send once more, after the back-off."""
        self.env["soko.mpesa.attempt"].search([("state", "=", "prepared")]).write(
            {"not_before": False})
        self.account.sudo().paused_until = False
        self.env["soko.mpesa.secret"]._forgive_token(self.account)
        self.send()

    # === PROVIDER === #

    def test_answers_that_do_not_fit_call_a_person(self):
        """F22, F25: somebody used our id, or the answer is to another request."""
        for step in (
            refuse(500, "500.002.1001", "Duplicate OriginatorConversationID."),
            answer(200, {"ConversationID": "AG_1", "OriginatorConversationID": "other",
                         "ResponseCode": "0"}),
        ):
            self.daraja.script = [step]
            _bill, payout, _request = self.fly(100)
            self.assertEqual((payout.attempt_ids.state, len(payout.activity_ids)), ("unknown", 1))
            seen = len(self.daraja.payments)
            self.again()
            self.assertEqual(len(self.daraja.payments), seen)

    def test_throttled_without_a_storm(self):
        """F26: one request a pass, the same id, and each wait longer than the one before."""
        for _number in range(4):
            self.make_payout(100)
        waits, ids = [], set()
        spikes = (refuse(500, "500.003.02"), refuse(429, "500.003.03"), answer(500, {
            "fault": {"detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"}}}))
        for step in spikes:
            self.daraja.script = [step]
            before = len(self.daraja.payments)
            self.again()
            self.assertEqual(len(self.daraja.payments), before + 1, "the others wait, too")
            ids.add(self.daraja.payments[-1]["OriginatorConversationID"])
            attempt = self.env["soko.mpesa.attempt"].search(
                [("originator_id", "=", self.daraja.payments[-1]["OriginatorConversationID"])])
            waits.append(attempt.not_before - fields.Datetime.now())
        self.assertEqual((len(ids), waits), (1, sorted(waits)))
        self.assertGreater(waits[0], timedelta(seconds=10))
        self.again()
        self.assertEqual(len(self.daraja.payments), 3 + 4)

    def test_token_is_refused_and_the_endpoint_is_down(self):
        """F27: nothing is sent, it is said why, and all goes once it works again."""
        _bill, _payment, payout = self.make_payout()
        for status in (400, 500, 503):
            self.daraja.token_status = status
            self.again()
            self.assertEqual((self.daraja.payments, payout.state), ([], "approved"))
            self.assertIn(str(status), self.account.last_error)
        self.daraja.token_status = 200
        self.again()
        self.assertEqual((len(self.daraja.payments), payout.state), (1, "in_flight"))
        self.assertFalse(self.account.last_error)

    def test_credential_stops_the_rest(self):
        """F28, S31: after the first result that names the credential nothing more leaves."""
        for code in (2001, 8006, "18"):
            _bill, payout, request = self.fly(100)
            for _number in range(3):
                self.make_payout(100)
            self.post(request["ResultURL"], payment_result(request, code=code))
            seen = len(self.daraja.payments)
            for _pass in range(3):
                self.again()
            self.assertEqual(len(self.daraja.payments), seen, code)
            self.assertEqual(payout.state, "in_flight")
            self.account.with_user(self.manager).action_resume()
            self.send()

    def test_paid_twice_for_one_id(self):
        """F33: the second receipt is evidence and calls a person; the first one stays."""
        _bill, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, "SG00000001"))
        self.post(request["ResultURL"], payment_result(request, "SG00000002"))
        self.assertEqual((payout.state, payout.receipt), ("exception", "SG00000001"))
        self.assertTrue(self.account.stopped_reason)
        self.assertEqual(set(payout.evidence_ids.mapped("receipt")),
                         {False, "SG00000001", "SG00000002"})
        self.assertEqual(len(payout.payment_id.reconciled_statement_line_ids), 1)

    def test_time_out_after_success(self):
        """F36: it is kept, and changes nothing."""
        bill, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        self.post(request["QueueTimeOutURL"], b'{"a": 1}')
        self.assertEqual((payout.state, bill.payment_state), ("paid", "paid"))
        self.assertEqual(len(payout.evidence_ids.filtered(lambda e: e.kind == "timeout")), 1)

    def test_result_of_what_was_not_sent(self):
        """F37: a success for a request that was refused at the gateway stops the line."""
        self.daraja.script = [refuse(500, "500.003.02")]
        _bill, payout, request = self.fly()
        self.assertEqual(payout.attempt_ids.state, "prepared")
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("exception", "prepared"))
        self.assertTrue(self.account.stopped_reason)
        self.again()
        self.assertEqual(len(self.daraja.payments), 1)

    # === DATABASE === #

    def test_commit_of_the_claim_fails(self):
        """F42, F47: without a durable claim nothing leaves; the next pass reads again."""
        cron = self.registry["ir.cron"]
        for error in (OperationalError("connection lost"), DiskFull("full"),
                      SerializationFailure("changed")):
            _bill, _payment, payout = self.make_payout(100)
            self.env["soko.mpesa.secret"]._token(self.account)
            seen = len(self.daraja.payments)
            real = self.registry["soko.mpesa.attempt"]._claim

            def claim(attempt, token, error=error, real=real):
                with patch.object(cron, "_commit_progress", failing(None, [error])):
                    return real(attempt, token)
            with patch.object(self.registry["soko.mpesa.attempt"], "_claim", claim):
                self.send()
            self.assertEqual(len(self.daraja.payments), seen, error)
            self.send()
            self.assertEqual(len(self.daraja.payments), seen + 1)
            self.assertEqual(payout.state, "in_flight")

    def test_record_fails_and_is_repeated(self):
        """F8, F43: the write is repeated, the call never."""
        model = self.registry["soko.mpesa.attempt"]
        errors = [SerializationFailure("a"), DeadlockDetected("b"), OperationalError("c")]
        with patch.object(model, "_record", failing(model._record, errors)):
            _bill, payout, _request = self.fly()
        self.assertEqual((payout.attempt_ids.state, len(self.daraja.payments)), ("accepted", 1))
        with patch.object(model, "_record", failing(None, [SerializationFailure("x")] * 99)), \
                self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            _bill, payout, _request = self.fly(300)
        self.assertEqual(payout.attempt_ids.state, "sending")
        payout.attempt_ids.lease_until = fields.Datetime.now() - timedelta(hours=1)
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.again()
        self.assertEqual((payout.attempt_ids.state, len(self.daraja.payments)), ("unknown", 2))

    def test_answer_to_a_query_is_kept_in_a_race(self):
        """A callback was faster than the answer to our question."""
        _bill, payout, _request = self.fly()
        model = self.registry["soko.mpesa.evidence"]
        with patch.object(model, "_add", failing(model._add, [SerializationFailure("x")] * 3)):
            self.ask()
        self.assertEqual(len(payout.evidence_ids.filtered(lambda e: e.kind == "query")), 1)
        self.assertEqual(len(self.daraja.queries), 1)

    def test_locked_rows_are_passed_over(self):
        """F47, F49: a lock that isn't given is no outcome."""
        _bill, _payment, payout = self.make_payout()
        secret = self.registry["soko.mpesa.secret"]
        with patch.object(secret, "_token", failing(None, [LockNotAvailable("timeout")])):
            self.send()
        model = self.registry["soko.mpesa.attempt"]
        with patch.object(model, "lock_for_update", failing(None, [LockNotAvailable("x")] * 9)):
            self.send()
        self.assertEqual((self.daraja.payments, payout.state), ([], "approved"))
        self.send()
        self.assertEqual(payout.state, "in_flight")

    def test_deadlock_loses_no_letter(self):
        """F48: the applier tries again; what can't be applied now stays new."""
        _bill, payout, request = self.fly()
        word, token = request["ResultURL"].split("/")[-2:]
        self.env["soko.mpesa.inbox"]._store(word, token, payment_result(request), "127.0.0.1")
        inbox = self.registry["soko.mpesa.inbox"]
        with patch.object(inbox, "_apply", failing(None, [DeadlockDetected("x")] * 99)):
            self.apply()
        letter = self.env["soko.mpesa.inbox"].search([("callback_id", "!=", False)])
        self.assertEqual(letter.state, "new")
        with patch.object(inbox, "_apply", failing(inbox._apply, [DeadlockDetected("x")] * 2)):
            self.apply()
        self.assertEqual((letter.state, payout.state), ("applied", "paid"))

    def test_lost_claim_that_was_sent_twice_is_listed_once(self):
        """F46: after a restore, an id that went again stands in the list of claims twice."""
        twice = [Claim(
            originator_id="LOST0000000000000000", account="x", amount=100, sha256="a" * 64,
            at=f"2026-01-01T00:00:0{second}Z") for second in range(2)]
        for _pass in range(2):
            found = self.env["soko.mpesa.lost.claim"]._find_unaccounted(self.account, twice)
            self.assertEqual(found.mapped("originator_id"), ["LOST0000000000000000"])
