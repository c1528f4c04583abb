import contextlib
import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .committed import WAIT, CommittedCase
from .fake_daraja import payment_result

COPIES = 50


@tagged("post_install", "-at_install", "mpesa")
class TestAtOnce(CommittedCase):
    """Real connections that do the same at the same moment."""

    def make_due(self, count):
        """:return: ids of stored payouts that are due"""
        with self.outside():
            return [self.make_payout(100 + number)[2].id for number in range(count)]

    def attempts(self, payouts):
        """:return: (state, times sent) of each payout's attempts"""
        return self.query("SELECT state, send_count FROM soko_mpesa_attempt "
                          "WHERE payout_id = ANY(%s) ORDER BY id", payouts)

    def sent(self):
        return [request["OriginatorConversationID"] for request in self.daraja.payments]

    def test_two_senders_send_each_row_once(self):
        """F11: both have read the same rows as due before the first of them claims one."""
        payouts = self.make_due(8)
        real, both, seen = self.registry["soko.mpesa.attempt"]._get_due, threading.Barrier(2), []

        def get_due(attempt, account):
            due = real(attempt, account)
            if account.id == self.account.id:
                seen.append(len(due))
                with contextlib.suppress(threading.BrokenBarrierError):
                    both.wait(WAIT / 4)
            return due

        def send(env):
            env["soko.mpesa.attempt"]._cron_send()
        with patch.object(self.registry["soko.mpesa.attempt"], "_get_due", get_due), \
                mute_logger("odoo.sql_db"):
            self.assertEqual(self.at_once(send, 2), [None, None])
        self.assertEqual(seen, [8, 8])
        self.assertEqual(len(self.sent()), len(set(self.sent())))
        with self.registry.cursor() as cr:  # what both of them passed over
            send(api.Environment(cr, SUPERUSER_ID, {}))
        self.assertEqual((len(self.sent()), len(set(self.sent()))), (8, 8))
        self.assertEqual(self.attempts(payouts), [("accepted", 1)] * 8)

    def test_run_now_is_pressed_twice(self):
        """F11: the second person is told; the rows go once, by the first one's pass."""
        payouts = self.make_due(4)
        told = threading.Event()

        def slow(handler, data):
            told.wait(WAIT)
            handler.reply(200, {
                "ConversationID": "AG_1", "ResponseCode": "0",
                "OriginatorConversationID": data["OriginatorConversationID"]})
        self.daraja.script = [slow]

        def press(env):
            try:
                env.ref("soko_mpesa.ir_cron_send").method_direct_trigger()
            except UserError:
                told.set()
                raise
        with mute_logger("odoo.sql_db"):
            got = self.at_once(press, 2)
        self.assertEqual(sorted(type(one) for one in got if one is not None), [UserError], got)
        self.assertEqual((len(self.sent()), len(set(self.sent()))), (4, 4))
        self.assertEqual(self.attempts(payouts), [("accepted", 1)] * 4)

    def test_fifty_equal_letters(self):
        """F35: no copy gets an error, one is kept, and two appliers have one effect."""
        [payout] = self.make_due(1)
        with self.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})["soko.mpesa.attempt"]._cron_send()
        [request] = self.daraja.payments
        word, token = request["ResultURL"].split("/")[-2:]
        raw = payment_result(request, "SG0000F035")

        def post(env):
            return env["soko.mpesa.inbox"]._store(word, token, raw, "127.0.0.1")
        self.assertEqual(self.at_once(post, COPIES), [True] * COPIES)
        self.assertEqual(self.letters(payout), [("new",)])
        with mute_logger("odoo.sql_db"):
            self.assertEqual(self.at_once(
                lambda env: env["soko.mpesa.inbox"]._cron_apply(), 2), [None, None])
        self.assertEqual(self.at_once(post, COPIES), [True] * COPIES, "and long afterwards")
        self.assertEqual(self.letters(payout), [("applied",)])
        self.assertEqual(self.query(
            "SELECT state, receipt FROM soko_mpesa_payout WHERE id = %s", payout),
            [("paid", "SG0000F035")])
        self.assertEqual(self.query(
            "SELECT count(*) FROM soko_mpesa_evidence WHERE payout_id = %s AND kind = 'result'",
            payout), [(1,)])
        with self.outside() as env:
            paid = env["soko.mpesa.payout"].browse(payout)
            self.assertEqual(len(paid.payment_id.reconciled_statement_line_ids), 1)
            self.assertEqual(paid.payment_id.invoice_ids.payment_state
                             or paid.payment_id.reconciled_bill_ids.payment_state, "paid")
            self.assertEqual(env["soko.mpesa.payout"]._invariant_violations(True), {})

    def letters(self, payout):
        return self.query("""
            SELECT letter.state FROM soko_mpesa_inbox letter
              JOIN soko_mpesa_callback address ON address.id = letter.callback_id
              JOIN soko_mpesa_attempt attempt ON attempt.id = address.attempt_id
             WHERE attempt.payout_id = %s""", payout)
