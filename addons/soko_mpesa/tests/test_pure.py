import base64
import os
import tempfile
from datetime import datetime, timedelta

from cryptography.fernet import Fernet

from odoo.tests import BaseCase, tagged

from ..tools import msisdn, proof
from ..tools.box import Box, KeyFileError
from ..tools.redact import redact


@tagged("post_install", "-at_install", "mpesa")
class TestMsisdn(BaseCase):
    def test_accepted(self):
        for text in (
            "254700000041", "+254700000041", "+254 700 000 041", "00254700000041",
            "0700000041", "0700 000-041", "(0700) 000 041", "700000041", "0700.000.041",
        ):
            with self.subTest(text=text):
                self.assertEqual(msisdn.normalise(text), "254700000041")
        self.assertEqual(msisdn.normalise("0110 000 041"), "254110000041")

    def test_refused(self):
        for text, why in (
            ("", "empty"), (None, "empty"), ("  ", "empty"), ("0700 00O 041", "characters"),
            ("+255712345678", "country"), ("+447700900123", "country"), ("0044770090", "country"),
            ("256712345678", "country"), ("020 2222222", "landline"), ("+254202222222", "landline"),
            ("0800723253", "landline"), ("07000000411", "length"), ("070000004", "length"),
            ("25470000004", "length"), ("2547000000411", "length"), ("0700000041/2", "characters"),
            ("٠٧٠٠٠٠٠٠٤١", "characters"),
        ):
            with self.subTest(text=text):
                with self.assertRaises(ValueError) as caught:
                    msisdn.normalise(text)
                self.assertEqual(str(caught.exception), why)

    def test_unmistakable(self):
        for text, expected in (
            ("254700000041", True), ("+254 110 000 041", True), ("0700000041", False),
            ("254200000041", False), ("", False), (None, False),
        ):
            with self.subTest(text=text):
                self.assertIs(msisdn.is_unmistakable(text), expected)

    def test_party(self):
        for party, expected in (
            ("254700000041 - AMINA MFANO", "match"), ("254700000041 -  AMINA", "match"),
            ("0700000041 - AMINA", "match"), ("254700000041", "match"),
            ("2547*****041 - AMINA", "match"), ("2547xxxxx041 - A", "match"),
            ("*********041", "match"), ("*****041 - A", "match"),
            ("254711111111 - AMINA", "mismatch"), ("2547*****042 - AMINA", "mismatch"),
            ("041", "mismatch"), ("**41", "mismatch"),
            ("", "absent"), (None, "absent"), ("AMINA MFANO", "absent"), ("***** - A", "absent"),
        ):
            with self.subTest(party=party):
                self.assertEqual(msisdn.compare_party(party, "254700000041"), expected)

    def test_mask(self):
        self.assertEqual(msisdn.mask("254700000041"), "2547*****041")
        self.assertEqual(msisdn.mask(""), "")


@tagged("post_install", "-at_install", "mpesa")
class TestRedact(BaseCase):
    def test_secrets_leave(self):
        for raw in (
            b'{"SecurityCredential":"abcSECRET+/=","Amount":10}',
            b'{"SecurityCredential" : "abcSECRET"}', b"SecurityCredential=abcSECRET&Amount=10",
            b'{"errorMessage":"Invalid Access Token - abcSECRET"}',
            b"Authorization: Bearer abcSECRET", b"Basic abcSECRET==",
            b'{"ResultURL":"https://x.example/soko/daraja/payout/abcSECRET"}',
            b'{"ResultURL":"https:\\/\\/x.example/soko/daraja/status-late/abcSECRET"}',
            b'{"access_token": "abcSECRET"}',
        ):
            with self.subTest(raw=raw):
                self.assertNotIn(b"SECRET", redact(raw))

    def test_the_rest_stays(self):
        raw = b'{"Result":{"ResultCode":0,"ResultDesc":"fine"},"Amount":10}'
        self.assertEqual(redact(raw), raw)
        self.assertEqual(redact(b""), b"")
        self.assertIn(b'"Amount":10', redact(b'{"SecurityCredential":"x","Amount":10}'))


