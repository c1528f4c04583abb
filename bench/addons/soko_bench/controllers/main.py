from odoo import http
from odoo.http import request


class SokoBench(http.Controller):
    @http.route(
        "/bench/row", type="http", auth="public", methods=["POST"], csrf=False,
        save_session=False, readonly=False,
    )
    def bench_row(self, **_kwargs):
        """Write one row by the ORM and nothing else: what the callback route is compared with."""
        raw = request.httprequest.get_data(cache=False)
        # sudo: a measurement on a database of its own
        request.env["ir.logging"].sudo().create({
            "name": "bench", "type": "server", "path": "/", "line": "1", "func": "bench",
            "message": raw.decode(),
        })
        return request.make_json_response({"ResultCode": 0, "ResultDesc": "Accepted"})
