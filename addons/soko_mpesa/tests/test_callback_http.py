import json
import logging
from contextlib import contextmanager

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
        answer = self.call("/soko/daraja/payout/x", b"x" * 70000)
        self.assertEqual(answer.status_code, 413)

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
