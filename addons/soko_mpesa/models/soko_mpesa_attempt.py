import logging
import secrets
import string
import time
from dataclasses import replace
from datetime import datetime, timedelta

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError

from ..const import (
    ACCOUNT_RESULTS,
    BASE_URL_VARIABLE,
    CREDENTIAL_RESULTS,
    HTTP_DEADLINE,
    LEASE_SECONDS,
    LOCK_TIMEOUT_MS,
    PASS_BUDGET,
    PATH_PAYMENT,
    PATH_STATUS,
    UNKNOWN_ALARM_HOURS,
)
from ..tools import classify, client, eat, explain, parse, proof, states
from ..tools import verdict as verdicts
from ..tools.serial import touch
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

ID_LENGTH = 20
RECORD_TRIES = 10
NEVER = datetime.min


class SokoMpesaAttempt(models.Model):
    """One OriginatorConversationID, made before any byte leaves and never changed.

    The order of sending is: claim under the row lock, commit, send, record. Whoever changes it
    pays somebody twice.
    """

    _name = "soko.mpesa.attempt"
    _description = "M-Pesa payment attempt"
    _inherit = ["soko.mpesa.attempt.text", "soko.mpesa.attempt.books"]
    _order = "payout_id, number"
    _rec_name = "originator_id"
    _allow_sudo_commands = False

    payout_id = fields.Many2one(
        "soko.mpesa.payout", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one(related="payout_id.company_id", store=True, index=True)
    account_id = fields.Many2one(related="payout_id.account_id", store=True, index=True)
    number = fields.Integer(required=True, readonly=True)
    originator_id = fields.Char(
        string="Our reference", required=True, readonly=True,
        default=lambda self: self._make_originator_id(),
        help="OriginatorConversationID: M-Pesa uses it to refuse a second payment.",
    )
    conversation_id = fields.Char(string="M-Pesa's reference", readonly=True)
    state = fields.Selection(
        [
            ("prepared", "To send"),
            ("sending", "Sending"),
            ("accepted", "Accepted"),
            ("unknown", "Outcome unknown"),
            ("paid", "Paid"),
            ("not_paid", "Not paid"),
            ("reversed", "Reversed"),
            ("cancelled", "Cancelled"),
        ],
        required=True, default="prepared", readonly=True, index=True,
    )
    lease_owner = fields.Char(readonly=True)
    lease_until = fields.Datetime(readonly=True)
    request_sha256 = fields.Char(readonly=True)
    send_count = fields.Integer(readonly=True, string="Times sent")
    sent_at = fields.Datetime(readonly=True)
    not_before = fields.Datetime(readonly=True)
    query_count = fields.Integer(readonly=True, string="Times asked")
    next_query_at = fields.Datetime(readonly=True, index="btree_not_null")
    receipt = fields.Char(readonly=True, string="M-Pesa receipt")
    evidence_ids = fields.One2many("soko.mpesa.evidence", "attempt_id", readonly=True)
    evidence_chain = fields.Char(
        readonly=True, copy=False, help="Digest of the newest evidence; the database writes it.",
    )

    _originator_uniq = models.Constraint(
        "UNIQUE(originator_id)", "This reference is used already."
    )
    _number_uniq = models.Constraint("UNIQUE(payout_id, number)", "Attempts are numbered.")
    _live_uniq = models.UniqueIndex(
        "(payout_id) WHERE state IN ('prepared', 'sending', 'accepted', 'unknown', 'paid')",
        "A payout has one live attempt.",
    )
    _receipt_uniq = models.UniqueIndex(
        "(receipt) WHERE receipt IS NOT NULL", "This receipt belongs to another payment."
    )
    # before each send: what the account and the company have sent lately
    _account_sent_idx = models.Index("(account_id, sent_at)")
    _company_sent_idx = models.Index("(company_id, sent_at)")
    _originator_form = models.Constraint(
        f"CHECK(originator_id ~ '^[A-Z0-9]{{{ID_LENGTH}}}$')", "The reference has a fixed form."
    )

    def init(self):
        pairs = tuple(
            (old, new)
            for old, news in states.ATTEMPT_TRANSITIONS.items() for new in sorted(news)
        )
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_attempt_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
                    RAISE EXCEPTION 'M-Pesa attempts are never deleted';
                END IF;
                IF TG_OP = 'INSERT' THEN
                    IF NEW.state <> 'prepared' THEN
                        RAISE EXCEPTION 'An M-Pesa attempt begins as prepared';
                    END IF;
                    RETURN NEW;
                END IF;
                IF (NEW.originator_id, NEW.payout_id, NEW.number)
                    IS DISTINCT FROM (OLD.originator_id, OLD.payout_id, OLD.number) THEN
                    RAISE EXCEPTION 'The identity of an M-Pesa attempt never changes';
                END IF;
                IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN %s THEN
                    RAISE EXCEPTION 'M-Pesa attempt: %% -> %% is forbidden', OLD.state, NEW.state;
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_attempt_guard ON soko_mpesa_attempt;
            CREATE TRIGGER soko_mpesa_attempt_guard BEFORE INSERT OR UPDATE OR DELETE
                ON soko_mpesa_attempt FOR EACH ROW EXECUTE FUNCTION soko_mpesa_attempt_guard();
            DROP TRIGGER IF EXISTS soko_mpesa_attempt_whole ON soko_mpesa_attempt;
            CREATE TRIGGER soko_mpesa_attempt_whole BEFORE TRUNCATE
                ON soko_mpesa_attempt FOR EACH STATEMENT
                EXECUTE FUNCTION soko_mpesa_attempt_guard();
        """, [pairs])

    @api.model
    def _make_originator_id(self):
        alphabet = string.ascii_uppercase + string.digits
        return "".join(secrets.choice(alphabet) for _dummy in range(ID_LENGTH))

    # === STATE === #

    def _set_state(self, state, **values):
        """Move to `state` and write `values` with it.

        :raise UserError: the move is forbidden; see tools/states.py
        """
        for attempt in self:
            if not states.may_move(attempt.state, state):
                raise UserError(self.env._(
                    "This payment attempt can't go from %(old)s to %(new)s.",
                    old=attempt.state, new=state,
                ))
        self.write({"state": state, **values})

    def _lock(self):
        """Lock payout and attempt, in this order, and forget what was read before.

        With an attempt that was declared not paid go all payouts that its late success would stop:
        a sender has them before or sees them stopped.
        """
        payouts = self.payout_id
        if self.state == "not_paid":
            payouts |= payouts._find_unsent_to_payee()
        self.env.cr.execute(
            "SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        self.env.cr.execute(
            "SELECT id FROM soko_mpesa_payout WHERE id IN %s ORDER BY id FOR NO KEY UPDATE",
            [tuple(payouts.ids)],
        )
        self.env.cr.execute(
            "SELECT id FROM soko_mpesa_attempt WHERE id = %s FOR NO KEY UPDATE", [self.id]
        )
        self.env.invalidate_all()

    # === SENDING === #

    @api.model
    @beats("ir_cron_send")
    def _cron_send(self):
        """Send what is due. The only place from which money leaves."""
        stop_at = time.monotonic() + PASS_BUDGET
        self.env["soko.mpesa.watch"]._guard_if_old()  # what it finds, freezes
        self.env["ir.cron"]._commit_progress()
        # sudo: the cron's user need not have an M-Pesa role
        attempts = self.sudo()
        for account, share_until in attempts._share(attempts._get_senders(), stop_at):
            attempts._send_due(account, share_until)

    @api.model
    def _get_senders(self):
        """Return the accounts with something to send, the one that sent longest ago first."""
        groups = self._read_group(
            [*self._get_due_domain(), ("account_id.active", "=", True)], ["account_id"])
        served = {account: self.search(
            [("account_id", "=", account.id), ("sent_at", "!=", False)], order="sent_at desc",
            limit=1).sent_at for (account,) in groups}
        return sorted(served, key=lambda account: (served[account] or NEVER, account.id))

    @api.model
    def _share(self, accounts, stop_at):
        """Yield each account with the moment after which it begins no further request.

        What is left of the pass is shared by those that are left, so that a slow queue holds up
        no other account; each of them may begin one as long as there is time at all.

        :param accounts: soko.mpesa.account in the order of their turns
        :param float stop_at: when the pass is over, by the monotonic clock
        """
        for number, account in enumerate(accounts):
            now = time.monotonic()
            yield account, now + (stop_at - HTTP_DEADLINE - now) / (len(accounts) - number)

    def _send_due(self, account, share_until):
        due = self._get_due(account)
        if not due or account._is_paused() or account._get_blocking_reasons():
            return
        if not account._remembers_its_claims():
            return
        due = account._pick_for_trial(due)
        token = self._get_token(account) if due else ""
        for attempt in due if token else ():
            started = time.monotonic()
            if started > share_until:
                account._nudge_send()  # the rest in a fresh run, with a fresh clock
                self.env["ir.cron"]._commit_progress()
                return
            if account._lacks_float(attempt.payout_id.amount):
                self.env["ir.cron"]._commit_progress()
                return
            outcome = attempt._send_one(token)
            if outcome and outcome.kind == classify.NOT_SENT:
                self._after_not_sent(account, token, outcome)
                return
            if outcome:
                account._end_pause()
            account._wait_for_spacing(started)

    @api.model
    def _get_due_domain(self):
        return [
            ("state", "=", "prepared"), ("payout_id.state", "=", "approved"),
            "|", ("not_before", "=", False), ("not_before", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _get_due(self, account):
        return self.search(
            [("account_id", "=", account.id), *self._get_due_domain()], order="id", limit=200)

    def _get_token(self, account):
        """Return an access token, or an empty text; ends the transaction."""
        try:
            token, error = self.env["soko.mpesa.secret"]._token(account)
            if (account.last_error or "") != error:
                account.last_error = error
            if error:
                later = self.env["soko.mpesa.secret"]._get_token_retry(account)
                self.env.ref("soko_mpesa.ir_cron_send")._trigger(at=later)
            self.env["ir.cron"]._commit_progress()
            return token
        except (OperationalError, IntegrityError):
            self.env.cr.rollback()  # another worker is getting one
            account._nudge_send()
            self.env["ir.cron"]._commit_progress()
            return ""

    def _after_not_sent(self, account, token, outcome):
        """The line is down or the token is stale: stop this pass instead of failing them all."""
        if outcome.token_invalid:
            self.env["soko.mpesa.secret"]._drop_token(account, token)
            account._nudge_send()
        else:
            if outcome.reason == "throttle":
                account._pause()
            account.last_error = outcome.description or outcome.code
        self.env["ir.cron"]._commit_progress()

    def _send_one(self, token):
        """Claim, commit, send, record.

        :rtype: Outcome or None when it wasn't sent
        """
        try:
            request = self._claim(token)
        except (OperationalError, LockError):
            self.env.cr.rollback()
            return None
        except (UserError, ValueError) as error:
            self.env.cr.rollback()
            self.account_id._stop(str(error))
            self.env["ir.cron"]._commit_progress()
            return None
        if request is None:
            return None
        # From here to the record there is no transaction and no ORM access.
        outcome = client.send(request)
        self._record_with_retry(outcome, request.sha256)
        return outcome

    def _claim(self, token):
        """Make the claim durable and return the request, or None when a guard refuses."""
        cron = self.env["ir.cron"]
        self.env.cr.execute(
            "SELECT set_config('lock_timeout', %s, true), "
            "set_config('statement_timeout', %s, true)",
            [str(LOCK_TIMEOUT_MS), str(3 * LOCK_TIMEOUT_MS)],
        )
        self.payout_id.lock_for_update(allow_referencing=True)
        self.lock_for_update(allow_referencing=True)
        self.env.invalidate_all()
        if not self._may_be_sent():
            cron._commit_progress()  # a guard may have put the payout on hold
            return None
        request = self._build_payment_request(token)
        self._set_state(
            "sending", lease_owner=request.sha256, request_sha256=request.sha256,
            send_count=self.send_count + 1, sent_at=fields.Datetime.now(), not_before=False,
        )
        self.flush_recordset()
        # the clock of the database, because hosts' clocks jump and differ
        self.env.cr.execute(
            "UPDATE soko_mpesa_attempt SET lease_until = (now() AT TIME ZONE 'UTC') + %s "
            "WHERE id = %s", [timedelta(seconds=LEASE_SECONDS), self.id],
        )
        self.invalidate_recordset(["lease_until"])
        # the commit itself may take as long as it takes: cut short, it would be done here and
        # perhaps not on the standby
        self.env.cr.execute("SET LOCAL synchronous_commit TO on; SET LOCAL statement_timeout TO 0")
        cron._commit_progress()
        return request

    def _may_be_sent(self):
        """Check every guard once more, under the locks."""
        payout = self.payout_id
        if self.state != "prepared" or payout.state != "approved":
            return False
        if self.account_id._get_blocking_reasons():
            return False
        if self._is_taken_already():
            return False
        if self.account_id.trial_since:
            touch(self.env.cr, "soko_mpesa_account", self.account_id.ids)  # one sender tries
            if self.account_id._is_trying():
                return False
        if reason := payout._get_payee_objection():
            payout._hold(reason)
            return False
        code, reason = payout._get_wait(claiming=True)
        if reason:
            payout._hold(reason, code)
            return False
        return self._fits_into_caps() and self._fits_into_day()

    def _is_taken_already(self):
        """Whether it is known that M-Pesa has this request; then it is asked for, never sent.

        So it is after a restore, when this server's list knows a claim that the database has
        forgotten, and when M-Pesa reported a payment of what it had seemed to refuse.
        """
        # sudo: the list is shown to managers; here it only keeps a payment from going twice
        lost = self.env["soko.mpesa.lost.claim"].sudo().search(
            [("originator_id", "=", self.originator_id)], limit=1)
        heard = self.evidence_ids.filtered(lambda fact: fact.verdict == proof.POSITIVE)
        if not lost and not heard:
            return False
        digest = lost.request_sha256 or self.request_sha256
        if not digest:
            self.payout_id._hold(self.env._(
                "M-Pesa reports a payment of this, and it was never sent from here. Look it up "
                "in the M-Pesa portal."))
            return True
        self.env["soko.mpesa.evidence"]._add(
            self, "lease", "system", proof.NEUTRAL, digest.encode(),
            description=self.env._("It had been sent before; now it is asked for."))
        self._set_state(
            "sending", request_sha256=digest, send_count=max(self.send_count, 1),
            sent_at=fields.Datetime.now(), not_before=False)
        self.flush_recordset()  # the database allows one step at a time
        self._set_state("unknown", lease_owner=False, lease_until=False)
        self._schedule_query()
        return True

    def _fits_into_caps(self):
        """Whether account and company may send this now; else it waits, or is put on hold."""
        payout = self.payout_id
        reason, until = self.account_id._find_cap(payout.amount)
        if not reason:
            return True
        if not until:
            payout._hold(self.env._(
                "%s This payment alone is more. Raise the limit or pay in parts.", reason))
            return False
        self.not_before = until
        payout.waiting_reason = self.env._("%s It is sent later, by itself.", reason)
        self.env.ref("soko_mpesa.ir_cron_send")._trigger(at=until + timedelta(seconds=1))
        return False

    def _fits_into_day(self):
        """Whether the payee's number may get this today; else it waits until tomorrow."""
        payout, limit, now = self.payout_id, self.account_id.payee_day_limit, fields.Datetime.now()
        if payout.amount > limit:
            payout._hold(self.env._(
                "One number gets at most %s KES a day from this account, and this is more.", limit))
            return False
        # two senders with two payments of one payee must not both fill the day
        touch(self.env.cr, "res_partner_bank", payout.partner_bank_id.ids)
        self.env.cr.execute("""
            SELECT COALESCE(sum(payout.amount), 0)
              FROM soko_mpesa_attempt attempt JOIN soko_mpesa_payout payout
                ON payout.id = attempt.payout_id
             WHERE payout.msisdn = %s AND attempt.sent_at >= %s
               AND attempt.state IN ('sending', 'accepted', 'unknown', 'paid')
        """, [payout.msisdn, eat.day_start(now)])
        sent = self.env.cr.fetchone()[0]
        if sent + payout.amount <= limit:
            payout.waiting_reason = False
            return True
        self.not_before = eat.next_day(now)
        payout.waiting_reason = self.env._(
            "This number got %(sent)s of %(limit)s KES today. It is sent tomorrow.",
            sent=sent, limit=limit,
        )
        self.env.ref("soko_mpesa.ir_cron_send")._trigger(at=self.not_before)
        return False

    def _build_payment_request(self, token):
        account, payout = self.account_id, self.payout_id
        callbacks = self.env["soko.mpesa.callback"]
        request = client.make_request(account._get_base_url(), PATH_PAYMENT, token, {
            "OriginatorConversationID": self.originator_id,
            "InitiatorName": account.initiator_name,
            "SecurityCredential": account._get_security_credential(),
            "CommandID": account.command,
            "Amount": str(payout.amount),
            "PartyA": account.shortcode,
            "PartyB": payout.msisdn,
            "Remarks": payout._get_remarks(),
            "QueueTimeOutURL": callbacks._make_url(self, "payout-late"),
            "ResultURL": callbacks._make_url(self, "payout"),
            "Occassion": payout._get_remarks(),
        }, account._needs_public_address(BASE_URL_VARIABLE))
        return replace(request, journal=account._get_journal_entry(self, request))

    def _record_with_retry(self, outcome, lease):
        """Write down what the call proved. The write is repeated, the call never."""
        for _try in range(RECORD_TRIES):
            try:
                self._record(outcome, lease)
                self.env.cr.execute("SET LOCAL synchronous_commit TO on")
                self.env["ir.cron"]._commit_progress(1)
                return
            except OperationalError:
                self.env.cr.rollback()  # a callback was faster: read again
            except Exception:  # the others must go on; the claim stands, so nothing is sent twice
                self.env.cr.rollback()
                _logger.warning("M-Pesa attempt %s isn't recorded", self.id, exc_info=True)
                return
        _logger.warning("M-Pesa attempt %s: the outcome is left to the sweep", self.id)

    def _record(self, outcome, lease):
        """Keep the answer; move on only if the claim is still ours."""
        self._lock()
        verdict = proof.NEUTRAL
        self.env["soko.mpesa.evidence"]._add(
            self, "answer", "sync", verdict, outcome.body, code=outcome.code,
            description=outcome.description or f"{outcome.kind} ({outcome.reason})",
        )
        if self.state != "sending" or self.lease_owner != lease:
            return
        getattr(self, f"_record_{outcome.kind}")(outcome)
        self.write({"lease_owner": False, "lease_until": False})

    def _record_accepted(self, outcome):
        self._set_state("accepted", conversation_id=outcome.conversation_id)
        self._schedule_query()

    def _record_unknown(self, outcome):
        self._set_state("unknown")
        self._schedule_query()
        if outcome.reason in ("duplicate", "echo"):
            self.payout_id._alert(self.env._(
                "M-Pesa's answer to the payment request doesn't fit: %s. The outcome is "
                "being asked for; nothing is sent again.", outcome.description or outcome.code,
            ))

    def _record_proven_not_sent(self, outcome):
        wait = timedelta()
        if not (outcome.token_invalid and self.send_count <= 2):
            wait = timedelta(seconds=min(15 * 2 ** self.send_count, 3600))
        again = fields.Datetime.now() + wait
        self._set_state("prepared", not_before=again)
        self.env.ref("soko_mpesa.ir_cron_send")._trigger(at=again)

    def _record_rejected(self, outcome):
        self._set_state("prepared")
        self.payout_id._hold(self.env._(
            "M-Pesa refused the request before taking it: %(code)s %(text)s. Nothing was "
            "paid. Mend the cause, then release the payout.",
            code=outcome.code, text=outcome.description,
        ))

    # === SWEEPING === #

    @api.model
    @beats("ir_cron_sweep")
    def _cron_sweep(self):
        """A sender that died leaves an unknown outcome: never a second send."""
        self.env.cr.execute("""
            SELECT id FROM soko_mpesa_attempt
             WHERE state = 'sending' AND lease_until < now() AT TIME ZONE 'UTC'
        """)
        for (attempt_id,) in self.env.cr.fetchall():
            # sudo: the cron's user need not have an M-Pesa role
            self.sudo().browse(attempt_id)._sweep_one()
        self.sudo()._raise_alarms()
        # sudo: the cron's user need not have an M-Pesa role
        payouts = self.env["soko.mpesa.payout"].sudo()
        payouts._recheck_waiting()
        payouts._book_leftovers()
        if self.sudo().search_count([("state", "=", "prepared")], limit=1):
            self.env.ref("soko_mpesa.ir_cron_send")._trigger()

    def _sweep_one(self):
        try:
            self._lock()
            self._expire_lease()
            self.env["ir.cron"]._commit_progress(1)
        except OperationalError:
            self.env.cr.rollback()  # it is alive after all

    def _expire_lease(self):
        """Turn a claim whose lease is over into an unknown outcome. Doesn't commit."""
        if self.state != "sending" or self.lease_until > self.env.cr.now():
            return
        self.env["soko.mpesa.evidence"]._add(
            self, "lease", "system", proof.NEUTRAL, self.lease_owner.encode(),
            description=self.env._("The sender never reported what became of the request."),
        )
        self._set_state("unknown", lease_owner=False, lease_until=False)
        self._schedule_query()

    def _raise_alarms(self):
        limit = fields.Datetime.now() - timedelta(hours=UNKNOWN_ALARM_HOURS)
        silent = self.search([
            ("state", "in", ("accepted", "unknown")), ("sent_at", "<", limit),
            ("payout_id.exception_reason", "=", False),
        ])
        for attempt in silent:
            attempt.payout_id._raise_exception(self.env._(
                "M-Pesa hasn't said for a day what became of this payment. Look for it in "
                "the M-Pesa portal; don't pay it in another way before."
            ))

    # === ASKING === #

    @api.model
    @beats("ir_cron_query")
    def _cron_query(self):
        """Ask what became of payments that nobody has reported."""
        stop_at = time.monotonic() + PASS_BUDGET
        # sudo: the cron's user need not have an M-Pesa role. By payments, not by active accounts:
        # an archived one sends nothing more, but what it has sent is still asked for.
        attempts = self.sudo()
        groups = attempts._read_group(
            attempts._get_unasked_domain(), ["account_id"], order="next_query_at:min, account_id")
        for account, share_until in attempts._share([one for (one,) in groups], stop_at):
            attempts._query_due(account, share_until)

    @api.model
    def _get_unasked_domain(self):
        return [("state", "in", ("accepted", "unknown")),
                ("next_query_at", "<=", fields.Datetime.now())]

    def _query_due(self, account, share_until):
        due = self.search(
            [("account_id", "=", account.id), *self._get_unasked_domain()],
            order="next_query_at", limit=100)
        if not due or account._is_paused():
            return
        if account.credential_refused or account._get_missing_settings() or not (
                account._fence_holds()):
            return
        token = self._get_token(account)
        for attempt in due if token else ():
            if time.monotonic() > share_until:
                self.env.ref("soko_mpesa.ir_cron_query")._trigger()
                self.env["ir.cron"]._commit_progress()
                return
            outcome = attempt._query_one(token)
            if outcome and outcome.token_invalid:
                self.env["soko.mpesa.secret"]._drop_token(account, token)
                attempt._query_soon()
                self.env["ir.cron"]._commit_progress()
                return
            if outcome and outcome.reason == "throttle":
                account._pause()
                self.env["ir.cron"]._commit_progress()
                return

    def _query_one(self, token):
        """Ask once; asking twice does no harm, but the row lock isn't held while we wait."""
        try:
            self.lock_for_update(allow_referencing=True)
            self.env.invalidate_all()
            if self.state not in ("accepted", "unknown"):
                return None
            request = self._build_status_request(token)
            self.query_count += 1
            self._schedule_query()
            self.env["ir.cron"]._commit_progress()
        except (OperationalError, LockError):
            self.env.cr.rollback()
            return None
        outcome = client.send(request)
        self._keep_answer(outcome)
        return outcome

    def _keep_answer(self, outcome):
        """Keep the answer to a query. The write is repeated, the call isn't."""
        for _try in range(RECORD_TRIES):
            try:
                self.env["soko.mpesa.evidence"]._add(
                    self, "query", "sync", proof.NEUTRAL, outcome.body, code=outcome.code,
                    description=outcome.description or f"{outcome.kind} ({outcome.reason})",
                )
                self.env["ir.cron"]._commit_progress(1)
                return
            except OperationalError:
                self.env.cr.rollback()  # a callback was faster: read again

    def _build_status_request(self, token):
        account = self.account_id
        callbacks = self.env["soko.mpesa.callback"]
        return client.make_request(account._get_base_url(), PATH_STATUS, token, {
            "Initiator": account.initiator_name,
            "SecurityCredential": account._get_security_credential(),
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": self.originator_id,
            "PartyA": account.shortcode,
            "IdentifierType": "4",
            "ResultURL": callbacks._make_url(self, "status"),
            "QueueTimeOutURL": callbacks._make_url(self, "status-late"),
            "Remarks": self.payout_id._get_remarks(),
            "Occasion": self.payout_id._get_remarks(),
        }, account._needs_public_address(BASE_URL_VARIABLE))

    def _schedule_query(self):
        delays = self.account_id._get_query_delays()
        minutes = delays[min(self.query_count, len(delays) - 1)]
        # a tenth of jitter keeps a thousand payouts from asking in the same second
        minutes *= 1 + secrets.randbelow(100) / 1000
        self._query_at(fields.Datetime.now() + timedelta(minutes=minutes))

    def _query_soon(self):
        self._query_at(fields.Datetime.now())

    def _query_at(self, moment):
        # whole seconds, as the clock that it is compared with when the trigger fires
        moment = moment.replace(microsecond=0)
        self.next_query_at = moment
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_query").sudo()._trigger(at=moment)

    # === HEARING === #

    def _hear_result(self, raw, **source):
        """Take in the result of a payment. The caller holds the locks.

        :param bytes raw: the body of the callback
        :param source: callback_id and source_address
        """
        result = parse.parse_payment_result(raw)
        verdict = verdicts.of_result(result, self._expected())
        self._keep("result", verdict, raw, result, **source)
        if verdict == proof.NEGATIVE and result.code in CREDENTIAL_RESULTS | ACCOUNT_RESULTS:
            if self.account_id.trial_since and result.code in CREDENTIAL_RESULTS:
                # never taken: a question would be one more try with them
                self.account_id.credential_refused = True
            self.account_id._stop(self.env._(
                "M-Pesa answered %(code)s, which would happen to every payment: %(text)s",
                code=result.code,
                text=explain.sentence(self.env, result.code, result.description),
            ))
        elif verdict in (proof.POSITIVE, proof.NEGATIVE) and self.account_id._was_tried_by(self):
            self.account_id._end_trial()
        if result.readable and result.originator_id != self.originator_id:
            self.payout_id._alert(self.env._(
                "A result of another payment (%s) arrived at this one's address. It was kept "
                "and not used.", result.originator_id or "-",
            ))
            return
        self._conclude(verdict, result)

    def _hear_timeout(self, raw, **source):
        """A time-out notice is no failure: the result may still come."""
        self._keep("timeout", proof.NEUTRAL, raw, None, **source)
        self._conclude(proof.NEUTRAL, None)

    def _hear_status(self, raw, **source):
        """Take in the answer to a status query: only the inner status decides."""
        result = parse.parse_status_result(raw)
        verdict = verdicts.of_status(result, self._expected())
        self._keep("status", verdict, raw, result, **source)
        if result.code in CREDENTIAL_RESULTS:
            # not a word about the payment; each further question would help to lock the operator
            self.account_id.credential_refused = True
            self.account_id._stop(explain.sentence(self.env, result.code, result.description))
        elif verdict in (proof.POSITIVE, proof.NEGATIVE):
            self.account_id._end_trial()
        self._conclude(verdict, result, asks_again=False)

    def _hear_status_timeout(self, raw, **source):
        """The query was not answered; the next one is scheduled already."""
        self._keep("timeout", proof.NEUTRAL, raw, None, **source)

    def _expected(self):
        """Return what an answer must say to be about this payment."""
        def is_foreign(receipt):
            others = self.search_count([("receipt", "=", receipt), ("id", "!=", self.id)])
            return bool(others or (self.receipt and self.receipt != receipt))
        return verdicts.Expected(
            self.originator_id, self.payout_id.amount, self.payout_id.msisdn, is_foreign)

    def _keep(self, kind, verdict, raw, result, **source):
        facts = self._get_facts(result) if result else {}
        self.env["soko.mpesa.evidence"]._add(
            self, kind, "callback", verdict, raw, **facts, **source)

    def _get_facts(self, result):
        """Return what evidence keeps of what a letter says."""
        return {
            "code": result.code,
            "description": " ".join(filter(None, (
                getattr(result, "status", ""), result.description))),
            "receipt": result.receipt,
            "amount": str(result.amount) if result.amount is not None else False,
            "party": result.party,
        }

    # === CONCLUDING === #

    def _conclude(self, verdict, result, asks_again=True):
        """Move to the state that all evidence together proves. The caller holds the locks.

        :param bool asks_again: whether to ask at once when it is still open; not after an answer
            to a question, the next of which is scheduled
        """
        decision = self._decide()
        if verdict == proof.CONTRADICTION:
            self._contradicted(result)
        elif self.state == "paid":
            if verdict == proof.NEGATIVE:
                self._contradicted(result)
            elif self.payout_id._note_fee(getattr(result, "fee", None), "status"):
                self.payout_id._book()
        elif self.state == "reversed":
            return
        elif self.state in ("prepared", "cancelled"):
            if verdict in (proof.POSITIVE, proof.NEGATIVE):
                self._contradicted(result)
        elif decision == "paid":
            self._become_paid(self._get_deciding(result, verdict, proof.POSITIVE))
        elif self.state == "not_paid":
            return
        elif decision == "not_paid":
            self._become_not_paid(self._get_deciding(result, verdict, proof.NEGATIVE))
        else:
            self._stay_open(asks_again)

    def _get_deciding(self, result, verdict, wanted):
        """Return what decided: the letter at hand, or the earlier fact that had to wait."""
        if verdict == wanted:
            return result
        facts = self.evidence_ids.filtered(lambda fact: fact.verdict == wanted)
        return facts[:1] or result

    def _decide(self):
        settled = self.sent_at and self.sent_at + timedelta(
            minutes=self.account_id.absent_settle_minutes)
        return proof.decide(
            (
                proof.Fact(e.kind, e.verdict, e.callback_id.id, e.code, e.received_at)
                for e in self.evidence_ids
            ),
            settled,
        )

    def _stay_open(self, asks_again):
        if self.state in ("sending", "accepted"):
            self._set_state("unknown", lease_owner=False, lease_until=False)
        if asks_again:
            self._query_soon()

    def _become_paid(self, result):
        late = self.state == "not_paid"
        self._set_state(
            "paid", receipt=result.receipt, next_query_at=False, lease_owner=False,
            lease_until=False,
        )
        self.payout_id._note_fee(getattr(result, "fee", None), "status")
        self.payout_id._on_paid(result.receipt, late)
        self.payout_id._check_name(getattr(result, "party", ""))

    def _become_not_paid(self, result):
        self._set_state("not_paid", next_query_at=False, lease_owner=False, lease_until=False)
        self.payout_id._on_not_paid(explain.sentence(
            self.env, result.code, result.description))

    def _contradicted(self, result):
        """What was said can't be true of this payment: stop the line and call a person."""
        reason = self.env._(
            "M-Pesa's answer contradicts our records (%(code)s %(text)s, amount %(amount)s, "
            "receipt %(receipt)s).",
            code=result.code, text=result.description, amount=result.amount,
            receipt=result.receipt or "-",
        )
        self.payout_id._raise_exception(reason)
        self.account_id._stop(reason)
        if self.state in ("sending", "accepted"):
            self._set_state("unknown", lease_owner=False, lease_until=False)
            self._query_soon()
