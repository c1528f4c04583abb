import json

from odoo.tests import HttpCase, tagged

from ..controllers.main import MAX_BODY
from ..models.soko_mpesa_inbox import MAX_QUARANTINED
from .common import MpesaCase
from .fake_daraja import payment_result

FLOOD = 2000


class FloodCase(MpesaCase):
    """S5: letters to addresses that nobody was given."""

    def strangers(self):
        return self.env["soko.mpesa.inbox"].search_count([("state", "=", "quarantined")])

    def store(self, number, raw, source="198.51.100.7"):
        return self.env["soko.mpesa.inbox"]._store("payout", f"guess{number}", raw, source)


@tagged("post_install", "-at_install", "mpesa")
class TestFlood(FloodCase):
    def test_flood_is_bounded(self):
        """The cap holds, each letter costs one statement, and ours are kept all the same."""
        _bill, payout, request = self.fly()
        self.store(0, b"{}")
        self.env.flush_all()
        before = self.cr.sql_log_count
        for number in range(1, FLOOD):
            self.assertFalse(self.store(number, json.dumps({"n": number}).encode()))
        self.assertEqual(self.cr.sql_log_count - before, FLOOD - 1)
        self.assertEqual(self.strangers(), MAX_QUARANTINED)
        self.assertFalse(self.env["soko.mpesa.inbox"].search([("state", "=", "new")]))
        self.assertTrue(self.post(request["ResultURL"], payment_result(request)))
        self.assertEqual(payout.state, "paid")


@tagged("post_install", "-at_install", "mpesa")
class TestFloodHttp(HttpCase, FloodCase):
    def test_over_http_at_the_cap(self):
        """The answer doesn't tell that nothing is kept any more."""
        for number in range(MAX_QUARANTINED):
            self.store(number, b"{}")
        self.env.flush_all()
        answers = {
            (answer.status_code, answer.text) for answer in (
                self.url_open(f"/soko/daraja/payout/more{number}", data=b"x" * MAX_BODY,
                              headers={"Content-Type": "application/json"})
                for number in range(20))}
        self.assertEqual(answers, {(200, '{"ResultCode": 0, "ResultDesc": "Accepted"}')})
        self.assertEqual(self.strangers(), MAX_QUARANTINED)

    def test_size_of_one(self):
        """Whatever the sender puts where: what is kept of a letter has an end."""
        answer = self.url_open(
            f"/soko/daraja/{'w' * 500}/{'t' * 3000}", data=b"x" * MAX_BODY,
            headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status_code, 200)
        self.assertFalse(self.store(1, b"{}", source="f" * 5000))
        self.env.cr.execute("""
            SELECT max(length(raw)), max(length(word)), max(length(source_address)),
                   max(pg_column_size(i.*)) FROM soko_mpesa_inbox i""")
        raw, word, source, whole = self.env.cr.fetchone()
        self.assertEqual((raw, word, source), (MAX_BODY // 3 * 4 + 4, 20, 64))
        self.assertLess(whole, 90_000)
