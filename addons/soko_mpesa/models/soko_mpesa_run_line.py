import logging

from psycopg2 import OperationalError

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..const import MIN_AMOUNT
from ..tools import eat
from ..tools.amounts import to_cents, whole_shillings

_logger = logging.getLogger(__name__)


class SokoMpesaRunLine(models.Model):
    """What one payee gets in a payment run, or why she waits."""

    _name = "soko.mpesa.run.line"
    _description = "M-Pesa payment run line"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "is_new desc, amount desc, id"
    _rec_name = "partner_id"
    _allow_sudo_commands = False

    run_id = fields.Many2one(
        "soko.mpesa.run", required=True, index=True, ondelete="cascade", readonly=True,
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, readonly=True, default=lambda self: self.env.ref("base.KES"),
    )
    partner_id = fields.Many2one(
        "res.partner", string="Payee", required=True, readonly=True, index=True,
        ondelete="restrict",
    )
    partner_bank_id = fields.Many2one(
        "res.partner.bank", string="M-Pesa number", readonly=True, ondelete="restrict",
    )
    move_line_ids = fields.Many2many(
        "account.move.line", string="Bills", readonly=True,
        help="The open items that are settled, credit notes among them.",
    )
    owed = fields.Monetary(readonly=True, help="The open bills less the open credit notes.")
    amount = fields.Integer(
        string="Pays (KES)", readonly=True, aggregator="sum",
        help="Whole shillings. Cents are carried to the payee's next payment.",
    )
    part_count = fields.Integer(
        string="Payments", readonly=True, help="More than one: it is too much for one payment.",
    )
    fee = fields.Monetary(readonly=True, help="What M-Pesa charges for it, by the tariff.")
    is_new = fields.Boolean(string="New or changed", readonly=True)
    news = fields.Char(
        string="Look at", readonly=True, help="What is new about this payee or the number.",
    )
    state = fields.Selection(
        [("ready", "To pay"), ("waiting", "Waits"), ("posted", "Handed over"),
         ("failed", "Failed")],
        required=True, default="ready", readonly=True,
    )
    reason = fields.Char(readonly=True, help="Why it waits, or why it failed.")
    payment_ids = fields.One2many("account.payment", "soko_mpesa_run_line_id", readonly=True)

    _queue_idx = models.Index("(run_id, id) WHERE state = 'ready'")

    # === PREVIEW === #

    @api.model
    def _prepare_lines(self, run, items):
        """Return the values of a line for each payee (and payable account) of these items.

        :param run: soko.mpesa.run
        :param items: account.move.line, open payable items
        """
        account, partners = run.account_id, items.partner_id
        carried = account._get_carried(partners)
        groups = items.grouped(lambda item: (item.partner_id, item.account_id))
        vals_list = []
        for (partner, _payable), lines in groups.items():
            vals = self._prepare_line(run, partner, lines, carried)
            vals_list.append(vals)
        banks = self.env["res.partner.bank"].browse(
            [vals["partner_bank_id"] for vals in vals_list if vals["partner_bank_id"]])
        news = banks._soko_mpesa_get_news()
        for vals in vals_list:
            text = news.get(vals["partner_bank_id"], "")
            vals.update(news=text, is_new=bool(text))
        return vals_list

    def _prepare_line(self, run, partner, lines, carried):
        """Return the values of one line; `carried` is brought up to date."""
        account = run.account_id
        owed = to_cents(-sum(lines.mapped("amount_residual_currency")))
        bank, reason = self._find_payee(run, partner)
        pays = int(owed)
        if not reason:
            pays, reason = self._plan(account, partner, lines, owed, carried)
        parts = account._split_amount(pays) if not reason else []
        return {
            "run_id": run.id, "partner_id": partner.id, "partner_bank_id": bank.id,
            "move_line_ids": [Command.set(lines.ids)], "owed": float(owed),
            "amount": 0 if reason else pays, "part_count": len(parts),
            "fee": float(sum(account._get_fee(part) or 0 for part in parts)),
            "state": "waiting" if reason else "ready", "reason": reason or False,
        }

    @api.model
    def _find_payee(self, run, partner):
        """Return the payee's number, and why it can't be paid to (or an empty text)."""
        payment = self.env["account.payment"].new({
            "payment_type": "outbound", "partner_id": partner.id,
            "journal_id": run.account_id.journal_id.id, "company_id": run.company_id.id,
            "partner_bank_id": False,
        })
        payment._soko_mpesa_pick_payee()
        try:
            payment._soko_mpesa_check_payee()
        except UserError as error:
            return payment.partner_bank_id._origin, str(error)
        return payment.partner_bank_id._origin, ""

    @api.model
    def _plan(self, account, partner, lines, owed, carried):
        """Return the whole shillings to pay, and why they wait (or an empty text)."""
        if lines.currency_id != account.currency_id:
            return 0, self.env._("Some of the bills aren't in Kenyan shillings.")
        if owed <= 0:
            return 0, self.env._("Nothing is owed: the credit notes are as large as the bills.")
        if owed % 1 and not account.remainder_account_id:
            return 0, self.env._(
                "The bills have cents, and the M-Pesa account has no account to carry them. An "
                "M-Pesa manager presses Set up journal."
            )
        pays, rest = whole_shillings(owed, carried.get(partner.id, 0))
        if not account.remainder_account_id:
            pays = int(owed)
        if pays < MIN_AMOUNT:
            return pays, self.env._(
                "Less than %s KES: it is paid together with the payee's next bills.", MIN_AMOUNT)
        carried[partner.id] = rest
        return pays, ""

    # === ACTION METHODS === #

    def action_leave_out(self):
        """Don't pay these payees in this run."""
        self.check_access("read")
        self.run_id._check_is_maker()
        for line in self:
            line.run_id._check_is_draft()
            # sudo: people can't write lines; to leave somebody out is always safe
            line.sudo().write({
                "state": "waiting", "amount": 0, "fee": 0, "part_count": 0,
                "reason": self.env._("Left out by %s.", self.env.user.name),
            })

    # === PAYING === #

    def _pay(self):
        """Pay these lines; one that fails gets its reason and keeps no other from being paid."""
        try:
            with self.env.cr.savepoint():
                self._pay_together()
        except OperationalError:
            raise
        except Exception as error:  # one payee's trouble is not another's
            if len(self) == 1:
                self._fail(error)
                return
            middle = len(self) // 2
            self[:middle]._pay()
            self[middle:]._pay()

    def _fail(self, error):
        known = isinstance(error, UserError | AccessError | ValidationError)
        if not known:
            _logger.warning("M-Pesa run line %s failed", self.id, exc_info=True)
        # sudo: people can't write lines; the reason is for them
        self.sudo().write({"state": "failed", "reason": str(error) if known else self.env._(
            "It couldn't be posted for a reason that only the log of the server tells.")})

    def _pay_together(self):
        """Post the payments of these lines and match them with the bills, all as one batch.

        :raise UserError: the bills of one changed since the preview, or can't be paid
        """
        today = eat.day_of(fields.Datetime.now())
        lines = self.sudo()  # sudo: what was previewed is read as it is; payments are the user's
        account = lines.run_id.account_id
        for line in lines:
            line._check_unchanged()
        plan = account._plan_amounts(
            [(line.partner_id, to_cents(line.owed), True) for line in lines], today)
        vals_list = []
        for line, (parts, cents) in zip(lines, plan, strict=True):
            vals_list += line._prepare_payments(account, today, parts, cents)
        payments = self.env["account.payment"]
        with payments._soko_mpesa_together():
            payments = payments.create(vals_list)
            payments.action_post()
        by_line = payments.grouped(lambda payment: payment.soko_mpesa_run_line_id.id)
        self.env["account.move.line"]._reconcile_plan([
            line._get_matches(by_line[line.id]) for line in lines
        ])
        lines.write({"state": "posted", "reason": False})

    def _check_unchanged(self):
        """:raise UserError: something else is owed than the maker saw"""
        items = self.move_line_ids.filtered(lambda item: item.parent_state == "posted")
        now = to_cents(-sum(items.mapped("amount_residual_currency")))
        if now != to_cents(self.owed):
            raise UserError(self.env._(
                "%(before)s KES were owed in the preview, now it is %(now)s KES: a bill was paid "
                "or changed meanwhile. What is still open comes into the next run.",
                before=to_cents(self.owed), now=now,
            ))

    def _prepare_payments(self, account, today, parts, cents):
        """Return the values of the payments of this line, one for each part."""
        items = self.move_line_ids
        memo = ", ".join(sorted(filter(None, (
            move.payment_reference or move.ref or move.name for move in items.move_id))))
        vals = {
            "payment_type": "outbound", "partner_type": "supplier", "date": today,
            "partner_id": self.partner_id.id, "partner_bank_id": self.partner_bank_id.id,
            "journal_id": account.journal_id.id, "currency_id": account.currency_id.id,
            "payment_method_line_id": account._get_method_lines()[:1].id,
            "destination_account_id": items[0].account_id.id, "memo": memo,
            "invoice_ids": [Command.set(items.move_id.ids)], "soko_mpesa_run_line_id": self.id,
        }
        made = [{**vals, "amount": amount, "soko_mpesa_run_part": number}
                for number, amount in enumerate(parts, 1)]
        if cents:
            made[-1]["write_off_line_vals"] = cents
        return made

    def _get_matches(self, payments):
        """Return the journal items that settle each other: bills, credit notes, payments."""
        payable = self.move_line_ids[0].account_id
        items = payments.move_id.line_ids.filtered(lambda item: item.account_id == payable)
        return items + self.move_line_ids.with_env(payments.env)
