from odoo import http
from odoo.exceptions import UserError, ValidationError
from odoo.http import request

from odoo.addons.payment import utils as payment_utils

from ..const import PROVIDER_CODE


class SokoMpesaCheckout(http.Controller):
    @http.route("/payment/mpesa/push", type="jsonrpc", auth="public", methods=["POST"])
    def soko_mpesa_push(self, reference, partner_id, access_token, phone):
        """Ask the phone of a shopper to pay.

        :param str reference: the transaction's
        :param int partner_id: the payer's
        :param str access_token: made with both when the transaction was made
        :param str phone: as the shopper wrote it
        :return: empty when the status page tells the rest; else ``error`` in words
        :rtype: dict
        """
        if not payment_utils.check_access_token(access_token, reference, partner_id):
            raise ValidationError(request.env._("Received tampered payment request data."))
        # sudo: the access token proves that this browser made the transaction
        transaction = request.env["payment.transaction"].sudo().search([
            ("reference", "=", reference), ("provider_code", "=", PROVIDER_CODE),
        ])
        if not transaction:
            raise ValidationError(request.env._("Received tampered payment request data."))
        try:
            token = transaction._soko_mpesa_claim(str(phone or ""))
        except UserError as problem:
            return {"error": str(problem)}
        if token:
            transaction._soko_mpesa_push(token)
        if transaction.state == "error":
            return {"error": transaction.state_message}
        return {}
