from datetime import datetime, timedelta

from odoo.tests import BaseCase, tagged

from ..tools import names, waiting


@tagged("post_install", "-at_install", "mpesa")
class TestNames(BaseCase):
    def check(self, verdict, *pairs):
        for heard, expected in pairs:
            with self.subTest(heard=heard, expected=expected):
                self.assertEqual(names.compare(heard, expected), verdict)
                self.assertEqual(names.compare(expected, heard), verdict, "either way round")

    def test_match(self):
        self.check(
            "match",
            ("AMINA MFANO", "Amina Mfano"), ("AMINA  MFANO", "Amina Mfano"),
            ("MFANO AMINA", "Amina Mfano"), ("Mfano, Amina", "amina mfano"),
            ("AMINA WANJIKU MFANO", "Amina Mfano"), ("AMINA MFANO", "Mrs. Amina Mfano"),
            ("NG'ANG'A MFANO", "Nganga Mfano"), ("JOSÉ MFANO", "Jose Mfano"),
            ("ACHIENG\u2019 MFANO", "ACHIENG' MFANO"), ("AMINA", "amina"),
            ("JAMII BRASS WORKSHOP", "Jamii Brass Workshop"),
            ("ANNE-MARIE MFANO", "Anne Marie Mfano"),
            ("DR JUMA MFANO", "Juma Mfano"), ("AMINA MFANO 2", "Amina Mfano"),
        )

    def test_similar(self):
        self.check(
            "similar",
            ("A*** M****", "Amina Mfano"), ("A**** M*", "Mfano Amina"),
            ("AMINA M****", "Amina Mfano"),
            ("*MINA MFAN*", "Amina Mfano"), ("A***A M***O", "Amina Mfano"),
            ("A. MFANO", "Amina Mfano"),
            ("AMINAH MFANO", "Amina Mfano"), ("AMINA", "Amina Mfano"), ("A*** M***", "AM*** MF***"),
            ("AMINA WANJIKU MFANO", "Amina Wanjiku Otieno"), ("J*** D**", "John Doe"),
            ("A M", "Amina Mfano"),
        )

    def test_mismatch(self):
        self.check(
            "mismatch",
            ("JOHN DOE", "Amina Mfano"), ("AMINA OTIENO", "Amina Mfano"),
            ("J*** D**", "Amina Mfano"),
            ("A*** D**", "Amina Mfano"), ("JUMA", "Amina Mfano"), ("A***B MFANO", "Amina Mfano"),
            ("AMINA AMINA", "Amina Mfano"), ("A A", "Amina Mfano"), ("MR", "Amina Mfano"),
            ("JOHN DOE", "Jamii Brass Workshop"), ("AMIN*********A MFANO", "Amin Mfano"),
        )

    def test_absent(self):
        self.check(
            "absent",
            ("", "Amina Mfano"), (None, "Amina Mfano"), ("*** ****", "Amina Mfano"),
            ("-", "Amina Mfano"),
            ("254700000041", "Amina Mfano"), ("AMINA", ""), ("   ", "Amina"), ("***", "***"),
        )

    def test_a_title_alone_is_a_name(self):
        self.assertEqual(names.compare("MAMA", "Mama"), "match")

    def test_party(self):
        for party, name in (
            ("254700000041 - AMINA  MFANO", "AMINA MFANO"),
            ("254700000041 - AM\x00NA \ud800MFANO\u202e", "AM NA MFANO"),
            ("2547*****041 -  A*** M****", "A*** M****"),
            ("254700000041 - ", ""), ("254700000041", ""), ("", ""), (None, ""),
            ("+254700000041", ""),
            ("AMINA MFANO", "AMINA MFANO"), ("254700000041 - AMINA - MFANO", "AMINA - MFANO"),
            ("0700000041 AMINA", ""), ("****041 - AMINA", "AMINA"),
        ):
            with self.subTest(party=party):
                self.assertEqual(names.split_party(party), name)

    def test_strange_texts_raise_nothing(self):
        for text in ("*" * 500, "A" * 5000, "\x00", "李 小龍", "<b>x</b>", "#•*", "_", "a_b", "😀"):
            with self.subTest(text=text[:10]):
                self.assertIn(names.compare(text, "Amina Mfano"), ("absent", "mismatch"))


@tagged("post_install", "-at_install", "mpesa")
class TestWaiting(BaseCase):
    now = datetime(2026, 5, 4, 12)

    def wait(self, amount, before=0, proven=False, cap=1000, left=None):
        until = None if left is None else self.now + timedelta(hours=left)
        return waiting.wait_for(
            amount, before=before, proven=proven, cap=cap, until=until, now=self.now)

    def test_cooling_until(self):
        self.assertEqual(waiting.cooling_until(self.now, 72), datetime(2026, 5, 7, 12))
        self.assertIsNone(waiting.cooling_until(self.now, 0))
        self.assertIsNone(waiting.cooling_until(None, 72))
        self.assertIsNone(waiting.cooling_until(False, 72))

    def test_first_payment(self):
        self.assertEqual(self.wait(1000), "")
        self.assertEqual(self.wait(1001), "first")
        self.assertEqual(self.wait(400, before=600), "")
        self.assertEqual(self.wait(401, before=600), "first", "parts don't get round the cap")
        self.assertEqual(self.wait(250000, proven=True), "")
        self.assertEqual(self.wait(250000, cap=0), "", "switched off")

    def test_cooling(self):
        self.assertEqual(self.wait(1000, left=1), "")
        self.assertEqual(self.wait(1001, left=1), "cooling")
        self.assertEqual(self.wait(1, before=1000, left=1, proven=True), "cooling")
        self.assertEqual(self.wait(1, cap=0, left=1), "cooling", "no first payment allowed")
        self.assertEqual(self.wait(250000, left=0), "", "over")
        self.assertEqual(self.wait(250000, left=-1), "")
