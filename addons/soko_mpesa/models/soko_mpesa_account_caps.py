from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..tools import eat
from ..tools.serial import touch

HOUR = timedelta(hours=1)
# An attempt in one of these states may have moved money.
MAY_BE_PAID = ("sending", "accepted", "unknown", "paid")


class SokoMpesaAccountCaps(models.AbstractModel):
    """The part of an account that bounds what a fault or a thief can send in a short time.

    The limits of one payment and of one payee don't stop many small payments to many payees. Here
    is a limit of what leaves the account in any hour, one of what leaves the company in a day of
    Nairobi, and the one payment that tries new credentials before the others follow.
    """

    _name = "soko.mpesa.account.caps"
    _description = "M-Pesa account: caps"

    hour_limit = fields.Integer(
        string="Most an hour (KES)", tracking=True,
        help="Your own limit for what leaves this account in any 60 minutes, all payees together. "
             "What would exceed it is sent later, by itself. 0: no limit.",
    )
    trial_since = fields.Datetime(
        string="New credentials since", readonly=True, copy=False,
        help="Until M-Pesa has answered one payment with these credentials, the others wait: "
             "several requests with a wrong password would lock the operator.",
    )

    _hour_limit = models.Constraint(
        "CHECK(COALESCE(hour_limit, 0) >= 0)", "The limit of an hour can't be negative.",
    )

    # === CAPS === #

    def _find_cap(self, amount):
        """Return why a payment must wait, and until when; it is called before the claim.

        :param int amount: shillings of the payment
        :return: (sentence, datetime), (sentence, None) when it never fits, or ("", None)
        """
        self.ensure_one()
        now = fields.Datetime.now()
        # sudo: the limit counts for whoever sends
        company = self.sudo().company_id
        hour, day = self.hour_limit, company.soko_mpesa_day_limit
        if hour:
            touch(self.env.cr, self._table, self.ids)  # two senders must not both fill the hour
            sent, first = self._sum_sent("account_id", self.id, now - HOUR)
            if sent + amount > hour:
                return self._explain_hour(sent), (first + HOUR if amount <= hour else None)
        if day:
            touch(self.env.cr, "res_company", company.ids)
            sent, _first = self._sum_sent("company_id", company.id, eat.day_start(now))
            if sent + amount > day:
                return (self._explain_day(sent, day),
                        eat.next_day(now) if amount <= day else None)
        return "", None

    def _sum_sent(self, column, value, since):
        """Return (shillings that may have left since then, when the first of them did)."""
        self.env["soko.mpesa.attempt"].flush_model(["account_id", "company_id", "sent_at", "state"])
        self.env.cr.execute(SQL("""
            SELECT COALESCE(sum(payout.amount), 0), min(attempt.sent_at)
              FROM soko_mpesa_attempt attempt JOIN soko_mpesa_payout payout
                ON payout.id = attempt.payout_id
             WHERE attempt.%s = %s AND attempt.sent_at >= %s AND attempt.state IN %s
        """, SQL.identifier(column), value, since, MAY_BE_PAID))
        return self.env.cr.fetchone()

    def _explain_hour(self, sent):
        return self.env._(
            "This account sent %(sent)s of at most %(limit)s KES within an hour.",
            sent=f"{sent:,}", limit=f"{self.hour_limit:,}")

    def _explain_day(self, sent, limit):
        return self.env._(
            "Your company sent %(sent)s of at most %(limit)s KES today.",
            sent=f"{sent:,}", limit=f"{limit:,}")

    # === TRIAL OF NEW CREDENTIALS === #

    def _begin_trial(self):
        """Credentials were entered: one payment tries them."""
        # sudo: it follows from what was entered; nobody writes it by hand
        self.sudo().trial_since = fields.Datetime.now()

    def _end_trial(self):
        """M-Pesa took the credentials, or a manager says that they are right."""
        # sudo: it follows from what M-Pesa said; nobody writes it by hand
        tried = self.sudo().filtered("trial_since")
        if tried:
            tried.trial_since = False
            tried._nudge_send()

    def _was_tried_by(self, attempt):
        """Whether this attempt was sent with the new credentials, so that its result ends it."""
        self.ensure_one()
        return bool(self.trial_since and attempt.sent_at and attempt.sent_at >= self.trial_since)

    def _is_trying(self):
        """Whether a payment is under way that tries new credentials: no other one goes now."""
        self.ensure_one()
        return bool(self.trial_since) and bool(self.env["soko.mpesa.attempt"].search_count([
            ("account_id", "=", self.id), ("sent_at", ">=", self.trial_since),
            ("state", "in", ("sending", "accepted", "unknown")),
        ], limit=1))

    def _pick_for_trial(self, due):
        """Return those of `due` that may go in this pass: one while credentials are new.

        :param due: soko.mpesa.attempt in their order
        """
        if not self.trial_since:
            return due
        self.waiting_reason = self.env._(
            "The credentials are new: one payment tries them, and the others follow when M-Pesa "
            "has answered it.")
        return due.browse() if self._is_trying() else due[:1]
