import logging

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import split_every

from ..const import SETTLER

_logger = logging.getLogger(__name__)

# A payment of these states no longer counts for or against the settlement.
DEAD_PAYMENTS = ("canceled", "rejected")
# Payees settled in one transaction. More gain next to nothing, and a stop loses more.
CHUNK = 100
CHATTER_FIELDS = ("activity_", "message_")


class SokoSettlement(models.Model):
    """One payment to one payee: due lines become a bill, the bill is paid, the artisan is told."""

    _name = "soko.settlement"
    _description = "Settlement"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _allow_sudo_commands = False

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    payee_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        required=True, readonly=True, default=lambda self: self.env.company._soko_today()
    )
    line_ids = fields.One2many(
        "soko.settlement.line", "settlement_id", string="Lines", readonly=True
    )
    artisan_ids = fields.Many2many(
        "soko.artisan", string="Artisans", compute="_compute_artisan_ids"
    )
    quantity_total = fields.Float(
        string="Pieces", digits="Product Unit", compute="_compute_totals", store=True
    )
    amount_total = fields.Monetary(string="Total", compute="_compute_totals", store=True)
    repayment_ids = fields.One2many(
        "soko.advance.repayment", "settlement_id", string="Advances paid back", readonly=True
    )
    amount_deducted = fields.Monetary(
        string="Deducted", compute="_compute_payable", store=True, help="Advances paid back."
    )
    amount_payable = fields.Monetary(string="Paid out", compute="_compute_payable", store=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("billed", "Billed"),
            ("in_payment", "In payment"),
            ("paid", "Paid"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        store=True,
        tracking=True,
        help="In payment: the money is handed over and not proven to have arrived. "
        "Paid: every payment is proven.",
    )
    bill_id = fields.Many2one(
        "account.move",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    payment_ids = fields.Many2many(
        "account.payment",
        string="Payments",
        compute="_compute_payment_ids",
        compute_sudo=True,
        groups="base.group_user",
    )
    payment_reference = fields.Char(
        string="Receipt",
        compute="_compute_payment_reference",
        compute_sudo=True,
        help="Receipt number of the payment, the same as in the artisan's message.",
    )
    date_paid = fields.Date(string="Paid on", readonly=True, copy=False)
    failure = fields.Text(
        string="What went wrong",
        readonly=True,
        copy=False,
        groups="soko_artisan.soko_artisan_group_user",
    )
    paid_notice_date = fields.Datetime(
        string="Artisan told on",
        readonly=True,
        copy=False,
        help="Set once, when the message about the payment is written.",
    )

    _bill_uniq = models.UniqueIndex(
        "(bill_id) WHERE bill_id IS NOT NULL", "This bill belongs to another settlement."
    )
    _to_notify = models.Index("(id) WHERE state = 'paid' AND paid_notice_date IS NULL")

    # === COMPUTE METHODS === #

    @api.depends("line_ids.artisan_id")
    def _compute_artisan_ids(self):
        for settlement in self:
            settlement.artisan_ids = settlement.line_ids.artisan_id

    @api.depends("line_ids.amount", "line_ids.quantity_kept")
    def _compute_totals(self):
        for settlement in self:
            settlement.amount_total = sum(settlement.line_ids.mapped("amount"))
            settlement.quantity_total = sum(settlement.line_ids.mapped("quantity_kept"))

    @api.depends("amount_total", "repayment_ids.amount")
    def _compute_payable(self):
        for settlement in self:
            settlement.amount_deducted = sum(settlement.repayment_ids.mapped("amount"))
            settlement.amount_payable = settlement.amount_total - settlement.amount_deducted

    @api.depends("bill_id.matched_payment_ids", "bill_id.line_ids.matched_debit_ids")
    def _compute_payment_ids(self):
        for settlement in self:
            settlement.payment_ids = settlement._get_payments()

    @api.depends("bill_id.matched_payment_ids.payment_reference")
    def _compute_payment_reference(self):
        for settlement in self:
            references = settlement._get_payments().filtered("payment_reference")
            settlement.payment_reference = ", ".join(references.mapped("payment_reference"))

    @api.depends("bill_id.state", "bill_id.payment_state", "bill_id.matched_payment_ids.state")
    def _compute_state(self):
        for settlement in self:
            settlement.state = settlement._get_state()

    def _get_payments(self):
        """Return the payments of the bill that are neither cancelled nor refused."""
        self.ensure_one()
        payments = self.bill_id.reconciled_payment_ids | self.bill_id.matched_payment_ids
        return payments.filtered(lambda p: p.state not in DEAD_PAYMENTS)

    def _get_state(self):
        """Return the state that bill and payments add up to.

        Odoo's bill decides: payment methods that wait for proof keep it "in payment" until then.
        """
        bill = self.bill_id
        if not bill:
            return "draft"
        if bill.state == "cancel" or bill.payment_state == "reversed":
            return "cancelled"
        if bill.state == "draft":
            return "draft"
        if bill.payment_state in ("paid", "in_payment"):
            return bill.payment_state
        # matched by hand, without a link to the bill: only of a bill that is paid in part
        payments = bill.matched_payment_ids
        if bill.payment_state == "partial":
            payments |= bill.reconciled_payment_ids
        under_way = any(p.state in ("draft", "in_process") for p in payments)
        return "in_payment" if under_way else "billed"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        sequences = {}
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = vals.get("company_id")
                if company not in sequences:
                    sequences[company] = self._find_sequence(company)
                sequence = sequences[company]
                vals["name"] = sequence.next_by_id() if sequence else "/"
        return super().create(vals_list)

    @api.model
    def _find_sequence(self, company):
        """Return the company's own sequence of numbers, or else the one for all of them."""
        sequence = self.env["ir.sequence"]
        company = company or self.env.company.id
        return sequence.search(
            [("code", "=", self._name), ("company_id", "in", [company, False])],
            order="company_id",
            limit=1,
        )

    def write(self, vals):
        """People may talk about a settlement and plan activities on it, and nothing else."""
        # Managers need the right to write for that, and `readonly` keeps no RPC call away: without
        # its bill, a paid settlement would be billed and paid again.
        if not self.env.su and any(not name.startswith(CHATTER_FIELDS) for name in vals):
            raise AccessError(
                self.env._("A settlement follows its bill and payments. Nobody writes it by hand.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Settlements are proof of payment and are never deleted."))

    # === ACTION METHODS === #

    def action_process(self):
        """Try again what failed: make the bill, post it, register the payment."""
        if not self.env.user.has_group(SETTLER):
            raise AccessError(self.env._("Only a settlement officer can settle. Ask one."))
        self.check_access("read")
        # sudo: the ledger is written by machines only; the manager starts what the cron would do
        self.sudo()._process()

    def action_release_lines(self):
        """The bill was cancelled: what it was for is due again, for the next settlement."""
        if not self.env.user.has_group(SETTLER):
            raise AccessError(self.env._("Only a settlement officer can settle. Ask one."))
        self.check_access("read")
        if any(settlement.state != "cancelled" for settlement in self):
            raise UserError(
                self.env._("Cancel the bill first: as long as it stands, the lines belong to it.")
            )
        for settlement in self.sudo():  # sudo: as below
            settlement._check_unpaid()
        # sudo: the ledger is written by machines only; the manager starts one known step
        self.sudo().line_ids.write({"state": "due", "settlement_id": False})

    def _check_unpaid(self):
        """Refuse to pay again what was paid, or is on its way, for this settlement.

        :raise UserError: naming the payment
        """
        self.ensure_one()
        payments = self._get_payments()
        if payments or self.paid_notice_date:
            raise UserError(
                self.env._(
                    "%(name)s was paid, or its payment is under way (%(payment)s). Its lines can't "
                    "be paid once more. Put the bill right with the payee instead.",
                    name=self.name,
                    payment=payments[:1].display_name or self.paid_notice_date,
                )
            )

    def action_view_bill(self):
        """Open the bill that the settlement became."""
        self.ensure_one()
        return self.bill_id._get_records_action()

    def action_view_payments(self):
        """Open the payments of the bill."""
        self.ensure_one()
        return self.payment_ids._get_records_action(name=self.env._("Payments"))

    # === BUSINESS METHODS - CRON === #

    @api.model
    def _cron_settle_due(self):
        """Settle what is due: many payees in one step, and each step committed.

        Runs as the user of the scheduled action, who may post bills and register payments. A
        payee whose bill can't be made keeps the reason on the settlement; the others are paid.
        The settlements are committed before their bills are made: a run that is stopped half way
        is taken up where it was.
        """
        cron = self.env["ir.cron"]
        groups = self._get_payday_groups()
        retry = self.search(self._get_retry_domain())
        cron._commit_progress(remaining=len(groups) + len(retry))
        for ids in split_every(CHUNK, retry.ids):
            self.browse(ids)._process()
            if not cron._commit_progress(len(ids)):
                return
        for part in split_every(CHUNK, groups):
            settlements = self._settle_payees(part)
            cron._commit_progress()
            settlements._process()
            if not cron._commit_progress(len(part)):
                return

    @api.model
    def _get_payday_groups(self):
        """Return (company, payee, lines) of what fell due by each company's last payday."""
        Line = self.env["soko.settlement.line"]
        groups = []
        for (company,) in Line._read_group([("state", "=", "due")], ["company_id"]):
            # In the company's own environment: its day may be another one than the run's.
            CompanyLine = Line.with_company(company)
            domain = Domain(CompanyLine._get_due_domain()) & Domain(
                [("company_id", "=", company.id), ("due_date", "<=", company._soko_last_payday())]
            )
            groups += CompanyLine._read_group(domain, ["company_id", "payee_id"], ["id:recordset"])
        return groups

    @api.model
    def _settle_payees(self, groups):
        """Settle the due lines of these payees; what goes wrong with one stops nobody else.

        :param groups: some of :meth:`_get_payday_groups`
        :return: the new settlements
        """
        Line = self.env["soko.settlement.line"]
        try:
            with self.env.cr.savepoint():
                return Line.union(*(lines for *_key, lines in groups))._settle()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise  # not the payee's fault: the whole step is run again
        except Exception:
            if len(groups) > 1:
                middle = len(groups) // 2
                parts = groups[:middle], groups[middle:]
                return self.union(*(self._settle_payees(part) for part in parts))
            # A warning on purpose: there is no settlement yet that could show the reason.
            _logger.warning("Contact %s could not be settled", groups[0][1].id, exc_info=True)
            return self.browse()

    @api.model
    def _get_retry_domain(self):
        """Settlements that stopped half way.

        One that was once handed over or told as paid is left to people, and so is a bill that
        somebody took back to a draft: it is posted when they have finished with it.
        """
        unfinished = Domain("state", "=", "draft") & Domain("line_ids.state", "=", "settled")
        unfinished &= Domain("bill_id", "=", False) | Domain("bill_id.posted_before", "=", False)
        unpaid = Domain("state", "=", "billed") & Domain("company_id.soko_auto_pay", "=", True)
        unpaid &= Domain("bill_id.matched_payment_ids", "=", False)
        return (unfinished | unpaid) & Domain("paid_notice_date", "=", False)

    # === BUSINESS METHODS - BILL AND PAYMENT === #

    def _process(self):
        """Take the settlements as far as they go: bill, posting, payment.

        Raises nothing but PostgreSQL's own call to run the transaction again. Those that another
        worker has are passed over.

        All are taken at once; where that fails, one half and then the other, down to the payee
        whose data is broken, who costs a few more tries and never stops the payment of others.
        """
        self.try_lock_for_update()._process_locked()

    def _process_locked(self):
        if len(self) < 2:
            self._process_alone()
            return
        try:
            with self.env.cr.savepoint():
                self._make_bills()
                self._register_payments()
                self._clear_failure()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise  # not a payee's fault: the whole step is run again
        except Exception as error:
            # Whoever it is of is found, and keeps the reason.
            _logger.info("Settled in smaller parts: %s", type(error).__name__)
            self.invalidate_recordset()
            middle = len(self) // 2
            self[:middle]._process_locked()
            self[middle:]._process_locked()

    def _process_alone(self):
        """Process one settlement, or none.

        Each step has its own savepoint, so that a payment that can't be made keeps the bill. The
        reason of a failure stays on the settlement, in its chatter and as an activity.
        """
        try:
            with self.env.cr.savepoint():
                self._make_bills()
            with self.env.cr.savepoint():
                self._register_payments()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise  # not the payee's fault: the whole step is run again
        except Exception as error:
            # Any other failure: one payee's broken data must never stop the payment of the others.
            self.invalidate_recordset()
            self._note_failure(error)
        else:
            self._clear_failure()

    def _deduct_advances(self):
        """Let open advances of these settlements' artisans take their share, oldest first.

        A group's settlement pays back only the advances of the members whose pieces it pays, out
        of what those earned. What is left never goes below zero; the rest waits for the next one.
        """
        advances = self.env["soko.advance"].search(
            [
                ("artisan_id", "in", self.line_ids.artisan_id.ids),
                ("company_id", "in", self.company_id.ids),
                ("state", "=", "paid_out"),
            ],
            order="date, id",
        )
        if not advances:
            return
        advances.lock_for_update(allow_referencing=True)
        owed = {advance: advance.balance for advance in advances}
        by_artisan = advances.grouped(lambda advance: (advance.artisan_id, advance.company_id))
        vals_list = []
        for settlement in self:
            lines, left = settlement.line_ids.grouped("artisan_id"), settlement.amount_payable
            for (artisan, company), group in by_artisan.items():
                if artisan in lines and company == settlement.company_id:
                    earned = sum(lines[artisan].mapped("amount"))
                    taken = settlement._deduct_from(earned, left, group, owed)
                    left -= sum(vals["amount"] for vals in taken)
                    vals_list += taken
        self.env["soko.advance.repayment"].create(vals_list)

    def _deduct_from(self, earned, left, advances, owed):
        """Take the share of each of one artisan's `advances` out of what she `earned` here.

        :param float left: what is left of the whole settlement
        :param dict owed: {advance: still to pay back}; what is taken here is taken off
        :return: the values of the repayments
        """
        self.ensure_one()
        left, vals_list = min(earned, left), []
        for advance in advances:
            share = advance._get_share_of(earned, left, owed[advance])
            if self.currency_id.compare_amounts(share, 0) > 0:
                vals_list.append(
                    {"advance_id": advance.id, "settlement_id": self.id, "amount": share}
                )
                left -= share
                owed[advance] -= share
        return vals_list

    def _make_bills(self):
        """Make and post the self-billed vendor bills, one a settlement and once."""
        for company, settlements in self.grouped("company_id").items():
            new = settlements.with_company(company).filtered(lambda s: not s.bill_id)
            bills = new.env["account.move"].create([s._prepare_bill_vals() for s in new])
            for settlement, bill in zip(new, bills, strict=True):
                settlement.bill_id = bill
            # Odoo tracks nothing of what happens to a document while it is made.
            bills._message_log_batch(
                bodies={
                    bill.id: self.env._("Made and posted for the settlement %s.", bill.ref)
                    for bill in bills
                }
            )
            drafts = settlements.bill_id.filtered(lambda bill: bill.state == "draft")
            if drafts:
                drafts.action_post()

    def _prepare_bill_vals(self):
        """Return the values of the bill: we write it for the artisan (self-billing)."""
        self.ensure_one()
        today = self.company_id._soko_today()
        return {
            "move_type": "in_invoice",
            "partner_id": self.payee_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": today,
            "invoice_date_due": today,
            "invoice_payment_term_id": False,
            "ref": self.name,
            "payment_reference": self.name,
            "invoice_origin": self.name,
            "journal_id": self.company_id._soko_get_settlement_journal().id,
            "invoice_line_ids": [
                Command.create(self._prepare_bill_line_vals(lines))
                for lines in self.line_ids._split_for_bill()
            ]
            + [
                Command.create(self._prepare_repayment_line_vals(repayment))
                for repayment in self.repayment_ids
            ],
        }

    def _prepare_repayment_line_vals(self, repayment):
        """Return the values of the bill line that pays an advance back."""
        return {
            "name": self.env._("Advance paid back: %(advance)s", advance=repayment.advance_id.name),
            "quantity": 1,
            "price_unit": -repayment.amount,
            "account_id": self.company_id._soko_get_advance_account().id,
            "tax_ids": [Command.clear()],
        }

    def _prepare_bill_line_vals(self, lines):
        """Return the values of the bill line for settlement lines of one product and price.

        Without a fiscal position on the payee there is no tax: the agreed price is what the
        artisan receives, and the consigned product's purchase tax is meant for goods that we buy.
        With one, Odoo maps the purchase tax, to a withholding tax for example.
        """
        position = self.payee_id.with_company(self.company_id).property_account_position_id
        product = lines.product_id
        purchase_taxes = product.supplier_taxes_id._filter_taxes_by_company(self.company_id)
        taxes = position.map_tax(purchase_taxes) if position else purchase_taxes.browse()
        accounts = product.product_tmpl_id.get_product_accounts(
            fiscal_pos=self.payee_id.property_account_position_id
        )
        return {
            "product_id": product.id,
            "name": lines._get_bill_text(),
            "quantity": sum(lines.mapped("quantity_kept")),
            "price_unit": lines[0].price_unit,
            "product_uom_id": product.uom_id.id,
            "account_id": accounts["expense"].id,
            "tax_ids": [Command.set(taxes.ids)],
        }

    def _register_payments(self):
        """Hand the bills over to the payees' own payment methods, when the company says so.

        One wizard for all bills of one method: each payee has a payment of their own.
        """
        payable = self.filtered(lambda settlement: settlement._is_to_pay())
        for settlement in payable:
            settlement._check_bill_amount()
        methods = payable.grouped(lambda s: (s.company_id, s._get_method_line()))
        for (company, method_line), settlements in methods.items():
            settlements.with_company(company)._pay_with(method_line)

    def _get_method_line(self):
        """Return the payee's payment method in the company of the settlement."""
        payee = self.payee_id.with_company(self.company_id)
        return payee.property_outbound_payment_method_line_id.with_env(self.env)

    def _is_to_pay(self):
        """Tell whether a machine may pay this settlement, and it isn't paid yet."""
        self.ensure_one()
        open_bill = self.bill_id.payment_state in ("not_paid", "partial")
        if not (self.company_id.soko_auto_pay and open_bill and self._get_method_line()):
            return False
        # Told as paid once: whatever was undone in the books since, people decide, not machines.
        return not (self._get_payments() or self.paid_notice_date)

    def _pay_with(self, method_line):
        """Pay the bills of these settlements, each by a payment of its own.

        :raise UserError: Odoo would leave one of them out, or can't pay one
        """
        self.bill_id.fetch(["payment_reference"])  # else the wizard reads them one by one
        wizard = (
            self.env["account.payment.register"]
            .with_context(
                active_model="account.move", active_ids=self.bill_id.ids, soko_together=True
            )
            .create(self._prepare_payment_register_vals(method_line))
        )
        payments = wizard._create_payments()
        payments.with_context(soko_together=False)._soko_notice_settlements()
        if left := self.filtered(lambda settlement: not settlement.bill_id.matched_payment_ids):
            # Of many bills, Odoo passes over those that it can't pay; of one, it says why.
            raise UserError(
                self.env._("Odoo made no payment for %(bills)s.", bills=left[0].bill_id.name)
            )

    def _check_bill_amount(self):
        """Refuse to pay, by itself, another sum than the pieces earned.

        :raise UserError: somebody changed the bill
        """
        billed = self.bill_id.amount_untaxed
        if self.currency_id.compare_amounts(billed, self.amount_payable):
            raise UserError(
                self.env._(
                    "The bill %(bill)s was changed: it says %(billed)s and the pieces earned "
                    "%(earned)s. Put the bill right, or pay it by hand.",
                    bill=self.bill_id.display_name,
                    billed=self.currency_id.format(billed),
                    earned=self.currency_id.format(self.amount_payable),
                )
            )

    def _prepare_payment_register_vals(self, method_line):
        """Return the values of the payment wizard for the payee's `method_line`."""
        return {
            "journal_id": method_line.journal_id.id,
            "payment_method_line_id": method_line.id,
            "payment_date": self.company_id._soko_today(),
        }

    def _note_failure(self, error):
        """Keep what went wrong where people look, once for each new reason."""
        text = str(error) or type(error).__name__
        _logger.info("%s could not be settled: %s", self.name, type(error).__name__)
        if text == self.failure:
            return
        self.failure = text
        self.message_post(body=self.env._("Not settled: %(reason)s", reason=text))
        managers = self.env.ref(SETTLER).all_user_ids
        manager = managers.filtered(lambda u: self.company_id in u.company_ids)[:1]
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Not settled"),
            note=text,
            user_id=(manager or self.env.user).id,
        )

    def _clear_failure(self):
        """Take the reason away, and the activity with it, when the next try went well."""
        failed = self.filtered("failure")
        if failed:
            failed.failure = False
            failed.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS - TELLING THE ARTISAN === #

    @api.model
    def _trigger_paid_notice(self):
        """Wake the run that tells artisans about proven payments."""
        # sudo: whoever proves a payment may wake the run, and nothing else of it
        self.env.ref("soko_artisan.ir_cron_notify_paid").sudo()._trigger()

    @api.model
    def _cron_notify_paid(self):
        """Tell the artisans about payments that are proven, each exactly once."""
        self.env["soko.settlement"].flush_model(["state"])
        self.search([("state", "=", "paid"), ("paid_notice_date", "=", False)])._notify_paid()

    def _notify_paid(self):
        """Write the message about the payment to each artisan; the stamp makes it once.

        Stamp and message are one transaction: either both stay or neither does.
        """
        todo = self.try_lock_for_update().filtered(
            lambda s: s.state == "paid" and not s.paid_notice_date
        )
        for company, settlements in todo.grouped("company_id").items():
            settlements.write(
                {"paid_notice_date": fields.Datetime.now(), "date_paid": company._soko_today()}
            )
        for settlement in todo:
            for artisan, lines in settlement.line_ids.grouped("artisan_id").items():
                artisan_lang = settlement.with_context(lang=artisan.partner_id.lang)
                artisan._send_sms(artisan_lang._get_paid_text(lines), settlement)

    def _get_paid_text(self, lines):
        """Return the text message about `lines` of one artisan, in the language of the context."""
        repaid = self.repayment_ids.filtered(lambda r: r.artisan_id == lines.artisan_id)
        amount = sum(lines.mapped("amount")) - sum(repaid.mapped("amount"))
        quantity = sum(lines.mapped("quantity_kept"))
        if repaid:
            return self._get_repaid_text(amount, quantity, repaid)
        return self.env._(
            "Soko paid %(currency)s %(amount)s to %(payee)s. Pieces sold: %(count)s. "
            "Receipt: %(receipt)s. (%(name)s)",
            payee=self.payee_id.name,
            currency=self.currency_id.name,
            amount=f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}",
            count=f"{quantity:g}",
            receipt=self.payment_reference or self.name,
            name=self.name,
        )

    def _get_repaid_text(self, amount, quantity, repaid):
        """Return the text message of a payment that also paid advances back."""
        return self.env._(
            "Soko paid %(currency)s %(amount)s to %(payee)s. Pieces sold: %(count)s. Advance paid "
            "back: %(repaid)s, left: %(balance)s. Receipt: %(receipt)s. (%(name)s)",
            payee=self.payee_id.name,
            currency=self.currency_id.name,
            amount=f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}",
            count=f"{quantity:g}",
            repaid=f"{sum(repaid.mapped('amount')):,.0f}",
            balance=f"{sum(repaid.advance_id.mapped('balance')):,.0f}",
            receipt=self.payment_reference or self.name,
            name=self.name,
        )