@tagged("post_install", "-at_install", "mpesa")
class TestBox(BaseCase):
    def key_file(self, text):
        handle, path = tempfile.mkstemp()
        self.addCleanup(os.unlink, path)
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        return path

    def test_round_trip(self):
        for key in (Fernet.generate_key().decode(), "any text of more than 32 characters will do",
                    base64.b64encode(b"x" * 40).decode()):
            box = Box(self.key_file(key + "\n"))
            cipher = box.encrypt("canary")
            self.assertNotIn("canary", cipher)
            self.assertEqual(box.decrypt(cipher), "canary")

    def test_other_key_reads_nothing(self):
        cipher = Box(self.key_file("a" * 40)).encrypt("canary")
        other = Box(self.key_file("b" * 40))
        self.assertIsNone(other.decrypt(cipher))
        self.assertIsNone(other.decrypt("rubbish"))

    def test_new_key_in_front(self):
        cipher = Box(self.key_file("a" * 40)).encrypt("canary")
        both = Box(self.key_file("b" * 40 + "\n" + "a" * 40))
        self.assertEqual(both.decrypt(cipher), "canary")
        self.assertIsNone(Box(self.key_file("a" * 40)).decrypt(both.encrypt("canary")))

    def test_bad_files(self):
        for path, why in (
            ("", "missing"), (None, "missing"), ("/nonexistent", "missing"), ("/", "unreadable"),
            (self.key_file(""), "short"), (self.key_file("short"), "short"),
            (self.key_file("a" * 40 + "\nshort"), "short"), (self.key_file("é" * 40), "unreadable"),
        ):
            with self.subTest(path=path), self.assertRaises(KeyFileError) as caught:
                Box(path)
            self.assertEqual(str(caught.exception), why)

    def test_fingerprint(self):
        box, other = Box(self.key_file("a" * 40)), Box(self.key_file("b" * 40))
        self.assertEqual(box.fingerprint("x", "y"), box.fingerprint("x", "y"))
        self.assertNotEqual(box.fingerprint("x", "y"), box.fingerprint("xy", ""))
        self.assertNotEqual(box.fingerprint("x"), other.fingerprint("x"))


NOW = datetime(2026, 1, 1, 12)


@tagged("post_install", "-at_install", "mpesa")
class TestProof(BaseCase):
    def check(self, expected, *facts, settled_at=NOW):
        self.assertEqual(proof.decide([proof.Fact(*fact) for fact in facts], settled_at), expected)

    def test_open(self):
        self.check(None)
        self.check(None, ("answer", "neutral"), ("timeout", "neutral"), ("lease", "neutral"))
        self.check(None, ("result", "contradiction"))

    def test_paid(self):
        self.check("paid", ("result", "positive", 1))
        self.check("paid", ("status", "positive", 1))
        self.check("paid", ("result", "negative", 1, "1"), ("status", "negative", 2),
                   ("result", "positive", 1))

    def test_one_failure_is_no_proof(self):
        self.check(None, ("result", "negative", 1, "2040"))
        self.check(None, ("status", "negative", 1))
        self.check(None, ("status", "negative", 1), ("status", "negative", 1))

    def test_two_voices(self):
        self.check("not_paid", ("result", "negative", 1, "99"), ("status", "negative", 2))
        self.check("not_paid", ("status", "negative", 1), ("status", "negative", 2))

    def test_absence(self):
        late = NOW + timedelta(minutes=1)
        self.check(None, ("status", "absent", 1, "25", late), ("status", "absent", 2, "25", late),
                   ("status", "absent", 3, "25", late))
        self.check("not_paid", ("result", "negative", 1, "2040"),
                   ("status", "absent", 2, "25", NOW))
        self.check(None, ("result", "negative", 1, "99"), ("status", "absent", 2, "25", late))
        many = [("status", "absent", source, "25", late) for source in (2, 3, 4)]
        self.check("not_paid", ("result", "negative", 1, "99"), *many)
        early = [(kind, verdict, source, code, NOW - timedelta(hours=1))
                 for kind, verdict, source, code, _at in many]
        self.check(None, ("result", "negative", 1, "99"), *early)
        self.check(None, ("result", "negative", 1, "99"), *many, settled_at=None)
        same = [("status", "absent", 2, "25", late)] * 3
        self.check(None, ("result", "negative", 1, "99"), *same)

    def test_statement(self):
        failed = ("result", "negative", 1, "99")
        self.check("paid", ("statement", "positive"), failed, ("status", "negative", 2))
        self.check(None, ("statement", "negative"))
        self.check(None, ("statement", "negative"), ("statement", "negative", 7))
        self.check(None, ("statement", "absent"), ("statement", "absent"))
        self.check("not_paid", failed, ("statement", "negative"))
        self.check("not_paid", ("status", "negative", 2), ("statement", "negative"))
        self.check("not_paid", failed, ("statement", "absent"))
        self.check(None, ("status", "negative", 2), ("statement", "absent"))

    def test_statement_beside_not_found(self):
        late = NOW + timedelta(minutes=1)
        many = [("status", "absent", source, "25", late) for source in (2, 3, 4)]
        self.check("not_paid", *many, ("statement", "absent"))
        self.check(None, *many[:2], ("statement", "absent"))
        self.check(None, *many, ("statement", "absent"), settled_at=None)
        self.check(None, *many, ("statement", "neutral"))

    def test_two_humans(self):
        self.check("not_paid", ("human", "negative"))
        self.check("paid", ("human", "positive"))
        self.check("paid", ("human", "negative"), ("statement", "positive"))
        self.check(None, ("human", "contradiction"))
