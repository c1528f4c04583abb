import base64
import os
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..const import (
    CALLBACK_URL_VARIABLE,
    KEY_FILE_OPTION,
    KEY_FILE_VARIABLE,
    PASSWORD_WARNING_DAYS,
)
from ..tools import claims, classify, client, credential, explain, setup
from ..tools.watch import CORE_JOBS

OLD_FLOAT_HOURS = 6
# Safaricom's clock and ours; more than this makes times on both sides hard to compare.
CLOCK_SECONDS = 60


class SokoMpesaCheckLooks(models.AbstractModel):
    """What a check of the set-up looks at.

    Each `_look_at_<code>` returns (status, what was tried, what it means, what to do), in words
    for the back office; None when it has written its line itself. An add-on that wants a point
    more adds its code and title to the lists, after `super()`, and such a method.
    """

    _name = "soko.mpesa.check.looks"
    _description = "M-Pesa set-up check: points"

    def _get_local_looks(self):
        """Return the codes of what is looked at without calling anybody."""
        return [
            "key", "secrets", "fence", "durable", "claims", "anchor", "server", "environment",
            "callback", "certificate", "password", "journal", "tariff", "persons", "limits", "jobs",
            "watchdog",
        ]

    def _get_outside_looks(self):
        """Return the codes of what needs a call, in the order of the calls."""
        return ["token", "balance", "reach", "clock", "float"]

    def _get_titles(self):
        """Return {code: title}."""
        return {
            "key": self.env._("Key file"), "secrets": self.env._("Credentials"),
            "fence": self.env._("This database"), "durable": self.env._("Safe storage"),
            "claims": self.env._("List of what was sent"),
            "anchor": self.env._("Anchor of the evidence"), "server": self.env._("Server"),
            "environment": self.env._("Address of M-Pesa"),
            "callback": self.env._("Address for answers"),
            "certificate": self.env._("Certificate"), "password": self.env._("Password's age"),
            "journal": self.env._("Journal"), "tariff": self.env._("Charges"),
            "persons": self.env._("Two persons"), "limits": self.env._("Limits"),
            "jobs": self.env._("Scheduled jobs"), "watchdog": self.env._("Time for jobs"),
            "token": self.env._("Consumer key and secret"),
            "balance": self.env._("Operator and answers"),
            "reach": self.env._("Answers reach Odoo"), "clock": self.env._("Clock"),
            "float": self.env._("Float"),
        }

    # === WITHOUT A CALL === #

    def _look_at_key(self):
        path = os.environ.get(KEY_FILE_VARIABLE) or config.get(KEY_FILE_OPTION)
        tried = self.env._("Read the file that protects the credentials.")
        try:
            self.env["soko.mpesa.secret"]._box()
        except UserError as error:
            return "problem", tried, str(error), self.env._(
                "The person who looks after the server makes the file; see the operators' manual.")
        if setup.file_rights(path) == "open":
            return "warning", tried, self.env._(
                "Other users of the server than Odoo may read the key file. With it and a copy of "
                "the database they could pay."), self.env._(
                "The person who looks after the server takes their rights away (chmod 600).")
        return "ok", tried, self.env._("It is there, and only Odoo's own user may read it."), ""

    def _look_at_secrets(self):
        missing = self.account_id._get_missing_settings()
        tried = self.env._("Looked which credentials and settings are stored.")
        if missing:
            return "problem", tried, "\n".join(missing), self.env._(
                "Fill these in on the account. Credentials come from the Daraja portal.")
        return "ok", tried, self.env._("Stored: %s.", self.account_id.stored_secrets), ""

    def _look_at_fence(self):
        tried = self.env._("Compared this database with the one that stored the credentials.")
        try:
            if self.account_id._fence_holds():
                return "ok", tried, self.env._("It is the same one, with the same key."), ""
        except UserError as error:
            return "problem", tried, str(error), ""
        return "problem", tried, self.env._(
            "The credentials were stored by another database or with another key, so nothing is "
            "sent. That protects you from a copy that pays a second time."), self.env._(
            "If this is the one and only live database, enter the credentials again.")

    def _look_at_durable(self):
        tried = self.env._("Asked the database whether what it confirms survives a power cut.")
        if self.account_id._database_is_durable():
            return "ok", tried, self.env._("It does."), ""
        return "problem", tried, self.env._(
            "It doesn't: a payment that was sent could be forgotten and sent again, so nothing is "
            "sent."), self.env._(
            "The person who looks after the server switches fsync, synchronous_commit and "
            "full_page_writes on in PostgreSQL.")

    def _look_at_claims(self):
        tried = self.env._("Looked at the file in which this server lists what it sends.")
        if problem := self.account_id._get_claims_problem():
            return "problem", tried, problem, self.env._(
                "The person who looks after the server mends it; nothing is sent before.")
        if self.account_id.lost_claim_count:
            return "problem", tried, self.env._(
                "This database doesn't know payments that were sent from here. It is probably a "
                "restored backup."), self.env._(
                "Open Lost claims on the account, import M-Pesa's statement, and account for each.")
        if self._count_forgotten():
            return "problem", tried, self.env._(
                "This database doesn't know payments that this server has sent last. It is "
                "probably a restored backup."), self.env._(
                "Import M-Pesa's statement before anything is sent. The next pass of the sender "
                "lists the payments under Lost claims and stops.")
        return "ok", tried, self.env._("It can be kept, and the database knows what is in it."), ""

    def _count_forgotten(self):
        """Return how many of the last claims in the list the database doesn't know."""
        account = self.account_id
        path = account._get_claims_path()
        recent = claims.recent_claims(path, account._get_claims_name()) if path else []
        accounted = account.lost_claim_ids.filtered(lambda claim: claim.state == "accounted")
        known = set(accounted.mapped("originator_id"))
        return len([claim for claim in account._get_forgotten(recent)
                    if claim.originator_id not in known])

    def _look_at_anchor(self):
        keeper = self.env["soko.mpesa.anchor"]
        path = keeper._get_path()
        tried = self.env._(
            "Looked at the file in which the evidence's digest is written down each day.")
        mend = self.env._(
            "The person who looks after the server lets Odoo read and write it. It lies beside "
            "the list of what was sent, and must be outside what is restored with the database.")
        if not path:
            return "problem", tried, self.env._("There is no place for it yet."), mend
        if problem := claims.problem(path):
            return "problem", tried, self.env._(
                "%(path)s %(problem)s.", path=path, problem=problem), mend
        anchor, is_late = keeper._get_age_of_last(path)
        if anchor and not is_late:
            return "ok", tried, self.env._(
                "%(count)s rows were written down on %(day)s.", count=anchor.count,
                day=anchor.at[:10]), ""
        if anchor:
            return "problem", tried, self.env._(
                "The last line is of %s. Since then a rewritten evidence wouldn't be noticed.",
                anchor.at[:10]), self.env._(
                "See the Attention page, and that the job \"M-Pesa: anchor the evidence\" runs.")
        if is_late:
            return "problem", tried, self.env._(
                "%s isn't there, or has no line of this database, although there is evidence of "
                "days before.", path), self.env._(
                "Find out who removed it. The managers' messages have the digests of each day; "
                "the next pass of the job writes a new line.")
        return "ok", tried, self.env._("It is written once there is evidence."), ""

    def _look_at_server(self):
        tried = self.env._("Looked how Odoo was started.")
        if reasons := self.account_id._get_production_reasons():
            return "problem", tried, "\n".join(reasons), self.env._(
                "Show this to the person who looks after the server.")
        if setup.is_debugging(config["dev_mode"]):
            return "warning", tried, self.env._(
                "Odoo was started for programmers (--dev). A production account wouldn't send."), ""
        return "ok", tried, self.env._("As a server for real work."), ""

    def _look_at_environment(self):
        account = self.account_id
        url = account._get_base_url()
        tried = self.env._("Looked where payments are sent: %s", url)
        if setup.wrong_environment(account.environment, url):
            status = "problem" if account.environment == "sandbox" else "warning"
            return status, tried, self.env._(
                "This isn't the address that Safaricom publishes for this environment. Whoever "
                "runs it sees the credentials."), self.env._(
                "Leave the address of Daraja empty, unless you know why it is another one.")
        return "ok", tried, self.env._("It belongs to the account's environment."), ""

    def _look_at_callback(self):
        account = self.account_id
        url = account._get_callback_url()
        tried = self.env._("Looked at the address that M-Pesa is given for its answers: %s", url)
        if not client.check_base_url(url):
            return "problem", tried, self.env._(
                "It is missing, or it isn't an https address."), self.env._(
                "Enter the address at which Odoo is reached from the internet: https://...")
        if words := setup.forbidden_words(url):
            return "warning", tried, self.env._(
                "M-Pesa refuses addresses with certain words in them: %s.", ", ".join(words),
            ), self.env._("Use a host name without these words.")
        is_public = setup.is_public_host(setup.host_of(url))
        if not is_public:
            status = "problem" if account.environment == "production" else "warning"
            return status, tried, self.env._(
                "The internet doesn't know this name, or it leads to an address inside your "
                "network, so M-Pesa can't reach it."), self.env._(
                "Use a public host name. On the sandbox, a simulator on this machine is fine.")
        return "ok", tried, self.env._("It is a public https address without forbidden words."), ""

    def _look_at_certificate(self):
        account = self.account_id.with_context(bin_size=False)
        tried = self.env._("Opened Safaricom's certificate and encrypted a password with it.")
        if not account.certificate:
            if "security_credential" in account._get_stored_kinds():
                return "ok", tried, self.env._(
                    "It isn't needed: a ready security credential is stored."), ""
            return "problem", tried, self.env._("There is none."), self.env._(
                "Upload the certificate of this environment from the Daraja portal.")
        raw = base64.b64decode(account.certificate)
        try:
            facts = credential.describe_certificate(raw)
            credential.make_credential("a trial", raw)
        except (ValueError, AttributeError, TypeError):
            return "problem", tried, self.env._(
                "It can't be read, or its key is of a kind that M-Pesa doesn't use (RSA)."
            ), self.env._("Upload the file from the Daraja portal as it is.")
        text = account.certificate_info
        if facts["valid_to"] < fields.Date.today():
            return "warning", tried, text, self.env._(
                "Compare the fingerprint with the one that Safaricom gave you.")
        return "ok", tried, text, ""

    def _look_at_password(self):
        account = self.account_id
        tried = self.env._("Counted the days since the operator's password was set.")
        until = account.password_expires_on
        if not until:
            return "warning", tried, self.env._(
                "Nobody knows: Safaricom lets a password live for 90 days."), self.env._(
                "Enter on the account when it was set in the M-Pesa portal.")
        left = (until - fields.Date.context_today(self)).days
        if left < 0:
            return "problem", tried, self.env._("It ran out on %s.", until), self.env._(
                "Set a new one in the M-Pesa portal and store it here.")
        status = "warning" if left <= PASSWORD_WARNING_DAYS else "ok"
        return status, tried, self.env._("It runs out on %(day)s, in %(left)s days.",
                                         day=until, left=left), self.env._(
            "Set a new one in the M-Pesa portal before, and store it here.")

    def _look_at_journal(self):
        account = self.account_id
        tried = self.env._("Looked at the journal and its accounts.")
        method_lines = account.journal_id.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c")
        if not method_lines or not account.journal_id.default_account_id:
            return "problem", tried, self.env._("The journal can't pay by M-Pesa yet."), self.env._(
                "Press Set up journal on the account.")
        if not all(line.payment_account_id.reconcile for line in method_lines):
            return "problem", tried, self.env._(
                "There is no account for payouts in flight, so payments would read as paid before "
                "they are."), self.env._("Press Set up journal on the account.")
        return "ok", tried, self.env._("Payments wait in %s until they are proven.", ", ".join(
            method_lines.payment_account_id.mapped("display_name"))), ""

    def _look_at_tariff(self):
        account = self.account_id
        tried = self.env._("Looked what M-Pesa charges for a payment of 1,000 KES today.")
        fee = account._get_fee(1000)
        if fee is None:
            return "warning", tried, self.env._("The account's tariff doesn't say."), self.env._(
                "Choose a tariff on the account, or enter your contract's as one.")
        return "ok", tried, self.env._("%s KES.", fee), self.env._(
            "Compare it with your contract: tariffs differ.")

    def _look_at_persons(self):
        tried = self.env._("Counted who may approve and can't also make or set up.")
        group = self.env.ref("soko_mpesa.soko_mpesa_group_approver")
        maker = self.env.ref("soko_mpesa.soko_mpesa_group_maker")
        pure = group.all_user_ids.filtered(
            lambda user: user.active and maker not in user.all_group_ids
            and self.company_id in user.company_ids)
        if not pure:
            return "problem", tried, self.env._(
                "Nobody. What needs a second person would wait for ever, or one person could do "
                "both."), self.env._(
                "The administrator gives somebody the role Approver who isn't Maker or Manager.")
        return "ok", tried, self.env._("%s.", ", ".join(pure.mapped("name"))), ""

    def _look_at_limits(self):
        account = self.account_id
        tried = self.env._(
            "Alone up to %(alone)s KES, one payment up to %(most)s KES.",
            alone=f"{account.auto_approve_limit:,}", most=f"{account.payment_limit:,}")
        if account.auto_approve_limit >= account.payment_limit:
            return "warning", tried, self.env._(
                "Every payment goes without a second person."), self.env._(
                "Set the limit for payments without a second person below the largest payment.")
        return "ok", tried, self.env._("Larger payments wait for a second person."), ""

    def _look_at_jobs(self):
        tried = self.env._("Looked at the jobs that send, ask and listen.")
        jobs = self.env["soko.mpesa.heartbeat"]._get_jobs(wanted=CORE_JOBS)
        jobs = [job for job in jobs if job.name in CORE_JOBS]
        missing = [job.name for job in jobs if job.problem == "missing"]
        off = [job.label for job in jobs if job.problem in ("off", "user")]
        slow = [job.label for job in jobs if job.problem == "silent"]
        if missing:
            return "problem", tried, self.env._(
                "They don't exist any more: %s.", ", ".join(missing)), self.env._(
                "The administrator updates the module; that makes them anew.")
        if off:
            return "problem", tried, self.env._("Switched off: %s.", ", ".join(off)), self.env._(
                "The administrator switches them on under Settings > Technical > Scheduled Actions."
            )
        if slow:
            return "problem", tried, self.env._(
                "They should have run by now and didn't: %s.", ", ".join(slow)), self.env._(
                "The person who looks after the server sees that Odoo's job process runs.")
        return "ok", tried, self.env._("All are on and run."), ""

    def _look_at_watchdog(self):
        limit = config["limit_time_real_cron"]
        limit = config["limit_time_real"] if limit < 0 else limit
        tried = self.env._("Looked how long a job may take: %s seconds (0: no limit).", limit)
        if setup.cron_limit_is_short(limit):
            return "warning", tried, self.env._(
                "Odoo may end a job in the middle of a payment. No money is lost, but outcomes "
                "become unknown and have to be asked for."), self.env._(
                "The person who looks after the server sets limit_time_real_cron to 600.")
        return "ok", tried, self.env._("Long enough."), ""

    # === WITH A CALL === #

    def _look_at_token(self):
        account = self.account_id
        tried = self.env._("Asked M-Pesa for an access pass with the consumer key and secret.")
        if missing := account._get_missing_settings():
            return "problem", self.env._("Not tried."), "\n".join(missing), ""
        secrets = self.env["soko.mpesa.secret"]
        secrets._forgive_failures(account)
        token, error = secrets._token(account)
        if token:
            return "ok", tried, self.env._("M-Pesa accepted them."), ""
        return "problem", tried, self.env._("M-Pesa gave none: %s", error), self.env._(
            "HTTP 400 or 401: store key and secret again, from the app in the Daraja portal. "
            "Anything else: see whether this server reaches the internet, and try later.")

    def _look_at_balance(self):
        account = self.account_id
        if account._get_missing_settings() or not account._fence_holds():
            return "problem", self.env._("Not tried."), self.env._(
                "Something that is needed for it isn't right yet."), self.env._(
                "Mend the points above, then check again.")
        self._wait_for_balance()
        outcome = account._ask_balance()
        if outcome is None:
            return "problem", self.env._("Not tried."), self.env._(
                "There is no access pass to ask with."), self.env._(
                "See the consumer key and secret.")
        if outcome.kind in (classify.ACCEPTED, classify.UNKNOWN):
            return None  # the answer fills the line, and may have done so already
        told = explain.explain(outcome.code, outcome.description)
        return ("problem", self.env._("Asked M-Pesa for the balance: %s", " ".join(
            filter(None, (outcome.code, outcome.description)))),
            self.env._(told.happened), self.env._(told.advice))

    def _look_at_reach(self):
        """Call our own public ping address: only the configured one, and no redirect."""
        account, base = self.account_id, self.account_id._get_callback_url()
        tried = self.env._("Called this Odoo at its own public address: %s", base)
        if not client.check_base_url(base):
            return "problem", self.env._("Not tried."), self.env._("The address isn't right."), ""
        if account.environment == "production" and not setup.is_public_host(setup.host_of(base)):
            return "problem", self.env._("Not tried."), self.env._(
                "The address isn't a public one."), ""
        self.env["ir.cron"]._commit_progress()
        status, body, _error = client.look(
            f"{base}/soko/daraja/ping/{self.ping_ask}",
            public=account._needs_public_address(CALLBACK_URL_VARIABLE))
        if status == 200 and self._is_our_answer(body):
            return "ok", tried, self.env._("This Odoo answered."), ""
        if not status:
            return "warning", tried, self.env._(
                "Nobody answered. That may be only because your network doesn't let its own "
                "machines in from outside."), self.env._(
                "If \"Operator and answers\" is all right, ignore this. Else see the proxy.")
        return "problem", tried, self.env._(
            "Something else than this Odoo answered (HTTP %s).", status), self.env._(
            "See that the proxy passes /soko/daraja/ to this database without a redirect.")

    def _look_at_clock(self):
        seconds = self.account_id.clock_difference
        tried = self.env._("Compared the time in M-Pesa's answer with the server's.")
        if not self.account_id.balance_asked_at:
            return "warning", self.env._("Not tried."), self.env._("M-Pesa wasn't asked."), ""
        if abs(seconds) > CLOCK_SECONDS:
            return "warning", tried, self.env._(
                "They differ by %s seconds.", abs(seconds)), self.env._(
                "The person who looks after the server lets it take the time from the internet.")
        return "ok", tried, self.env._("They agree."), ""

    def _look_at_float(self):
        account = self.account_id
        tried = self.env._("Looked what M-Pesa last said of the utility account.")
        old = fields.Datetime.now() - timedelta(hours=OLD_FLOAT_HOURS)
        if not account.float_at or account.float_at < old:
            return "warning", tried, self.env._("Nothing yet, or long ago."), self.env._(
                "It comes with the balance; see \"Operator and answers\".")
        if not account.float_threshold:
            return "warning", tried, self.env._(
                "%s KES. Nobody would be warned when it runs low.", f"{account.float_amount:,.2f}",
            ), self.env._("Set \"Warn below\" on the account.")
        if account.float_is_low:
            return "warning", tried, self.env._(
                "%s KES: low.", f"{account.float_amount:,.2f}"), self.env._("Send money to it.")
        return "ok", tried, self.env._("%s KES.", f"{account.float_amount:,.2f}"), ""
