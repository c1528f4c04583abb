import logging
from datetime import timedelta

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime

from ..const import APPROVER

_logger = logging.getLogger(__name__)

TODO = "mail.mail_activity_data_todo"
# Seconds for which what was found is believed when somebody opens the page again.
FRESH_SECONDS = 20
KEEP_DAYS = 90
LOCK = "soko.mpesa.attention"


class SokoMpesaAttention(models.Model):
    """What a person should look at; one open row for each thing that is so now.

    The rows are found by soko.mpesa.watch, each minute and when somebody opens the page. What is
    solved is archived and forgotten after three months. Rows hold facts, not sentences: each
    reader gets them in their own language.
    """

    _name = "soko.mpesa.attention"
    _description = "M-Pesa attention"
    _inherit = [
        "mail.thread", "mail.activity.mixin", "soko.mpesa.attention.text",
        "soko.mpesa.export.mixin",
    ]
    _order = "severity, since, id"
    _mail_post_access = "read"
    _allow_sudo_commands = False

    name = fields.Text(
        string="What happened", compute="_compute_texts", help="What was found, in a sentence.",
    )
    meaning = fields.Text(
        string="What it means", compute="_compute_texts", help="What follows from it.",
    )
    advice = fields.Text(
        string="What to do", compute="_compute_texts", help="What puts it right, and who can.",
    )
    kind = fields.Selection(
        [
            ("invariant", "Books contradict themselves"),
            ("job", "Scheduled job"),
            ("stuck", "Nobody sends"),
            ("exception", "Needs a person"),
            ("stopped", "Account stopped"),
            ("settings", "Account incomplete"),
            ("unknown", "Outcome unknown"),
            ("held", "On hold"),
            ("name", "Another name"),
            ("float", "Low float"),
            ("short", "Too little float"),
            ("frozen", "Frozen"),
            ("token", "M-Pesa not reached"),
            ("approval", "Waits for approval"),
            ("password", "Old password"),
            ("certificate", "Old certificate"),
            ("automation", "New automation"),
            ("responsible", "Nobody in charge"),
            ("inbox_failed", "Messages not used"),
            ("inbox_quarantined", "Messages of strangers"),
        ],
        required=True, readonly=True, index=True, help="What sort of thing it is.",
    )
    subject = fields.Char(required=True, readonly=True, help="What it is about.")
    severity = fields.Selection(
        [("1", "Act now"), ("2", "Today"), ("3", "To know")],
        required=True, readonly=True, index=True,
        help="Act now: money, or the sight of it, stands still. Today: somebody waits.",
    )
    since = fields.Datetime(required=True, readonly=True, help="Since when it is so.")
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, help="Empty: it concerns every company.",
    )
    responsible_id = fields.Many2one(
        "res.users", readonly=True, help="Who is in charge of the account that it is about.",
    )
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    facts = fields.Json(readonly=True)
    active = fields.Boolean(default=True, readonly=True)
    solved_at = fields.Datetime(readonly=True, help="When it was found to be so no longer.")
    can_open = fields.Boolean(compute="_compute_can_open")
    accepted_digest = fields.Char(readonly=True, copy=False)
    accepted_by = fields.Many2one(
        "res.users", string="Understood by", readonly=True,
        help="Who declared that the contradiction is understood, so that it freezes nothing "
             "more.",
    )

    _open_uniq = models.UniqueIndex(
        "(kind, subject) WHERE active", "There is a row for this already."
    )

    # === COMPUTE METHODS === #

    @api.depends("kind", "facts")
    @api.depends_context("lang")
    def _compute_texts(self):
        for row in self:
            row.name, row.meaning, row.advice = row._say(row.kind, row.facts or {})

    @api.depends("res_model", "kind")
    @api.depends_context("uid")
    def _compute_can_open(self):
        for row in self:
            row.can_open = row.res_model in self.env and self.env[row.res_model].has_access("read")

    # === READING === #

    @api.model
    def get_empty_list_help(self, help_message):
        """Say that all is well, and when that was found, which is now."""
        self._refresh_if_old()
        hidden = self.search_count([])
        if hidden:
            title = self.env._("Nothing fits your search")
            text = self.env._("Without it there are %s rows.", hidden)
        else:
            title = self.env._("All is well")
            text = self.env._(
                "Checked at %s. What needs a person appears here by itself.",
                format_datetime(self.env, fields.Datetime.now()),
            )
        return Markup("<p class='o_view_nocontent_smiling_face'>%s</p><p>%s</p>") % (title, text)

    @api.model
    def action_open_page(self):
        """Bring the page up to date and open it.

        :return: a window action
        """
        self.check_access("read")
        self._refresh_if_old()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "soko_mpesa.soko_mpesa_attention_action")

    @api.model
    def get_banner(self):
        """Return what the pages of the M-Pesa app show on top.

        The jobs are looked at now, so that it is noticed when they all stand still.

        :return: {"alarms": sentences, "serious": number of serious rows, "rows": number of rows};
            empty for who has no role in M-Pesa
        """
        if not self.has_access("read"):
            return {}
        # sudo: when a job ran last is no secret for who sees payouts
        silent = [job for job in self.env["soko.mpesa.watch"].sudo()._get_jobs() if job.problem]
        counts = dict(self._read_group([], ["severity"], ["__count"]))
        return {
            "alarms": [
                " ".join(self._say("job", self.env["soko.mpesa.watch"]._get_job_facts(job))[:2])
                for job in silent
            ],
            "serious": counts.get("1", 0),
            "rows": sum(counts.values()),
        }

    # === ACTIONS === #

    def action_open(self):
        """Open what the row is about."""
        self.ensure_one()
        self.check_access("read")
        if not self.can_open:
            raise UserError(self.env._(
                "You may not open this. Show this page to an M-Pesa manager or to your "
                "administrator."
            ))
        opener = getattr(self, f"_open_{self.kind}", None)
        return opener() if opener else self.env[self.res_model].browse(
            self.res_id)._get_records_action()

    def action_accept(self):
        """Declare that a contradiction is understood: it freezes nothing more as it is now."""
        self.check_access("read")
        if not self.env.user.has_group(APPROVER):
            raise AccessError(self.env._("Only an M-Pesa approver may declare that."))
        for row in self:
            if row.kind != "invariant":
                raise UserError(self.env._("Only a contradiction in the books is declared so."))
            # sudo: people can't write rows; the right was checked
            row.sudo().write({
                "accepted_digest": row.facts["digest"], "accepted_by": self.env.uid,
            })
            # sudo: the same
            row.sudo().message_post(body=self.env._(
                "%s declared that this is understood.", self.env.user.name))
        # evidence that differs is written down as it is now, before more of it comes
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_anchor").sudo()._trigger()

    def _open_approval(self):
        return self._open_list("soko_mpesa_payout_action", [
            ("account_id", "=", self.res_id), ("state", "=", "submitted")])

    def _open_stuck(self):
        return self._open_list("soko_mpesa_payout_action", [
            ("account_id", "=", self.res_id), ("state", "=", "approved")])

    def _open_frozen(self):
        return self._open_list("soko_mpesa_payout_action", [
            ("company_id", "=", self.company_id.id), ("state", "=", "approved")])

    def _open_inbox_failed(self):
        return self._open_list("soko_mpesa_inbox_action", [("state", "=", "failed")])

    def _open_inbox_quarantined(self):
        return self._open_list("soko_mpesa_inbox_action", [("state", "=", "quarantined")])

    def _open_invariant(self):
        return self._open_list("soko_mpesa_payout_action", [
            ("name", "in", self.facts.get("rows") or [])])

    def _open_list(self, action, domain):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"soko_mpesa.{action}")
        return {**action, "domain": domain, "context": {}}

    # === BRINGING UP TO DATE === #

    @api.model
    def _refresh_if_old(self):
        """Look again, unless that was done a moment ago; the page opens in any case."""
        age = self.env["soko.mpesa.heartbeat"]._get_age("attention")
        if self.env.cr.readonly or (age is not None and age < FRESH_SECONDS):
            return
        try:
            with self.env.cr.savepoint():
                # sudo: what is found doesn't depend on who looks; each sees the rows of their own
                # companies
                self.sudo()._refresh()
        except OperationalError:
            raise  # Odoo opens the page once more
        except Exception:  # the page must open, the more so when something is wrong
            _logger.warning("The M-Pesa attention page isn't up to date", exc_info=True)

    @api.model
    def _refresh(self):
        """Find what is so now and keep it; as superuser. Doesn't commit."""
        watch = self.env["soko.mpesa.watch"]
        kinds = set(dict(self._fields["kind"].selection)) - {"invariant"}
        # the books are read whole by the watch; here only if it is dead
        age = self.env["soko.mpesa.heartbeat"]._get_age("ir_cron_watch")
        if age is not None and watch._is_silent("ir_cron_watch"):
            watch._guard()
        self._sync(watch._find(), kinds)
        self.env["soko.mpesa.heartbeat"]._beat("attention")

    @api.model
    def _sync(self, findings, kinds):
        """Make the open rows of `kinds` say exactly `findings`.

        :param findings: iterable of tools.watch.Finding
        :param kinds: set of kinds that were looked for
        :return: the open rows of these kinds
        """
        self.env.cr.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [LOCK])
        if not self.env.cr.fetchone()[0]:
            return self.browse()  # somebody else is doing it at this moment
        quiet = self.with_context(
            tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True, lang=None)
        rows = quiet.search([("kind", "in", list(kinds))])
        old = {(row.kind, row.subject): row for row in rows}
        findings = {(finding.kind, finding.subject): finding for finding in findings}
        quiet.browse(
            row.id for key, row in old.items() if key not in findings)._solve()
        for key in findings.keys() & old.keys():
            old[key]._update(findings[key])
        new = [finding for key, finding in findings.items() if key not in old]
        made = quiet.create([quiet._prepare_vals(finding) for finding in new])
        for row, finding in zip(made, new, strict=True):
            if finding.calls:
                row._call()
        return quiet.search([("kind", "in", list(kinds))])

    def _prepare_vals(self, finding):
        return {
            "kind": finding.kind, "subject": finding.subject, "severity": finding.severity,
            "since": finding.since, "company_id": finding.company_id,
            "responsible_id": finding.user_id, "res_model": finding.res_model,
            "res_id": finding.res_id, "facts": finding.facts,
        }

    def _update(self, finding):
        """Write what has changed; `since` is the first time. Calls when it has become serious."""
        is_worse = finding.severity < self.severity
        vals = self._prepare_vals(finding)
        vals.pop("since")
        changed = {
            name: value for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if changed:
            self.write(changed)
        if is_worse and finding.calls and not self.activity_ids:
            self._call()

    def _call(self):
        """Give who should act a task, once for each row."""
        for user in self._get_called():
            self._call_user(user)

    def _get_called(self):
        """Return whom a row calls: who is in charge of the account; for an automation all
        managers but the one who made it, unless nobody else is there."""
        watch = self.env["soko.mpesa.watch"]
        if self.kind != "automation":
            return watch._get_callees(self.responsible_id, self.company_id)
        managers = watch._get_managers()
        return managers.filtered(lambda user: user.id != self.facts["user_id"]) or managers

    def _call_user(self, user):
        row = self.with_user(user).with_context(lang=user.lang)
        # somebody without a role in M-Pesa couldn't open it
        if not user or not user.active or not row.has_access("read"):
            return
        self.activity_schedule(
            TODO, user_id=user.id, summary=row.name,
            note=Markup("<p>%s</p><p>%s</p>") % (row.meaning, row.advice),
        )

    def _solve(self):
        """Close rows, and the tasks that they gave."""
        for row in self:
            if row.activity_ids:
                row.activity_feedback([TODO], feedback=self.env._("It is so no longer."))
        self.write({"active": False, "solved_at": fields.Datetime.now()})

    @api.autovacuum
    def _gc_solved(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        old = self.with_context(active_test=False).search(
            [("active", "=", False), ("solved_at", "<", limit)], limit=10000)
        old.unlink()
