import json

from odoo.tests import BaseCase, tagged

from ..tools.classify import ACCEPTED, NOT_SENT, REJECTED, UNKNOWN, broken, classify, not_sent

OURS = "A1B2C3D4E5F6G7H8J9K0"
GOOD = {
    "ConversationID": "AG_1", "OriginatorConversationID": OURS, "ResponseCode": "0",
    "ResponseDescription": "Accept the service request successfully.",
}


@tagged("post_install", "-at_install", "mpesa")
class TestClassify(BaseCase):
    def check(self, kind, reason, status, data):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        outcome = classify(status, body, OURS)
        self.assertEqual((outcome.kind, outcome.reason), (kind, reason), (status, body))
        return outcome

    def test_accepted(self):
        outcome = self.check(ACCEPTED, "accepted", 200, GOOD)
        self.assertEqual((outcome.conversation_id, outcome.code), ("AG_1", "0"))
        self.check(ACCEPTED, "accepted", 201, {**GOOD, "ResponseCode": 0})

    def test_almost_accepted(self):
        for change in (
            {"ResponseCode": "1"}, {"ResponseCode": None}, {"ResponseCode": "00"},
            {"ResponseCode": ["0"]}, {"ConversationID": ""}, {"ConversationID": None},
        ):
            with self.subTest(change=change):
                self.check(UNKNOWN, "unlisted", 200, {**GOOD, **change})
        for status in (202, 204, 302, 307, 400, 500, 503):
            with self.subTest(status=status):
                self.check(UNKNOWN, "unlisted", status, GOOD)

    def test_echo(self):
        for echo in ("other", "", None, OURS.lower(), OURS + "0"):
            with self.subTest(echo=echo):
                self.check(UNKNOWN, "echo", 200, {**GOOD, "OriginatorConversationID": echo})
        body = json.dumps({**GOOD, "OriginatorConversationID": "query"}).encode()
        self.assertEqual(classify(200, body).kind, ACCEPTED, "a query has its own id")

    def test_unreadable(self):
        for body in (
            b"", b"<html>", b"[]", b"null", b"1", b'"0"', b'{"ResponseCode":"0"', b"\xff\xfe",
            b"[" * 100_000, b"{}}",
        ):
            with self.subTest(body=body[:20]):
                for status in (200, 400, 401, 404, 500, 503):
                    self.check(UNKNOWN, "unreadable", status, body)

    def refused(self, code, message=""):
        return {"requestId": "1", "errorCode": code, "errorMessage": message}

    def test_token(self):
        for status, code in ((401, "401.002.01"), (404, "404.001.03"), (400, "400.003.01"),
                             (200, "401.002.01")):
            with self.subTest(code=code):
                outcome = self.check(NOT_SENT, "token", status, self.refused(code, "Invalid"))
                self.assertTrue(outcome.token_invalid)

    def test_throttle(self):
        for code in ("500.003.02", "500.003.03"):
            for status in (429, 500):
                outcome = self.check(NOT_SENT, "throttle", status, self.refused(code))
                self.assertFalse(outcome.token_invalid)
        fault = {"fault": {"faultstring": "Spike arrest violation", "detail": {
            "errorcode": "policies.ratelimit.SpikeArrestViolation"}}}
        self.check(NOT_SENT, "throttle", 500, fault)
        for fault in ({"fault": {}}, {"fault": "x"}, {"fault": {"detail": {"errorcode": "other"}}}):
            self.check(UNKNOWN, "unlisted", 500, fault)

    def test_rejected(self):
        for code in ("400.002.02", "400.002.05", "404.001.01", "404.002.01", "404.003.01",
                     "404.001.04", "405.001"):
            with self.subTest(code=code):
                outcome = self.check(REJECTED, "gateway", 400, self.refused(code, "Bad Request"))
                self.assertEqual(outcome.description, "Bad Request")

    def test_same_code_two_texts(self):
        self.check(UNKNOWN, "duplicate", 500,
                   self.refused("500.002.1001", "Duplicate OriginatorConversationID."))
        self.check(UNKNOWN, "unlisted", 500,
                   self.refused("500.002.1001", "System internal error."))

    def test_other_errors_are_unknown(self):
        for code in ("500.003.1001", "500.001.1001", "00.002.1001", "999", "400.002.99",
                     "404.001.030", 400002, {"a": 1}):
            with self.subTest(code=code):
                self.check(UNKNOWN, "unlisted", 500, self.refused(code))

    def test_transport(self):
        self.assertEqual(not_sent("refused").kind, NOT_SENT)
        self.assertEqual(broken("reset").kind, UNKNOWN)
        self.assertFalse(not_sent("refused").token_invalid)
