import json
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools.parse import parse_payment_result, parse_status_result, says_not_found

SUCCESS = {"Result": {
    "ResultType": 0, "ResultCode": 0, "ResultDesc": "Processed.",
    "OriginatorConversationID": "OURS", "ConversationID": "AG_1", "TransactionID": "SG632NMUAB",
    "ResultParameters": {"ResultParameter": [
        {"Key": "TransactionAmount", "Value": 10},
        {"Key": "TransactionReceipt", "Value": "SG632NMUAB"},
        {"Key": "ReceiverPartyPublicName", "Value": "254708374149 - John Doe"},
        {"Key": "TransactionCompletedDateTime", "Value": "06.07.2024 22:48:52"},
        {"Key": "B2CUtilityAccountAvailableFunds", "Value": 8959269.60},
        {"Key": "B2CChargesPaidAccountAvailableFunds", "Value": -1980.00},
    ]},
    "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://internal"}},
}}
RUBBISH = (
    b"", b"null", b"[]", b"{}", b'{"Result":null}', b'{"Result":[]}', b'{"Result":"x"}', b"<html>",
    b"\xff\x00", b"[" * 100_000, b'{"Result":' * 5000, b'{"Result":{"ResultCode":' + b"9" * 9000,
)


def dump(data):
    return json.dumps(data).encode()


@tagged("post_install", "-at_install", "mpesa")
class TestPaymentResult(BaseCase):
    def parse(self, **changes):
        return parse_payment_result(dump({"Result": {**SUCCESS["Result"], **changes}}))

    def parameters(self, node):
        return self.parse(ResultParameters=node)

    def test_success(self):
        result = parse_payment_result(dump(SUCCESS))
        self.assertTrue(result.readable)
        self.assertEqual((result.code, result.receipt, result.amount),
                         ("0", "SG632NMUAB", Decimal(10)))
        self.assertEqual((result.originator_id, result.conversation_id), ("OURS", "AG_1"))
        self.assertEqual(result.party, "254708374149 - John Doe")

    def test_encodings(self):
        text = json.dumps(SUCCESS).replace("John Doe", "José")
        self.assertIn("José", parse_payment_result(b"\xef\xbb\xbf" + text.encode()).party)
        self.assertIn("Jos", parse_payment_result(text.encode("latin-1")).party)

    def test_codes(self):
        for given, expected in (
            (0, "0"), ("0", "0"), ("00000000", "0"), (2001, "2001"), ("2001", "2001"),
            ("sfc_ic0003", "SFC_IC0003"), (" 1 ", "1"), (None, ""), ([], ""), (True, ""),
        ):
            with self.subTest(given=given):
                self.assertEqual(self.parse(ResultCode=given).code, expected)

    def test_failure_without_parameters(self):
        failed = {"Result": {"ResultCode": 2001, "ResultDesc": "invalid", "TransactionID": "SG0"}}
        result = parse_payment_result(dump(failed))
        self.assertEqual((result.readable, result.code, result.amount), (True, "2001", None))

    def test_shapes_of_parameters(self):
        item = {"Key": "TransactionAmount", "Value": "300"}
        for node in (
            {"ResultParameter": item}, {"ResultParameter": [item]}, [item], item,
            {"ResultParameters": {"ResultParameter": [item]}},
            {"ResultParameter": {"ResultParameters": [item]}},
            {"ResultParameter": [{"Key": "Balance"}, None, 5, item, dict(item, Value=7)]},
            {"ResultParameter": [{"Key": "Transaction Amount", "Value": 300}]},
        ):
            with self.subTest(node=node):
                self.assertEqual(self.parameters(node).amount, Decimal(300))
        for node in (None, {}, [], "x", 5, {"ResultParameter": None}, {"ResultParameter": {}}):
            with self.subTest(node=node):
                self.assertIsNone(self.parameters(node).amount)

    def test_amounts(self):
        for given, expected in (
            (10, "10"), ("300", "300"), (22.40, "22.4"), ("1,200.00", "1200.00"), ("10.0", "10.0"),
        ):
            with self.subTest(given=given):
                node = [{"Key": "TransactionAmount", "Value": given}]
                self.assertEqual(self.parameters(node).amount, Decimal(expected))
        for given in ("", "x", None, [], {}, "NaN", "Infinity", True):
            with self.subTest(given=given):
                node = [{"Key": "TransactionAmount", "Value": given}]
                self.assertIsNone(self.parameters(node).amount)
        raw = dump(SUCCESS).replace(b'"Value": 10', b'"Value": NaN')
        self.assertIsNone(parse_payment_result(raw).amount)

    def test_receipts(self):
        for given, expected in (("sg632nmuab", "SG632NMUAB"), ("x", ""), ("<b>SG632</b>", "")):
            node = [{"Key": "TransactionReceipt", "Value": given}]
            result = self.parse(ResultParameters=node, TransactionID="")
            self.assertEqual(result.receipt, expected)

    def test_rubbish(self):
        for raw in RUBBISH:
            with self.subTest(raw=raw[:20]):
                result = parse_payment_result(raw)
                self.assertEqual((result.readable, result.amount), (False, None))

    def test_answer_of_a_query_is_none(self):
        node = [{"Key": "TransactionStatus", "Value": "Completed"}, {"Key": "Amount", "Value": 10}]
        self.assertFalse(self.parameters(node).readable)


