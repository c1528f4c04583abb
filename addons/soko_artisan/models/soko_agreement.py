from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..tools.terms import content_hash, same_terms

VERSIONED_STATES = ("to_sign", "active")
TERM_FIELDS = (
    "date_start",
    "date_end",
    "grace_days",
    "debt_trigger",
    "hold_days",
    "payee",
    "discount_bearer",
    "replenish_days",
)
# Agreements that are just being written: their version is made when the writing is done.
WRITING = "soko.agreement.writing"


class SokoAgreement(models.Model):
    """What we agreed with an artisan: which pieces, at which price, paid when and to whom."""

    _name = "soko.agreement"
    _description = "Consignment Agreement"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    artisan_id = fields.Many2one(
        "soko.artisan", required=True, index=True, ondelete="restrict", tracking=True
    )
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        tracking=True,
        help="Fixed prices are agreed in it. What is owed is in the company's currency, at the "
        "rate of the day on which a piece is sent.",
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company's currency"
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Told before the agreement ends.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("to_sign", "Waiting for signature"),
            ("active", "Active"),
            ("expired", "Expired"),
        ],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    date_start = fields.Date(
        string="From",
        required=True,
        default=lambda self: self.env.company._soko_today(),
        tracking=True,
    )
    date_end = fields.Date(
        string="Until",
        tracking=True,
        help="Last day on which pieces may be dropped off under this agreement. Pieces that are "
        "in the house by then keep their price. Empty: no end.",
    )
    grace_days = fields.Integer(
        string="Days of grace",
        tracking=True,
        help="So many days after the last one pieces are still taken in, with a warning.",
    )
    date_grace = fields.Date(
        string="Grace until",
        compute="_compute_date_grace",
        store=True,
        help="Last day on which pieces are taken in at all.",
    )
    expiry_notice_date = fields.Date(
        string="Told about the end on", readonly=True, copy=False
    )
    debt_trigger = fields.Selection(
        [
            ("received", "The shopper has received the piece"),
            ("shipped", "The piece is sent"),
            ("used", "We use the piece in production"),
        ],
        string="Owed when",
        required=True,
        default="received",
        tracking=True,
    )
    hold_days = fields.Integer(
        default=lambda self: self.env.company.soko_default_hold_days,
        tracking=True,
        help="Days to wait after that moment before the artisan is paid.",
    )
    payee = fields.Selection(
        [("artisan", "The artisan"), ("group", "Her group")],
        string="Who is paid",
        required=True,
        default="artisan",
        tracking=True,
    )
    replenish_days = fields.Integer(
        string="Days to replenish",
        default=14,
        help="How long the artisan has to bring new pieces when we ask for them.",
    )
    discount_bearer = fields.Selection(
        [("shared", "The artisan shares it"), ("house", "We bear it")],
        string="Who bears a discount",
        required=True,
        default="shared",
        tracking=True,
        help="Shared: a share is taken from what the shopper paid. We bear it: from the shop's "
        "own price. A fixed price is the same either way.",
    )
    markdown_schedule_id = fields.Many2one(
        "soko.markdown.schedule",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        tracking=True,
        help="How the shop's price falls while pieces stay in the house. Empty: it doesn't.",
    )
    version_ids = fields.One2many("soko.agreement.version", "agreement_id", string="Versions")
    version_id = fields.Many2one(
        "soko.agreement.version",
        string="Present version",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    signed_on = fields.Datetime(related="version_id.signed_on")
    signed_by = fields.Char(related="version_id.signed_by")
    change_reason = fields.Char(
        string="Why the terms change",
        copy=False,
        help="Kept with the version that the next change makes.",
    )
    line_ids = fields.One2many("soko.agreement.line", "agreement_id", string="Products", copy=True)
    note = fields.Html(string="Terms")

    _hold_days_positive = models.Constraint(
        "CHECK (hold_days >= 0)", "Hold days can't be negative."
    )
    _replenish_days_positive = models.Constraint(
        "CHECK (replenish_days >= 0)", "Days to replenish can't be negative."
    )
    _dates_in_order = models.Constraint(
        "CHECK (date_end IS NULL OR date_end >= date_start)",
        "The agreement ends before it begins. Mend the dates.",
    )

    _grace_days_positive = models.Constraint(
        "CHECK (grace_days >= 0)", "Days of grace can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("date_end", "grace_days")
    def _compute_date_grace(self):
        for agreement in self:
            end = agreement.date_end
            agreement.date_grace = end and end + timedelta(days=agreement.grace_days)

    # === CONSTRAINTS === #

    @api.constrains("currency_id")
    def _check_prices_payable(self):
        self.line_ids._check_price_payable()

    @api.constrains("state")
    def _check_signed(self):
        """Nothing is in force that its artisan has not signed, unless the company allows it."""
        for agreement in self.filtered(lambda a: a.state == "active"):
            agreement._check_may_be_active()

    def _check_may_be_active(self):
        self.ensure_one()
        if not self.company_id.soko_allow_unsigned and not self.version_id.signed_on:
            raise ValidationError(
                self.env._(
                    "%(artisan)s has not signed %(agreement)s as it is now. Send it for signature, "
                    "or scan the signed paper.",
                    artisan=self.artisan_id.name,
                    agreement=self.name,
                )
            )
        if self._get_missing_rate():
            raise ValidationError(
                self.env._(
                    "%(agreement)s is in %(currency)s, which has no rate yet, so nobody knows what "
                    "a piece earns in %(company)s. Enter a rate first.",
                    agreement=self.name,
                    currency=self.currency_id.name,
                    company=self.company_currency_id.name,
                )
            )

    def _get_missing_rate(self):
        """Return whether the agreement's currency can't be converted today."""
        self.ensure_one()
        return not self.currency_id._soko_has_rate(
            self.company_currency_id, self.company_id, self.env.company._soko_today()
        )

    @api.constrains("state", "date_start", "date_end", "artisan_id")
    def _check_overlap(self):
        self.line_ids._check_overlap()

    @api.constrains("state", "artisan_id")
    def _check_stage(self):
        running = self.filtered(lambda a: a.state in VERSIONED_STATES)
        running.artisan_id._check_stage_allows("agreement")

    @api.constrains("state", "payee", "artisan_id")
    def _check_payee(self):
        for agreement in self.filtered(lambda a: a.state == "active" and a.payee == "group"):
            if not agreement.artisan_id.group_id.partner_id:
                raise ValidationError(
                    self.env._(
                        "%(agreement)s pays the group, but %(artisan)s has no group with a "
                        "contact. Put the artisan in a group and give that group a contact.",
                        agreement=agreement.name,
                        artisan=agreement.artisan_id.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.agreement")
            if "currency_id" not in vals and vals.get("artisan_id"):
                artisan = self.env["soko.artisan"].browse(vals["artisan_id"])
                vals["currency_id"] = artisan.company_id.currency_id.id
        agreements = super().create(vals_list)
        agreements._note_change()
        return agreements

    def write(self, vals):
        """Write, and leave one version for all that changes with it, products included."""
        self._check_write(vals)
        if "date_end" in vals:
            vals = {"expiry_notice_date": False} | vals
        writing = self.env.cr.precommit.data.setdefault(WRITING, set())
        mine = set(self.ids) - writing
        writing |= mine
        try:
            res = super().write(vals)
        finally:
            writing -= mine
        self.browse(mine)._note_change()
        return res

    def _check_write(self, vals):
        """Refuse what would leave no trace.

        :raise UserError: another artisan or currency for an agreement that was in force, or a
            version chosen by hand
        """
        if "version_id" in vals and not self.env.su:
            raise UserError(self.env._("Versions are made by changing the terms."))
        for name in ("artisan_id", "currency_id"):
            kept = self.filtered(lambda a, n=name: a.version_id and a[n].id != vals.get(n))
            if name in vals and kept:
                raise UserError(
                    self.env._(
                        "%(agreement)s was sent or signed with another %(what)s. Make a new "
                        "agreement instead.",
                        agreement=kept[0].name,
                        what=self._fields[name]._description_string(self.env),
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(agreement.state != "draft" for agreement in self):
            raise UserError(
                self.env._("Only a draft can be deleted: pieces may hang on this agreement.")
            )

    # === ACTION METHODS === #

    def action_activate(self):
        """Start the agreement: from now on pieces can be dropped off under it."""
        self.check_access("write")
        self._check_complete()
        for agreement in self:
            agreement._make_version()
        self.write({"state": "active"})

    def action_send(self):
        """Ask the artisan to sign the terms as they are now."""
        self.check_access("write")
        self._check_complete()
        self.filtered(lambda a: a.state == "draft").write({"state": "to_sign"})
        self._ask_to_sign()

    def action_sign_on_paper(self):
        """Open the dialog that takes the scan of the signed paper."""
        self.ensure_one()
        self.check_access("write")
        self._check_complete()
        if self.state == "draft":
            self.write({"state": "to_sign"})
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_agreement_sign_action"
        )
        return action | {"context": {"default_version_id": self.version_id.id}}

    def action_print(self):
        """Print the present terms."""
        self.check_access("read")
        return self.env.ref("soko_artisan.action_report_agreement").report_action(self)

    def _check_complete(self):
        for agreement in self:
            if not agreement.line_ids:
                raise UserError(
                    self.env._(
                        "%(name)s names no product. Add at least one with its price.",
                        name=agreement.name,
                    )
                )

    def action_expire(self):
        """End the agreement: no new pieces; those in the house keep their price."""
        self.filtered(lambda a: a.state == "active").write({"state": "expired"})

    def action_draft(self):
        """Take the agreement back to a draft, to mend it."""
        self.write({"state": "draft"})

    # === BUSINESS METHODS - VERSIONS === #

    def _get_terms(self):
        """Return what is agreed, as plain data: that is what a version keeps and who signs it."""
        self.ensure_one()
        in_her_words = self.with_context(lang=self.artisan_id.partner_id.lang)
        terms = {name: self[name] for name in TERM_FIELDS}
        for name in ("date_start", "date_end"):
            terms[name] = terms[name] and fields.Date.to_string(terms[name])
        return terms | {
            "artisan": self.artisan_id.name,
            "currency": self.currency_id.name,
            "note": str(self.note or ""),
            "markdown": self.markdown_schedule_id._get_terms(),
            "lines": [line._get_terms() for line in in_her_words.line_ids],
        }

    def _note_change(self):
        """Leave a version of each agreement in force whose terms differ from its last one."""
        writing = self.env.cr.precommit.data.get(WRITING, ())
        for agreement in self.filtered(lambda a: a.state in VERSIONED_STATES):
            if agreement.id not in writing:
                agreement._make_version()

    def _make_version(self):
        """Return the version with the present terms; a new one when they have changed.

        New terms need a new signature: an active agreement waits for it, where signatures are
        asked for. Pieces in the house are not touched: their lots keep what they came under.
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        last, terms = self.version_id, self._get_terms()
        if last and same_terms(last.terms, terms):
            return last
        # sudo: versions have no writers; this one says what the officer has just agreed on
        version = self.env["soko.agreement.version"].sudo().create(
            {
                "agreement_id": self.id,
                "number": last.number + 1,
                "valid_from": max(self.env.company._soko_today(), self.date_start),
                "user_id": self.env.uid,
                "reason": self.change_reason,
                "terms": terms,
                "content_hash": content_hash(terms),
            }
        )
        version.changes = version._describe_changes(last.terms or {})
        self.sudo().write({"version_id": version.id, "change_reason": False})
        if last:
            self._after_change(version)
        return version.sudo(self.env.su)

    def _after_change(self, version):
        """Note what changed, and ask for the signature that it needs."""
        self._message_log(
            body=self.env._(
                "Version %(number)s, for pieces dropped off from now on. %(changes)s",
                number=version.number,
                changes=version.changes,
            )
        )
        if self.state == "active" and not self.company_id.soko_allow_unsigned:
            self.write({"state": "to_sign"})
        if self.state == "to_sign":
            self._ask_to_sign()

    @api.model
    def _describe_term(self, key):
        """Return the name of one of the terms, for people."""
        names = {"markdown": "markdown_schedule_id", "currency": "currency_id"}
        return self._fields[names.get(key, key)]._description_string(self.env)

    @api.model
    def _describe_value(self, key, value):
        """Return the value of one of the terms, for people."""
        field = self._fields.get(key)
        if key == "markdown":
            steps = (value or {}).get("steps", [])
            return ", ".join(f"{days} d: −{percent:g} %" for days, percent in steps) or "-"
        if field is not None and field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return "-" if value in (None, False, "") else str(value)

    # === BUSINESS METHODS - TELLING === #

    def _ask_to_sign(self):
        """Tell the artisans that terms wait for their signature, in their language."""
        for agreement in self.filtered(lambda a: a.state == "to_sign"):
            in_her_words = agreement.with_context(lang=agreement.artisan_id.partner_id.lang)
            agreement.artisan_id._tell(
                in_her_words.env._(
                    "Soko: please read and sign your agreement %(name)s: %(url)s",
                    name=agreement.name,
                    url=agreement._get_page_url(),
                ),
                agreement,
            )

    def _get_page_url(self):
        """Return the address of the agreement on the artisan's page."""
        self.ensure_one()
        return f"{self.get_base_url()}/my/artisan/agreement/{self.id}"

    @api.model
    def _cron_notify_expiry(self):
        """Tell artisans and office, once, that an agreement is about to end."""
        today = self.env.company._soko_today()
        for company in self.env["res.company"].search([("soko_expiry_notice_days", ">", 0)]):
            last_day = today + timedelta(days=company.soko_expiry_notice_days)
            self.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "active"),
                    ("date_end", ">=", today),
                    ("date_end", "<=", last_day),
                    ("expiry_notice_date", "=", False),
                ]
            )._notify_expiry()

    def _notify_expiry(self):
        """Send the notice of the end and leave an activity with the responsible person."""
        for agreement in self:
            agreement.expiry_notice_date = self.env.company._soko_today()
            in_her_words = agreement.with_context(lang=agreement.artisan_id.partner_id.lang)
            agreement.artisan_id._tell(in_her_words._get_expiry_text(), agreement)
            agreement.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=agreement.date_end,
                summary=self.env._("Agreement ends: talk to %s", agreement.artisan_id.name),
                user_id=(agreement.user_id or agreement.create_uid).id,
            )

    def _get_expiry_text(self):
        """Return the message about the end, in the language of the context."""
        self.ensure_one()
        return self.env._(
            "Soko: your agreement %(name)s ends on %(date)s. Talk to the office about a new one. "
            "Pieces with us keep their price.",
            name=self.name,
            date=format_date(self.env, self.date_end, date_format="d MMMM y"),
        )

    # === BUSINESS METHODS === #

    @api.model
    def _get_running_domain(self, prefix="", grace=False):
        """Return the domain of agreements in force today.

        :param str prefix: path to the agreement with its dot, such as "agreement_id."
        :param bool grace: also those that ended a few days ago and still take pieces in
        """
        today = self.env.company._soko_today()
        end = "date_grace" if grace else "date_end"
        return [
            (f"{prefix}state", "=", "active"),
            (f"{prefix}date_start", "<=", today),
            "|",
            (f"{prefix}{end}", "=", False),
            (f"{prefix}{end}", ">=", today),
        ]

    @api.model
    def _cron_expire(self):
        """Expire the active agreements whose last day, with its grace, is over."""
        today = self.env.company._soko_today()
        self.search([("state", "=", "active"), ("date_grace", "<", today)]).action_expire()
