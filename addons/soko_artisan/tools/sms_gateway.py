"""Text messages through any gateway that takes one JSON request a message."""

import logging

import requests

from odoo.addons.sms.tools.sms_api import SmsApiBase

_logger = logging.getLogger(__name__)

TIMEOUT = 10  # seconds
REFUSED_NUMBER = frozenset({400, 422})


class SmsApiSoko(SmsApiBase):
    """Send `{"to": "+2547...", "body": "...", "uuid": "..."}` to the company's gateway.

    The gateway answers 2xx when it took the message; 400 or 422 mean a number it can't serve;
    everything else, silence included, is a failure of the server that may be retried by hand.
    """

    def _send_sms_batch(self, messages, delivery_reports_url=False):
        """See the base class for parameters and return value. Never raises for one bad message."""
        url = self.company._soko_get_sms_gateway_url()
        with requests.Session() as session:
            return [
                self._send_one(session, url, number, message["content"] or "")
                for message in messages
                for number in message["numbers"]
            ]

    def _send_one(self, session, url, number, body):
        result = {"uuid": number["uuid"]}
        if not number["number"]:
            return result | {"state": "sms_number_missing"}
        payload = {"to": number["number"], "body": body, "uuid": number["uuid"]}
        try:
            response = session.post(url, json=payload, timeout=TIMEOUT)
        except requests.exceptions.RequestException as error:
            _logger.info("SMS gateway unreachable: %s", type(error).__name__)
            return result | {"state": "server_error", "failure_reason": type(error).__name__}
        return result | self._read_answer(response)

    def _read_answer(self, response):
        if response.ok:
            return {"state": "sent"}
        state = "wrong_number_format" if response.status_code in REFUSED_NUMBER else "server_error"
        return {"state": state, "failure_reason": f"HTTP {response.status_code}"}
