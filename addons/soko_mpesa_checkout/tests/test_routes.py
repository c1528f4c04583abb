from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from odoo.addons.payment import utils as payment_utils
from odoo.addons.payment.tests.http_common import PaymentHttpCommon

from .common import PROMPTED, MpesaCheckoutCommon


@tagged("post_install", "-at_install")
class TestRoutes(MpesaCheckoutCommon, PaymentHttpCommon):
    def _push(self, transaction, phone="0712345678", access_token=None):
        return self.make_jsonrpc_request("/payment/mpesa/push", {
            "reference": transaction.reference, "partner_id": transaction.partner_id.id,
            "phone": phone, "access_token": access_token or payment_utils.generate_access_token(
                transaction.reference, transaction.partner_id.id, env=self.env),
        })

    def test_push_from_the_page(self):
        transaction = self._make()
        self._answer((200, PROMPTED))
        self.assertEqual(self._push(transaction), {})
        self.assertEqual(transaction.state, "pending")
        self.assertEqual(self._push(transaction), {})
        self.assertEqual(len(self.calls), 1)

    def test_wrong_number_is_explained(self):
        transaction = self._make()
        self._answer()
        self.assertIn("Kenyan mobile number", self._push(transaction, "0201234567")["error"])
        self.assertEqual(transaction.state, "draft")

    @mute_logger("odoo.http")
    def test_strangers_cannot_prompt(self):
        transaction = self._make()
        self._answer()
        with self.assertRaises(JsonRpcException):
            self._push(transaction, access_token="guessed")
        self.assertEqual(transaction.state, "draft")

    def test_processing_values_carry_the_access_token(self):
        transaction = self._make()
        values = transaction._get_processing_values()
        self.assertTrue(payment_utils.generate_access_token(
            transaction.reference, transaction.partner_id.id, env=self.env,
        ) == values["access_token"])

    def test_callback_is_thanked_for_and_kept(self):
        transaction, token = self._pushed()
        for secret, state in ((token, "new"), ("guessed", "quarantined")):
            answer = self.url_open(
                f"/soko/daraja/shopper/{secret}", data=self._callback(),
                headers={"Content-Type": "application/json"},
            )
            self.assertEqual(answer.json(), {"ResultCode": 0, "ResultDesc": "Accepted"})
            letter = self.env["soko.mpesa.inbox"].search([], order="id desc", limit=1)
            self.assertEqual(letter.state, state)
        self.env.ref("soko_mpesa.ir_cron_apply").method_direct_trigger()
        transaction.invalidate_recordset()
        self.assertEqual(transaction.state, "done")
