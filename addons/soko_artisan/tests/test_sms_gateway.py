import os
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.sms.tools.sms_api import SmsApi
from odoo.addons.soko_artisan.models.res_company import SMS_URL_VARIABLE
from odoo.addons.soko_artisan.tools.sms_gateway import SmsApiSoko

from .common import GATEWAY, ArtisanCase, fake_gateway


@tagged("post_install", "-at_install")
class TestSmsGateway(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ))
        os.environ.pop(SMS_URL_VARIABLE, None)
        cls.company.soko_sms_gateway_url = GATEWAY

    def _sms(self, number="+254700000001", body="Habari"):
        return self.env["sms.sms"].create({"number": number, "body": body})

    def test_both_paths_use_the_gateway(self):
        first, second = self._sms(), self._sms(body="Asante")
        with fake_gateway() as gateway:
            first.send(unlink_sent=False)
            second._send(unlink_sent=False)
        self.assertEqual((first.state, second.state), ("pending", "pending"))
        url, payload, timeout = gateway.requests[0]
        self.assertEqual(url, GATEWAY)
        self.assertEqual(
            payload, {"to": "+254700000001", "body": "Habari", "uuid": first.uuid}
        )
        self.assertTrue(timeout)
        self.assertEqual(gateway.requests[1][1]["body"], "Asante")

    def test_refused_number(self):
        sms = self._sms(number="+2547")
        with fake_gateway(422):
            sms.send(unlink_failed=False)
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_number_format"))

    def test_server_down_or_silent(self):
        for status in (500, None):
            sms = self._sms()
            with self.subTest(status), fake_gateway(status):
                sms.send(unlink_failed=False)
            self.assertEqual((sms.state, sms.failure_type), ("error", "sms_server"))

    def test_no_number_is_not_sent(self):
        sms = self._sms(number=False)
        with fake_gateway() as gateway:
            sms.send(unlink_failed=False)
        self.assertFalse(gateway.requests)
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_number_missing"))

    def test_environment_wins(self):
        with patch.dict(os.environ, {SMS_URL_VARIABLE: "http://other.test/sms"}):
            sms = self._sms()
            with fake_gateway() as gateway:
                sms.send()
        self.assertEqual(gateway.requests[0][0], "http://other.test/sms")

    def test_without_address_odoo_sends(self):
        self.company.soko_sms_gateway_url = False
        self.assertIs(self.company._get_sms_api_class(), SmsApi)
        apis = [type(api) for api, _sms in self._sms()._split_by_api()]
        self.assertEqual(apis, [SmsApi])
        self.company.soko_sms_gateway_url = GATEWAY
        self.assertIs(self.company._get_sms_api_class(), SmsApiSoko)

    def test_queue_with_two_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        other.soko_sms_gateway_url = "http://other.test/sms"
        mine, theirs = self._sms(body="Mine"), self._sms(body="Theirs")
        for sms, company in ((mine, self.company), (theirs, other)):
            sms.mail_message_id = self.env["mail.message"].create(
                {"body": "x", "record_company_id": company.id}
            )
        with fake_gateway() as gateway:
            (mine | theirs)._send(unlink_sent=False)
        sent = {payload["body"]: url for url, payload, _timeout in gateway.requests}
        self.assertEqual(sent, {"Mine": GATEWAY, "Theirs": "http://other.test/sms"})