@tagged("post_install", "-at_install", "mpesa")
class TestStatusResult(BaseCase):
    def parse(self, items, code=0, description="done"):
        return parse_status_result(dump({"Result": {
            "ResultCode": code, "ResultDesc": description, "TransactionID": "NLJ0000000",
            "OriginatorConversationID": "QUERY", "ResultParameters": {"ResultParameter": items},
        }}))

    def test_documented(self):
        result = self.parse([
            {"Key": "DebitPartyName", "Value": "600310 - Safaricom333"},
            {"Key": "DebitPartyName", "Value": "254708374149 - John Doe"},
            {"Key": "CreditPartyName", "Value": "254708374149 - John Doe"},
            {"Key": "OriginatorConversationID", "Value": "OURS"},
            {"Key": "DebitPartyCharges", "Value": "Fee For B2C Payment|KES|22.40"},
            {"Key": "TransactionReason"},
            {"Key": "TransactionStatus", "Value": "Completed"},
            {"Key": "FinalisedTime", "Value": 20180223054112},
            {"Key": "Amount", "Value": "300"},
            {"Key": "ReceiptNo", "Value": "MBN31H462N"},
        ])
        self.assertEqual((result.status, result.receipt, result.amount, result.fee),
                         ("completed", "MBN31H462N", Decimal(300), Decimal("22.40")))
        self.assertEqual((result.originator_id, result.completed), ("OURS", "20180223054112"))

    def test_older_keys(self):
        result = self.parse([{"Key": "Originator Conversation ID", "Value": "OURS"},
                             {"Key": "Transaction Status", "Value": "DECLINED"}])
        self.assertEqual((result.originator_id, result.status), ("OURS", "declined"))

    def test_its_own_ids_are_not_the_payment_s(self):
        result = self.parse([])
        self.assertEqual((result.originator_id, result.receipt, result.status), ("", "", ""))

    def test_fees(self):
        for given, expected in (("", None), (None, None), ("x", None), ("a|KES|9", Decimal(9))):
            result = self.parse([{"Key": "DebitPartyCharges", "Value": given}])
            self.assertEqual(result.fee, expected)

    def test_not_found(self):
        for code, text, expected in (
            (25, "The transaction receipt number does not exist.", True),
            (25, "Transaction not found", True), (25, "No such transaction", True),
            (26, "System busy", False), (2001, "The initiator information is invalid.", False),
            (0, "Transaction not found", False), ("", "not found", False),
        ):
            with self.subTest(text=text):
                self.assertIs(says_not_found(self.parse([], code, text)), expected)
        found = self.parse([{"Key": "TransactionStatus", "Value": "Completed"}], 25, "not found")
        self.assertFalse(says_not_found(found))

    def test_rubbish(self):
        for raw in RUBBISH:
            with self.subTest(raw=raw[:20]):
                self.assertEqual(parse_status_result(raw).status, "")
