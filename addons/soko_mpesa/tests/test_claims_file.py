import os
import stat
import tempfile
import threading

from odoo.tests import BaseCase, tagged

from ..tools import claims

ACCOUNT = "0123456789abcdef"


def claim(number, account=ACCOUNT, amount=100):
    return claims.Claim("2026-11-25T08:00:00Z", f"ID{number:018}", account, amount, "f" * 64)


@tagged("post_install", "-at_install", "mpesa")
class TestClaimsFile(BaseCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(folder.name, "claims")

    def ids(self, **kwargs):
        recent = claims.recent_claims(self.path, ACCOUNT, **kwargs)
        return [int(item.originator_id[2:]) for item in recent]

    def test_what_is_written_is_read(self):
        self.assertEqual(self.ids(), [])
        claims.append_claim(self.path, claim(1, amount=250_000))
        self.assertEqual(
            claims.recent_claims(self.path, ACCOUNT), [claim(1, amount=250_000)])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        with open(self.path, encoding="ascii") as stream:
            self.assertLess(len(stream.read()), 170)

    def test_only_the_last_ones_of_this_account(self):
        for number in range(8):
            claims.append_claim(self.path, claim(number))
            claims.append_claim(self.path, claim(100 + number, account="f" * 16))
        self.assertEqual(self.ids(limit=3), [5, 6, 7])

    def test_what_is_accounted_for_is_done(self):
        claims.append_claim(self.path, claim(1))
        claims.append_accounted(self.path, "2026-11-25T08:00:00Z", ACCOUNT)
        self.assertEqual(self.ids(), [])
        claims.append_claim(self.path, claim(2))
        claims.append_accounted(self.path, "2026-11-25T08:00:00Z", "f" * 16)
        self.assertEqual(self.ids(), [2], "another account's word doesn't count")

    def test_long_file(self):
        lines = 2 * claims.TAIL_BYTES // 100
        for number in range(lines):
            claims.append_claim(self.path, claim(number))
        self.assertEqual(self.ids(limit=2), [lines - 2, lines - 1])
        self.assertEqual(len(self.ids()), claims.TAIL_CLAIMS)

    def test_a_cut_line_is_no_claim_and_swallows_none(self):
        claims.append_claim(self.path, claim(1))
        with open(self.path, "ab") as stream:
            stream.write(b"2026-11-25T08:00:00Z\tclaim\tID00")
        self.assertEqual(self.ids(), [1])
        claims.append_claim(self.path, claim(2))
        self.assertEqual(self.ids(), [1, 2])

    def test_rubbish_is_no_claim(self):
        with open(self.path, "wb") as stream:
            stream.write(b"\xff\xfe\n\n\t\t\t\t\t\n")
            stream.write(b"x\tclaim\ta\t" + ACCOUNT.encode() + b"\tten\tb\n")
        self.assertEqual(self.ids(), [])

    def test_nothing_that_could_make_a_line_of_its_own(self):
        bad = claims.Claim("now", "ID\n1", ACCOUNT, 1, "f" * 64)
        with self.assertRaises(claims.ClaimsFileError):
            claims.append_claim(self.path, bad)
        self.assertFalse(os.path.exists(self.path))

    def test_where_it_can_not_be_kept(self):
        self.assertEqual(claims.problem(self.path), "")
        self.assertIn("folder", claims.problem(os.path.join(self.folder, "none", "claims")))
        self.assertIn("plain file", claims.problem(self.folder))
        link = os.path.join(self.folder, "link")
        os.symlink(self.path, link)
        self.assertIn("plain file", claims.problem(link))
        for path in (link, self.folder, os.path.join(self.folder, "none", "claims"), "/dev/full"):
            with self.subTest(path=path), self.assertRaises(claims.ClaimsFileError):
                claims.append_claim(path, claim(1))

    def test_many_writers(self):
        def write(start):
            for number in range(start, start + 25):
                claims.append_claim(self.path, claim(number))
        threads = [threading.Thread(target=write, args=(start,)) for start in (0, 25, 50, 75)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(self.ids(limit=1000)), list(range(100)))

    def test_default_path(self):
        path = claims.default_path("/etc/soko/key", "web 1/x", "12345678-9abc")
        self.assertEqual(path, "/etc/soko/key.claims-web-1-x-12345678")
