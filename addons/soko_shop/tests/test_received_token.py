import base64
from datetime import datetime

from odoo.tests import BaseCase, tagged

from odoo.addons.soko_shop.tools.received_token import read_expiry


@tagged("post_install", "-at_install")
class TestReadExpiry(BaseCase):
    def _token(self, version, seconds):
        raw = version + seconds.to_bytes(8, "little") + bytes(32) + b"1"
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def test_expiry(self):
        moment = datetime(2026, 3, 1, 12, 0)
        token = self._token(b"\x01", int(moment.timestamp()))
        self.assertEqual(read_expiry(token), moment)

    def test_nothing_to_read(self):
        for token in ("", "x", "é", self._token(b"\x02", 5), self._token(b"\x01", 0)):
            self.assertIsNone(read_expiry(token))

    def test_absurd_expiry(self):
        self.assertIsNone(read_expiry(self._token(b"\x01", 2**63)))
