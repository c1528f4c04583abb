from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import answer, drop, payment_result, refuse, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestMoneyFlow(MpesaCase):
    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def fly(self, amount=1500):
        """Send a payout. :return: (bill, payment, payout, request that Daraja saw)"""
        bill, payment, payout = self.make_payout(amount)
        self.send()
        return bill, payment, payout, self.daraja.payments[-1]

    def test_happy_path(self):
        bill, payment, payout = self.make_payout()
        self.assertEqual(payout.state, "approved", "1,500 is under the account's limit")
        self.assertEqual((payment.state, bill.payment_state), ("in_process", "in_payment"))
        self.send()
        request = self.daraja.payments[0]
        self.assertEqual(payout.state, "in_flight")
        self.assertEqual((request["Amount"], request["PartyB"]), ("1500", "254700000041"))
        self.assertEqual(request["OriginatorConversationID"], payout.attempt_ids.originator_id)
        self.assertEqual((payment.state, bill.payment_state), ("in_process", "in_payment"))
        self.assertTrue(self.post(request["ResultURL"], payment_result(request)))
        self.assertEqual((payout.state, payout.receipt), ("paid", "SG632NMUAB"))
        self.assertEqual((payment.state, bill.payment_state), ("paid", "paid"))
        self.assertEqual(payment.payment_reference, "SG632NMUAB")
        self.assertEqual(bill.soko_mpesa_receipt, "SG632NMUAB")
        self.assertEqual(payment.reconciled_statement_line_ids.amount, -1500)
        self.assertEqual(payment.reconciled_statement_line_ids.payment_ref, "SG632NMUAB")
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)

    def test_digest_of_the_request_is_what_daraja_saw(self):
        import hashlib
        _bill, _payment, payout, request = self.fly()
        self.assertEqual(
            payout.attempt_ids.request_sha256, hashlib.sha256(request["_raw"]).hexdigest())

    def test_one_token_serves_many(self):
        self.make_payout()
        self.make_payout(300)
        self.send()
        self.assertEqual((len(self.daraja.payments), self.daraja.tokens), (2, 1))

    def test_stale_token_is_replaced_and_the_same_id_sent(self):
        self.daraja.script = [refuse(404, "404.001.03", "Invalid Access Token - abc")]
        _bill, _payment, payout, request = self.fly()
        self.assertEqual(payout.attempt_ids.state, "prepared")
        self.send()
        self.assertEqual(payout.attempt_ids.state, "accepted")
        again = self.daraja.payments[1]
        self.assertEqual(again["OriginatorConversationID"], request["OriginatorConversationID"])
        self.assertNotEqual(again["_token"], request["_token"])
        self.assertNotIn("abc", payout.evidence_ids[-1].description)

    def test_no_token_nothing_sent(self):
        self.daraja.token_status = 503
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.assertEqual((self.daraja.payments, payout.state), ([], "approved"))
        self.assertIn("503", self.account.last_error)

    def test_daraja_down_same_id_later(self):
        _bill, _payment, payout = self.make_payout()
        self.send_to_closed_port()
        attempt = payout.attempt_ids
        self.assertEqual((attempt.state, attempt.send_count), ("prepared", 1))
        self.assertGreater(attempt.not_before, fields.Datetime.now())
        attempt.not_before = fields.Datetime.now()
        self.send()
        self.assertEqual(attempt.state, "accepted")
        self.assertEqual(self.daraja.payments[0]["OriginatorConversationID"],
                         attempt.originator_id)

    def send_to_closed_port(self):
        secrets = self.env["soko.mpesa.secret"]
        secrets._token(self.account)
        with patch.dict("os.environ", {"SOKO_MPESA_BASE_URL": "http://127.0.0.1:9"}):
            self.send()

    def test_throttle_backs_off_with_the_same_id(self):
        self.daraja.script = [refuse(500, "500.003.02", "Spike arrest")]
        _bill, _payment, payout, _request = self.fly()
        self.make_payout(200)
        self.send()
        self.assertEqual(payout.attempt_ids.state, "prepared", "it waits")
        self.assertEqual(len(self.daraja.payments), 1, "and the others with it")
        self.account.paused_until = False
        self.send()
        self.assertEqual(len(self.daraja.payments), 2, "the other one went")

    def test_refused_request_waits_for_a_person(self):
        self.daraja.script = [refuse(400, "400.002.02", "Bad Request - Invalid PartyB")]
        _bill, _payment, payout, _request = self.fly()
        self.assertEqual(payout.state, "held")
        self.assertIn("Invalid PartyB", payout.hold_reason)
        self.assertTrue(payout.activity_ids)
        payout.with_user(self.approver).action_release()
        self.send()
        self.assertEqual(payout.attempt_ids.state, "accepted")

    def test_unknown_is_never_sent_again(self):
        for step in (
            drop(), answer(200, b""), answer(503, b"<html>busy</html>"),
            refuse(500, "500.002.1001", "Duplicate OriginatorConversationID."),
            refuse(500, "500.002.1001", "System internal error."),
            answer(200, {"ResponseCode": "1", "ResponseDescription": "no"}),
            answer(302, b"moved"),
        ):
            with self.subTest(step=step):
                self.daraja.script = [step]
                bill, payment, payout, _request = self.fly(100)
                self.assertEqual(payout.attempt_ids.state, "unknown")
                sent = len(self.daraja.payments)
                self.send()
                self.run_cron("soko.mpesa.attempt", "_cron_sweep")
                self.send()
                self.assertEqual(len(self.daraja.payments), sent)
                self.assertEqual(
                    (payout.state, payment.state, bill.payment_state),
                    ("in_flight", "in_process", "in_payment"))

    def test_echo_of_another_id_is_unknown(self):
        self.daraja.script = [answer(200, {
            "ConversationID": "AG_1", "OriginatorConversationID": "other", "ResponseCode": "0"})]
        _bill, _payment, payout, _request = self.fly()
        self.assertEqual(payout.attempt_ids.state, "unknown")

    def test_lost_callback_is_found_by_query(self):
        bill, _payment, payout, request = self.fly()
        self.ask()
        query = self.daraja.queries[0]
        self.assertEqual(query["OriginalConversationID"], request["OriginatorConversationID"])
        self.assertEqual(payout.state, "in_flight", "the answer to the query proves nothing")
        self.post(query["ResultURL"], status_result(request))
        self.assertEqual((payout.state, bill.payment_state), ("paid", "paid"))

    def test_archived_account_is_still_asked(self):
        """What it has sent may be paid; only new payments stop."""
        _bill, _payment, payout, request = self.fly()
        self.archive_account()
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request))
        self.assertEqual(payout.state, "paid")

    def test_query_that_worked_is_no_payment(self):
        _bill, _payment, payout, request = self.fly()
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, "Initiated"))
        self.assertEqual(payout.state, "in_flight")
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, None))
        self.assertEqual(payout.state, "in_flight")

    def test_query_delays(self):
        self.account.query_delays = "2,30"
        _bill, _payment, payout, _request = self.fly()
        attempt = payout.attempt_ids
        wait = attempt.next_query_at - fields.Datetime.now()
        self.assertTrue(timedelta(minutes=1.9) < wait < timedelta(minutes=2.4), wait)
        self.ask()
        wait = attempt.next_query_at - fields.Datetime.now()
        self.assertTrue(timedelta(minutes=29) < wait < timedelta(minutes=34), wait)

    def test_failure_needs_two_voices_then_opens_the_bill(self):
        bill, payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, code="SFC_IC0003"))
        self.assertEqual((payout.state, payout.attempt_ids.state), ("in_flight", "unknown"))
        self.send()
        self.assertEqual(len(self.daraja.payments), 1, "a callback alone re-opens nothing")
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, "Declined"))
        self.assertEqual((payout.state, payment.state), ("failed", "rejected"))
        self.assertEqual((bill.payment_state, bill.amount_residual), ("not_paid", 1500))
        self.assertFalse(payment.payment_reference)
        retry = self.pay_bill(bill)
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)
        second = self.daraja.payments[1]
        self.assertNotEqual(
            second["OriginatorConversationID"], request["OriginatorConversationID"])
        self.post(second["ResultURL"], payment_result(second, "SG632NMUAC"))
        self.assertEqual((retry.state, bill.payment_state), ("paid", "paid"))

    def test_failure_beside_not_found(self):
        bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, code="2040"))
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(
            request, None, code="25", description="The transaction was not found."))
        self.assertEqual((payout.state, bill.payment_state), ("failed", "not_paid"))

    def test_not_found_alone_proves_nothing(self):
        _bill, _payment, payout, request = self.fly()
        for number in range(4):
            self.ask()
            self.post(self.daraja.queries[-1]["ResultURL"], status_result(
                request, None, code="25", description=f"Transaction not found {number}"))
        self.assertEqual(payout.state, "in_flight")

    def test_credential_error_stops_the_line(self):
        _bill, _payment, _payout, request = self.fly()
        _bill2, _payment2, waiting = self.make_payout(500)
        self.post(request["ResultURL"], payment_result(request, code=2001))
        self.assertIn("2001", self.account.stopped_reason)
        self.send()
        self.assertEqual((len(self.daraja.payments), waiting.state), (1, "approved"))
        self.account.with_user(self.manager).action_resume()
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)

    def test_timeout_notice_is_no_failure(self):
        bill, _payment, payout, request = self.fly()
        echo = dict(request, SecurityCredential="canary-credential")
        echo = {key: value for key, value in echo.items() if not key.startswith("_")}
        import json
        self.post(request["QueueTimeOutURL"], json.dumps(echo).encode())
        self.assertEqual((payout.state, payout.attempt_ids.state), ("in_flight", "unknown"))
        kept = payout.evidence_ids.filtered(lambda e: e.kind == "timeout")
        self.assertNotIn("canary", kept.body)
        self.assertNotIn(request["ResultURL"].rsplit("/", 1)[1], kept.body)
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.state, bill.payment_state), ("paid", "paid"))

    def test_replay_has_one_effect(self):
        _bill, payment, payout, request = self.fly()
        for _time in range(5):
            self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(len(payout.evidence_ids.filtered(lambda e: e.kind == "result")), 1)
        self.assertEqual(len(payment.reconciled_statement_line_ids), 1)

    def test_forged_addresses_change_nothing(self):
        _bill, _payment, payout, request = self.fly()
        good = payment_result(request)
        token = request["ResultURL"].rsplit("/", 1)[1]
        self.assertFalse(self.post("/soko/daraja/payout/guess", good))
        self.assertFalse(self.post(f"/soko/daraja/status/{token}", good))
        self.assertEqual(payout.state, "in_flight")
        strange = self.env["soko.mpesa.inbox"].search([("state", "=", "quarantined")])
        self.assertEqual(len(strange), 2)

    def test_wrong_amount_or_payee_stops_everything(self):
        for changes in ({"amount": 15}, {"amount": 1500.5}, {"party": "254711111111 - X"}):
            with self.subTest(changes=changes):
                bill, payment, payout, request = self.fly()
                self.post(request["ResultURL"], payment_result(request, **changes))
                self.assertEqual(payout.state, "exception")
                self.assertEqual(
                    (payment.state, bill.payment_state), ("in_process", "in_payment"))
                self.assertTrue(self.account.stopped_reason)
                self.account.action_resume()

    def test_result_of_another_payment(self):
        _bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, originator="SOMEBODYELSE00000000"))
        self.assertEqual(payout.state, "in_flight")
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(payout.state, "paid")

    def test_query_answer_at_the_payment_address(self):
        _bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], status_result(request))
        self.assertEqual(payout.state, "in_flight")

    def test_receipt_of_another_payment(self):
        _bill, _payment, _payout, first = self.fly()
        self.post(first["ResultURL"], payment_result(first))
        _bill, _payment, payout, second = self.fly()
        self.post(second["ResultURL"], payment_result(second))
        self.assertEqual((payout.state, payout.receipt), ("exception", False))

    def test_nameless_success_is_confirmed_by_query(self):
        _bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, party=""))
        self.assertEqual(payout.state, "in_flight")
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, party=""))
        self.assertEqual(payout.state, "paid")

    def test_failure_after_success(self):
        bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        self.post(request["ResultURL"], payment_result(request, code=1))
        self.assertEqual((payout.attempt_ids.state, payout.state), ("paid", "exception"))
        self.assertEqual(bill.payment_state, "paid")

    def test_late_success_after_proven_failure(self):
        _bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, code=4))
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request, "Expired"))
        self.assertEqual(payout.state, "failed")
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual((payout.attempt_ids.state, payout.state), ("paid", "exception"))
        self.assertFalse(self.bank.allow_out_payment, "nothing more to this number for now")

    def test_result_before_the_answer(self):
        """The callback is applied while the sender still waits for its answer."""
        _bill, _payment, payout = self.make_payout()
        attempt = payout.attempt_ids

        def callback_first(request):
            import json
            data = json.loads(request.body)
            with self.registry.cursor() as cr:
                env = self.env(cr=cr)
                word, token = data["ResultURL"].split("/")[-2:]
                env["soko.mpesa.inbox"]._store(word, token, payment_result(data), "127.0.0.1")
                env["soko.mpesa.inbox"]._cron_apply()
            return real(request)

        from ..tools import client
        real = client.send
        with patch.object(client, "send", callback_first):
            self.send()
        self.assertEqual((attempt.state, payout.state), ("paid", "paid"))
        self.assertEqual(len(self.daraja.payments), 1)

    def test_dead_sender_becomes_unknown(self):
        _bill, _payment, payout = self.make_payout()
        attempt = payout.attempt_ids
        with self.other_cursor() as env:
            self.assertTrue(env["soko.mpesa.attempt"].browse(attempt.id)._claim("token"))
        self.assertEqual(attempt.state, "sending")
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual(attempt.state, "sending", "its lease isn't over")
        attempt.lease_until = fields.Datetime.now() - timedelta(hours=1)
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual(attempt.state, "unknown")
        self.send()
        self.assertEqual(self.daraja.payments, [])

    def test_late_sender_keeps_evidence_only(self):
        from ..tools import classify
        _bill, _payment, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        with self.other_cursor() as env:
            env["soko.mpesa.attempt"].browse(payout.attempt_ids.id)._record_with_retry(
                classify.not_sent("late"), "not the owner")
        self.assertEqual(payout.attempt_ids.state, "paid")

    def test_writer_that_fails_leaves_the_claim(self):
        """The next payout goes on, and nothing is sent twice."""
        _bill, _payment, first = self.make_payout()
        _bill, _payment, second = self.make_payout(300)
        model = self.registry["soko.mpesa.attempt"]
        real = model._record

        def fail_once(attempt, outcome, lease):
            if attempt.payout_id == first.with_env(attempt.env):
                raise ValueError("a bug")
            real(attempt, outcome, lease)
        with patch.object(model, "_record", fail_once), self.assertLogs(
                "odoo.addons.soko_mpesa", "WARNING"):
            self.send()
        self.assertEqual((first.attempt_ids.state, second.attempt_ids.state),
                         ("sending", "accepted"))
        first.attempt_ids.lease_until = fields.Datetime.now() - timedelta(hours=1)
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.send()
        self.assertEqual(first.attempt_ids.state, "unknown")
        self.assertEqual(len(self.daraja.payments), 2)

    def test_silent_for_a_day(self):
        _bill, _payment, payout, _request = self.fly()
        payout.attempt_ids.sent_at = fields.Datetime.now() - timedelta(hours=25)
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")
        self.assertEqual(payout.state, "exception")
        self.assertTrue(payout.activity_ids)

    def test_guards_of_the_sender(self):
        _bill, _payment, payout = self.make_payout()
        self.company.soko_mpesa_frozen = True
        self.send()
        self.company.soko_mpesa_frozen = False
        self.durable.stop()
        registry_model = self.registry["soko.mpesa.account"]
        with patch.object(registry_model, "_database_is_durable", lambda self: False):
            self.send()
        self.durable.start()
        with patch.dict("os.environ", {"SOKO_MPESA_KEY_FILE": "/nonexistent"}):
            self.send()
        self.env["ir.config_parameter"].set_param("database.uuid", "another database")
        self.send()
        self.assertEqual((self.daraja.payments, payout.state), ([], "approved"))

    def test_changed_payee_is_held(self):
        _bill, _payment, payout = self.make_payout()
        self.bank.with_user(self.maker).write({"acc_number": "0711 111 111"})
        self.send()
        self.assertEqual((self.daraja.payments, payout.state), ([], "held"))
        self.assertEqual(payout.msisdn, "254700000041")

    def test_duplicate_posting(self):
        _bill, payment, payout = self.make_payout()
        payment.action_post()
        payment.with_user(self.maker).write({"state": "in_process"})
        self.assertEqual(payment.soko_mpesa_payout_ids, payout)
