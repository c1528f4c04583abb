from werkzeug.exceptions import NotFound

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

ANSWERS = {"accept": "accepted", "decline": "declined"}


class ArtisanPortal(CustomerPortal):
    """One page for the artisan's phone: money, pieces, requests."""

    def _prepare_portal_layout_values(self):
        values = super()._prepare_portal_layout_values()
        values["soko_artisan"] = self._get_artisan()
        return values

    def _get_artisan(self):
        """Return the artisan that the logged-in user is, read with her own rights."""
        Artisan = request.env["soko.artisan"]
        if not Artisan.has_access("read"):
            return Artisan
        return Artisan.search([("partner_id", "=", request.env.user.partner_id.id)], limit=1)

    @http.route(
        "/my/artisan", type="http", auth="user", methods=["GET"], website=True, readonly=True
    )
    def portal_my_artisan(self, answered=None, **kwargs):
        """Show the artisan's page; a plain 404 page to anybody else."""
        self._use_own_language()
        values = self._prepare_portal_layout_values()
        artisan = values["soko_artisan"]
        if not artisan:
            response = request.render("soko_artisan.portal_not_artisan", values)
            response.status_code = 404
            return response
        values.update(self._prepare_artisan_values(artisan), answered=answered)
        return request.render("soko_artisan.portal_my_artisan", values)

    def _use_own_language(self):
        """Show the page in the user's language also where the website does not offer it.

        A shop in English must not keep an artisan from reading about her money. A language that
        the website does offer was chosen by Odoo's own rules (address, cookie, user).
        """
        lang = request.env.user.lang
        if lang and lang not in request.env["res.lang"]._get_frontend():
            request.update_context(lang=lang)

    def _prepare_artisan_values(self, artisan):
        """Return what the page shows, money first."""
        return {
            "page_name": "soko_artisan",
            "artisan": artisan,
            "currency": artisan.currency_id,
            "payments": artisan._get_last_payments(),
            "pieces": artisan._get_pieces_in_office(),
            "requests": self._get_requests(artisan),
            "drop_offs": artisan._get_last_drop_offs(),
        }

    def _get_requests(self, artisan):
        """Return the artisan's open replenishment requests, read with her own rights."""
        return request.env["soko.replenishment"].search(
            [("artisan_id", "=", artisan.id), ("state", "in", ("requested", "accepted"))],
            order="state desc, due_date, id",
            limit=20,
        )

    @http.route(
        "/my/artisan/replenishment/<int:request_id>/<string:answer>",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_answer_replenishment(self, request_id, answer, quantity="", date="", **kwargs):
        """Write down the artisan's answer to one of her own requests, once.

        :param str quantity: pieces she will bring; empty for all
        :param str date: day on which she brings them; empty for the day asked for
        """
        artisan = self._get_artisan()
        # Searched with her own rights: a request of somebody else is not found.
        record = artisan and request.env["soko.replenishment"].search(
            [("id", "=", request_id), ("artisan_id", "=", artisan.id)]
        )
        if not record or answer not in ANSWERS:
            raise NotFound()
        before = record.state != "requested"
        try:
            count = float(quantity) if quantity and answer == "accept" else None
            day = fields.Date.to_date(date) if date and answer == "accept" else None
            # sudo: portal users may read requests only; this one is hers, and the state is checked
            record.sudo()._answer(ANSWERS[answer], count, day)
        except (UserError, ValueError, OverflowError):
            why = "before" if before else "wrong"
            return request.redirect(f"/my/artisan?answered={why}#requests", code=303)
        return request.redirect(f"/my/artisan?answered={answer}#requests", code=303)
