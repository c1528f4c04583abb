from odoo import http
from odoo.http import request

STATUS = {"unknown": 404, "expired": 410}


class SokoReceived(http.Controller):
    """The shopper tells us that the pieces arrived: looking changes nothing, the button does."""

    @http.route(
        "/shop/received/<string:token>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET"],
    )
    def received(self, token, **kwargs):
        """Say what the tap does, or that it was done already."""
        picking, problem = self._find(token)
        if problem:
            return self._render_problem(problem)
        return self._render(picking, "told" if picking.soko_received_date else "ask", token)

    @http.route(
        "/shop/received/<string:token>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["POST"],
    )
    def receive(self, token, **kwargs):
        """Note the receipt, once; a second tap is answered kindly and changes nothing."""
        picking, problem = self._find(token)
        if problem:
            return self._render_problem(problem)
        told = picking._soko_mark_received(
            "shopper",
            partner_id=picking._soko_get_shopper().id,
            address=request.httprequest.remote_addr,
            evidence=picking.env._(
                "Tapped on the page behind the signed link. Browser: %s",
                request.httprequest.user_agent.string,
            ),
        )
        return self._render(picking, "thanks" if told else "told", token)

    def _find(self, token):
        return request.env["stock.picking"]._soko_find_by_received_token(token)

    def _render(self, picking, step, token):
        values = {
            "picking": picking,
            "step": step,
            "token": token,
            "pieces": picking._soko_get_received_pieces(),
            "promises": picking._soko_get_received_promises(),
        }
        return self._protect(request.render("soko_shop.received", values))

    def _render_problem(self, problem):
        response = request.render("soko_shop.received_problem", {"problem": problem})
        response.status_code = STATUS[problem]
        return self._protect(response)

    def _protect(self, response):
        """Keep the link out of caches, search engines and other sites' logs."""
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
