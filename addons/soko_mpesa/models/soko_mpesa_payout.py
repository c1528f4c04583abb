import hashlib
import json
import logging
import re
import time

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain
from odoo.tools import format_datetime, plaintext2html

from odoo.addons.base.models.res_users import check_identity

from ..const import APPROVER, MAKER, MANAGER, MAX_AMOUNT, MIN_AMOUNT, PASS_BUDGET
from ..tools import eat, invariants, names, statement_invariants, states, waiting

_logger = logging.getLogger(__name__)

# Payouts that are withdrawn in one go.
CHUNK = 100
# The job under whose name the place is kept at which the last look at held payouts stopped.
RECHECK = "recheck"


class SokoMpesaPayout(models.Model):
    """The instruction to pay one payment to one number: frozen once it exists.

    People have read access only. Each button checks who presses it and then acts as superuser.
    """

    _name = "soko.mpesa.payout"
    _description = "M-Pesa payout"
    _inherit = [
        "soko.mpesa.export.mixin",
        "mail.thread", "mail.activity.mixin", "soko.mpesa.receipt.mixin",
        "soko.mpesa.payout.books", "soko.mpesa.payout.together", "soko.mpesa.payout.stop",
    ]
    _order = "id desc"
    _mail_post_access = "read"
    _allow_sudo_commands = False

    name = fields.Char(required=True, readonly=True, default="/", copy=False)
    payment_id = fields.Many2one(
        "account.payment", required=True, readonly=True, index=True, ondelete="restrict",
        help="The payment that this payout carries out.",
    )
    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, readonly=True, index=True, ondelete="restrict",
        string="Paid from",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="restrict",
        string="Payee",
    )
    partner_bank_id = fields.Many2one(
        "res.partner.bank", required=True, readonly=True, index=True, ondelete="restrict",
    )
    msisdn = fields.Char(
        string="M-Pesa number", required=True, readonly=True,
        help="The number as it was verified when the payment was posted. It never changes.",
    )
    payee_name = fields.Char(required=True, readonly=True)
    registered_name = fields.Char(
        readonly=True,
        help="The name under which the number was registered at M-Pesa when the payment was "
             "posted, as the second person heard it.",
    )
    name_check = fields.Selection(
        [
            ("match", "The name that we know"),
            ("similar", "A similar or masked name"),
            ("mismatch", "Another name"),
            ("absent", "No name"),
        ],
        string="M-Pesa named", readonly=True, copy=False,
        help="How the name that M-Pesa returned with the payment compares with the registered one.",
    )
    name_mismatch = fields.Char(string="Other name", readonly=True, copy=False, tracking=True)
    amount = fields.Integer(string="Amount (KES)", required=True, readonly=True, aggregator="sum")
    content_hash = fields.Char(
        required=True, readonly=True,
        help="Digest of payee, number, amount and account. What is approved is this.",
    )
    maker_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    submitted_at = fields.Datetime(readonly=True)
    approver_id = fields.Many2one(
        "res.users", readonly=True, ondelete="restrict", tracking=True,
        help="The second person. Empty when the account's policy approved.",
    )
    approved_at = fields.Datetime(readonly=True)
    approved_hash = fields.Char(readonly=True)
    hold_reason = fields.Char(readonly=True, tracking=True)
    hold_code = fields.Selection(
        [
            ("cooling", "Changed number cools off"),
            ("first", "First payment to a number"),
            ("name", "Name warning"),
        ],
        string="Waits for", readonly=True, copy=False,
        help="Such a payout goes on by itself when this is over. Empty: a person must look.",
    )
    cancelled_at = fields.Datetime(readonly=True)
    exception_reason = fields.Char(readonly=True, tracking=True)
    failure_reason = fields.Char(readonly=True, tracking=True)
    waiting_reason = fields.Char(readonly=True, help="Why it isn't sent just now.")
    paid_at = fields.Datetime(readonly=True)
    paid_late = fields.Boolean(
        readonly=True, copy=False,
        help="Proven paid after it had been declared not paid, so its bill had been opened again.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "To approve"),
            ("approved", "To send"),
            ("held", "On hold"),
            ("in_flight", "In flight"),
            ("paid", "Paid"),
            ("failed", "Not paid"),
            ("reversed", "Reversed"),
            ("exception", "Needs a person"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state", store=True, index=True, tracking=True,
        group_expand="_expand_states",
        help="In flight: handed to M-Pesa, not yet proven. Paid and not paid are proven.",
    )
    receipt = fields.Char(
        string="M-Pesa receipt", compute="_compute_receipt", store=True, index="btree_not_null",
    )
    currency_id = fields.Many2one(related="account_id.currency_id", store=True)
    fee = fields.Monetary(
        readonly=True, help="What M-Pesa charged for this payment, as far as it is known.",
    )
    fee_source = fields.Selection(
        [("tariff", "Tariff"), ("status", "Status query"), ("statement", "Statement")],
        readonly=True, help="Who says what the fee is. The tariff's figure is an estimate.",
    )
    replaced_by_ids = fields.Many2many(
        "account.payment", string="Payments made again", readonly=True, copy=False,
        help="The payments that were made after this one failed.",
    )
    # sudo: an approver may see that it was paid again and by what, without reading payments
    replaced_by = fields.Char(
        string="Paid again by", compute="_compute_replaced_by", compute_sudo=True,
        help="The payments that were made after this one failed and that weren't taken back.",
    )
    attempt_ids = fields.One2many("soko.mpesa.attempt", "payout_id", readonly=True)
    evidence_ids = fields.One2many("soko.mpesa.evidence", "payout_id", readonly=True)

    is_provisional = fields.Boolean(
        compute="_compute_is_provisional",
        help="Only M-Pesa's own call said that it is paid. A statement or a status query will "
             "say it a second time.",
    )

    _write_date_idx = models.Index("(write_date)")  # the audit looks at what changed lately
    _msisdn_idx = models.Index("(msisdn)")  # before each send: what the number got today
    _payment_uniq = models.UniqueIndex(
        "(payment_id) WHERE cancelled_at IS NULL", "This payment has a payout already."
    )
    _amount_range = models.Constraint(
        f"CHECK(amount BETWEEN {MIN_AMOUNT} AND {MAX_AMOUNT})",
        "M-Pesa pays between 10 and 250,000 KES at once.",
    )
    _two_persons = models.Constraint(
        "CHECK(approver_id IS NULL OR approver_id <> maker_id)",
        "Who made a payout can't approve it.",
    )
    _approved_content = models.Constraint(
        "CHECK(approved_hash IS NULL OR approved_hash = content_hash)",
        "What was approved isn't what would be paid.",
    )
    _msisdn_form = models.Constraint(
        "CHECK(msisdn ~ '^254[17][0-9]{8}$')", "This isn't a Kenyan mobile number."
    )

    def init(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_payout_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
                    RAISE EXCEPTION 'M-Pesa payouts are never deleted';
                END IF;
                IF (NEW.payment_id, NEW.account_id, NEW.msisdn, NEW.payee_name, NEW.amount,
                    NEW.content_hash, NEW.maker_id)
                    IS DISTINCT FROM (OLD.payment_id, OLD.account_id, OLD.msisdn,
                    OLD.payee_name, OLD.amount, OLD.content_hash, OLD.maker_id) THEN
                    RAISE EXCEPTION 'What an M-Pesa payout pays to whom never changes';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_payout_guard ON soko_mpesa_payout;
            CREATE TRIGGER soko_mpesa_payout_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_payout FOR EACH ROW EXECUTE FUNCTION soko_mpesa_payout_guard();
            DROP TRIGGER IF EXISTS soko_mpesa_payout_whole ON soko_mpesa_payout;
            CREATE TRIGGER soko_mpesa_payout_whole BEFORE TRUNCATE
                ON soko_mpesa_payout FOR EACH STATEMENT
                EXECUTE FUNCTION soko_mpesa_payout_guard();
        """)

    # === COMPUTE METHODS === #

    @api.depends(
        "attempt_ids.state", "submitted_at", "approved_at", "hold_reason", "cancelled_at",
        "exception_reason",
    )
    def _compute_state(self):
        for payout in self:
            payout.state = payout._derive_state()

    def _derive_state(self):
        """Return the state that follows from the facts; see tools/states.py."""
        return states.payout_state(
            self.attempt_ids.mapped("state"),
            submitted=self.submitted_at, approved=self.approved_at, held=self.hold_reason,
            cancelled=self.cancelled_at, exception=self.exception_reason,
        )

    @api.depends("state", "statement_row_id", "evidence_ids.verdict", "evidence_ids.kind")
    def _compute_is_provisional(self):
        for payout in self:
            payout.is_provisional = (
                payout.state == "paid" and not payout.statement_row_id
                and not payout.evidence_ids.filtered(
                    lambda fact: fact.verdict == "positive" and fact.kind != "result"))

    @api.depends("replaced_by_ids.state", "replaced_by_ids.name")
    def _compute_replaced_by(self):
        for payout in self:
            standing = payout.replaced_by_ids.filtered(lambda pay: pay.state != "canceled")
            payout.replaced_by = ", ".join(standing.mapped("display_name"))

    @api.depends("attempt_ids.receipt")
    def _compute_receipt(self):
        for payout in self:
            payout.receipt = next(filter(None, payout.attempt_ids.mapped("receipt")), False)

    # === MAKING === #

    @api.model
    def _make_for(self, payments):
        """Make the payouts of posted payments, and approve what the policy approves.

        The number of SQL statements doesn't grow with the number of payments.

        :param payments: account.payment, checked by `_soko_mpesa_prepare`
        :rtype: soko.mpesa.payout
        """
        if not payments:
            return self
        accounts = self.env["soko.mpesa.account"]._for_journals(payments.journal_id)
        names = self._next_names(len(payments))
        # sudo: people have no right to write payouts; the payments' own checks have passed.
        # No tracking: who made it and when are fields of the payout itself.
        payouts = self.sudo().with_context(tracking_disable=True).create([
            self._prepare_payout_vals(payment, accounts[payment.journal_id], name)
            for payment, name in zip(payments, names, strict=True)
        ])
        payouts._choose_automatic()._approve()
        return payouts.with_env(self.sudo().env)

    def _prepare_payout_vals(self, payment, account, name):
        """Return the values of the payout of `payment`."""
        bank = payment.partner_bank_id
        return {
            "name": name,
            "payment_id": payment.id,
            "account_id": account.id,
            "company_id": payment.company_id.id,
            "partner_id": payment.partner_id.id,
            "partner_bank_id": bank.id,
            "msisdn": bank.acc_number,
            "payee_name": payment.partner_id.name or payment.partner_id.display_name,
            # sudo: copied into a record that only roles in M-Pesa read
            "registered_name": bank.sudo().soko_mpesa_registered_name,
            "amount": round(payment.amount),
            "content_hash": self._get_hash(account, bank, payment),
            "maker_id": self.env.uid,
            "submitted_at": fields.Datetime.now(),
        }

    @api.model
    def _next_names(self, count):
        """Return `count` numbers of the payouts' sequence."""
        # sudo: sequences are drawn from, not edited
        sequence = self.env["ir.sequence"].sudo().search([("code", "=", self._name)], limit=1)
        if not sequence:
            return ["/"] * count
        if sequence.implementation != "standard" or sequence.use_date_range:
            return [sequence.next_by_id() for _dummy in range(count)]
        # the way of `ir.sequence._next_do`, for many at once
        self.env.cr.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)",
            [f"ir_sequence_{sequence.id:03d}", count],
        )
        return [sequence.get_next_char(number) for (number,) in self.env.cr.fetchall()]

    def _choose_automatic(self):
        """Return those that the policy of their account approves without a second person."""
        chosen = self.filtered(
            lambda payout: 0 < payout.amount <= payout.account_id.auto_approve_limit)
        chosen = chosen.filtered(lambda payout: not payout._maker_sets_limit())
        for account in chosen.account_id.filtered("auto_approve_day_limit"):
            chosen = account._keep_within_day(chosen)
        return chosen

    def _maker_sets_limit(self):
        """Whether who wants this paid could have set the limit for it: then it is none.

        Behind a payment that the system made stands who made its bills, else nobody.
        """
        makers = self.maker_id
        if makers.id == SUPERUSER_ID:
            makers = self.payment_id.invoice_ids._soko_mpesa_get_makers()
        return any(user.id != SUPERUSER_ID and user.has_group(MANAGER) for user in makers)

    @api.model
    def _get_hash(self, account, bank, payment):
        content = [
            account.id, account.shortcode, payment.id, payment.partner_id.id, bank.id,
            bank.acc_number, round(payment.amount),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _get_remarks(self):
        """Return plain ASCII: other characters are reported to make requests vanish."""
        text = f"{self.company_id.name} {self.name}"
        return re.sub(r"[^A-Za-z0-9 _-]+", "-", text).strip()[-90:] or "Payment"

    # === ACTION METHODS === #

    def action_approve(self):
        """Approve; for approvers who neither made the payout nor wrote the payee's number."""
        self._check_group(APPROVER)
        if self.env["res.users"]._soko_mpesa_identity() == "stale":
            return self.action_approve_checked()
        # sudo: people can't write payouts; the right was checked, the persons are below
        payouts = self.sudo()
        payouts._lock()
        for payout in payouts:
            payout._check_state("submitted")
        payouts._approve(self.env.user)
        return True

    @check_identity
    def action_approve_checked(self):
        """The same, once Odoo has asked for the password."""
        return self.action_approve()

    def action_open_approval(self):
        """Show what approving these means: count, total, fees, float, what is new."""
        self._check_group(APPROVER)
        return self.env["soko.mpesa.approval"]._open_for(self)

    @api.model
    def action_open_approval_of_all(self):
        """The same for all that wait."""
        self._check_group(APPROVER)
        return self.search([("state", "=", "submitted")], order="id").action_open_approval()

    def action_cancel(self):
        """Withdraw payouts of which nothing was sent, cancel their payments, open the bills."""
        self._check_group(APPROVER, MAKER)
        # sudo: a maker need not be an accountant to withdraw what isn't sent
        payouts = self.sudo()
        payouts._lock()
        for payout in payouts:
            payout._check_state(*states.PAYOUT_UNSENT)
        payouts._cancel()

    def action_cancel_unsent(self):
        """Withdraw those of a selection that weren't sent; tell how many there were.

        What is being sent at this moment is locked and stays.
        """
        self._check_group(APPROVER, MAKER)
        # sudo: a maker need not be an accountant to withdraw what isn't sent
        locked = self.sudo().try_lock_for_update(allow_referencing=True)
        self.sudo().invalidate_recordset()
        unsent = locked.filtered(lambda payout: payout.state in states.PAYOUT_UNSENT)
        total = sum(unsent.mapped("amount"))
        for start in range(0, len(unsent), CHUNK):
            unsent[start:start + CHUNK]._cancel()
        message = self.env._(
            "%(count)s payouts of %(total)s KES were withdrawn; their bills are open. %(left)s "
            "stay: they were handed to M-Pesa or are over.",
            count=len(unsent), total=total, left=len(self) - len(unsent),
        )
        return {
            "type": "ir.actions.client", "tag": "display_notification", "params": {
                "sticky": True, "title": self.env._("Payouts withdrawn"), "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _cancel(self):
        """Cancel the payments of payouts that weren't sent. The caller holds the locks."""
        # not by way of a draft: Odoo would delete the entry, which it can't when later ones exist
        self.payment_id.action_cancel()

    def action_hold(self):
        """Keep payouts from being sent."""
        self._check_group(APPROVER, MAKER)
        # sudo: people can't write payouts; to stop one is always safe
        for payout in self.sudo():
            payout._lock()
            payout._check_state("submitted", "approved", "held")
            payout._hold(self.env._("Stopped by %s.", self.env.user.name))

    def action_release(self):
        """Let held payouts go on, after the payee was checked again."""
        self._check_group(APPROVER)
        # sudo: people can't write payouts; the right was checked
        for payout in self.sudo():
            payout._lock()
            payout._check_state("held")
            if objection := payout._get_payee_objection() or payout._get_wait()[1]:
                raise UserError(objection)
            payout._go_on()

    def action_query_now(self):
        """Ask Safaricom at once what became of payments in flight."""
        self._check_group(APPROVER, MAKER)
        # sudo: people can't write attempts; to ask is always safe
        live = self.sudo().attempt_ids.filtered(lambda a: a.state in ("accepted", "unknown"))
        if not live:
            raise UserError(self.env._("Nothing here is in flight, so there is nothing to ask."))
        for attempt in live:
            attempt._query_soon()

    def action_resolve(self):
        """Declare that a person has dealt with the exception."""
        self._check_group(APPROVER)
        # sudo: people can't write payouts; the right was checked
        for payout in self.sudo():
            payout._check_state("exception")
            if payout.maker_id == self.env.user:
                raise AccessError(self.env._("Another person than the maker must resolve this."))
            payout.exception_reason = False
            payout.activity_unlink(["mail.mail_activity_data_todo"])
            payout._book()

    def action_pay_again(self):
        """Make a new payment of what this one didn't pay: a new payout, approved anew."""
        self.ensure_one()
        self._check_group(MAKER)
        self.env["account.payment"]._soko_mpesa_check_may_pay()
        # sudo: people can't write payouts; the right to pay was checked, and the payment checks it
        payout = self.sudo()
        payout._lock()
        payout._check_state("failed")
        payout._check_may_be_repeated()
        payments = self._pay_again()
        payout.replaced_by_ids = payments
        return payments._get_records_action(name=self.env._("Paid again"))

    def _check_may_be_repeated(self):
        """:raise UserError: something of it isn't final, or it was paid again already (T13)"""
        others = self.payment_id.soko_mpesa_payout_ids
        open_states = set(others.attempt_ids.mapped("state")) - {"not_paid", "cancelled"}
        if open_states or any(payout.state not in ("failed", "cancelled") for payout in others):
            raise UserError(self.env._(
                "M-Pesa hasn't said the last word about %s. Until then it can't be paid again.",
                self.payment_id.display_name,
            ))
        if self.replaced_by:
            raise UserError(self.env._("It was paid again already, by %s.", self.replaced_by))

    def _pay_again(self):
        """Return new, posted payments for what this payout's payment was to settle."""
        payment = self.payment_id
        bills = payment._soko_mpesa_get_bills()
        if not bills:
            again = payment.copy({"date": fields.Date.context_today(self)})
            again.action_post()
            return again
        due = bills.filtered(lambda bill: bill.payment_state in ("not_paid", "partial"))
        if not due:
            raise UserError(self.env._(
                "Nothing is open on the bills that it was to pay: they were paid in another way."))
        wizard = self.env["account.payment.register"].with_company(self.company_id).with_context(
            active_model="account.move", active_ids=due.ids,
        ).create({
            "journal_id": payment.journal_id.id, "group_payment": True,
            "payment_method_line_id": payment.payment_method_line_id.id,
            "currency_id": payment.currency_id.id,
        })
        if amount := self._get_amount_again(wizard):
            if not wizard.can_edit_wizard:
                raise UserError(self.env._(
                    "The bills that it was to pay can't be paid with one payment, and they are "
                    "more than this one was. Open each of them and press Pay."))
            wizard.amount = amount
        return wizard._create_payments()

    def _get_amount_again(self, wizard):
        """Return how many shillings of what is due are paid again; 0 leaves it to the wizard.

        All that is due, with its cents, when this one was to pay it all; else what this one was
        to pay. Bills in another currency are worth another number of shillings every day, so
        there it is always said, and never more than is due.

        :param wizard: account.payment.register of the bills, in shillings
        """
        amount, currency = self.payment_id.amount, wizard.currency_id
        due = wizard._get_total_amounts_to_pay(wizard.batches)["full_amount"]
        if currency.compare_amounts(due, amount + 1) >= 0:
            return amount  # it was a part; its cents, if any, are open as well
        if wizard.line_ids.currency_id == currency:
            return 0
        return min(amount, due)

    def action_open_payment(self):
        self.ensure_one()
        return self.payment_id._get_records_action()

    # === CHECKS === #

    def _check_group(self, *groups):
        self.check_access("read")
        user = self.env.user
        if not self.env.su and not any(user.has_group(group) for group in groups):
            raise AccessError(self.env._("Your role in M-Pesa payouts doesn't allow this."))

    def _check_state(self, *allowed):
        if self.state not in allowed:
            raise UserError(self.env._(
                "%(name)s is in the state \"%(state)s\": this can't be done now.",
                name=self.name,
                state=dict(self._fields["state"]._description_selection(self.env))[self.state],
            ))

    def _check_second_person(self):
        """:raise AccessError: the user made it, wrote the payee's number, or is the payee"""
        if objection := self._find_person_objection():
            raise AccessError(objection)

    def _find_person_objection(self):
        """Return why the present user can't approve this; empty when she can.

        Two accounts of one person, which have the same contact, are one person.
        """
        user, payout = self.env.user, self.sudo()  # sudo: who made what decides, it isn't shown
        makers = payout.maker_id | payout.payment_id.create_uid
        editor = payout.partner_bank_id._soko_mpesa_get_editor()
        if user in makers or user.partner_id in makers.partner_id:
            return self.env._("You made %s, so somebody else must approve it.", payout.name)
        if user == editor or user.partner_id == editor.partner_id:
            return self.env._(
                "You entered the M-Pesa number of %s, so somebody else must approve the "
                "payment.", payout.payee_name,
            )
        if user.partner_id == payout.partner_id:
            return self.env._("%s pays you, so somebody else must approve it.", payout.name)
        return ""

    def _find_objection(self):
        """Return why the present user can't approve this payout now; empty when she can."""
        # sudo: the number that is compared need not be readable
        return self._find_person_objection() or self.sudo()._find_payee_objection()

    def _lock_payees(self):
        """A change of a number at this very moment must wait or be seen."""
        self.partner_bank_id.lock_for_update(allow_referencing=True)
        self.partner_bank_id.invalidate_recordset()

    def _get_payee_objection(self):
        """Return why the payee isn't the one that was approved; empty when it is."""
        self._lock_payees()
        return self._find_payee_objection()

    def _find_payee_objection(self):
        """The same for one whose payee is locked already."""
        bank = self.partner_bank_id
        if bank.acc_number != self.msisdn or bank.partner_id != self.payment_id.partner_id:
            return self.env._(
                "The M-Pesa number of %s has changed since the payment was posted.",
                self.payee_name,
            )
        if not bank.active or not bank._soko_mpesa_is_verified():
            return self.env._(
                "The M-Pesa number of %s isn't verified any more.", self.payee_name
            )
        if self.content_hash != self._get_hash(self.account_id, bank, self.payment_id):
            return self.env._("The payment has changed since it was posted.")
        return ""

    def _lock(self):
        self.lock_for_update(allow_referencing=True)
        self.invalidate_recordset()

    # === BUSINESS METHODS === #

    def _approve(self, user=None):
        """Approve and prepare the attempts; without `user` it is the policy that approves.

        What a payee's number has to wait for doesn't hinder the approval: it holds the payout.
        """
        if not self:
            return
        if user:
            self.env["res.users"].with_user(user)._soko_mpesa_require_identity()
        self._lock_payees()
        for payout in self:
            if user:
                payout._check_second_person()
            if objection := payout._find_payee_objection():
                raise UserError(objection)
        self.write({
            "approver_id": user.id if user else False, "approved_at": fields.Datetime.now(),
        })
        for payout in self:
            payout.approved_hash = payout.content_hash
        self.env["soko.mpesa.attempt"].create([
            {"payout_id": payout.id, "number": len(payout.attempt_ids) + 1} for payout in self
        ])
        for payout in self - self._find_free():
            code, reason = payout._get_wait()
            if reason:
                payout._hold(reason, code)
        self.account_id._nudge_send()

    def _hold(self, reason, code=False):
        """Keep the payout from being sent.

        :param str reason: for people
        :param str code: what it waits for, when it may go on by itself after that
        """
        self.write({"hold_reason": reason, "hold_code": code})
        if not code or (code == waiting.FIRST and self.amount > (
                self.company_id.soko_mpesa_first_payment_limit)):
            self._alert(reason)  # the others end by themselves, or have their task already

    def _go_on(self):
        self.write({"hold_reason": False, "hold_code": False})
        self.account_id._nudge_send()

    def _withdraw(self):
        """Cancel what was never sent.

        :raise UserError: something was sent, or may have been
        """
        for payout in self.filtered(lambda payout: not payout.cancelled_at):
            payout._lock()
            if payout.state not in states.PAYOUT_UNSENT:
                raise UserError(self.env._(
                    "%s was handed to M-Pesa. It can't be withdrawn; its payment follows what "
                    "M-Pesa proves.", payout.name,
                ))
            for attempt in payout.attempt_ids:
                attempt._set_state("cancelled")
            payout.write({"cancelled_at": fields.Datetime.now(), "hold_reason": False})
            # the next payout of this payment is refused by the database as long as this one lives
            payout.flush_recordset()

    def _on_paid(self, receipt, late):
        """Carry a proven payment into the books.

        :param str receipt: the M-Pesa receipt
        :param bool late: it had been declared not paid, so its bill was opened again
        """
        self.write({"paid_at": fields.Datetime.now(), "paid_late": late})
        self.flush_recordset()
        if late:
            # the next payments to this person wait until somebody has understood this one
            self._stop_payee(self.env._(
                "M-Pesa has paid %(name)s to %(payee)s after all, though it was declared not paid. "
                "This payout may be the same money once more. Look at %(name)s first; withdraw "
                "this one, or have the number verified anew and release it.",
                name=self.name, payee=self.payee_name,
            ))
            self._raise_exception(self.env._(
                "M-Pesa reports the payment %s, which was declared not paid before. If the "
                "bill was paid again meanwhile, the payee has been paid twice. What wasn't sent "
                "to the payee yet is on hold, and none of the payee's numbers is trusted: find "
                "out first.", receipt,
            ))
        self._book()
        if not late:
            self._text_receipt()

    def _on_not_paid(self, reason):
        """Open the bill again."""
        self.failure_reason = reason
        self.flush_recordset()
        self._book()
        self._alert(self.env._("Not paid: %s. The bill is open again.", reason))

    def _book(self):
        """Bring the books to what is proven; if they refuse, the proof stays, and a person comes.

        :return: whether the books agree with what is proven
        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                self._enter_books()
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001  a lock date must not undo a proof
            _logger.warning("M-Pesa payout %s: not booked", self.name, exc_info=True)
            reason = self.env._("The outcome is proven, but it couldn't be booked: %s", error)
            later = fields.Datetime.add(fields.Datetime.now(), hours=1)
            self.write({"booking_error": reason, "book_again_at": later})
            self._raise_exception(reason)
            return False
        if self.booking_error:
            if self.exception_reason == self.booking_error:
                self.exception_reason = False
            self.booking_error = False
        return True

    def _raise_exception(self, reason):
        if not self.exception_reason:
            self.exception_reason = reason
            self._alert(reason)

    def _alert(self, text):
        """Give the person responsible for the account a task.

        :param str text: plain text; it may quote what strangers wrote
        """
        for user in self.account_id._get_callees():
            self.activity_schedule(
                "mail.mail_activity_data_todo", user_id=user.id,
                summary=self.env._("M-Pesa payout needs you"), note=plaintext2html(text),
            )

    # === WAITING === #

    def _find_free(self):
        """Return those that surely wait for nothing, of many at once; see `_get_wait`."""
        banks = self.partner_bank_id
        warned = banks.search([
            ("partner_id", "in", self.partner_id.ids), ("soko_mpesa_name_warning", "!=", False),
            ("active", "in", (True, False)),
        ]).partner_id
        known = {tuple(key): sums for *key, sums in (
            (bank.id, number, partner.id, (total, paid_at))
            for bank, number, partner, total, paid_at in self._read_group(
                [("partner_bank_id", "in", banks.ids), ("cancelled_at", "=", False)],
                ["partner_bank_id", "msisdn", "partner_id"], ["amount:sum", "paid_at:max"])
        )}

        def is_free(payout):
            bank, partner = payout.partner_bank_id, payout.partner_id
            if partner in warned or bank.soko_mpesa_cooling_from:
                return False
            cap = payout.company_id.soko_mpesa_first_payment_limit
            total, paid_at = known[bank.id, payout.msisdn, partner.id]
            return bool(not cap or paid_at or total <= cap)

        return self.filtered(is_free)

    def _get_wait(self, claiming=False):
        """Return what the payment has to wait for, after `_get_payee_objection` found nothing.

        :param bool claiming: it is about to be sent; what goes to an unproven number at the same
            moment must then see this one
        :return: (code, reason), empty texts when it may go
        :rtype: tuple
        """
        bank = self.partner_bank_id
        if warned := bank._soko_mpesa_get_warned(self.partner_id):
            return "name", self.env._(
                "M-Pesa named somebody else at the last payment to %(payee)s: %(warning)s An "
                "approver opens the M-Pesa number and clears the warning; then this goes by "
                "itself.", payee=self.payee_name, warning=warned[0].soko_mpesa_name_warning,
            )
        until = bank._soko_mpesa_get_cooling_until(self.company_id)
        now = self.env.cr.now()
        cools = bool(until) and now < until
        cap = self.company_id.soko_mpesa_first_payment_limit
        if not cools and (until or not cap or self._is_proven_number()):
            return "", ""
        code = waiting.wait_for(
            self.amount, before=self._sum_before(cools), proven=False, cap=cap, until=until,
            now=now,
        )
        if claiming and not code:
            bank._soko_mpesa_touch()
        return code, code and self._explain_wait(code, cap, until)

    def _explain_wait(self, code, cap, until):
        if code == waiting.COOLING:
            return self.env._(
                "The M-Pesa number of %(payee)s replaced another one. Until %(until)s at most "
                "%(cap)s KES in all are paid to the new number. This payment goes by itself "
                "after that. If you doubt the change, call the payee's old number.",
                payee=self.payee_name, cap=f"{cap:,}",
                until=format_datetime(
                    self.env, until, tz=self.account_id.responsible_id.tz or eat.ZONE,
                    dt_format="medium"),
            )
        if self.amount <= cap:
            return self.env._(
                "Other first payments to the M-Pesa number of %(payee)s are on their way, and "
                "until one is proven at most %(cap)s KES in all are paid to it. This payment goes "
                "by itself then.", payee=self.payee_name, cap=f"{cap:,}",
            )
        return self.env._(
            "Nothing was ever paid to the M-Pesa number of %(payee)s, and until a first payment "
            "is proven at most %(cap)s KES in all are paid to it. Withdraw this payout and pay a "
            "part of at most %(cap)s KES; pay the rest when M-Pesa has proven the part.",
            payee=self.payee_name, cap=f"{cap:,}",
        )

    def _get_number_domain(self):
        return Domain([
            ("partner_bank_id", "=", self.partner_bank_id.id), ("msisdn", "=", self.msisdn),
            ("partner_id", "=", self.partner_id.id), ("id", "!=", self.id),
        ])

    def _is_proven_number(self):
        """Whether M-Pesa has proven a payment to this payee at this number."""
        return bool(self.search_count(
            self._get_number_domain() & Domain("paid_at", "!=", False), limit=1))

    def _sum_before(self, with_paid):
        """Return the shillings that are on their way to the same number before this payout.

        :param bool with_paid: count those that have arrived, too
        """
        counted = Domain("attempt_ids.state", "in", states.ATTEMPT_SENT) | Domain([
            ("state", "=", "approved"), ("id", "<", self.id)])
        if with_paid:
            counted |= Domain("paid_at", "!=", False)
        groups = self._read_group(self._get_number_domain() & counted, [], ["amount:sum"])
        return groups[0][0] or 0

    @api.model
    def _recheck_soon(self):
        """Look again, in a transaction of its own, at payouts that go on by themselves."""
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_sweep").sudo()._trigger()

    def _recheck_waiting(self):
        """Let go what has waited long enough; one transaction each. For the sweeping cron.

        A pass that has no more time leaves the rest to the next one, which begins there.
        """
        stop_at, hearts = time.monotonic() + PASS_BUDGET, self.env["soko.mpesa.heartbeat"]
        held = [("state", "=", "held"), ("hold_code", "!=", False)]
        done = hearts._get_place(RECHECK)
        for payout in self.search([*held, ("id", ">", done)], order="id"):
            if time.monotonic() > stop_at:
                hearts._keep_place(RECHECK, done)
                self._recheck_soon()
                self.env["ir.cron"]._commit_progress()
                return
            payout._recheck_alone()
            done = payout.id
        if hearts._get_place(RECHECK):
            hearts._keep_place(RECHECK, 0)
            self.env["ir.cron"]._commit_progress()

    def _recheck_alone(self):
        try:
            self._lock()
            self._recheck()
            self.env["ir.cron"]._commit_progress(1)
        except (LockError, OperationalError):
            self.env.cr.rollback()  # somebody is at it; the next sweep comes soon

    def _recheck(self):
        """Let go on, or say anew what is waited for. Doesn't commit; the caller holds the lock."""
        if self.state != "held" or not self.hold_code:
            return
        if objection := self._get_payee_objection():
            self._hold(objection)
            return
        code, reason = self._get_wait()
        if not code:
            self._go_on()
        elif code != self.hold_code:
            self._hold(reason, code)

    # === NAMES === #

    def _check_name(self, party):
        """Compare whom M-Pesa says it paid with whom we meant. The payment stays paid.

        :param str party: ``254700000041 - AMINA MFANO`` as M-Pesa wrote it; may be empty
        """
        heard = names.split_party(party)
        bank, expected = self.partner_bank_id, self._get_known_name()
        self.name_check = names.compare(heard, expected)
        if self.name_check != names.MISMATCH:
            if self.search_count([
                ("partner_bank_id", "=", bank.id), ("state", "=", "held"),
                ("hold_code", "=", waiting.FIRST),
            ], limit=1):
                self._recheck_soon()
            return
        self.name_mismatch = self.env._(
            "M-Pesa named \"%(heard)s\" where we know \"%(expected)s\".",
            heard=heard[:100], expected=expected,
        )
        bank._soko_mpesa_warn_of_name(self.name_mismatch)
        self._alert(self.env._(
            "%(mismatch)s The payment %(name)s stays paid. Ask %(payee)s whether the money "
            "arrived; the next payments wait until an approver clears the warning on the number.",
            mismatch=self.name_mismatch, name=self.name, payee=self.payee_name,
        ))

    def _get_known_name(self):
        """Return the name under which the number should be registered at M-Pesa."""
        bank = self.partner_bank_id
        known = bank.soko_mpesa_registered_name if bank.acc_number == self.msisdn else ""
        return known or self.registered_name or self.payee_name

    # === AUDIT === #

    @api.model
    def _invariant_violations(self, thorough=False):
        """Return what must never be: {name of the invariant: offending rows}.

        Empty when all is well. The queries are in tools/invariants.py.

        :param bool thorough: whether to look at all books, however old; else it is fast enough
            to be asked every minute
        """
        self.env.flush_all()
        found = {}
        for name, query in self._get_invariants(thorough).items():
            self.env.cr.execute(query)
            if rows := self.env.cr.fetchall():
                found[name] = rows
        if drifted := self._get_drifted(thorough):
            found["I-9 payout state follows from its facts"] = drifted
        return found

    @api.model
    def _get_invariants(self, thorough):
        """Return {name: SQL that must find nothing}."""
        return {**invariants.queries(thorough), **statement_invariants.queries(thorough)}

    @api.model
    def _get_drifted(self, thorough):
        """Return names of payouts whose state isn't the one that follows from their facts.

        One payout of each combination of facts is computed, not each payout; all of a wrong
        combination are named, so that each company concerned is known.
        """
        self.env.cr.execute(invariants.combinations(thorough))
        alike = {ids[0]: ids for (ids,) in self.env.cr.fetchall()}
        # sudo: an audit sees all; it returns names only
        examples = self.sudo().browse(alike)
        wrong = examples.filtered(lambda payout: payout.state != payout._derive_state())
        return examples.browse(one for id_ in wrong.ids for one in alike[id_]).mapped("name")

    @api.model
    def _unfinished(self):
        """Return what isn't final yet, as `_invariant_violations` does; normal for a while."""
        self.env.flush_all()
        found = {}
        for name, query in invariants.UNFINISHED.items():
            self.env.cr.execute(query)
            if rows := self.env.cr.fetchall():
                found[name] = rows
        return found
