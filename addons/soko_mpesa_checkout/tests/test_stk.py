import base64
import json
from datetime import datetime, timezone
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools import stk


@tagged("post_install", "-at_install")
class TestStk(BaseCase):
    def test_password_has_shortcode_passkey_and_east_african_time(self):
        now = datetime(2021, 6, 28, 6, 24, 8, tzinfo=timezone.utc)
        fields = stk.credentials("174379", "pass", now)
        self.assertEqual(fields["Timestamp"], "20210628092408")
        self.assertEqual(base64.b64decode(fields["Password"]), b"174379pass20210628092408")

    def test_reference_is_short_and_keeps_its_end(self):
        self.assertEqual(stk.account_reference("S00012-1"), "S00012-1")
        self.assertEqual(stk.account_reference("SO/2026/000012-3"), "2026000012-3")
        self.assertEqual(stk.account_reference("// &"), "Order")

    def test_push_answers(self):
        cases = [
            (200, {"ResponseCode": "0", "CheckoutRequestID": "ws"}, stk.PROMPTED),
            (200, {"ResponseCode": "0"}, stk.UNKNOWN),
            (200, {"ResponseCode": "1", "CheckoutRequestID": "ws"}, stk.UNKNOWN),
            (500, {"errorMessage": "Wrong credentials"}, stk.REFUSED),
            (500, {"errorMessage": "Unable to lock subscriber, a transaction is"}, stk.REFUSED),
            (500, {"errorMessage": "System is busy"}, stk.UNKNOWN),
            (200, [1], stk.UNKNOWN),
        ]
        for status, body, expected in cases:
            with self.subTest(body=body):
                answer = stk.read_push_answer(status, json.dumps(body).encode())
                self.assertEqual(answer.state, expected)
        self.assertEqual(stk.read_push_answer(503, b"<html>").state, stk.UNKNOWN)

    def test_query_answers(self):
        pending = b'{"errorCode": "500.001.1001", "errorMessage": "is being processed"}'
        self.assertEqual(stk.read_query_answer(500, pending).code, "")
        done = b'{"ResponseCode": "0", "ResultCode": 1032, "CheckoutRequestID": "ws"}'
        self.assertEqual(stk.read_query_answer(200, done).code, "1032")
        self.assertEqual(stk.read_query_answer(200, b"").code, "")

    def test_callbacks_of_all_shapes(self):
        one = {"Body": {"stkCallback": {"ResultCode": "0", "CallbackMetadata": {
            "Item": {"Name": "Amount", "Value": "15"}}}}}
        self.assertEqual(stk.read_callback(json.dumps(one).encode()).amount, Decimal(15))
        for raw in (b"", b"[]", b"null", b'{"Body": []}', b'{"Body": {"stkCallback": 1}}',
                    b'{"Body": {"stkCallback": {"CallbackMetadata": [1]}}}', b"[" * 100000,
                    b"\xff\xfe"):
            with self.subTest(raw=raw[:40]):
                self.assertEqual(stk.read_callback(raw).code, "")

    def test_a_receipt_or_amount_that_cannot_be_one_is_no_fact(self):
        strange = {"Body": {"stkCallback": {"ResultCode": 0, "CallbackMetadata": {"Item": [
            {"Name": "Amount", "Value": "NaN"},
            {"Name": "MpesaReceiptNumber", "Value": "<b>x</b>"}, "text"]}}}}
        result = stk.read_callback(json.dumps(strange).encode())
        self.assertEqual((result.code, result.amount, result.receipt), ("0", None, ""))
