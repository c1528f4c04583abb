import json
import os
import tempfile
from unittest.mock import patch

from odoo.addons.payment.tests.common import PaymentCommon
from odoo.addons.soko_mpesa.tools.classify import classify, not_sent

PROMPTED = {
    "MerchantRequestID": "29115-34620561-1", "CheckoutRequestID": "ws_CO_191220191020363925",
    "ResponseCode": "0", "ResponseDescription": "Success. Request accepted for processing",
    "CustomerMessage": "Success. Request accepted for processing",
}


class MpesaCheckoutCommon(PaymentCommon):
    """A provider in test mode with all it needs, and a transaction of KES 1,500."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._use_key_file()
        cls.currency = cls._enable_currency("KES")
        cls.account = cls.env["soko.mpesa.account"].create({
            "name": "Paybill", "shortcode": "174379", "environment": "sandbox",
            "company_id": cls.company.id, "callback_url": "https://shop.example.com",
            "base_url": "https://daraja.example.com", "consumer_key": "key",
            "consumer_secret": "secret",
        })
        cls.provider = cls._prepare_provider("mpesa", update_values={
            "soko_mpesa_account_id": cls.account.id, "soko_mpesa_passkey": "passkey",
            "is_published": True,
        })
        cls.payment_method = cls.env.ref("payment.payment_method_mpesa")
        cls.payment_method_id = cls.payment_method.id
        cls.amount = 1500.0
        cls.partner.country_id = cls.env.ref("base.ke")

    @classmethod
    def _use_key_file(cls):
        handle, key_file = tempfile.mkstemp()
        with os.fdopen(handle, "w") as stream:
            stream.write("a long random text that only the tests know\n")
        cls.addClassCleanup(os.unlink, key_file)
        cls.startClassPatcher(patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": key_file}))
        for name in ("SOKO_MPESA_BASE_URL", "SOKO_MPESA_CALLBACK_URL"):
            os.environ.pop(name, None)

    def setUp(self):
        super().setUp()
        self.calls = []
        self.outcomes = []

    def _answer(self, *outcomes):
        """Let Daraja answer the next calls: (status, body), an outcome, or a function."""
        self.outcomes = list(outcomes)

        def call(provider, path, payload):
            self.calls.append((path, payload))
            outcome = self.outcomes.pop(0)
            outcome = outcome() if callable(outcome) else outcome
            if isinstance(outcome, tuple):
                status, body = outcome
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                outcome = classify(status, raw)
            return outcome

        return self.startPatcher(patch.object(
            type(self.env["payment.provider"]), "_soko_mpesa_call", call,
        ))

    def _make(self, **values):
        return self._create_transaction("direct", **values)

    def _pushed(self, *outcomes):
        """Return a transaction whose prompt was sent, and the secret of its callback."""
        transaction = self._make()
        self._answer(*(outcomes or [(200, PROMPTED)]))
        token = transaction._soko_mpesa_claim("0712 345 678")
        transaction._soko_mpesa_push(token)
        return transaction, token

    def _callback(self, code=0, description="done", amount=1500.0, receipt="NLJ7RT61SV", **values):
        callback = {
            "MerchantRequestID": "29115-34620561-1", "ResultCode": code, "ResultDesc": description,
            "CheckoutRequestID": PROMPTED["CheckoutRequestID"], **values,
        }
        if code == 0:
            callback["CallbackMetadata"] = {"Item": [
                {"Name": "Amount", "Value": amount},
                {"Name": "MpesaReceiptNumber", "Value": receipt}, {"Name": "Balance"},
                {"Name": "TransactionDate", "Value": 20191219102115},
                {"Name": "PhoneNumber", "Value": 254712345678},
            ]}
        return json.dumps({"Body": {"stkCallback": callback}}).encode()

    def _deliver(self, token, raw):
        """Store a letter as the route does and apply it as the cron does."""
        inbox = self.env["soko.mpesa.inbox"]
        inbox._store("shopper", token, raw, "127.0.0.1")
        letter = inbox.search([], order="id desc", limit=1)
        if letter.state == "new":
            letter._apply()
        return letter


__all__ = ["PROMPTED", "MpesaCheckoutCommon", "not_sent"]
