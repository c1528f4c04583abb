from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .portal import ArtisanPortal


class AgreementPortal(ArtisanPortal):
    """The artisan reads and signs her agreements; a plain form, no script needed."""

    def _prepare_artisan_values(self, artisan):
        return super()._prepare_artisan_values(artisan) | {
            "agreements": request.env["soko.agreement"].search(
                [("artisan_id", "=", artisan.id), ("version_id", "!=", False)],
                order="state desc, date_start desc",
                limit=20,
            )
        }

    def _find_agreement(self, agreement_id):
        """Return one of her own agreements, read with her own rights, or a plain 404."""
        agreement = request.env["soko.agreement"].search(
            [
                ("id", "=", agreement_id),
                ("artisan_id.partner_id", "=", request.env.user.partner_id.id),
                ("version_id", "!=", False),
            ]
        )
        if not agreement:
            raise NotFound()
        return agreement

    @http.route(
        "/my/artisan/agreement/<int:agreement_id>",
        type="http", auth="user", methods=["GET"], website=True, readonly=True,
    )
    def portal_agreement(self, agreement_id, version=None, done=None, **kwargs):
        """Show an agreement: its present version, or an older one."""
        self._use_own_language()
        return self._show(self._find_agreement(agreement_id), version, done=done)

    def _show(self, agreement, version=None, **values):
        shown = agreement.version_id
        if version and str(version).isdigit():
            shown = agreement.version_ids.filtered(lambda v: v.number == int(version)) or shown
        return request.render(
            "soko_artisan.portal_agreement",
            self._prepare_portal_layout_values()
            | {"page_name": "soko_agreement", "agreement": agreement, "version": shown, **values},
        )

    @http.route(
        "/my/artisan/agreement/<int:agreement_id>/sign",
        type="http", auth="user", methods=["POST"], website=True,
    )
    def portal_sign_agreement(self, agreement_id, fingerprint="", name="", agree=None, **kwargs):
        """Write down her signature of exactly the terms that she has read."""
        self._use_own_language()
        agreement = self._find_agreement(agreement_id)
        error = self._sign(agreement, fingerprint, name, agree)
        if error:
            return self._show(agreement, error=error, typed=name)
        return request.redirect(f"/my/artisan/agreement/{agreement.id}?done=1", code=303)

    def _sign(self, agreement, fingerprint, name, agree):
        """Sign, or return in words why not."""
        version = agreement.version_id
        if fingerprint != version.content_hash:
            return request.env._("The terms have changed. Please read them again.")
        if not agree:
            return request.env._("Tick that you agree.")
        if len(name) > 100:
            return request.env._("That name is too long.")
        try:
            with request.env.cr.savepoint():
                # sudo: portal users may read versions only; this one is hers, and who, when and
                # what is checked
                version.sudo()._sign(
                    name, "portal", signed_ip=request.httprequest.remote_addr
                )
        except UserError as error:
            return str(error)
        return None

    @http.route(
        "/my/artisan/agreement/<int:agreement_id>/pdf",
        type="http", auth="user", methods=["GET"], website=True,
    )
    def portal_agreement_pdf(self, agreement_id, **kwargs):
        """Return the agreement as PDF."""
        agreement = self._find_agreement(agreement_id)
        # sudo: the report names company and products, which the portal may not read
        return self._show_report(
            agreement.sudo(), "pdf", "soko_artisan.action_report_agreement", download=True
        )
