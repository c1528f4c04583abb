import contextlib
import json
import socket
import ssl
import threading
import time

from odoo.tests import BaseCase, tagged

from ..tools import client
from ..tools.classify import ACCEPTED, NOT_SENT, REJECTED, UNKNOWN
from .fake_daraja import FakeDaraja, answer, drop, refuse


@contextlib.contextmanager
def raw_server(speak):
    """A port that lets `speak(connection)` answer whatever comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                speak(connection)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        thread.join(5)


@tagged("post_install", "-at_install", "mpesa")
class TestClient(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daraja = FakeDaraja()
        cls.addClassCleanup(cls.daraja.stop)

    def request(self, url=None):
        return client.make_request(
            self.daraja.url if url is None else url, "/mpesa/b2c/v3/paymentrequest", "token",
            {"OriginatorConversationID": "OURS", "Amount": "10"})

    def send(self, url=None, deadline=5):
        return client.send(self.request(url), deadline)

    def check_raw(self, kind, speak, deadline=1):
        with raw_server(speak) as url:
            outcome = self.send(url, deadline)
        self.assertEqual(outcome.kind, kind, outcome)
        return outcome

    def test_accepted(self):
        outcome = self.send()
        self.assertEqual((outcome.kind, outcome.originator_id), (ACCEPTED, "OURS"))
        self.assertEqual(self.daraja.payments[-1]["_token"], "Bearer token")

    def test_answers(self):
        for step, kind in (
            (refuse(400, "400.002.02"), REJECTED), (refuse(401, "401.002.01"), NOT_SENT),
            (refuse(500, "500.003.1001"), UNKNOWN), (answer(503, b"<html>"), UNKNOWN),
            (drop(), UNKNOWN),
        ):
            self.daraja.script = [step]
            self.assertEqual(self.send().kind, kind)

    def test_redirect_is_not_followed(self):
        seen = []

        def redirect(connection):
            connection.recv(65536)
            connection.sendall(
                f"HTTP/1.1 307 x\r\nLocation: {self.daraja.url}/b2c\r\n"
                "Content-Length: 0\r\n\r\n".encode())
            seen.append(1)
        before = len(self.daraja.payments)
        self.check_raw(UNKNOWN, redirect)
        self.assertEqual((len(self.daraja.payments), seen), (before, [1]))

    def test_nothing_left(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for url in (
            closed, "http://does-not-exist.invalid", "http://daraja.example", "ftp://127.0.0.1",
            "https://user:pass@127.0.0.1", "https://", "", "file:///etc/passwd",
        ):
            with self.subTest(url=url):
                self.assertEqual(self.send(url).kind, NOT_SENT)

    def test_header_injection(self):
        request = client.make_request(self.daraja.url, "/b2c", "a\r\nX: y", {})
        self.assertEqual(client.send(request).kind, NOT_SENT)

    def test_tls_failure_sends_nothing(self):
        received = []

        def no_tls(connection):
            received.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 400 no\r\n\r\n")
        with raw_server(no_tls) as url:
            outcome = self.send(url.replace("http", "https"))
        self.assertEqual(outcome.kind, NOT_SENT)
        self.assertNotIn(b"Amount", received[0])

    def test_context_verifies(self):
        context = ssl.create_default_context()
        self.assertEqual((context.verify_mode, context.check_hostname), (ssl.CERT_REQUIRED, True))

    def test_silence_and_cut_answers(self):
        def silent(connection):
            connection.recv(65536)
            connection.recv(1)
        self.check_raw(UNKNOWN, silent, deadline=0.3)
        for data in (
            b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
            b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
        ):
            with self.subTest(data=data):
                def cut(connection, data=data):
                    connection.recv(65536)
                    connection.sendall(data)
                self.check_raw(UNKNOWN, cut)

    def test_drip_ends_at_the_deadline(self):
        def drip(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            connection.settimeout(0.05)
            while True:
                connection.sendall(b" ")
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return
        started = time.monotonic()
        self.check_raw(UNKNOWN, drip, deadline=0.6)
        self.assertLess(time.monotonic() - started, 3)

    def test_flood_is_bounded(self):
        def flood(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _time in range(1000):
                connection.sendall(b"x" * 65536)
        self.check_raw(UNKNOWN, flood, deadline=5)

    def test_request_bytes(self):
        request = self.request()
        self.assertEqual(json.loads(request.body)["Amount"], "10")
        self.assertNotIn("token", repr(request), "a log line must not show it")

    def test_token(self):
        token, life, error = client.fetch_token(self.daraja.url, "key", "secret")
        self.assertEqual((token[:5], life, error), ("token", 3599, ""))
        self.daraja.token_status = 400
        self.assertEqual(client.fetch_token(self.daraja.url, "k", "s"), ("", 0, "HTTP 400"))
        self.daraja.token_status = 200
        token, _life, error = client.fetch_token("http://127.0.0.1:9", "key", "secret")
        self.assertEqual(token, "")
        self.assertTrue(error)

    def test_addresses(self):
        for url, good in (
            ("https://api.safaricom.co.ke", True), ("http://127.0.0.1:8080", True),
            ("http://localhost:1", True), ("http://[::1]:1", True),
            ("http://api.safaricom.co.ke", False), ("http://127.0.0.1.example.com", False),
            ("http://10.0.0.1", False), ("javascript:1", False), ("", False), (None, False),
        ):
            with self.subTest(url=url):
                self.assertIs(client.check_base_url(url), good)
