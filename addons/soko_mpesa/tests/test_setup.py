import os
import tempfile
from datetime import UTC, datetime

from odoo.tests import BaseCase, tagged

from ..tools import setup


def resolving(*addresses):
    return lambda _host, _port: [(0, 0, 0, "", (address, 0)) for address in addresses]


def failing(_host, _port):
    raise OSError("no such name")


@tagged("post_install", "-at_install", "mpesa")
class TestSetup(BaseCase):
    def test_forbidden_words(self):
        for url, words in (
            ("https://erp.example.co.ke", []), ("https://mpesa.example.co.ke", ["mpesa"]),
            ("https://pay.example/M-Pesa/x", ["m-pesa"]), ("https://a.example/query", ["query"]),
            ("https://exec.example", ["exec"]), ("https://x.ngrok.io", ["ngrok"]), ("", []),
            (None, []),
        ):
            with self.subTest(url=url):
                self.assertEqual(setup.forbidden_words(url), words)

    def test_public_hosts(self):
        for addresses, public in (
            (["41.90.1.1"], True), (["10.0.0.1"], False), (["192.168.1.1"], False),
            (["127.0.0.1"], False), (["169.254.169.254"], False), (["::1"], False),
            (["fe80::1%eth0"], False), (["41.90.1.1", "10.0.0.1"], False), ([], False),
        ):
            with self.subTest(addresses=addresses):
                self.assertIs(setup.is_public_host("x", resolving(*addresses)), public)
        self.assertIsNone(setup.is_public_host("x", failing))

    def test_environments(self):
        for environment, url, wrong in (
            ("production", "https://api.safaricom.co.ke", ""),
            ("production", "https://sandbox.safaricom.co.ke", "sandbox.safaricom.co.ke"),
            ("production", "https://api.safaricom.co.ke.example.com",
             "api.safaricom.co.ke.example.com"),
            ("production", "http://127.0.0.1:80", "127.0.0.1"), ("production", "", "-"),
            ("sandbox", "https://sandbox.safaricom.co.ke", ""), ("sandbox", "http://[::1]:9", ""),
            ("sandbox", "https://api.safaricom.co.ke/x", "api.safaricom.co.ke"),
        ):
            with self.subTest(environment=environment, url=url):
                self.assertEqual(setup.wrong_environment(environment, url), wrong)

    def test_rights_of_a_file(self):
        with tempfile.NamedTemporaryFile() as stream:
            for mode, expected in ((0o600, "ok"), (0o400, "ok"), (0o640, "open"), (0o604, "open")):
                os.chmod(stream.name, mode)
                self.assertEqual(setup.file_rights(stream.name), expected)
        self.assertEqual(setup.file_rights(stream.name), "missing")
        self.assertEqual(setup.file_rights(None), "missing")

    def test_clock(self):
        now = datetime(2026, 11, 25, 8, 0, 30, tzinfo=UTC)
        self.assertEqual(setup.clock_difference("Wed, 25 Nov 2026 08:00:00 GMT", now), 30)
        self.assertEqual(setup.clock_difference("Wed, 25 Nov 2026 11:00:00 +0300", now), 30)
        self.assertEqual(setup.clock_difference("Wed, 25 Nov 2026 08:00:00 -0000", now), 30)
        for date in ("", None, "yesterday"):
            self.assertIsNone(setup.clock_difference(date, now))

    def test_watchdog(self):
        for limit, short in ((0, False), (60, True), (79, True), (80, False), (600, False)):
            self.assertIs(setup.cron_limit_is_short(limit), short)

    def test_debugging(self):
        for mode, debugging in (([], False), ("", False), (None, False), (["all"], True),
                                ("reload,qweb", True), (["replica"], True)):
            self.assertIs(setup.is_debugging(mode), debugging)
