from odoo import api, models

from odoo.addons.soko_mpesa.models import soko_mpesa_attempt as sending
from odoo.addons.soko_mpesa.tools import client

from .. import points

# A campaign has no twenty seconds for each silent call, nor ninety for each dead sender.
if points.FOLDER:
    sending.LEASE_SECONDS = points.LEASE
    sending.HTTP_DEADLINE = points.DEADLINE
    _send, _fetch_token = client.send, client.fetch_token

    def send(request, **more):
        with points.sender(request.expected_id):
            if request.expected_id:
                points.reach("K5")
            return _send(request, **{**more, "deadline": points.DEADLINE})

    def fetch_token(base_url, key, secret, **more):
        return _fetch_token(base_url, key, secret, **{**more, "deadline": points.DEADLINE})

    client.send, client.fetch_token = send, fetch_token


class SokoMpesaAttempt(models.Model):
    _inherit = "soko.mpesa.attempt"

    @api.model
    def _get_due(self, account):
        due = super()._get_due(account)
        if due:
            points.reach("K0")
        return due

    def _claim(self, token):
        with points.phase("claim"):
            return super()._claim(token)

    def _may_be_sent(self):
        points.reach("K1")
        return super()._may_be_sent()

    def _is_taken_already(self):
        return points.SABOTAGE != "no-claim-commit" and super()._is_taken_already()

    def _build_payment_request(self, token):
        request = super()._build_payment_request(token)
        points.here.claims = True
        points.reach("K2")
        return request

    def _record_with_retry(self, outcome, lease):
        with points.phase("record"):
            super()._record_with_retry(outcome, lease)
        points.reach("K12")

    def _record(self, outcome, lease):
        points.reach("K10")
        return super()._record(outcome, lease)
