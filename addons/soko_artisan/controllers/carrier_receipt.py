from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..tools.receipt import MAX_BODY, MAX_READ, ReportError, parse_report, read_bearer


class SokoCarrierReceipt(http.Controller):
    @http.route(
        "/soko/carrier/receipt",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_READ,
    )
    def soko_carrier_receipt(self, **_kwargs):
        """Take a carrier's report that a parcel arrived; see docs/integrators.md.

        Who has no token learns nothing: neither the body nor the database is looked at.
        """
        # superuser: the token is the right; the report may do what `_receive` does, nothing else
        request.update_env(user=SUPERUSER_ID)
        token = request.env["soko.receipt.token"]._find_by_token(
            read_bearer(request.httprequest.headers.get("Authorization"))
        )
        if not token:
            return self._reply(401, "unauthorized", "Send your token: Authorization: Bearer ...")
        if request.httprequest.mimetype != "application/json":
            return self._reply(415, "bad_type", "Send Content-Type: application/json.")
        raw = request.httprequest.get_data(cache=False)
        if len(raw) > MAX_BODY:
            return self._reply(413, "too_large", f"A report has at most {MAX_BODY} bytes.")
        try:
            report = parse_report(raw)
        except ReportError as error:
            return self._reply(400, "bad_request", str(error))
        token = token.with_company(token.company_id)
        status, answer = token._receive(report, raw.decode(), request.httprequest.remote_addr)
        return self._reply(status, **answer)

    def _reply(self, status, result, message):
        headers = [("Cache-Control", "no-store")]
        if status == 401:
            headers.append(("WWW-Authenticate", "Bearer"))
        return request.make_json_response(
            {"result": result, "message": message}, headers=headers, status=status
        )
