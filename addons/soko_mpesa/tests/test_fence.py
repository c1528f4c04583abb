import os
import time
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import config

from ..tools import claims, client
from .common import MpesaCase
from .fake_daraja import drop


@tagged("post_install", "-at_install", "mpesa")
class TestFence(MpesaCase):
    """F45, F46, F50: a database that has forgotten what it sent sends nothing."""

    def lines(self):
        if not os.path.exists(self.claims_file):
            return []
        with open(self.claims_file, encoding="ascii") as stream:
            return stream.read().splitlines()

    def forget(self, payout):
        """Do to the database what the restore of an older backup does."""
        self.env.flush_all()
        self.cr.execute("SET LOCAL session_replication_role = replica")
        for table in ("evidence", "callback"):
            self.cr.execute(f"DELETE FROM soko_mpesa_{table} WHERE attempt_id = %s",
                            [payout.attempt_ids.id])
        self.cr.execute("DELETE FROM soko_mpesa_attempt WHERE payout_id = %s", [payout.id])
        self.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()

    def lose_one(self, amount=700):
        """:return: (forgotten reference, payout that waits)"""
        _bill, _payment, payout = self.make_payout(amount)
        self.send()
        reference = payout.attempt_ids.originator_id
        self.forget(payout)
        return reference, self.make_payout(300)[2]

    def test_each_send_is_listed(self):
        _bill, _payment, payout = self.make_payout(1500)
        self.send()
        attempt = payout.attempt_ids
        [line] = self.lines()
        self.assertEqual(line.split("\t")[1:], [
            "claim", attempt.originator_id, self.account._get_claims_name(), "1500",
            attempt.request_sha256])
        self.assertNotIn("254700000041", line)
        self.assertNotIn("Amina", line)
        self.daraja.script = [drop()]
        self.make_payout(200)
        self.send()
        self.assertEqual(len(self.lines()), 2, "what became of it doesn't matter")

    def test_listed_after_the_claim_and_before_the_request(self):
        order = []
        append, exchange = claims.append_claim, client._exchange

        def listing(path, claim):
            order.append(("listed", self.daraja.payments[:]))
            append(path, claim)

        def calling(method, url, *args):
            if "b2c" in url:
                order.append(("called", len(self.lines())))
            return exchange(method, url, *args)
        _bill, _payment, payout = self.make_payout()
        with patch.object(client, "append_claim", listing), \
                patch.object(client, "_exchange", calling):
            self.send()
        self.assertEqual(order, [("listed", []), ("called", 1)])
        self.assertEqual(payout.attempt_ids.send_count, 1)

    def test_what_can_not_be_listed_does_not_leave(self):
        _bill, _payment, payout = self.make_payout()
        with patch.object(client, "append_claim", side_effect=claims.ClaimsFileError("full")):
            self.send()
        attempt = payout.attempt_ids
        self.assertEqual((self.daraja.payments, attempt.state), ([], "prepared"))
        self.assertIn("claims journal: full", self.account.last_error)
        attempt.not_before = False
        self.send()
        self.assertEqual(attempt.state, "accepted")
        self.assertEqual(self.daraja.payments[0]["OriginatorConversationID"],
                         attempt.originator_id)

    def test_no_place_for_the_list(self):
        with patch.dict(os.environ, {"SOKO_MPESA_CLAIMS_FILE": "/nonexistent/claims"}):
            [reason] = self.account._get_blocking_reasons()
            self.assertIn("/nonexistent/claims", reason)
            self.make_payout()
            self.send()
        self.assertEqual(self.daraja.payments, [])

    def test_restored_backup_stops(self):
        reference, waiting = self.lose_one()
        sent = len(self.daraja.payments)
        self.send()
        self.assertEqual((len(self.daraja.payments), waiting.state), (sent, "approved"))
        self.assertIn("restored backup", self.account.stopped_reason)
        self.assertIn("1 payments (700 KES)", self.account.stopped_reason)
        [lost] = self.env["soko.mpesa.lost.claim"].search([])
        self.assertEqual((lost.originator_id, lost.amount, lost.state), (reference, 700, "open"))
        attached = self.account.message_ids.attachment_ids
        self.assertEqual(attached.name, "lost-claims.txt")
        self.assertIn(reference, attached.raw.decode())
        self.assertEqual(len(self.account.activity_ids), 1)
        self.send()
        self.assertEqual(self.env["soko.mpesa.lost.claim"].search_count([]), 1)

    def test_resuming_takes_an_account_of_it(self):
        _reference, waiting = self.lose_one()
        self.send()
        lost = self.env["soko.mpesa.lost.claim"].search([])
        manager = self.account.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "Lost claims"):
            manager.action_resume()
        for user in (self.maker, self.approver):
            with self.assertRaises(AccessError):
                lost.with_user(user).action_account()
            with self.assertRaises(AccessError):
                lost.with_user(user).write({"state": "accounted"})
        lost.with_user(self.manager).action_account()
        self.assertEqual((lost.state, lost.accounted_by_id), ("accounted", self.manager))
        self.send()
        self.assertEqual(waiting.state, "approved", "it is accounted for, but still stopped")
        manager.action_resume()
        self.send()
        self.assertEqual(waiting.state, "in_flight")
        self.assertIn("accounted", [line.split("\t")[1] for line in self.lines()])
        with self.assertRaises(UserError):
            lost.with_user(self.manager).action_account()

    def test_forced_resume_stops_again(self):
        _reference, waiting = self.lose_one()
        self.send()
        self.account.stopped_reason = False
        self.send()
        self.assertTrue(self.account.stopped_reason)
        self.assertEqual(waiting.state, "approved")

    def test_claim_that_was_rolled_back_is_forgotten_too(self):
        """A replica that is behind knows the attempt, and not that it was claimed."""
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.env.flush_all()
        self.cr.execute("SET LOCAL session_replication_role = replica")
        self.cr.execute("UPDATE soko_mpesa_attempt SET state = 'prepared', send_count = 0, "
                        "not_before = NULL WHERE id = %s", [payout.attempt_ids.id])
        self.cr.execute("SET LOCAL session_replication_role = origin")
        self.cr.execute(
            "UPDATE soko_mpesa_payout SET state = 'approved' WHERE id = %s", [payout.id])
        self.env.invalidate_all()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)
        self.assertTrue(self.account.stopped_reason)
        # accounted for and resumed: it is asked for, never sent a second time
        self.account.lost_claim_ids.with_user(self.manager).action_account()
        self.account.with_user(self.manager).action_resume()
        self.send()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)
        self.assertEqual((payout.attempt_ids.state, payout.state), ("unknown", "in_flight"))
        self.ask()
        self.assertEqual(self.daraja.queries[-1]["OriginalConversationID"],
                         payout.attempt_ids.originator_id)
        self.assertNoViolation()

    def test_another_accounts_lines_do_not_count(self):
        claims.append_claim(self.claims_file, claims.Claim(
            "2026-11-25T08:00:00Z", "A" * 20, "f" * 16, 100, "f" * 64))
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.assertEqual(payout.state, "in_flight")

    def test_where_the_list_is(self):
        account, uuid = self.account, self.account._get_database_uuid()[:8]
        with patch.dict(os.environ, {"SOKO_MPESA_CLAIMS_FILE": ""}):
            path = account._get_claims_path()
            self.assertTrue(path.startswith(f"{self.key_file}.claims-"), path)
            self.assertTrue(path.endswith(uuid), path)
            with patch.dict(config.options, {"soko_mpesa_claims_file": "/x/{database}"}):
                self.assertEqual(account._get_claims_path(), f"/x/{self.cr.dbname}")
            with patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": ""}):
                self.assertEqual(account._get_claims_path(), "")
                self.assertIn("SOKO_MPESA_KEY_FILE", account._get_blocking_reasons()[0])

    def test_new_key_in_front_keeps_the_fence(self):
        """The older key still opens everything; rotating lets it be taken out."""
        with open(self.key_file, encoding="ascii") as stream:
            old = stream.read()
        self.addCleanup(self.write_key, old)
        new = "another long random text, in front of the old one\n"
        self.write_key(new + old)
        self.assertEqual(self.account._get_blocking_reasons(), [])
        self.env["soko.mpesa.secret"]._token(self.account)
        with self.assertRaises(AccessError):
            self.account.with_user(self.maker).action_rotate_keys()
        action = self.account.with_user(self.manager).action_rotate_keys()
        self.assertIn("newest key", action["params"]["message"])
        self.write_key(new)
        self.assertEqual(self.account._get_blocking_reasons(), [])
        self.assertEqual(
            self.env["soko.mpesa.secret"]._get(self.account, "consumer_key"), "canary-key")
        self.write_key(old)
        self.assertTrue(self.account._get_blocking_reasons())
        self.assertEqual(self.env["soko.mpesa.secret"]._get(self.account, "consumer_key"), "")
        with self.assertRaises(UserError):
            self.account.with_user(self.manager).action_rotate_keys()

    def write_key(self, text):
        with open(self.key_file, "w", encoding="ascii") as stream:
            stream.write(text)

    def test_password_age(self):
        account = self.account
        self.assertTrue(account.password_set_on, "a credential was stored")
        self.assertEqual((account.password_expires_on - account.password_set_on).days, 90)


