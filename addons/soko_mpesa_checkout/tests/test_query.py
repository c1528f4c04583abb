from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..const import QUERY_DELAYS
from .common import PROMPTED, MpesaCheckoutCommon


@tagged("post_install", "-at_install")
class TestQuery(MpesaCheckoutCommon):
    def _result(self, code):
        return (200, {
            "ResponseCode": "0", "CheckoutRequestID": PROMPTED["CheckoutRequestID"],
            "ResultCode": code, "ResultDesc": "words",
        })

    def _run(self, transaction):
        transaction.soko_mpesa_query_at = fields.Datetime.now() - timedelta(seconds=1)
        with self.enter_registry_test_mode():
            self.env.ref("soko_mpesa_checkout.ir_cron_query").method_direct_trigger()
        transaction.invalidate_recordset()

    def test_lost_callback_is_found_by_asking(self):
        transaction, token = self._pushed((200, PROMPTED), self._result("0"))
        self._run(transaction)
        self.assertEqual(self.calls[1][0], "/mpesa/stkpushquery/v1/query")
        self.assertEqual(
            self.calls[1][1]["CheckoutRequestID"], PROMPTED["CheckoutRequestID"])
        self.assertEqual(transaction.state, "done")
        self.assertEqual(transaction.provider_reference, PROMPTED["CheckoutRequestID"])
        self._deliver(token, self._callback())
        self.assertEqual(transaction.provider_reference, "NLJ7RT61SV")

    def test_unclear_answers_are_asked_again_and_not_for_ever(self):
        pending = (500, {"errorCode": "500.001.1001", "errorMessage": "is being processed"})
        transaction, _token = self._pushed((200, PROMPTED), *[pending] * len(QUERY_DELAYS))
        for count in range(len(QUERY_DELAYS)):
            self.assertEqual(transaction.soko_mpesa_query_count, count + 1)
            self._run(transaction)
        self.assertEqual(transaction.state, "pending")
        self.assertFalse(transaction.soko_mpesa_query_at)

    def test_cancelled(self):
        transaction, _token = self._pushed((200, PROMPTED), self._result("1032"))
        self._run(transaction)
        self.assertEqual(transaction.state, "cancel")
        self.assertFalse(transaction.soko_mpesa_query_at)

    def test_nothing_is_asked_with_a_set_up_that_was_taken_away(self):
        transaction, _token = self._pushed()
        self.provider.soko_mpesa_account_id = False
        self._run(transaction)
        self.assertEqual((transaction.state, len(self.calls)), ("pending", 1))
        self.assertTrue(transaction.soko_mpesa_query_at)

    def test_nobody_asks_before_it_is_time_or_when_it_is_over(self):
        transaction, token = self._pushed()
        self.assertGreater(transaction.soko_mpesa_query_at, fields.Datetime.now())
        self._deliver(token, self._callback())
        self._run(transaction)
        self.assertEqual(len(self.calls), 1)
