import hashlib
import os
import random
import socket
import time
from datetime import UTC, datetime, timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..const import BASE_URL_VARIABLE, KEY_FILE_OPTION, KEY_FILE_VARIABLE
from ..tools import claims, setup

CLAIMS_FILE_VARIABLE = "SOKO_MPESA_CLAIMS_FILE"
CLAIMS_FILE_OPTION = "soko_mpesa_claims_file"
# Seconds of the first pause after a throttle; each further one doubles it.
PAUSE_SECONDS = 15
LONGEST_PAUSE = 900


class SokoMpesaAccountGuard(models.AbstractModel):
    """The part of an account that keeps the sender from running where or when it must not."""

    _name = "soko.mpesa.account.guard"
    _description = "M-Pesa account: guards"

    send_spacing_ms = fields.Integer(
        string="Between two requests (ms)", default=200, required=True,
        help="M-Pesa doesn't say how many requests a second it takes; 200 to 500 milliseconds "
             "between two of them are known to be quiet. 0: no pause.",
    )
    credential_refused = fields.Boolean(
        readonly=True, copy=False,
        help="M-Pesa refused the operator's credentials. Nothing more is asked, lest it locks the "
             "operator, until they are entered anew or a manager resumes.",
    )
    paused_until = fields.Datetime(
        readonly=True, copy=False, help="M-Pesa asked for fewer requests: all of them wait.",
    )
    pause_count = fields.Integer(readonly=True, copy=False)
    golive_ids = fields.One2many("soko.mpesa.golive", "account_id", readonly=True)
    golive_is_complete = fields.Boolean(
        readonly=True, copy=False,
        help="Every point that must be done before real money moves is done.",
    )
    golive_open_count = fields.Integer(compute="_compute_golive_open_count")
    lost_claim_ids = fields.One2many("soko.mpesa.lost.claim", "account_id", readonly=True)
    lost_claim_count = fields.Integer(compute="_compute_lost_claim_count")

    def _compute_lost_claim_count(self):
        counts = dict(self.env["soko.mpesa.lost.claim"]._read_group(
            [("account_id", "in", self.ids), ("state", "=", "open")], ["account_id"], ["__count"],
        ))
        for account in self:
            account.lost_claim_count = counts.get(account, 0)

    def action_open_lost_claims(self):
        self.ensure_one()
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("soko_mpesa.soko_mpesa_lost_claim_action")
        return {**action, "domain": [("account_id", "=", self.id)], "context": {}}

    # === GO-LIVE LIST === #

    def _compute_golive_open_count(self):
        for account in self:
            account.golive_open_count = len(account._get_open_points())

    def action_open_golive(self):
        """Show the go-live list; it is made on first sight."""
        self.ensure_one()
        self.check_access("read")
        self.env["soko.mpesa.golive"]._ensure_for(self)
        actions = self.env["ir.actions.act_window"]
        action = actions._for_xml_id("soko_mpesa.soko_mpesa_golive_action")
        return {**action, "domain": [("account_id", "=", self.id)]}

    def _get_open_points(self):
        """Return the points that must be done before real money moves and aren't.

        :rtype: soko.mpesa.golive
        """
        # sudo: what is open counts for everybody who looks at the account
        return self.sudo().golive_ids.filtered(
            lambda line: line.stage == "1_before" and line.item_id.active and line.state != "done")

    def _refresh_golive(self):
        """See whether the list is complete now. That is kept, because it counts before each
        payment: a later check that meets a slow M-Pesa must not stop a line that is live."""
        for account in self.filtered(lambda account: not account.golive_is_complete):
            self.env["soko.mpesa.golive"]._ensure_for(account)
            account.invalidate_recordset(["golive_ids"])
            account.golive_ids.invalidate_recordset(["state"])
            if not account._get_open_points():
                # sudo: it follows from the ticks; nobody writes it by hand
                account.sudo().golive_is_complete = True

    def _reopen_golive(self):
        """A point was opened again, or the account is another one now."""
        # sudo: it follows from the ticks; nobody writes it by hand
        self.sudo().write({"golive_is_complete": False})

    def _get_checked(self):
        """Return the codes of what the last finished check of the set-up found in order.

        :rtype: set[str]
        """
        # sudo: the outcome of a check is no secret
        check = self.env["soko.mpesa.check"].sudo().search(
            [("account_id", "=", self.id), ("state", "=", "done"),
             ("environment", "=", self.environment)], limit=1)
        return set(check.line_ids.filtered(
            lambda line: line.status in ("ok", "warning")).mapped("code"))

    # === WHERE IT RUNS === #

    def _get_guard_reasons(self):
        """Return why this process must not send for this account, as sentences.

        :rtype: list[str]
        """
        reasons = [*self._get_production_reasons(), self._get_claims_problem()]
        return [reason for reason in reasons if reason]

    def _get_production_reasons(self):
        if self.environment != "production":
            return []
        reasons = []
        if setup.is_debugging(config["dev_mode"]):
            reasons.append(self.env._(
                "Odoo was started with --dev, which is for programmers. Real money isn't sent by "
                "such a server: start it without."
            ))
        override = os.environ.get(BASE_URL_VARIABLE)
        if override and setup.wrong_environment("production", override):
            reasons.append(self.env._(
                "SOKO_MPESA_BASE_URL leads to %s, which isn't Safaricom's production address. "
                "Remove it from the server's environment, or let the account be a sandbox one.",
                setup.host_of(override) or override,
            ))
        if not self.golive_is_complete:
            reasons.append(self.env._(
                "The go-live list isn't complete. Press Go-live list and see to the open points."))
        return reasons

    # === CLAIMS JOURNAL === #

    def _get_claims_path(self):
        """Return the file to which this server appends what it sends; empty without a key file.

        ``{database}`` in the setting stands for the name of the database.
        """
        path = os.environ.get(CLAIMS_FILE_VARIABLE) or config.get(CLAIMS_FILE_OPTION)
        if path:
            return os.path.expanduser(path).replace("{database}", self.env.cr.dbname)
        key_file = os.environ.get(KEY_FILE_VARIABLE) or config.get(KEY_FILE_OPTION)
        if not key_file:
            return ""
        return claims.default_path(key_file, socket.gethostname(), self._get_database_uuid())

    def _get_database_uuid(self):
        # sudo: the identity of the database is a system parameter
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid") or ""

    def _get_claims_name(self):
        """Return the fingerprint under which this account's lines stand in the journal.

        It survives a change of the key, and says nothing to who reads the file.
        """
        text = f"{self._get_database_uuid()}|{self.id}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _get_claims_problem(self):
        """Return why nothing can be written to the journal, as a sentence; empty when it can."""
        path = self._get_claims_path()
        problem = claims.problem(path) if path else ""
        if not problem:
            return ""
        return self.env._(
            "The list of what was sent, %(path)s, can't be kept: it %(problem)s. Name a file that "
            "Odoo may write in the environment variable SOKO_MPESA_CLAIMS_FILE, outside the "
            "database and outside what is restored with it.", path=path, problem=problem,
        )

    def _get_journal_entry(self, attempt, request):
        """Return (path, claim) to be written before `request` leaves: plain values."""
        return self._get_claims_path(), claims.Claim(
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            originator_id=attempt.originator_id, account=self._get_claims_name(),
            amount=attempt.payout_id.amount, sha256=request.sha256,
        )

    def _remembers_its_claims(self):
        """Whether the database knows what this server has sent last; if not, the line stops.

        Called at the beginning of a pass; commits.
        """
        path = self._get_claims_path()
        try:
            recent = claims.recent_claims(path, self._get_claims_name())
        except claims.ClaimsFileError as error:
            self.last_error = self.env._(
                "The list of what was sent, %(path)s, can't be read: %(error)s", path=path,
                error=error)
            return False
        # What is read from here on is younger than the file: a claim is committed before its line.
        self.env["ir.cron"]._commit_progress()
        lost = self._get_forgotten(recent)
        if not lost:
            return True
        open_claims = self.env["soko.mpesa.lost.claim"]._find_unaccounted(self, lost)
        if open_claims:
            self._stop_for_lost(open_claims)
        else:
            open_claims = not self._note_accounted(path)
        self.env["ir.cron"]._commit_progress()
        return not open_claims

    def _note_accounted(self, path):
        """Write into the list that a manager has accounted for what the database had forgotten."""
        try:
            claims.append_accounted(
                path, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), self._get_claims_name())
        except claims.ClaimsFileError as error:
            self.last_error = self.env._(
                "The list of what was sent, %(path)s, can't be written: %(error)s", path=path,
                error=error)
            return False
        return True

    def _get_forgotten(self, recent):
        if not recent:
            return []
        self.env.cr.execute(
            "SELECT originator_id FROM soko_mpesa_attempt "
            "WHERE originator_id = ANY(%s) AND account_id = %s AND send_count >= 1",
            [[claim.originator_id for claim in recent], self.id],
        )
        known = {originator_id for (originator_id,) in self.env.cr.fetchall()}
        return [claim for claim in recent if claim.originator_id not in known]

    def _stop_for_lost(self, lost):
        """Stop the line, and put the list where people find it."""
        if self.stopped_reason:
            return
        total = sum(lost.mapped("amount"))
        reason = self.env._(
            "This database doesn't know %(count)s payments (%(total)s KES) that this server has "
            "sent. It is probably a restored backup: what was paid since may be paid again. "
            "Import M-Pesa's statement, account for each payment in the list, then resume.",
            count=len(lost), total=f"{total:,}",
        )
        self._stop(reason)
        lines = ["\t".join((claim.claimed_at or "", claim.originator_id, str(claim.amount)))
                 for claim in lost]
        # sudo: a guard tells people, whoever is acting
        self.sudo().message_post(
            body=reason,
            attachments=[("lost-claims.txt", "\n".join(["time\treference\tKES", *lines, ""]))],
        )

    # === PACE === #

    def _is_paused(self):
        return bool(self.paused_until) and self.paused_until > fields.Datetime.now()

    def _pause(self):
        """Let everything wait after a throttle: 15 s, 30 s, ... with a random part."""
        until = fields.Datetime.now() + timedelta(seconds=self._get_pause_seconds())
        self.write({"paused_until": until, "pause_count": self.pause_count + 1})
        for name in ("ir_cron_send", "ir_cron_query"):
            # sudo: a cron is triggered, not edited
            self.env.ref(f"soko_mpesa.{name}").sudo()._trigger(at=until + timedelta(seconds=1))

    def _get_pause_seconds(self):
        seconds = min(PAUSE_SECONDS * 2 ** self.pause_count, LONGEST_PAUSE)
        return seconds * (1 + random.random() / 2)

    def _wait_for_spacing(self, started):
        """Don't let the next request begin too soon after the one before.

        :param float started: when that one began, by time.monotonic()
        """
        left = started + self.send_spacing_ms / 1000 - time.monotonic()
        if left > 0:
            # nothing is held while we wait, and what changes meanwhile is seen
            self.env["ir.cron"]._commit_progress()
            time.sleep(left)

    def _end_pause(self):
        """M-Pesa takes requests again: the next throttle begins with the short pause."""
        if self.pause_count:
            self.write({"paused_until": False, "pause_count": 0})

    # === KEYS === #

    def action_rotate_keys(self):
        """Encrypt all stored credentials with the first key of the key file."""
        self._check_is_manager()
        # sudo: no role can read or write secrets; they stay the same, only their key changes
        count = self.env["soko.mpesa.secret"].sudo()._rotate_all()
        if not count:
            raise UserError(self.env._("Nothing is stored that the key file can open."))
        return {
            "type": "ir.actions.client", "tag": "display_notification",
            "params": {"type": "success", "message": self.env._(
                "%s credentials are encrypted with the newest key now. The older keys can be "
                "taken out of the key file.", count,
            )},
        }
