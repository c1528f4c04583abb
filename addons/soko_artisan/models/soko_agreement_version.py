from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.terms import changed_keys, content_hash

SIGNED_VIA = [("portal", "On her page"), ("paper", "On paper")]


class SokoAgreementVersion(models.Model):
    """What an agreement said from one day on. Written once, signed once, never changed."""

    _name = "soko.agreement.version"
    _description = "Agreement Version"
    _order = "agreement_id, number desc"
    _allow_sudo_commands = False

    agreement_id = fields.Many2one(
        "soko.agreement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    artisan_id = fields.Many2one(related="agreement_id.artisan_id", store=True, index=True)
    company_id = fields.Many2one(related="agreement_id.company_id", store=True)
    number = fields.Integer(string="Version", required=True, readonly=True, aggregator=None)
    valid_from = fields.Date(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Written by", required=True, readonly=True)
    reason = fields.Char(readonly=True)
    changes = fields.Text(string="What changed", readonly=True)
    terms = fields.Json(required=True, readonly=True)
    content_hash = fields.Char(
        string="Fingerprint",
        required=True,
        readonly=True,
        help="SHA-256 of the terms. It is signed with them: a changed word has another one.",
    )
    summary = fields.Html(string="In words", compute="_compute_summary", sanitize=False)

    signed_on = fields.Datetime(readonly=True)
    signed_by = fields.Char(string="Signed as", readonly=True, help="The name that was typed.")
    signed_via = fields.Selection(SIGNED_VIA, readonly=True)
    signed_ip = fields.Char(
        string="From address", readonly=True, groups="soko_artisan.soko_artisan_group_user"
    )
    signed_user_id = fields.Many2one(
        "res.users", string="Account", readonly=True,
        help="Whose account wrote the signature down: the artisan's own, or that of the officer "
        "who scanned the paper.",
    )
    scan = fields.Binary(
        string="Signed paper", readonly=True, attachment=True,
        groups="soko_artisan.soko_artisan_group_user",
    )
    scan_name = fields.Char(readonly=True, groups="soko_artisan.soko_artisan_group_user")

    _number_once = models.UniqueIndex(
        "(agreement_id, number)", "This version of the agreement is there already."
    )
    _signed_whole = models.Constraint(
        "CHECK ((signed_on IS NULL) = (signed_by IS NULL))",
        "A signature has a name and a moment.",
    )

    # === COMPUTE METHODS === #

    @api.depends("agreement_id.name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(agreement)s, version %(number)s",
                agreement=version.agreement_id.name,
                number=version.number,
            )

    @api.depends("terms")
    @api.depends_context("lang")
    def _compute_summary(self):
        for version in self:
            version.summary = self.env["ir.qweb"]._render(
                "soko_artisan.agreement_terms", {"terms": version._get_terms_to_show()}
            )

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if any(version.signed_on or version.agreement_id.state != "draft" for version in self):
            raise UserError(
                self.env._("Versions are the proof of what was agreed and are never deleted.")
            )

    # === BUSINESS METHODS === #

    def _get_terms_to_show(self):
        """Return the terms with dates as dates, currency as a record and choices in words."""
        self.ensure_one()
        terms = dict(self.terms)
        # sudo: names of currencies only, which the portal may not always read
        currency = self.env["res.currency"].sudo().with_context(active_test=False)
        Agreement = self.env["soko.agreement"]
        for name in ("debt_trigger", "payee", "discount_bearer"):
            texts = dict(Agreement._fields[name]._description_selection(self.env))
            terms[name] = texts.get(terms[name], terms[name])
        for name in ("date_start", "date_end"):
            terms[name] = fields.Date.to_date(terms[name])
        terms["currency"] = currency.search([("name", "=", terms["currency"])], limit=1)
        terms["note_html"] = Markup(terms["note"])  # cleaned when it was written: an Html field
        terms["company_currency"] = self.company_id.sudo().currency_id
        Line = self.env["soko.agreement.line"]
        terms["lines"] = [
            line | {"price_text": Line._describe_price(line, terms["currency"])}
            for line in terms["lines"]
        ]
        return terms

    def _check_unchanged(self):
        """Return whether the terms are still those of the fingerprint."""
        self.ensure_one()
        return content_hash(self.terms) == self.content_hash

    def _describe_changes(self, old):
        """Return in words what is different from an older version's terms.

        :param dict old: terms of the version before; empty for none
        """
        self.ensure_one()
        if not old:
            return False
        Agreement, Line = self.env["soko.agreement"], self.env["soko.agreement.line"]
        currency = self.agreement_id.currency_id
        fields_changed, lines_changed = changed_keys(old, self.terms)
        texts = [
            self.env._(
                "%(what)s: %(old)s becomes %(new)s",
                what=Agreement._describe_term(key),
                old=Agreement._describe_value(key, before),
                new=Agreement._describe_value(key, after),
            )
            for key, before, after in fields_changed
        ]
        texts += [
            self.env._(
                "%(what)s: %(old)s becomes %(new)s",
                what=product,
                old=Line._describe_price(before, currency),
                new=Line._describe_price(after, currency),
            )
            for product, before, after in lines_changed
        ]
        return "\n".join(texts)

    def _sign(self, name, via, **values):
        """Write the artisan's signature down, once, and start the agreement that waited for it.

        :param str name: name as typed, or as on the paper
        :param str via: "portal" or "paper"
        :param values: more fields of the signature: `signed_ip`, `scan`, `scan_name`
        :raise UserError: signed before, replaced by newer terms, no name, or terms that were
            tampered with
        """
        self.ensure_one()
        self.agreement_id.lock_for_update(allow_referencing=True)
        self._check_signable(name)
        self.write(
            {
                "signed_on": fields.Datetime.now(),
                "signed_by": name.strip(),
                "signed_via": via,
                "signed_user_id": self.env.uid,
                **values,
            }
        )
        agreement = self.agreement_id
        agreement._message_log(
            body=self.env._(
                "Version %(number)s signed by %(name)s. Fingerprint %(hash)s.",
                number=self.number,
                name=self.signed_by,
                hash=self.content_hash[:16],
            )
        )
        if agreement.state == "to_sign":
            agreement.write({"state": "active"})

    def _check_signable(self, name):
        if not (name or "").strip():
            raise UserError(self.env._("Nobody has signed: type the name of who does."))
        if self.signed_on:
            raise UserError(self.env._("This version is signed already, by %s.", self.signed_by))
        if self.agreement_id.version_id != self:
            raise UserError(
                self.env._("There are newer terms. Read those and sign them instead.")
            )
        if not self._check_unchanged():
            raise UserError(
                self.env._(
                    "The stored terms don't match their fingerprint: somebody changed them in the "
                    "database. Don't sign; tell the administrator."
                )
            )
