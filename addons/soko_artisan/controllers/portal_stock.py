from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request
from odoo.tools import date_utils

from .portal import ArtisanPortal


class ArtisanPortalStock(ArtisanPortal):
    """What the artisan's page says about pieces that left unsold, and about advances."""

    def _prepare_artisan_values(self, artisan):
        values = super()._prepare_artisan_values(artisan)
        # Searched with her own rights: nobody else's are found.
        own = [("artisan_id", "=", artisan.id)]
        values["unsold"] = request.env["soko.stock.decision"].search(own, limit=10)
        values["advances"] = request.env["soko.advance"].search(
            [*own, ("state", "=", "paid_out")], limit=10
        )
        return values

    @http.route(
        "/my/artisan/statement",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_statement(self, **kwargs):
        """Show the artisan's statement of the last twelve months; nobody else's."""
        self._use_own_language()
        artisan = self._get_artisan()
        if not artisan:
            raise NotFound()
        end = artisan.company_id._soko_today()
        start = date_utils.subtract(date_utils.start_of(end, "month"), months=11)
        report = request.env["report.soko_artisan.report_statement"]
        values = self._prepare_portal_layout_values() | {
            "page_name": "soko_artisan",
            "artisan": artisan,
            "statement": report._get_statement(artisan, start, end),
        }
        return request.render("soko_artisan.portal_statement", values)
