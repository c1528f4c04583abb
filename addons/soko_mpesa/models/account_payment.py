from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import METHOD_CODE, MIN_AMOUNT
from ..tools import eat, msisdn, states
from ..tools.amounts import to_cents

# What a payout has frozen; it can't be changed behind its back.
FROZEN_FIELDS = {
    "amount", "currency_id", "journal_id", "partner_bank_id", "partner_id", "payment_type",
    "payment_method_line_id",
}

# States that a payment leaves M-Pesa's hands with.
ENDS = {"paid", "rejected", "draft", "canceled"}

# Where a transaction keeps the payments whose payouts it makes together.
WAITING = "soko_mpesa_payments_together"

# Accountants without a role in M-Pesa don't see payouts; the code below reads them as superuser.
ROLES = "soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver"


class AccountPayment(models.Model):
    _inherit = "account.payment"

    soko_mpesa_payout_ids = fields.One2many(
        "soko.mpesa.payout", "payment_id", readonly=True, groups=ROLES,
    )
    soko_mpesa_payout_id = fields.Many2one(
        "soko.mpesa.payout", compute="_compute_soko_mpesa_payout_id", string="M-Pesa payout",
        groups=ROLES, help="What M-Pesa makes of this payment.",
    )

    soko_mpesa_run_line_id = fields.Many2one(
        "soko.mpesa.run.line", string="M-Pesa payment run", readonly=True, copy=False, index=True,
        ondelete="restrict", groups=ROLES, help="The payment run that made this payment.",
    )
    soko_mpesa_run_part = fields.Integer(
        string="Part of the run's line", readonly=True, copy=False, groups=ROLES,
    )

    _soko_mpesa_run_uniq = models.UniqueIndex(
        "(soko_mpesa_run_line_id, soko_mpesa_run_part) WHERE soko_mpesa_run_line_id IS NOT NULL",
        "This line of the payment run was paid already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("soko_mpesa_payout_ids.state")
    def _compute_soko_mpesa_payout_id(self):
        for payment in self:
            payouts = payment.soko_mpesa_payout_ids
            payment.soko_mpesa_payout_id = payouts.filtered(
                lambda payout: not payout.cancelled_at)[:1] or payouts[:1]

    @api.depends("soko_mpesa_payout_ids.state")
    def _compute_state(self):
        """A payment by M-Pesa is paid when that is proven, whatever its bills say."""
        res = super()._compute_state()
        for payment in self:
            if payment.state == "paid" and payment._soko_mpesa_is_open():
                payment.state = "in_process"
        return res

    @api.depends("payment_method_line_id")
    def _compute_partner_bank_id(self):
        """Offer the payee's M-Pesa number before any bank account."""
        res = super()._compute_partner_bank_id()
        for payment in self.filtered(lambda payment: payment._soko_is_mpesa()):
            if payment.partner_bank_id.acc_type != "mpesa":
                payment._soko_mpesa_pick_payee()
        return res

    @api.model
    def _get_method_codes_using_bank_account(self):
        return super()._get_method_codes_using_bank_account() + [METHOD_CODE]

    @api.model
    def _get_method_codes_needing_bank_account(self):
        return super()._get_method_codes_needing_bank_account() + [METHOD_CODE]

    # === CRUD METHODS === #

    def write(self, vals):
        self._soko_mpesa_check_write(vals)
        self._soko_mpesa_check_method(vals)
        if vals.get("state") != "in_process":
            return super().write(vals)
        posting = self.filtered(lambda payment: payment._soko_mpesa_needs_payout())
        if not posting:
            return super().write(vals)
        with self._soko_mpesa_together() as together:
            posting._soko_mpesa_prepare_once(together)
            return super().write(vals)

    def _soko_mpesa_check_write(self, vals):
        """:raise UserError: `vals` contradict what M-Pesa has proven or was told"""
        if not vals.keys() & (FROZEN_FIELDS | {"state", "payment_reference"}):
            return
        # sudo: an accountant need not see payouts
        live = self.sudo().soko_mpesa_payout_ids.filtered(
            lambda payout: not payout.cancelled_at)
        for payout in live:
            payment = payout.payment_id
            if vals.get("state") in ENDS and not states.payment_may_become(
                    vals["state"], payout.attempt_ids.mapped("state")):
                raise UserError(self.env._(
                    "%s is with M-Pesa. Only proof from M-Pesa makes it paid or rejected; "
                    "before it is sent, it can be withdrawn.", payment.display_name,
                ))
            if vals.get("payment_reference", payout.receipt) != payout.receipt:
                raise UserError(self.env._(
                    "The reference of %s is its M-Pesa receipt; it comes from M-Pesa alone.",
                    payment.display_name,
                ))
            for name in FROZEN_FIELDS & vals.keys():
                if payment._fields[name].convert_to_write(payment[name], payment) != vals[name]:
                    raise UserError(self.env._(
                        "%s is with M-Pesa: what it pays to whom can't be changed any more.",
                        payment.display_name,
                    ))

    def _soko_mpesa_check_method(self, vals):
        """:raise UserError: `vals` make M-Pesa the method of payments that are posted

        They would read as handed over, and nobody would ever send them.
        """
        if not vals.get("payment_method_line_id"):
            return
        method_line = self.env["account.payment.method.line"].browse(
            vals["payment_method_line_id"])
        if method_line.sudo().code != METHOD_CODE:  # sudo: the code is no secret
            return
        posted = self.filtered(lambda payment: not payment._soko_is_mpesa() and (
            payment.state != "draft" or vals.get("state", "draft") != "draft"))
        if posted:
            raise UserError(self.env._(
                "%s is posted. Reset it to draft before you let M-Pesa pay it.",
                posted[0].display_name,
            ))

    # === ACTION METHODS === #

    def action_post(self):
        mpesa = self.filtered(
            lambda payment: payment.state == "draft" and payment._soko_is_mpesa())
        if not mpesa:
            return super().action_post()
        with self._soko_mpesa_together() as together:
            mpesa._soko_mpesa_prepare_once(together)
            return super().action_post()

    def action_draft(self):
        # sudo: whoever may reset the payment may withdraw what wasn't sent
        self.sudo().soko_mpesa_payout_ids._withdraw()
        with self._soko_mpesa_keeping_cents():
            return super().action_draft()

    def action_cancel(self):
        # sudo: whoever may cancel the payment may withdraw what wasn't sent
        self.sudo().soko_mpesa_payout_ids._withdraw()
        with self._soko_mpesa_keeping_cents():
            return super().action_cancel()

    def action_open_soko_mpesa_payout(self):
        self.ensure_one()
        return self.soko_mpesa_payout_id._get_records_action()

    # === POSTING === #

    def _soko_is_mpesa(self):
        """Whether this payment is paid out by M-Pesa."""
        return self.payment_type == "outbound" and self.payment_method_line_id.code == METHOD_CODE

    @contextmanager
    def _soko_mpesa_together(self):
        """Make the payouts of all payments that are posted inside at its end, as one batch.

        Odoo posts payments one by one inside; each payout by itself costs many times as much.
        One payout a payment comes of it, whichever way the payment was posted.
        """
        cache = self.env.cr.cache
        if WAITING in cache:
            yield cache[WAITING]
            return
        cache[WAITING] = waiting = {}
        try:
            yield waiting
        finally:
            cache.pop(WAITING, None)
        payments = self.browse(waiting).filtered(lambda payment: payment._soko_mpesa_needs_payout())
        self.env["soko.mpesa.payout"]._make_for(payments)

    def _soko_mpesa_prepare_once(self, together):
        """Prepare those that weren't yet, and have their payouts made at the end.

        :param dict together: from `_soko_mpesa_together`
        """
        new = self.filtered(lambda payment: payment.id not in together)
        new._soko_mpesa_prepare()
        together.update(dict.fromkeys(new.ids))

    def _soko_mpesa_needs_payout(self):
        if not self._soko_is_mpesa():
            return False
        # sudo: an accountant need not see payouts
        return all(payout.cancelled_at for payout in self.sudo().soko_mpesa_payout_ids)

    def _soko_mpesa_is_open(self):
        """Whether M-Pesa has this payment and hasn't proven it."""
        if not self._soko_is_mpesa():
            return False
        # sudo: an accountant need not see payouts
        live = self.sudo().soko_mpesa_payout_ids.filtered(lambda payout: not payout.cancelled_at)
        return bool(live) and not live.attempt_ids.filtered(lambda a: a.state == "paid")

    def _soko_mpesa_is_in_flight(self):
        """Whether M-Pesa has this payment and nothing is proven, either way."""
        if not self._soko_is_mpesa():
            return False
        # sudo: an accountant need not see payouts
        live = self.sudo().soko_mpesa_payout_ids.filtered(lambda payout: not payout.cancelled_at)
        decided = {"paid", "not_paid", "reversed"}
        return bool(live) and not decided & set(live.attempt_ids.mapped("state"))

    def _soko_mpesa_prepare(self):
        """Choose the payee's number and check everything that would make M-Pesa refuse.

        :raise UserError: what is wrong and what to do
        """
        accounts = self.env["soko.mpesa.account"]._for_journals(self.journal_id)
        for payment in self:
            payment._soko_mpesa_check_maker()
            if payment.partner_bank_id.acc_type != "mpesa":
                payment._soko_mpesa_pick_payee()
            payment._soko_mpesa_check_payee()
            payment._soko_mpesa_check_amount(accounts[payment.journal_id])
            payment._soko_mpesa_check_cents(accounts[payment.journal_id])

    def _soko_mpesa_check_maker(self):
        group = "soko_mpesa.soko_mpesa_group_maker"
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(self.env._(
                "To pay by M-Pesa you need the role \"M-Pesa: Maker\". Ask your administrator, "
                "or choose another payment method."
            ))

    @api.model
    def _soko_mpesa_check_may_pay(self):
        """:raise AccessError: the user has no right to make payments"""
        if not self.has_access("create"):
            raise AccessError(self.env._(
                "This makes payments, and your login may not make any: it has no role in "
                "accounting. Ask a colleague who has one to do it, or your administrator for the "
                "role \"Invoicing\"."
            ))

    def _soko_mpesa_pick_payee(self):
        banks = self.partner_id.bank_ids.filtered(
            lambda bank: bank.acc_type == "mpesa"
            and bank.company_id.id in (False, self.company_id.id))
        verified = banks.filtered("allow_out_payment")
        if banks:
            self.partner_bank_id = (verified or banks)[0]._origin

    def _soko_mpesa_check_payee(self):
        bank = self.partner_bank_id
        if bank.acc_type != "mpesa" or not msisdn.is_canonical(bank.acc_number):
            raise UserError(self.env._(
                "%s has no M-Pesa number. Add one to the contact's bank accounts (type: M-Pesa) "
                "and let a second person verify it.", self.partner_id.display_name,
            ))
        if bank.partner_id != self.partner_id:
            raise UserError(self.env._(
                "The M-Pesa number belongs to %(owner)s, not to %(payee)s.",
                owner=bank.partner_id.display_name, payee=self.partner_id.display_name,
            ))
        if not bank._soko_mpesa_is_verified():
            raise UserError(self.env._(
                "The M-Pesa number of %s isn't verified. An M-Pesa approver, who isn't the one "
                "that entered it, opens it and presses Verify.", self.partner_id.display_name,
            ))

    def _soko_mpesa_check_amount(self, account):
        if not account:
            raise UserError(self.env._(
                "The journal %s belongs to no M-Pesa account. An M-Pesa manager sets it up.",
                self.journal_id.display_name,
            ))
        if not self.outstanding_account_id.reconcile:
            raise UserError(self.env._(
                "The journal %s has no account for payouts in flight, so the payment would read "
                "as paid before it is. An M-Pesa manager presses Set up journal.",
                self.journal_id.display_name,
            ))
        if self.currency_id.name != "KES":
            raise UserError(self.env._("M-Pesa pays Kenyan shillings only."))
        if self.currency_id.compare_amounts(self.amount, round(self.amount)):
            raise UserError(self.env._(
                "M-Pesa pays whole shillings only: %s has cents. Pay the whole shillings and "
                "leave the rest on the bill, or pay the bill in full: then its cents are carried "
                "to the payee's next payment.", self.amount,
            ))
        if not MIN_AMOUNT <= round(self.amount) <= account.payment_limit:
            raise UserError(self.env._(
                "M-Pesa pays from %(low)s to %(high)s KES at once from this account; this "
                "payment is %(amount)s KES. What is less waits until more is due. What is more "
                "is paid in parts when you open the bill and press Pay.",
                low=MIN_AMOUNT, high=account.payment_limit, amount=round(self.amount),
            ))

    # === BOOKS === #

    def _soko_mpesa_settle(self, receipt):
        """Book a proven payment: a statement line with the receipt, matched with the payment.

        Odoo then makes the payment and its bills paid by itself. Called by the payout, as
        superuser; what is booked already stays as it is.

        :param str receipt: M-Pesa's receipt number
        """
        self.ensure_one()
        self.payment_reference = receipt
        in_flight, _counterpart, _writeoff = self._seek_for_lines()
        if in_flight.reconciled:
            # somebody has matched it with an imported statement already
            self._soko_mpesa_mark_line(in_flight, receipt)
            return
        (in_flight | self._soko_mpesa_book_payment(receipt, in_flight.account_id)).reconcile()

    def _soko_mpesa_settle_late(self, receipt):
        """Book a payment that was declared not paid and turns out to be paid.

        The money left for the payee's account. There it pays the bill, if that is still open;
        else the payee was paid twice, and it stands as what they owe us: Odoo offers it on their
        next bill.

        :param str receipt: M-Pesa's receipt number
        """
        self.ensure_one()
        payable = self.destination_account_id
        line = self.soko_mpesa_payout_id.account_id._find_line(receipt, "payment")
        if line.move_id.line_ids.filtered(lambda item: item.account_id == payable):
            return
        item = self._soko_mpesa_book_payment(receipt, payable)
        bills = self._soko_mpesa_get_bills().line_ids.filtered(
            lambda bill: bill.account_id == payable and not bill.reconciled
            and bill.parent_state == "posted")
        if bills:
            (item | bills).reconcile()

    def _soko_mpesa_take_back(self, payout):
        """Book that M-Pesa took a proven payment back: its bill is open again.

        :param payout: soko.mpesa.payout of this payment, with the reversal's receipt
        """
        self.ensure_one()
        account = payout.account_id
        if payout.paid_late:
            line = account._find_line(payout.receipt, "payment")
            left = line.move_id.line_ids.filtered(
                lambda item: item.account_id == self.destination_account_id)
            left.remove_move_reconcile()
        else:
            in_flight, _counterpart, _writeoff = self._seek_for_lines()
            left = in_flight.matched_debit_ids.debit_move_id
            self._soko_mpesa_reject()
        back = account._book_line(
            payout.reversal_receipt, "reversal", self.amount, left.account_id,
            partner_id=self.partner_id.id,
        )
        (left | back.move_id.line_ids.filtered(
            lambda item: item.account_id == left.account_id)).reconcile()

    def _soko_mpesa_book_payment(self, receipt, counterpart):
        """Return the open journal item that the money which left has on `counterpart`.

        The movement may have been booked before it was known whose it is; then it is carried
        over from the account where it waited.

        :param str receipt: M-Pesa's receipt number
        :param counterpart: account.account
        :rtype: account.move.line
        """
        account = self.soko_mpesa_payout_id.account_id
        line = account._find_line(receipt, "payment") or self.env[
            "account.bank.statement.line"
        ].create(self._soko_mpesa_prepare_statement_line(receipt, counterpart))
        items = line.move_id.line_ids.filtered(lambda item: not item.reconciled)
        if item := items.filtered(lambda item: item.account_id == counterpart):
            return item
        waiting = items.filtered(lambda item: item.account_id == account.clearing_account_id)
        if not waiting:
            raise UserError(self.env._(
                "The movement %s is booked on another account already. Match it by hand.",
                receipt,
            ))
        return account._clear(waiting, counterpart, self.partner_id, receipt)

    def _soko_mpesa_mark_line(self, in_flight, receipt):
        """Let the bank statement line that somebody made by hand stand for the movement."""
        account = self.soko_mpesa_payout_id.account_id
        line = in_flight.matched_debit_ids.debit_move_id.statement_line_id
        if len(line) == 1 and not line.soko_mpesa_key and not account._find_line(
            receipt, "payment"
        ):
            line.soko_mpesa_key = account._make_key(receipt, "payment")

    def _soko_mpesa_prepare_statement_line(self, receipt, counterpart):
        """Return the values of the bank statement line of a proven payment."""
        return {
            "journal_id": self.journal_id.id,
            "date": self.env.context.get("soko_mpesa_day")
            or eat.day_of(fields.Datetime.now()),
            "payment_ref": receipt,
            "partner_id": self.partner_id.id,
            "amount": -self.amount,
            "counterpart_account_id": counterpart.id,
            "soko_mpesa_key": self.env["soko.mpesa.account"]._make_key(receipt, "payment"),
        }

    def _soko_mpesa_reject(self):
        """Undo a payment that is proven not paid: its bills are open again.

        Called by the payout, as superuser. `action_reject` alone would leave the bills paid.
        """
        self.ensure_one()
        self.invoice_ids = self._soko_mpesa_get_bills()  # those matched by hand, too
        with self._soko_mpesa_keeping_cents():
            # first the state: a reversed entry would otherwise read as paid
            self.action_reject()
            self.move_id.line_ids.remove_move_reconcile()
            self.move_id._reverse_moves([{
                "date": fields.Date.context_today(self),
                "ref": self.env._("Not paid by M-Pesa: %s", self.display_name),
            }], cancel=True)

    def _soko_mpesa_get_bills(self):
        """Return the bills and credit notes that these pay, or were made to pay.

        Odoo's own wizard writes them down. What somebody matches by hand is known by the match
        only, so it is written down before the match is undone.
        """
        return self.invoice_ids | self.reconciled_bill_ids | self.reconciled_invoice_ids

    # === CENTS === #

    def _soko_mpesa_check_cents(self, account):
        """:raise UserError: posting this draft again would take cents that another one took"""
        cents = self._soko_mpesa_get_cents(account)
        if not cents or self.move_id.state == "posted" or self.state != "draft":
            return
        account._touch_carried(cents.partner_id)
        carried = account._get_carried(cents.partner_id).get(cents.partner_id.id, 0)
        if carried < to_cents(sum(cents.mapped("amount_currency"))):
            raise UserError(self.env._(
                "The cents that %s was to take with it were paid with another payment meanwhile. "
                "Delete this draft and pay the bill again.", self.display_name,
            ))

    def _soko_mpesa_get_cents(self, account):
        """Return the journal items by which this payment carries cents or takes carried ones."""
        return self.move_id.line_ids.filtered(
            lambda line: account.remainder_account_id
            and line.account_id == account.remainder_account_id)

    @contextmanager
    def _soko_mpesa_keeping_cents(self):
        """Undo payments inside: cents that they left and another one has paid settle their bills.

        So nobody's carried cents fall below zero.
        """
        undone = []
        accounts = self.env["soko.mpesa.account"]._for_journals(self.journal_id)
        for payment in self.filtered(lambda payment: payment._soko_is_mpesa()):
            # sudo: whose cents they are counts for whoever undoes it. The account that paid may be
            # archived by now.
            paid_from = payment.sudo().soko_mpesa_payout_ids.account_id.filtered(
                lambda account, journal=payment.journal_id: account.journal_id == journal)
            account = paid_from[:1] or accounts[payment.journal_id]
            if cents := payment._soko_mpesa_get_cents(account):
                # sudo: who may undo the payment need not read all journal items
                bills = payment.sudo()._seek_for_lines()[1]._all_reconciled_lines()
                account._touch_carried(cents.partner_id)
                undone.append((account, cents.partner_id, bills - payment.sudo().move_id.line_ids))
        yield
        for account, partner, bills in undone:
            account._settle_overdrawn(partner, bills)
