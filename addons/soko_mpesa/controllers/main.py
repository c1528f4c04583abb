from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..tools.access_log import hide_tokens

hide_tokens()

MAX_BODY = 65536


class SokoDaraja(http.Controller):
    @http.route(
        "/soko/daraja/<string:word>/<string:token>", type="http", auth="none",
        methods=["POST"], csrf=False, save_session=False, readonly=False,
        max_content_length=MAX_BODY,
    )
    def soko_daraja(self, word, token, **_kwargs):
        """Keep what Safaricom posts, and thank for it.

        The body isn't read here: that is done later, under the locks. The answer is the same for
        an address that nobody was given, so it tells nothing to those who try.
        """
        raw = request.httprequest.get_data(cache=False)
        # nobody is signed in, and to look up who nobody is costs more than to keep the letter;
        # superuser: the letter is stored and nothing of the database is shown to the sender
        request.update_env(user=SUPERUSER_ID)
        request.env["soko.mpesa.inbox"]._store(
            word, token, raw, request.httprequest.remote_addr,
        )
        return request.make_json_response({"ResultCode": 0, "ResultDesc": "Accepted"})

    @http.route(
        "/soko/daraja/ping/<string:ask>", type="http", auth="public", methods=["GET"],
        save_session=False, readonly=True,
    )
    def soko_daraja_ping(self, ask, **_kwargs):
        """Show a running check of the set-up that our public address leads to this Odoo."""
        answer = request.env["soko.mpesa.check"]._answer_ping(ask)
        if not answer:
            raise request.not_found()
        return request.make_response(answer, [
            ("Content-Type", "text/plain"), ("Cache-Control", "no-store"),
        ])
