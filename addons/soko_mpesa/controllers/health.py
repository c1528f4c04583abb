from odoo import http
from odoo.http import request


class SokoHealth(http.Controller):
    @http.route(
        "/soko/mpesa/health", type="http", auth="public", methods=["GET"], save_session=False,
        readonly=True,
    )
    def soko_mpesa_health(self, **_kwargs):
        """Tell an outside monitor whether payouts move; 503 when they don't.

        It looks at the database now, so it speaks up although Odoo's scheduled jobs stand still.
        """
        # sudo: numbers only, for anybody who asks; see `_get_health`
        health = request.env["soko.mpesa.watch"].sudo()._get_health()
        return request.make_json_response(
            health, headers=[("Cache-Control", "no-store")], status=200 if health["ok"] else 503)
