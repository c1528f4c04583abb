import json
from datetime import datetime

from odoo.tests import BaseCase, tagged

from odoo.addons.soko_artisan.tools.receipt import (
    MAX_EVIDENCE,
    ReportError,
    cut_evidence,
    is_token,
    new_token,
    parse_moment,
    parse_report,
    read_bearer,
    token_digest,
)

REPORT = {
    "tracking_ref": "TRK-1",
    "event_id": "E1",
    "status": "Delivered",
    "delivered_at": "2026-03-02T14:05:00+03:00",
}


@tagged("post_install", "-at_install")
class TestReceiptTools(BaseCase):
    def _parse(self, **changes):
        return parse_report(json.dumps(REPORT | changes).encode())

    def test_report(self):
        self.assertEqual(
            self._parse(tracking_ref=" TRK-1 ", extra={"a": 1}),
            {
                "tracking_ref": "TRK-1",
                "event_id": "E1",
                "status": "delivered",
                "order": "",
                "delivered_at": datetime(2026, 3, 2, 11, 5),
            },
        )
        self.assertIsNone(self._parse(status="in_transit", delivered_at=None)["delivered_at"])

    def test_moment(self):
        for text in ("2026-03-02T11:05:00Z", "2026-03-02T06:05:00.999999-05:00"):
            self.assertEqual(parse_moment(text), datetime(2026, 3, 2, 11, 5))

    def test_bad_moments(self):
        for text in (None, 5, "", "yesterday", "2026-03-02", "2026-03-02T11:05:00",
                     "2026-13-02T11:05:00Z", "0001-01-01T00:00:00+14:00", "9" * 99):
            with self.subTest(text=text), self.assertRaisesRegex(ReportError, "ISO 8601"):
                parse_moment(text)

    def test_bad_words(self):
        for name in ("tracking_ref", "event_id", "status"):
            for value in (None, "", "  ", 7, ["x"], "x" * 65, "a\x00b", "a\nb"):
                with self.subTest(name=name, value=value):
                    with self.assertRaisesRegex(ReportError, name):
                        self._parse(**{name: value})
        with self.assertRaisesRegex(ReportError, "order"):
            self._parse(order=["S1"])

    def test_bad_bodies(self):
        deep = b"[" * 200000
        for raw in (b"", b"{", b"\xff\xfe", b"[]", b"null", b'"x"', deep):
            with self.subTest(raw=raw[:9]), self.assertRaises(ReportError):
                parse_report(raw)

    def test_token(self):
        token = new_token()
        self.assertNotEqual(token, new_token())
        self.assertTrue(is_token(token, token_digest(token)))
        self.assertFalse(is_token(token + "x", token_digest(token)))
        self.assertFalse(is_token("", ""), "nothing was found and nothing was sent")

    def test_bearer(self):
        self.assertEqual(read_bearer("Bearer abc"), "abc")
        self.assertEqual(read_bearer("bearer  abc "), "abc")
        for header in (None, "", "abc", "Basic abc", "Bearer", "Bearer " + "x" * 257):
            self.assertEqual(read_bearer(header), "")

    def test_evidence_is_cut(self):
        self.assertEqual(cut_evidence("a\x00b"), "ab")
        long = cut_evidence("x" * (MAX_EVIDENCE + 1))
        self.assertEqual(len(long), MAX_EVIDENCE)
        self.assertTrue(long.endswith("[...]"))
        self.assertEqual(cut_evidence("x" * MAX_EVIDENCE), "x" * MAX_EVIDENCE)