@tagged("post_install", "-at_install", "mpesa")
class TestPace(MpesaCase):
    """F26, F27, F28, S31, S34, F51: less and less often, and not at all where it must not be."""

    def throttle(self, times=99):
        def step(handler, _data):
            handler.reply(429, {"fault": {"faultstring": "Spike arrest violation", "detail": {
                "errorcode": "policies.ratelimit.SpikeArrestViolation"}}})
        self.daraja.script = [step] * times

    def test_one_throttle_stops_the_whole_line(self):
        """No storm: passes follow each other, requests don't."""
        payouts = [self.make_payout(amount)[2] for amount in range(100, 600, 100)]
        self.throttle()
        for _pass in range(10):
            self.send()
        self.assertEqual(len(self.daraja.payments), 1)
        self.assertTrue(all(payout.state == "approved" for payout in payouts))
        for number in range(8):
            self.assertEqual(self.account.pause_count, number + 1)
            self.assertGreater(self.account.paused_until, fields.Datetime.now())
            self.pass_time()
            for _again in range(5):
                self.send()
        self.assertEqual(len(self.daraja.payments), 1 + 8)

    def test_pauses_double_and_differ(self):
        for number in range(9):
            self.account.pause_count = number
            base = min(15 * 2 ** number, 900)
            pauses = {self.account._get_pause_seconds() for _time in range(20)}
            self.assertTrue(all(base <= pause <= 1.5 * base for pause in pauses), pauses)
            self.assertGreater(len(pauses), 1, "two servers don't come back together")

    def pass_time(self):
        self.account.paused_until = False
        self.env["soko.mpesa.attempt"].search([]).write({"not_before": False})

    def test_queries_and_balances_wait_too(self):
        self.make_payout()
        self.send()
        self.throttle(1)
        self.make_payout(200)
        self.send()
        self.ask()
        self.account.balance_wanted = True
        self.run_cron("soko.mpesa.account", "_cron_balance")
        self.assertEqual((self.daraja.queries, self.daraja.balances), ([], []))
        self.pass_time()
        self.ask()
        self.assertEqual(len(self.daraja.queries), 1)

    def test_pause_ends_with_success(self):
        self.throttle(2)
        payouts = [self.make_payout(amount)[2] for amount in (100, 200)]
        for _pass in range(3):
            self.send()
            self.pass_time()
        self.assertEqual({payout.state for payout in payouts}, {"in_flight"})
        self.assertEqual((self.account.pause_count, self.account.paused_until), (0, False))

    def test_spacing(self):
        model = self.env.registry["soko.mpesa.account"]
        self.account.send_spacing_ms = 5000
        with patch("time.sleep") as sleep, self.other_cursor() as env:
            account = env["soko.mpesa.account"].browse(self.account.id)
            account._wait_for_spacing(time.monotonic())
            [wait] = sleep.call_args.args
            self.assertTrue(3 < wait <= 5, wait)
            sleep.reset_mock()
            account._wait_for_spacing(time.monotonic() - 6)
            sleep.assert_not_called()
        self.make_payout(100)
        self.make_payout(200)
        with patch.object(model, "_wait_for_spacing") as waiting:
            self.send()
        self.assertEqual((len(self.daraja.payments), waiting.call_count), (2, 2))

    def make_token_due(self):
        self.env["soko.mpesa.secret"].search([("kind", "=", "token")]).write({"retry_at": 0})

    def test_token_endpoint_is_asked_less_and_less(self):
        self.daraja.token_status = 503
        self.make_payout()
        waits, clock = [], {"now": 1_000_000.0}
        with patch("odoo.addons.soko_mpesa.models.soko_mpesa_secret.time.time",
                   lambda: clock["now"]):
            for _failure in range(6):
                for _pass in range(4):
                    self.send()
                row = self.env["soko.mpesa.secret"].search([("kind", "=", "token")])
                row.invalidate_recordset()
                waits.append((row.retry_at - clock["now"]) / 60)
                clock["now"] = row.retry_at + 1
        self.assertEqual(waits, [1, 2, 5, 15, 15, 15])
        self.assertEqual(self.daraja.tokens, 6)
        self.assertIn("503", self.account.last_error)
        self.assertFalse(self.account.stopped_reason, "the line is down, nothing is wrong here")
        self.daraja.token_status = 200
        self.make_token_due()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)
        row = self.env["soko.mpesa.secret"].search([("kind", "=", "token")])
        self.assertEqual((row.failures, row.error), (0, False))

    def test_refused_consumer_key_stops_after_two(self):
        self.daraja.token_status = 401
        self.make_payout()
        for _pass in range(6):
            self.send()
            self.make_token_due()
        self.assertEqual(self.daraja.tokens, 2)
        self.assertIn("consumer key", self.account.stopped_reason)
        self.daraja.token_status = 200
        self.account.with_user(self.manager).consumer_secret = "the right one"
        self.account.with_user(self.manager).action_resume()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)

    def test_production_guards(self):
        account = self.account
        account.golive_is_complete = True
        account.environment = "production"
        account.golive_is_complete = True
        [reason] = account._get_guard_reasons()
        self.assertIn("127.0.0.1", reason)
        with patch.dict(os.environ, {"SOKO_MPESA_BASE_URL": "https://api.safaricom.co.ke"}):
            self.assertEqual(account._get_guard_reasons(), [])
            with patch.dict(config.options, {"dev_mode": ["all"]}):
                [reason] = account._get_guard_reasons()
                self.assertIn("--dev", reason)
        self.make_payout()
        self.send()
        self.assertEqual((self.daraja.payments, self.daraja.tokens), ([], 0))

    def test_sandbox_may_be_developed_on(self):
        with patch.dict(config.options, {"dev_mode": ["all"]}):
            self.assertEqual(self.account._get_blocking_reasons(), [])

    def test_claim_has_time_limits(self):
        seen = []
        build = self.env.registry["soko.mpesa.attempt"]._build_payment_request

        def looking(attempt, token):
            attempt.env.cr.execute("SELECT current_setting('statement_timeout'), "
                                   "current_setting('lock_timeout')")
            seen.append(attempt.env.cr.fetchone())
            return build(attempt, token)
        self.make_payout()
        with patch.object(self.env.registry["soko.mpesa.attempt"], "_build_payment_request",
                          looking):
            self.send()
        self.assertEqual(seen, [("15s", "5s")])
        self.assertEqual(len(self.daraja.payments), 1)


