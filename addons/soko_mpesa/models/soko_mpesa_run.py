import logging
import time
from collections import defaultdict
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import PASS_BUDGET
from ..tools import eat
from ..tools.context import undefaulted
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

# Bills that are paid in one transaction: what a kill can undo, and what one failure delays.
CHUNK = 100
CHUNK_TRIES = 5
# What people may write; all else is written by the steps below.
ENTERED = {"account_id", "date_to", "partner_ids"}


class SokoMpesaRun(models.Model):
    """Pay the due bills of many payees by M-Pesa, one payment a payee.

    A person looks at the preview and confirms; a job makes the payments in chunks, each in a
    transaction of its own. What a chunk has paid is known by its lines: a job that is killed goes
    on where it stopped.
    """

    _name = "soko.mpesa.run"
    _description = "M-Pesa payment run"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _allow_sudo_commands = False

    name = fields.Char(required=True, readonly=True, default="/", copy=False)
    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="restrict", check_company=True,
        default=lambda self: self.env["soko.mpesa.account"].search([
            ("company_id", "=", self.env.company.id)], limit=1),
        help="The M-Pesa account that pays. Its payees have its M-Pesa as their payment method.",
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    date_to = fields.Date(
        string="Due up to", required=True, default=lambda self: fields.Date.context_today(self),
        help="Bills that are due until this day are paid.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Only these vendors",
        help="Empty: all vendors that are paid by M-Pesa.",
    )
    state = fields.Selection(
        [("draft", "Preview"), ("running", "Paying"), ("done", "Done"), ("cancelled", "Cancelled")],
        required=True, default="draft", readonly=True, index=True, copy=False,
    )
    user_id = fields.Many2one(
        "res.users", string="Confirmed by", readonly=True, copy=False,
        help="The maker of the payments: somebody else approves them.",
    )
    confirmed_at = fields.Datetime(readonly=True, copy=False)
    done_at = fields.Datetime(readonly=True, copy=False)
    line_ids = fields.One2many("soko.mpesa.run.line", "run_id", readonly=True)
    to_pay_count = fields.Integer(string="Payees to pay", compute="_compute_totals")
    total = fields.Integer(string="Total (KES)", compute="_compute_totals")
    fees = fields.Monetary(
        compute="_compute_totals", help="What M-Pesa will charge, by the account's tariff.",
    )
    done_count = fields.Integer(string="Handed over", compute="_compute_totals")
    failed_count = fields.Integer(string="Failed", compute="_compute_totals")
    waiting_count = fields.Integer(string="Waiting", compute="_compute_totals")
    news_count = fields.Integer(string="New or changed", compute="_compute_totals")
    progress = fields.Float(compute="_compute_totals")
    float_amount = fields.Monetary(related="account_id.float_amount", string="Float now")
    float_at = fields.Datetime(related="account_id.float_at")
    float_after = fields.Monetary(
        compute="_compute_totals",
        help="The float less this run and its fees. Below zero: top up before you confirm.",
    )

    # === COMPUTE METHODS === #

    @api.depends("line_ids.state", "line_ids.amount", "account_id.float_amount")
    def _compute_totals(self):
        groups = self.env["soko.mpesa.run.line"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "state", "is_new"],
            ["__count", "amount:sum", "fee:sum"],
        )
        found = defaultdict(lambda: [0, 0, 0, 0])
        for run, state, is_new, count, amount, fee in groups:
            for index, value in enumerate((count, amount, fee, count if is_new else 0)):
                found[run.id, state][index] += value
        for run in self:
            sums = {state: found[run.id, state]
                    for state in ("ready", "posted", "failed", "waiting")}
            run.to_pay_count = sum(sums[state][0] for state in ("ready", "posted", "failed"))
            run.total = sums["ready"][1] + sums["posted"][1]
            run.fees = sums["ready"][2] + sums["posted"][2]
            run.news_count = sums["ready"][3] + sums["posted"][3]
            run.done_count, run.failed_count = sums["posted"][0], sums["failed"][0]
            run.waiting_count = sums["waiting"][0]
            settled = run.done_count + run.failed_count
            run.progress = 100 * settled / run.to_pay_count if run.to_pay_count else 0
            run.float_after = run.float_amount - sums["ready"][1] - sums["ready"][2]

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_entered(vals)
        # sudo: a sequence is drawn from, not edited
        sequence = self.env["ir.sequence"].sudo()
        # keywords could add keys, not take any away
        kept = undefaulted(self.env.context, ENTERED)
        clean = self.with_context(kept)  # pylint: disable=context-overridden
        return super(SokoMpesaRun, clean).create([
            {**vals, "name": sequence.next_by_code(self._name) or "/"} for vals in vals_list
        ])

    def write(self, vals):
        self._check_entered(vals)
        if vals.keys() & ENTERED and any(run.state != "draft" for run in self):
            raise UserError(self.env._("This run was confirmed. Make a new one."))
        return super().write(vals)

    def _check_entered(self, vals):
        if not self.env.su and vals.keys() - ENTERED:
            raise AccessError(self.env._("Use the buttons of the payment run."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        if any(run.state not in ("draft", "cancelled") for run in self):
            raise UserError(self.env._("A run that paid somebody is kept."))

    # === ACTION METHODS === #

    def action_collect(self):
        """Look up the due bills and show what would be paid."""
        self._check_is_maker()
        for run in self:
            run._check_is_draft()
            run._collect()

    def action_confirm(self):
        """Have the payments made by the job."""
        self._check_is_maker()
        self.env["account.payment"]._soko_mpesa_check_may_pay()
        for run in self:
            run._check_is_draft()
            run._confirm()

    def action_cancel(self):
        """Pay nobody more in this run; what was handed over stays."""
        self._check_is_maker()
        for run in self:
            if run.state not in ("draft", "running"):
                raise UserError(self.env._("This run is over."))
            # sudo: people can't write the state; the right was checked
            run.sudo().write({"state": "cancelled", "done_at": fields.Datetime.now()})

    def action_open_payments(self):
        self.ensure_one()
        self.check_access("read")
        payments = self.env["account.payment"].search([
            ("soko_mpesa_run_line_id.run_id", "=", self.id)])
        return payments._get_records_action(name=self.env._("Payments"))

    def action_open_payouts(self):
        self.ensure_one()
        self.check_access("read")
        payouts = self.env["soko.mpesa.payout"].search([
            ("payment_id.soko_mpesa_run_line_id.run_id", "=", self.id)])
        return payouts._get_records_action(name=self.env._("Payouts"))

    def _check_is_maker(self):
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("soko_mpesa.soko_mpesa_group_maker"):
            raise AccessError(self.env._(
                "To pay by M-Pesa you need the role \"M-Pesa: Maker\". Ask your administrator."
            ))

    def _check_is_draft(self):
        if self.state != "draft":
            raise UserError(self.env._("This run was confirmed. Make a new one."))

    # === PREVIEW === #

    def _collect(self):
        """Make the lines anew from the bills that are open and due now."""
        # sudo: people can't write lines; what is collected is decided here
        run = self.sudo().with_company(self.company_id)
        run.line_ids.unlink()
        lines = run.env["soko.mpesa.run.line"]
        lines.create(lines._prepare_lines(run, run._find_due()))

    def _find_due(self):
        """Return the open, due payable items of vendors that this account pays.

        Credit notes are among them: they are netted, as Odoo's own wizard does it.
        """
        method_lines = self.account_id._get_method_lines()
        domain = [
            ("company_id", "=", self.company_id.id), ("parent_state", "=", "posted"),
            ("move_id.move_type", "in", ("in_invoice", "in_refund", "in_receipt")),
            ("move_id.payment_state", "in", ("not_paid", "partial")),
            ("account_type", "=", "liability_payable"), ("reconciled", "=", False),
            ("date_maturity", "<=", self.date_to),
            ("partner_id.property_outbound_payment_method_line_id", "in", method_lines.ids),
        ]
        if self.partner_ids:
            domain.append(("partner_id", "in", self.partner_ids.commercial_partner_id.ids))
        return self.env["account.move.line"].search(domain, order="partner_id, date_maturity, id")

    def _confirm(self):
        if not self.line_ids.filtered(lambda line: line.state == "ready"):
            raise UserError(self.env._(
                "There is nobody to pay in this run. The lines say why each payee waits."
            ))
        # sudo: people can't write these; the right was checked
        self.sudo().write({
            "state": "running", "user_id": self.env.uid, "confirmed_at": fields.Datetime.now(),
        })
        self._nudge()

    def _nudge(self):
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_run").sudo()._trigger()

    # === PAYING === #

    @api.model
    @beats("ir_cron_run")
    def _cron_run(self):
        """Make the payments of confirmed runs, until the time of this pass is over."""
        stop_at = time.monotonic() + PASS_BUDGET
        # sudo: the cron's user need not have an M-Pesa role
        for run in self.sudo().search([("state", "=", "running")], order="id"):
            while run._pay_chunk():
                if time.monotonic() > stop_at:
                    self._nudge()
                    return

    def _pay_chunk(self):
        """Pay one chunk with a cursor of its own; return whether there may be more.

        One transaction for a whole run would be quadratic, and a kill would undo all of it.
        """
        user = self.user_id.id or SUPERUSER_ID
        context = {"allowed_company_ids": self.company_id.ids, "tracking_disable": True}
        for _try in range(CHUNK_TRIES):
            try:
                with self.env.registry.cursor() as cr:
                    runs = api.Environment(cr, user, context)[self._name]
                    return runs.browse(self.id)._pay_next()
            except OperationalError:
                continue  # somebody pays or edits the same bills: read again
        self._nudge()
        return False

    def _pay_next(self):
        """Pay what the next lines say, under the locks. The caller commits."""
        self.env.cr.execute("""
            SELECT id FROM soko_mpesa_run_line WHERE run_id = %s AND state = 'ready'
             ORDER BY id LIMIT %s FOR NO KEY UPDATE
        """, [self.id, CHUNK])
        ids = [line_id for (line_id,) in self.env.cr.fetchall()]
        # sudo: people can't write runs and lines; it was confirmed by a maker
        run = self.sudo()
        if run.state != "running":
            return False
        if not ids:
            run.write({"state": "done", "done_at": fields.Datetime.now()})
            return False
        self.env.cr.execute("""
            SELECT id FROM account_move_line WHERE id IN (
                   SELECT account_move_line_id FROM account_move_line_soko_mpesa_run_line_rel
                    WHERE soko_mpesa_run_line_id IN %s) ORDER BY id FOR NO KEY UPDATE
        """, [tuple(ids)])
        self.env["soko.mpesa.run.line"].browse(ids)._pay()
        return True

    # === SCHEDULE === #

    @api.model
    @beats("ir_cron_schedule")
    def _cron_schedule(self):
        """Begin the runs that accounts are set to make by themselves."""
        today = eat.day_of(fields.Datetime.now())
        # sudo: the cron's user need not have an M-Pesa role
        for account in self.env["soko.mpesa.account"].sudo().search([
            ("pay_due", "!=", "no"), ("pay_due_next", "<=", today),
        ]):
            account.pay_due_next = today + timedelta(days=7 if account.pay_due == "weekly" else 1)
            run = self.sudo().create({"account_id": account.id, "date_to": today})
            run._collect()
            if run.to_pay_count:
                run._confirm()
            elif not run.line_ids:
                run.unlink()
            self.env["ir.cron"]._commit_progress(1)
