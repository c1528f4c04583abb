import base64
import logging
import time
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models

from ..const import APPROVER, MAKER, MANAGER, PASSWORD_DAYS, PASSWORD_WARNING_DAYS
from ..tools import states
from ..tools.credential import describe_certificate
from ..tools.watch import CORE_JOBS, Finding, digest_of
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

# The age of the last look at the books with which money may leave. The look takes longer the more
# payouts there are; it may take a twentieth of the time.
GUARD_SECONDS = 30
GUARD_SHARE = 20
AUDIT_SECONDS = 24 * 3600
UNKNOWN_HOURS = 1
APPROVAL_DAYS = 1
STUCK_MINUTES = 15
CERTIFICATE_DAYS = 10
SHOWN_ROWS = 20
TRIES = 5
# What an invariant's numbers are; texts are names of payouts, references or receipts.
NUMBERS = {
    "I-1": "account.payment", "I-2": "soko.mpesa.payout", "I-15": "soko.mpesa.evidence",
    "I-17": "account.payment",
}


class SokoMpesaWatch(models.AbstractModel):
    """Finds what needs a person, and stops sending when the books contradict themselves.

    To watch one more thing: add its kind and sentences to soko.mpesa.attention, and a method
    `_find_<what>` here that yields tools.watch.Finding, called by `_find`.
    """

    _name = "soko.mpesa.watch"
    _description = "M-Pesa watch"

    # === THE JOB === #

    @api.model
    @beats("ir_cron_watch")
    def _cron_watch(self):
        """Look at the books, then at everything else. Its cron record is another than the
        senders', because Odoo skips a turn of a job that was killed three times."""
        # sudo: the cron's user need not have an M-Pesa role
        watch = self.sudo()
        for step in (watch._guard_if_old, watch.env["soko.mpesa.attention"]._refresh):
            watch._do_with_retry(step)

    def _do_with_retry(self, step):
        for left in reversed(range(TRIES)):
            try:
                step()
                self.env["ir.cron"]._commit_progress(1)
                return
            except OperationalError:
                self.env.cr.rollback()  # somebody else changed the same rows: look again
                if not left:
                    raise

    # === INVARIANTS === #

    @api.model
    def _guard_if_old(self):
        """Look at the books unless that was done a moment ago: before money leaves, for example.

        Doesn't commit.
        """
        age, length = self.env["soko.mpesa.heartbeat"]._get_age_and_length("guard")
        if age is None or age >= max(GUARD_SECONDS, GUARD_SHARE * length):
            # sudo: the books are looked at whole, whoever asks
            self.sudo()._guard()

    @api.model
    def _guard(self, thorough=False):
        """Freeze the companies for which something is so that must never be. Doesn't commit.

        Once a day, and while something is wrong, all books are looked at, however old, and the
        evidence is compared with what was written down outside the database.

        :param bool thorough: whether to do so in any case
        """
        began = time.monotonic()
        hearts, attention = self.env["soko.mpesa.heartbeat"], self.env["soko.mpesa.attention"]
        known = attention.search([("kind", "=", "invariant")])
        age = hearts._get_age("audit")
        is_whole = thorough or bool(known) or age is None or age >= AUDIT_SECONDS
        found = dict(self.env["soko.mpesa.payout"]._invariant_violations(thorough=is_whole))
        if is_whole:
            found.update(self.env["soko.mpesa.anchor"]._get_differences())
            hearts._beat("audit", time.monotonic() - began)
        if is_whole and not known:
            began = time.monotonic()  # once a day is no measure of the usual look
        findings = [self._prepare_violation(name, rows) for name, rows in found.items()]
        accepted = {row.subject: row.accepted_digest for row in known}
        for finding in findings:
            if finding.facts["digest"] != accepted.get(finding.subject):
                self._get_concerned(finding.facts)._soko_mpesa_freeze(finding.facts["rule"])
        attention._sync(findings, {"invariant"})
        hearts._beat("guard", time.monotonic() - began)

    def _prepare_violation(self, name, rows):
        offenders = [row if isinstance(row, str) else row[0] for row in rows]
        companies = self._get_companies(name, offenders)
        account = self._get_first_account(companies)
        return Finding(
            "invariant", name, "1", fields.Datetime.now(),
            company_id=companies.id if len(companies) == 1 else False,
            user_id=account.responsible_id.id, res_model="soko.mpesa.payout", calls=True,
            facts={
                "rule": name, "rows": [str(one) for one in offenders[:SHOWN_ROWS]],
                "digest": digest_of(offenders), "companies": companies.ids,
            },
        )

    def _get_companies(self, name, offenders):
        """Return the companies that a violation concerns; none when that can't be said."""
        texts = [one for one in offenders if isinstance(one, str)]
        numbers = [one for one in offenders if not isinstance(one, str)]
        attempts = self.env["soko.mpesa.attempt"].search(
            ["|", ("originator_id", "in", texts), ("receipt", "in", texts)])
        payouts = self.env["soko.mpesa.payout"].search([("name", "in", texts)])
        known = {*attempts.mapped("originator_id"), *attempts.mapped("receipt"),
                 *payouts.mapped("name")}
        companies = attempts.company_id | payouts.company_id
        model = NUMBERS.get(name.split()[0])
        if numbers and model:
            companies |= self.env[model].browse(numbers).exists().company_id
        if set(texts) - known or (numbers and not model):
            return self.env["res.company"]
        return companies

    def _get_concerned(self, facts):
        """Return the companies to freeze: all that pay by M-Pesa when it isn't known which."""
        companies = self.env["res.company"].browse(facts["companies"])
        accounts = self.env["soko.mpesa.account"].with_context(active_test=False)
        paying = accounts._read_group([], ["company_id"])
        return companies or companies.union(*(company for (company,) in paying))

    def _get_first_account(self, companies=None):
        domain = [("company_id", "in", companies.ids)] if companies else []
        return self.env["soko.mpesa.account"].search(domain, order="id", limit=1)

    # === FINDING === #

    @api.model
    def _find(self):
        """Return everything that needs a person now, except violated invariants.

        :rtype: list of tools.watch.Finding
        """
        findings = [
            *self._find_unknown(), *self._find_payouts(), *self._find_names(),
            *self._find_jobs(), *self._find_inbox(), *self._find_frozen(),
            *self._find_automations(),
        ]
        for account in self._get_watched():
            findings += self._find_account(account)
        return findings

    def _get_watched(self):
        """Return the accounts that are in use, and archived ones that something waits for."""
        return self.env["soko.mpesa.account"].search([
            "|", ("active", "=", True),
            ("payout_ids", "any", [("state", "in", (*states.PAYOUT_UNSENT, "in_flight"))]),
        ])

    def _find_unknown(self):
        limit = fields.Datetime.now() - timedelta(hours=UNKNOWN_HOURS)
        for attempt in self.env["soko.mpesa.attempt"].search([
            ("state", "in", ("accepted", "unknown")), ("sent_at", "<", limit),
            ("payout_id.state", "=", "in_flight"),
        ]):
            yield self._prepare_payout(attempt.payout_id, "unknown", "2", attempt.sent_at)

    def _find_payouts(self):
        payouts = self.env["soko.mpesa.payout"]
        for payout in payouts.search([("state", "=", "exception")]):
            yield self._prepare_payout(
                payout, "exception", "1", payout.write_date,
                reason=payout.exception_reason or "")
        for payout in payouts.search([("state", "=", "held")]):
            yield self._prepare_payout(
                payout, "held", "3" if payout.hold_code else "2", payout.write_date,
                reason=payout.hold_reason or "", waits=bool(payout.hold_code))

    def _prepare_payout(self, payout, kind, severity, since, **facts):
        """A payout calls a person itself when it needs one, so its row doesn't."""
        return Finding(
            kind, f"soko.mpesa.payout,{payout.id}", severity, since,
            company_id=payout.company_id.id, user_id=payout.account_id.responsible_id.id,
            res_model="soko.mpesa.payout", res_id=payout.id,
            facts={"payout": payout.name, "payee": payout.payee_name, "amount": payout.amount,
                   **facts},
        )

    def _find_names(self):
        """Numbers for which M-Pesa named another person than we know."""
        for bank in self.env["res.partner.bank"].search(
                [("soko_mpesa_name_warning", "!=", False)]):
            yield Finding(
                "name", f"res.partner.bank,{bank.id}", "2", bank.write_date,
                company_id=bank.company_id.id, res_model="res.partner.bank", res_id=bank.id,
                user_id=self._get_first_account(bank.company_id).responsible_id.id,
                facts={"payee": bank.partner_id.display_name or "",
                       "reason": bank.soko_mpesa_name_warning},
            )

    # === ACCOUNTS === #

    def _find_account(self, account):
        for find in (self._find_stop, self._find_settings, self._find_float, self._find_short,
                     self._find_approval, self._find_stuck, self._find_password,
                     self._find_certificate, self._find_responsible):
            found = find(account)
            if found:
                kind, severity, since, calls, facts = found
                yield Finding(
                    kind, f"soko.mpesa.account,{account.id}", severity, since,
                    company_id=account.company_id.id, user_id=account.responsible_id.id,
                    res_model="soko.mpesa.account", res_id=account.id, calls=calls,
                    facts={"account": account.name, **facts},
                )

    def _find_stop(self, account):
        if account.stopped_reason:
            # the stop has given a task already
            return "stopped", "1", account.write_date, False, {"reason": account.stopped_reason}
        if account.last_error:
            return "token", "2", account.write_date, False, {"reason": account.last_error}
        return None

    def _find_settings(self, account):
        reasons = account._get_standing_reasons()
        if not reasons:
            return None
        waits = self._count_due(account)
        severity = "1" if waits else "3"
        return ("settings", severity, account.write_date, bool(waits),
                {"reason": " ".join(reasons)})

    def _find_float(self, account):
        if not account.float_at or not account.float_is_low:
            return None
        return "float", "1", account.float_at, True, {
            "amount": account.float_amount, "threshold": account.float_threshold}

    def _find_short(self, account):
        """The float doesn't cover the next payout, so those behind it wait as well."""
        waiting = account.waiting_reason and not account.trial_since  # that one ends by itself
        waits = waiting and self._count_due(account)
        if not waits:
            return None
        return "short", "1", account.float_at or account.write_date, True, {
            "reason": account.waiting_reason, "count": waits}

    def _find_approval(self, account):
        limit = fields.Datetime.now() - timedelta(days=APPROVAL_DAYS)
        [(count, amount, first)] = self.env["soko.mpesa.payout"]._read_group(
            [("account_id", "=", account.id), ("state", "=", "submitted"),
             ("submitted_at", "<", limit)],
            aggregates=["__count", "amount:sum", "submitted_at:min"])
        if not count:
            return None
        return "approval", "2", first, False, {"count": count, "amount": amount}

    def _find_stuck(self, account):
        """Evidence that nobody sends although something is due and nothing forbids it."""
        late = self._count_due(account, minutes=STUCK_MINUTES)
        if not late or account.waiting_reason or account._get_blocking_reasons():
            return None
        return "stuck", "1", fields.Datetime.now(), True, {"count": late}

    def _count_due(self, account, minutes=0):
        limit = fields.Datetime.now() - timedelta(minutes=minutes)
        return self.env["soko.mpesa.attempt"].search_count([
            ("account_id", "=", account.id), ("state", "=", "prepared"),
            ("payout_id.state", "=", "approved"), ("write_date", "<=", limit),
            "|", ("not_before", "=", False), ("not_before", "<=", limit),
        ])

    def _find_password(self, account):
        day = account.password_set_on
        if not day:
            is_live = account.environment == "production"
            return is_live and ("password", "3", account.create_date, False, {"days": 0})
        age = (fields.Date.context_today(self) - day).days
        warned = PASSWORD_DAYS - PASSWORD_WARNING_DAYS
        if age <= warned:
            return None
        since = fields.Datetime.to_datetime(day + timedelta(days=warned))
        return "password", "1", since, True, {"days": age}

    def _find_certificate(self, account):
        certificate = account.with_context(bin_size=False).certificate
        if not certificate or account.environment != "production":
            return None
        valid_to = describe_certificate(base64.b64decode(certificate))["valid_to"]
        if valid_to > fields.Date.context_today(self) + timedelta(days=CERTIFICATE_DAYS):
            return None
        return ("certificate", "3", fields.Datetime.to_datetime(valid_to), False,
                {"date": str(valid_to)})

    def _find_responsible(self, account):
        """Who gets the tasks has left or lost the role: meanwhile the managers get them."""
        if self._can_be_called(account.responsible_id, account.company_id):
            return None
        return "responsible", "2", account.write_date, True, {"user": account.responsible_id.name}

    # === MACHINERY === #

    @api.model
    def _get_jobs(self):
        """Return the module's jobs, those without which nothing works in any case.

        :rtype: list of tools.watch.Job
        """
        return self.env["soko.mpesa.heartbeat"]._get_jobs(wanted=CORE_JOBS)

    def _is_silent(self, name):
        return any(job.name == name and job.problem for job in self._get_jobs())

    def _get_job_facts(self, job):
        return {
            "name": job.name, "job": job.label, "problem": job.problem or "silent",
            "minutes": (job.age or 0) // 60,
        }

    def _find_jobs(self):
        user = self._get_first_account().responsible_id
        for job in self._get_jobs():
            if job.problem:
                since = fields.Datetime.now() - timedelta(seconds=job.age or 0)
                yield Finding(
                    "job", job.name, "1", since, user_id=user.id, calls=True,
                    res_model=bool(job.cron_id) and "ir.cron", res_id=job.cron_id,
                    facts=self._get_job_facts(job),
                )

    def _find_inbox(self):
        for state, company, count, first in self.env["soko.mpesa.inbox"]._read_group(
            [("state", "in", ("failed", "quarantined"))], ["state", "company_id"],
            ["__count", "create_date:min"],
        ):
            yield Finding(
                f"inbox_{state}", f"res.company,{company.id or 0}",
                "2" if state == "failed" else "3", first, company_id=company.id,
                user_id=self._get_first_account(company).responsible_id.id,
                res_model="soko.mpesa.inbox", facts={"count": count},
            )

    def _find_frozen(self):
        waiting = self.env["soko.mpesa.payout"]._read_group(
            [("state", "=", "approved"), ("company_id.soko_mpesa_frozen", "=", True)],
            ["company_id"], ["__count", "approved_at:min"])
        for company, count, first in waiting:
            yield Finding(
                "frozen", f"res.company,{company.id}", "2", first, company_id=company.id,
                user_id=self._get_first_account(company).responsible_id.id,
                res_model="soko.mpesa.payout",
                facts={"company": company.name, "count": count,
                       "reason": company.soko_mpesa_frozen_reason or ""},
            )

    def _find_automations(self):
        automations = self.env["soko.mpesa.automation"]
        automations._note_rules()
        for row in automations.search([("state", "=", "open")]):
            yield Finding(
                "automation", f"soko.mpesa.automation,{row.id}", "2", row.changed_at,
                user_id=self._get_first_account().responsible_id.id,
                res_model="soko.mpesa.automation", res_id=row.id, calls=True,
                facts={"name": row.name, "targets": row.targets or "-",
                       "user": row.user_id.name, "user_id": row.user_id.id},
            )

    @api.model
    def _get_managers(self, company=None):
        """Return the persons who manage M-Pesa: of `company`, or of any.

        :rtype: res.users
        """
        # sudo: who has a role is read to tell them something
        users = self.env.ref(MANAGER).sudo().all_user_ids
        return users.filtered(
            lambda user: user.active and user.id != SUPERUSER_ID
            and (not company or company in user.company_ids))

    @api.model
    def _can_be_called(self, user, company):
        """Whether `user` works here and may open what a task is about.

        :param user: res.users, or empty
        :param company: res.company, or empty when it concerns all
        """
        user = user.sudo()  # sudo: who has a role is read to tell them something
        return bool(
            user.active and any(user.has_group(group) for group in (MAKER, APPROVER))
            and (not company or company in user.company_ids))

    @api.model
    def _get_callees(self, user, company):
        """Return who gets a task: `user`, or the managers when she has left or lost the role.

        :param user: res.users who is in charge, or empty
        :param company: res.company, or empty when it concerns all
        :rtype: res.users
        """
        if user and self._can_be_called(user, company):
            return user
        return self._get_managers(company) or user

    # === HEALTH === #

    @api.model
    def _get_health(self):
        """Return what an outside monitor may know: no names, no amounts; two queries.

        :return: {"ok": bool, "sending": {job: seconds since its last pass, None when there is no
            such job}, "attention": number of serious rows}
        """
        jobs = [job for job in self._get_jobs() if job.name in CORE_JOBS]
        self.env.cr.execute("""
            SELECT count(*), count(*) FILTER (WHERE kind = 'invariant'
                       AND accepted_digest IS DISTINCT FROM facts->>'digest')
              FROM soko_mpesa_attention WHERE active AND severity = '1'
        """)
        serious, broken = self.env.cr.fetchone()
        return {
            "ok": not broken and not any(job.problem for job in jobs),
            "sending": {job.name.removeprefix("ir_cron_"): job.age for job in jobs},
            "attention": serious,
        }