@tagged("post_install", "-at_install", "mpesa")
class TestNeutralize(MpesaCase):
    def test_neutralized_copy_keeps_still(self):
        """F50: run the file that `odoo neutralize` runs."""
        self.make_payout()
        self.account.with_user(self.manager).action_ask_balance()
        check = self.env["soko.mpesa.check"]._start(self.account)
        self.account.golive_is_complete = True
        self.env.flush_all()
        path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "neutralize.sql")
        with open(path, encoding="utf-8") as stream:
            self.cr.execute(stream.read())
        self.env.invalidate_all()
        for model, method in (
            ("soko.mpesa.attempt", "_cron_send"), ("soko.mpesa.attempt", "_cron_query"),
            ("soko.mpesa.account", "_cron_balance"), ("soko.mpesa.check", "_cron_check"),
        ):
            self.run_cron(model, method)
        seen = self.daraja
        self.assertEqual((seen.payments, seen.queries, seen.balances, seen.tokens), ([], [], [], 0))
        self.assertFalse(self.env["soko.mpesa.secret"].search([]))
        self.assertFalse(self.account.balance_wanted)
        self.assertFalse(self.account.golive_is_complete)
        self.assertEqual((check.state, check.sudo().ping_answer), ("done", False))
        self.assertTrue(self.account._get_blocking_reasons())
        self.assertTrue(self.company.soko_mpesa_frozen)
        self.assertFalse(self.account.base_url or self.account.callback_url)


@tagged("post_install", "-at_install", "mpesa")
class TestSingleFlight(MpesaCase):
    def test_who_comes_second_uses_the_first_ones_token(self):
        """Two workers, one after the other on the lock: one token is fetched."""
        secrets = self.env["soko.mpesa.secret"]
        first, _error = secrets._token(self.account)
        with self.other_cursor() as env:
            second, _error = env["soko.mpesa.secret"]._token(
                env["soko.mpesa.account"].browse(self.account.id))
        self.assertEqual((first, second, self.daraja.tokens), ("token1", "token1", 1))

    def test_a_stale_token_is_dropped_once(self):
        """Who dropped the old one late must not drop the new one."""
        secrets = self.env["soko.mpesa.secret"]
        old, _error = secrets._token(self.account)
        secrets._drop_token(self.account, old)
        new, _error = secrets._token(self.account)
        secrets._drop_token(self.account, old)
        self.assertEqual(secrets._token(self.account), (new, ""))
        self.assertEqual(self.daraja.tokens, 2)


