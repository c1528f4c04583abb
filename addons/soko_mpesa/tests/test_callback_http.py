import contextlib
import http.client
import json
import logging
from contextlib import contextmanager
from urllib.parse import urlsplit

from odoo.tests import HttpCase, tagged

from ..tools.access_log import CallbackFilter
from .common import MpesaCase
from .fake_daraja import payment_result

ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}


@tagged("post_install", "-at_install", "mpesa")
class TestCallbackHttp(HttpCase, MpesaCase):
    def call(self, path, data, **kwargs):
        headers = {"Content-Type": kwargs.pop("content_type", "application/json")}
        return self.url_open(path, data=data, headers=headers, **kwargs)

    @contextmanager
    def other_cursor(self):
        """The class is in test mode already, for the sake of its HTTP server."""
        self.env.flush_all()
        with self.registry.cursor() as cr:
            yield self.env(cr=cr, user=self.env.ref("base.user_root"), context={})
        self.env.invalidate_all()

    def path(self, url):
        return url.removeprefix("https://erp.example.co.ke")

    def test_the_web_servers_log_does_not_name_the_token(self):
        self.make_payout()
        self.send()
        path = self.path(self.daraja.payments[0]["ResultURL"])
        token = path.rpartition("/")[2]
        filters = logging.getLogger("werkzeug").filters
        [ours] = [one for one in filters if isinstance(one, CallbackFilter)]
        line = logging.makeLogRecord({"msg": '%s "POST %s" 200', "args": ("127.0.0.1", path)})
        self.assertTrue(ours.filter(line))
        self.assertIn("/soko/daraja/payout/***", line.getMessage())
        self.assertNotIn(token, line.getMessage())
        other = logging.makeLogRecord({"msg": 'GET %s', "args": ("/shop",)})
        self.assertTrue(ours.filter(other))
        self.assertEqual(other.getMessage(), "GET /shop")

    def test_result_over_http(self):
        bill, payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[0]
        for _time in range(3):
            answer = self.call(self.path(request["ResultURL"]), payment_result(request))
            self.assertEqual((answer.status_code, answer.json()), (200, ACCEPTED))
        self.assertEqual(payout.state, "in_flight", "it is only stored")
        letters = self.env["soko.mpesa.inbox"].search([("callback_id", "!=", False)])
        self.assertEqual((len(letters), letters.state), (1, "new"))
        self.apply()
        self.assertEqual((payout.state, payment.state, bill.payment_state),
                         ("paid", "paid", "paid"))

    def test_strangers(self):
        before = self.env["soko.mpesa.inbox"].search_count([])
        for path in ("/soko/daraja/payout/guess", "/soko/daraja/nothing/x"):
            answer = self.call(path, json.dumps({"Result": {}}).encode())
            self.assertEqual((answer.status_code, answer.json()), (200, ACCEPTED))
        self.assertEqual(self.env["soko.mpesa.inbox"].search_count([]), before + 2)
        self.assertFalse(self.env["soko.mpesa.inbox"].search([("state", "=", "new")]))

    def test_rubbish(self):
        _bill, _payment, payout = self.make_payout()
        self.send()
        path = self.path(self.daraja.payments[0]["ResultURL"])
        for data, content_type in (
            (b" ", "application/json"), (b"[" * 60000, "application/json"),
            (b"\xff\xfe\x00", "text/plain"), (b"a=1", "application/x-www-form-urlencoded"),
            (b"<xml/>", "text/xml"),
        ):
            answer = self.call(path, data, content_type=content_type)
            self.assertEqual(answer.status_code, 200, data[:9])
        self.apply()
        self.assertEqual(payout.state, "in_flight")
        self.assertFalse(self.env["soko.mpesa.inbox"].search([("state", "=", "failed")]))

    def test_too_long(self):
        for size in (70_000, 5_000_000):
            answer = self.call("/soko/daraja/payout/x", b"x" * size)
            self.assertEqual(answer.status_code, 413)

    def test_odd_letters_are_kept_and_applied(self):
        """F38: whatever it is, it is no error of ours and stops no other letter."""
        _bill, _payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[0]
        path, good = self.path(request["ResultURL"]), payment_result(request)
        odd = (
            b"[]", b"null", b"\xef\xbb\xbf{}", b"{\"Result\": {\"ResultCode\": NaN}}",
            b"{\"Result\": {\"ResultCode\": 1e999}}", b"{\"Result\": {\"ResultCode\": -0}}",
            good.replace(b'"ResultCode": 0', b'"ResultCode": 0, "ResultCode": ' + b"9" * 5000),
            good.replace(b'"Value": 1500', b'"Value": 1e400'),
            good.replace(b"Amina", b"\\u0000\\ud800"), good.replace(b"1500", b"Infinity"),
            good.replace(b"Amina", "Am\xedna".encode("latin-1"))[:-3], b'{"a":' * 9000,
        )
        for data in odd:
            answer = self.call(path, data, content_type="application/octet-stream")
            self.assertEqual((answer.status_code, answer.json()), (200, ACCEPTED), data[:40])
        self.apply()
        self.assertFalse(self.env["soko.mpesa.inbox"].search([("state", "=", "failed")]))
        self.assertEqual(payout.receipt in (False, "SG632NMUAB"), True)
        self.assertNoViolation()

    def test_no_length_and_spoofed_origin(self):
        """F38, S6: a body in chunks is no way around the limit; headers name nobody."""
        parts = urlsplit(self.base_url())
        for body in ([b"{}"], [b"x" * 60_000] * 90):
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
            with contextlib.suppress(OSError):  # it may hang up before all is sent
                connection.request(
                    "POST", "/soko/daraja/payout/x", iter(body), encode_chunked=True, headers={
                        "Transfer-Encoding": "chunked", "Content-Type": "application/json"})
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.assertIn(connection.getresponse().status, (200, 400, 411, 413))
            connection.close()
        spoofed = {"X-Forwarded-For": "196.201.214.200", "X-Real-IP": "196.201.214.200",
                   "X-Forwarded-Host": "erp.example.co.ke", "Content-Type": "application/json"}
        answer = self.url_open("/soko/daraja/payout/spoof", data=b"{}", headers=spoofed)
        self.assertEqual(answer.status_code, 200)
        letter = self.env["soko.mpesa.inbox"].search([], limit=1)
        self.assertEqual((letter.state, letter.source_address), ("quarantined", "127.0.0.1"))
        longest = max(len(raw or b"") for raw in self.env["soko.mpesa.inbox"].with_context(
            bin_size=False).search([]).mapped("raw"))
        self.assertLess(longest, 100_000)

    def test_get_does_nothing(self):
        answer = self.url_open("/soko/daraja/payout/x")
        self.assertIn(answer.status_code, (404, 405))

    def test_no_forbidden_word_in_the_address(self):
        self.make_payout()
        self.send()
        self.ask()
        for request in (self.daraja.payments[0], self.daraja.queries[0]):
            for name in ("ResultURL", "QueueTimeOutURL"):
                path = self.path(request[name]).rsplit("/", 1)[0]
                for word in ("mpesa", "safaricom", "query", "cmd", "sql", "exe"):
                    self.assertNotIn(word, path)
