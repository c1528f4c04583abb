from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.soko_mpesa.tools import client
from odoo.addons.soko_mpesa.tools.classify import broken, classify, not_sent

from .common import PROMPTED, MpesaCheckoutCommon

MODEL = "odoo.addons.soko_mpesa_checkout.models.payment_transaction"


@tagged("post_install", "-at_install")
class TestPush(MpesaCheckoutCommon):
    def test_prompt_asks_for_exactly_the_order(self):
        transaction, token = self._pushed()
        [(path, payload)] = self.calls
        self.assertEqual(path, "/mpesa/stkpush/v1/processrequest")
        self.assertEqual(payload["Amount"], 1500)
        self.assertEqual(payload["PhoneNumber"], "254712345678")
        self.assertEqual(payload["PartyB"], "174379")
        self.assertEqual(payload["TransactionType"], "CustomerPayBillOnline")
        self.assertEqual(
            payload["CallBackURL"], f"https://shop.example.com/soko/daraja/shopper/{token}")
        self.assertLessEqual(len(payload["AccountReference"]), 12)
        self.assertLessEqual(len(payload["TransactionDesc"]), 13)
        self.assertEqual(transaction.state, "pending")
        self.assertEqual(
            transaction.soko_mpesa_checkout_request, PROMPTED["CheckoutRequestID"])
        self.assertTrue(transaction.soko_mpesa_query_at)
        self.assertNotIn(token, str(transaction.read()))

    def test_till(self):
        self.provider.soko_mpesa_till = "555111"
        self._pushed()
        payload = self.calls[0][1]
        self.assertEqual(payload["TransactionType"], "CustomerBuyGoodsOnline")
        self.assertEqual((payload["PartyB"], payload["BusinessShortCode"]), ("555111", "174379"))

    def test_pending_before_the_call(self):
        transaction = self._make()
        states = []
        self._answer(lambda: states.append(transaction.state) or classify(200, b""))
        transaction._soko_mpesa_push(transaction._soko_mpesa_claim("0712345678"))
        self.assertEqual(states, ["pending"])

    def test_claimed_once(self):
        transaction, _token = self._pushed()
        self.assertEqual(transaction._soko_mpesa_claim("0712345678"), "")
        self.assertEqual(len(self.calls), 1)

    def test_unclear_answers_leave_it_pending(self):
        for outcome in (
            broken("TimeoutError"), (503, b"<html>down</html>"), (200, b""), (200, {"x": 1}),
            (500, {"errorCode": "500.001.1001", "errorMessage": "Internal error"}),
        ):
            with self.subTest(outcome=outcome):
                transaction = self._make(reference=f"unclear {len(self.calls)} {outcome}")
                self._answer(outcome)
                transaction._soko_mpesa_push(transaction._soko_mpesa_claim("0712345678"))
                self.assertEqual(transaction.state, "pending")
                self.assertFalse(transaction.soko_mpesa_query_at)

    def test_what_was_surely_not_sent_is_told(self):
        transaction, _token = self._pushed(not_sent("ConnectionRefusedError"))
        self.assertEqual(transaction.state, "error")
        self.assertIn("You have not been charged", transaction.state_message)

    def test_refusals_are_told(self):
        transaction, _token = self._pushed((500, {
            "errorCode": "500.001.1001", "errorMessage": "Unable to lock subscriber, a transact",
        }))
        self.assertEqual(transaction.state, "error")
        self.assertIn("Another M-Pesa request is open", transaction.state_message)

    def test_callback_before_the_answer_wins(self):
        transaction = self._make()
        token = transaction._soko_mpesa_claim("0712345678")

        def callback_first():
            self._deliver(token, self._callback())
            return classify(503, b"<html>")

        self._answer(callback_first)
        transaction._soko_mpesa_push(token)
        self.assertEqual(transaction.state, "done")
        self.assertEqual(transaction.provider_reference, "NLJ7RT61SV")

    def test_wrong_numbers_are_refused_before_anything(self):
        for phone in ("", "0201234567", "+255712345678", "07123", "abc"):
            with self.subTest(phone=phone):
                transaction = self._make(reference=f"number {phone}")
                with self.assertRaisesRegex(UserError, "Kenyan mobile number"):
                    transaction._soko_mpesa_claim(phone)
                self.assertEqual(transaction.state, "draft")

    def test_fractions_and_other_currencies_are_refused(self):
        transaction = self._make(amount=1500.5)
        with self.assertRaisesRegex(UserError, "whole shillings only"):
            transaction._soko_mpesa_claim("0712345678")
        other = self._make(reference="dollars", currency_id=self.currency_usd.id)
        with self.assertRaisesRegex(UserError, "Kenyan shillings only"):
            other._soko_mpesa_claim("0712345678")

    @mute_logger(MODEL)
    def test_incomplete_set_up_is_no_riddle_for_the_shopper(self):
        self.env["soko.mpesa.secret"]._put(self.account, "stk_passkey", "")
        transaction = self._make()
        with self.assertRaisesRegex(UserError, "can't take M-Pesa at the moment"):
            transaction._soko_mpesa_claim("0712345678")
        self.assertEqual(transaction.state, "draft")

    def test_stale_token_is_replaced_once(self):
        stale = classify(404, b'{"errorCode": "404.001.03", "errorMessage": "Invalid"}')
        answers = [stale, classify(200, b"{}")]
        used = []

        def send(request, deadline):
            used.append(request.headers["Authorization"])
            return answers.pop(0)

        tokens = iter([("first", 3599, ""), ("second", 3599, "")])
        with (
            patch.object(client, "send", send),
            patch.object(client, "fetch_token", lambda *_args, **_kwargs: next(tokens)),
            patch.object(self.env.cr, "commit", lambda: None),
        ):
            self.provider._soko_mpesa_call("/path", {})
        self.assertEqual(used, ["Bearer first", "Bearer second"])

    def test_without_token_nothing_leaves(self):
        with (
            patch.object(client, "send", side_effect=AssertionError),
            patch.object(client, "fetch_token", lambda *_args, **_kwargs: ("", 0, "HTTP 400")),
            patch.object(self.env.cr, "commit", lambda: None),
        ):
            outcome = self.provider._soko_mpesa_call("/path", {})
        self.assertEqual(outcome.kind, "proven_not_sent")
