from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from .common import MpesaCheckoutCommon

MODEL = "odoo.addons.soko_mpesa_checkout.models.payment_transaction"


@tagged("post_install", "-at_install")
class TestResult(MpesaCheckoutCommon, CronMixinCase):
    def test_success(self):
        transaction, token = self._pushed()
        with self.capture_triggers("payment.cron_post_process_payment_tx") as triggers:
            letter = self._deliver(token, self._callback())
        self.assertEqual(transaction.state, "done")
        self.assertEqual(transaction.provider_reference, "NLJ7RT61SV")
        self.assertFalse(transaction.soko_mpesa_query_at)
        self.assertEqual((letter.state, letter.transaction_id), ("applied", transaction))
        self.assertEqual(len(triggers.records), 1)

    def test_success_twice_counts_once(self):
        transaction, token = self._pushed()
        self._deliver(token, self._callback())
        changed = transaction.last_state_change
        self._deliver(token, self._callback())
        self.assertEqual((transaction.state, transaction.last_state_change), ("done", changed))

    def test_failures_in_clear_words(self):
        for code, state, words in (
            (1032, "cancel", "cancelled on the phone"), (1037, "error", "didn't answer in time"),
            (2001, "error", "PIN was wrong"), (1, "error", "isn't enough money"),
            (1019, "error", "expired"), (9999, "error", "9999: strange"),
        ):
            with self.subTest(code=code):
                transaction = self._make(reference=f"failure {code}")
                token = transaction._soko_mpesa_claim("0712345678")
                self._deliver(token, self._callback(code, "strange"))
                self.assertEqual(transaction.state, state)
                self.assertIn(words, transaction.state_message)
                self.assertIn("You have not been charged", transaction.state_message)

    def test_unfinished_stays_pending(self):
        transaction, token = self._pushed()
        self._deliver(token, self._callback(4999, "still under processing"))
        self.assertEqual(transaction.state, "pending")

    def test_late_success_is_recorded(self):
        for code in (1037, 1032):
            with self.subTest(code=code):
                transaction = self._make(reference=f"late {code}")
                token = transaction._soko_mpesa_claim("0712345678")
                self._deliver(token, self._callback(code))
                self._deliver(token, self._callback())
                self.assertEqual(transaction.state, "done")

    def test_late_failure_changes_nothing(self):
        transaction, token = self._pushed()
        self._deliver(token, self._callback())
        self._deliver(token, self._callback(1032))
        self.assertEqual(transaction.state, "done")

    def test_wrong_amount_is_refused_however_often_it_comes(self):
        transaction, token = self._pushed()
        for _time in range(2):
            self._deliver(token, self._callback(amount=15.0))
            self.assertEqual(transaction.state, "error")
        self._deliver(token, self._callback())
        self.assertEqual(transaction.state, "done")

    def test_forged_callback_is_kept_and_ignored(self):
        transaction, _token = self._pushed()
        letter = self._deliver("guessed", self._callback())
        self.assertEqual(letter.state, "quarantined")
        self.assertFalse(letter.transaction_id)
        self.assertEqual(transaction.state, "pending")

    @mute_logger(MODEL)
    def test_callback_of_another_prompt_is_ignored(self):
        transaction, token = self._pushed()
        self._deliver(token, self._callback(CheckoutRequestID="ws_CO_other"))
        self.assertEqual(transaction.state, "pending")

    @mute_logger(MODEL)
    def test_unreadable_callback_is_kept_and_ignored(self):
        transaction, token = self._pushed()
        letter = self._deliver(token, b"<html>")
        self.assertEqual((letter.state, transaction.state), ("applied", "pending"))

    def test_callback_after_an_unclear_answer(self):
        transaction, token = self._pushed((503, b"<html>"))
        self._deliver(token, self._callback())
        self.assertEqual(transaction.state, "done")
        self.assertTrue(transaction.soko_mpesa_checkout_request)
