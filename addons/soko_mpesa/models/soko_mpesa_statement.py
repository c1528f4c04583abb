import base64
import hashlib
import time
from collections import Counter
from datetime import timedelta

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import APPROVER, MANAGER, PASS_BUDGET
from ..tools import eat, match
from ..tools import statement as st
from ..tools.context import undefaulted
from .soko_mpesa_heartbeat import beats

CHUNK = 100
# Payments that a transaction hears of that they are absent: few, since each may be busy just then.
VOTES = 10
# What people may enter; everything else follows from the file.
ENTERED = {"account_id", "file", "filename"}
SHOWN = 100


class SokoMpesaStatement(models.Model):
    """An export of the organisation portal: uploaded, checked, imported, and kept as it is.

    Approvers and managers import. A maker alone can't: a statement decides what counts as paid,
    and who makes payments must not decide that. Who is a manager and made a payment can bring
    proof that it was paid, never that it wasn't or that it was taken back.
    """

    _name = "soko.mpesa.statement"
    _description = "M-Pesa statement"
    _inherit = ["mail.thread", "soko.mpesa.export.mixin"]
    _order = "ends desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"
    _allow_sudo_commands = False

    name = fields.Char(compute="_compute_name", store=True)
    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, check_company=True, ondelete="restrict",
        default=lambda self: self.env["soko.mpesa.account"].search([], limit=1),
        help="The account whose statement this is.",
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True, precompute=True)
    currency_id = fields.Many2one(related="account_id.currency_id")
    file = fields.Binary(
        required=True, attachment=True,
        help="The export of the M-Pesa organisation portal as it is: CSV or XLSX, not opened "
             "and saved by another program.",
    )
    filename = fields.Char()
    sha256 = fields.Char(readonly=True, index=True)
    state = fields.Selection(
        [
            ("draft", "Uploaded"), ("checked", "Checked"), ("importing", "Being imported"),
            ("imported", "Imported"),
        ],
        required=True, default="draft", readonly=True, index=True, tracking=True,
    )
    begins = fields.Datetime(readonly=True, string="From")
    ends = fields.Datetime(
        readonly=True, string="Up to",
        help="When the last row was completed. What happened later isn't known from this file.",
    )
    opening_balance = fields.Monetary(readonly=True)
    closing_balance = fields.Monetary(readonly=True)
    total = fields.Monetary(readonly=True, string="Moved", help="The sum of the completed rows.")
    sound = fields.Boolean(
        readonly=True, string="Adds up",
        help="Opening balance and rows give the closing balance, row by row. Only such a "
             "statement can show that a payment was not made.",
    )
    problems = fields.Text(readonly=True)
    preview = fields.Html(readonly=True, sanitize=True)
    row_count = fields.Integer(readonly=True, string="Rows")
    known_count = fields.Integer(readonly=True, string="Imported before")
    done_count = fields.Integer(compute="_compute_counts", string="Worked out")
    progress = fields.Float(compute="_compute_counts")
    difference_count = fields.Integer(compute="_compute_counts", string="Differences")
    imported_by = fields.Many2one("res.users", readonly=True, tracking=True)
    imported_at = fields.Datetime(readonly=True)
    voted_id = fields.Integer(
        readonly=True, help="The last open payment that was looked for among the rows.",
    )
    row_ids = fields.One2many("soko.mpesa.statement.row", "statement_id", readonly=True)
    difference_ids = fields.One2many("soko.mpesa.difference", "statement_id", readonly=True)

    # === COMPUTE METHODS === #

    @api.depends("account_id", "begins", "ends", "filename")
    def _compute_name(self):
        for statement in self:
            if statement.ends:
                # days as in the file, which are Nairobi's
                first = eat.day_of(statement.begins)
                last = eat.day_of(statement.ends)
                period = f"{first:%d.%m.%Y}" + (f" - {last:%d.%m.%Y}" if last != first else "")
                statement.name = f"{statement.account_id.shortcode}: {period}"
            else:
                statement.name = statement.filename or statement.env._("New statement")

    def _compute_counts(self):
        rows, differences = (
            {statement.id: count for statement, count in self.env[model]._read_group(
                [("statement_id", "in", self.ids), *domain], ["statement_id"], ["__count"])}
            for model, domain in (
                ("soko.mpesa.statement.row", [("state", "!=", "new")]),
                ("soko.mpesa.difference", []))
        )
        for statement in self:
            statement.done_count = rows.get(statement.id, 0)
            new = statement.row_count - statement.known_count
            statement.progress = 100.0 * statement.done_count / new if new > 0 else 100.0
            statement.difference_count = differences.get(statement.id, 0)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_entered(vals)
        # keywords could add keys, not take any away
        kept = undefaulted(self.env.context, ENTERED)
        clean = self.with_context(kept)  # pylint: disable=context-overridden
        return super(SokoMpesaStatement, clean).create(vals_list)

    def write(self, vals):
        self._check_entered(vals)
        if ENTERED & vals.keys() and any(s.state not in ("draft", "checked") for s in self):
            raise UserError(self.env._("An imported statement stays as it is. Upload a new one."))
        if ENTERED & vals.keys():
            # the check belongs to the file that was there
            vals = {**vals, "state": "draft", "preview": False, "problems": False}
        return super().write(vals)

    def _check_entered(self, vals):
        if not self.env.su:
            self._check_may_import()
            own = {name for name in vals if name.startswith(("message_", "activity_"))}
            if vals.keys() - ENTERED - own:
                raise AccessError(self.env._("A statement says what its file says."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_imported(self):
        if any(statement.state in ("importing", "imported") for statement in self):
            raise UserError(self.env._("An imported statement is kept: it is evidence."))

    @api.model
    def _check_may_import(self):
        user = self.env.user
        if not self.env.su and not (user.has_group(APPROVER) or user.has_group(MANAGER)):
            raise AccessError(self.env._(
                "Statements are imported by M-Pesa approvers and managers, not by who makes "
                "payments."))

    # === ACTION METHODS === #

    def action_check(self):
        """Read the file and show what an import would do. Nothing is booked."""
        self._check_may_import()
        self.check_access("write")
        # sudo: what the check finds can't be written by hand; the right was checked
        for statement in self.sudo():
            statement._check()

    def action_import(self):
        """Import: at once, or by a scheduled job when there are many rows."""
        self._check_may_import()
        self.check_access("write")
        user = self.env.user
        # sudo: rows, evidence and books follow from the file; the right was checked
        for statement in self.sudo():
            statement.lock_for_update(allow_referencing=True)
            statement._begin(user)

    def action_reconciliation(self):
        """Open the reconciliation of the account."""
        self.ensure_one()
        return self.account_id.action_reconciliation()

    # === CHECKING === #

    def _check(self):
        self.ensure_one()
        if self.state not in ("draft", "checked"):
            raise UserError(self.env._("%s is imported already.", self.name))
        export = self._read()
        known, new, troubles = self._sort_out(export)
        self.write({
            **self._prepare_facts(export),
            "problems": "\n".join(self._describe(export)) or False,
            "row_count": len(export.rows), "known_count": len(known),
            "preview": self._make_preview(new, len(known), troubles),
            "state": "draft" if self._describe(export) else "checked",
        })

    def _read(self):
        """:rtype: tools.statement.Export"""
        raw = base64.b64decode(self.with_context(bin_size=False).file or b"")
        self.sha256 = hashlib.sha256(raw).hexdigest()
        return st.parse(raw)

    def _prepare_facts(self, export):
        return {
            "begins": export.begins, "ends": export.ends if export.rows else False,
            "opening_balance": float(export.opening or 0),
            "closing_balance": float(export.closing or 0),
            "total": float(export.total), "sound": export.sound,
        }

    def _describe(self, export):
        """Return what keeps the file from being imported, in words; empty when nothing does."""
        texts = [self._describe_problem(problem) for problem in export.problems]
        if export.shortcode and export.shortcode != self.account_id.shortcode:
            texts.append(self.env._(
                "This is the statement of %(theirs)s; the account %(name)s has the shortcode "
                "%(ours)s. Choose the right account or the right file.",
                theirs=export.shortcode, name=self.account_id.name,
                ours=self.account_id.shortcode))
        if not self.account_id.journal_id:
            texts.append(self.env._(
                "The account has no journal. An M-Pesa manager presses Set up journal."))
        if export.ends and export.ends > fields.Datetime.now() + timedelta(days=1):
            texts.append(self.env._("The file has rows of the future."))
        return texts

    def _describe_problem(self, problem):
        texts = {
            "size": self.env._("The file is too large. Export a shorter period."),
            "rows": self.env._("The file has too many rows. Export a shorter period."),
            "format": self.env._(
                "The file can't be read. Export CSV or XLSX from the M-Pesa organisation portal "
                "(Transaction, Account statement, Export) and upload it as it is."),
            "header": self.env._(
                "The file has no line of column names with \"Receipt No.\". Is it an account "
                "statement of the M-Pesa organisation portal?"),
            "column": self.env._("the column is missing"),
            "formula": self.env._("a formula; files with formulas aren't read"),
            "money": self.env._("this is no amount that can be read without doubt"),
            "date": self.env._("this is no date and time that can be read"),
            "receipt": self.env._("this is no M-Pesa receipt number"),
            "status": self.env._("this is no status of a transaction"),
            "both": self.env._("money came in and went out in the same row"),
        }
        text = texts[problem.code]
        if not problem.row:
            return text
        if not problem.value:
            return self.env._("Row %(row)s, %(column)s: %(text)s",
                              row=problem.row, column=problem.column, text=text)
        return self.env._(
            "Row %(row)s, %(column)s: %(text)s: %(value)s",
            row=problem.row, column=problem.column, text=text, value=problem.value)

    def _sort_out(self, export):
        """Return (keys known before, new rows, what isn't taken: [(kind, row, reason)])."""
        rows, troubles = {}, []
        for row in export.rows:
            twin = rows.get(row.key)
            if twin and twin.balance != row.balance:
                troubles.append(("duplicate", row, self.env._(
                    "Row %(row)s is the same as row %(twin)s, with another balance. It is taken "
                    "once.", row=row.line, twin=twin.line)))
            rows.setdefault(row.key, row)
        stored = self.env["soko.mpesa.statement.row"].search([
            ("account_id", "=", self.account_id.id),
            ("receipt", "in", [row.receipt for row in export.rows])])
        known = set(stored.mapped("key")) & rows.keys()
        edited = {}
        for old in stored.filtered(lambda old: old.status == st.COMPLETED and old.key not in rows):
            edited[old.receipt, old.kind] = old
        new = []
        for key, row in rows.items():
            old = edited.get((row.receipt, row.kind)) if row.status == st.COMPLETED else None
            if key not in known and old:
                troubles.append(("edited", row, self.env._(
                    "Row %(row)s has %(amount)s KES; an earlier statement (%(statement)s) has "
                    "%(before)s KES under this receipt. A statement never changes, so this row "
                    "isn't taken. Export the file anew.",
                    row=row.line, amount=row.amount, before=old.amount,
                    statement=old.statement_id.name)))
            elif key not in known:
                new.append(row)
        for line, amount in export.breaks:
            row = next(row for row in export.rows if row.line == line)
            troubles.append(("gap", row, self.env._(
                "The balance of row %(row)s isn't the one before it and its amount: %(amount)s "
                "KES are missing between them.", row=line, amount=amount)))
        return known, new, troubles

    def _make_preview(self, rows, known, troubles):
        """Return what an import would do, as a table; nothing is written."""
        matcher = self.account_id._get_matcher(rows)
        counts, sums, lines = Counter(), Counter(), []
        for row in self._in_order(rows):
            plan = matcher.plan(row)
            counts[plan.effect] += 1
            sums[plan.effect] += row.amount
            if plan.effect in ("several", "contradiction", "twice", "late", "stranger"):
                lines.append((self._get_effects()[plan.effect], row))
        lines += [(reason, row) for _kind, row, reason in troubles]
        table = Markup().join(
            Markup("<tr><td>%s</td><td class='text-end'>%s</td><td class='text-end'>%s</td></tr>")
            % (label, counts[effect], f"{sums[effect]:,.2f}")
            for effect, label in self._get_effects().items() if counts[effect])
        table += Markup("<tr><td>%s</td><td class='text-end'>%s</td><td/></tr>") % (
            self.env._("Imported before: nothing to do"), known)
        items = Markup().join(
            Markup("<li>%s: %s KES: %s</li>") % (row.receipt, f"{row.amount:,.2f}", text)
            for text, row in lines[:SHOWN])
        return Markup(
            "<table class='table table-sm'><thead><tr><th>%s</th><th class='text-end'>%s</th>"
            "<th class='text-end'>KES</th></tr></thead><tbody>%s</tbody></table><ul>%s</ul>"
        ) % (self.env._("What an import would do"), self.env._("Rows"), table, items)

    @api.model
    def _get_effects(self):
        return {
            "confirm": self.env._("Payments of Odoo's that are confirmed"),
            "proof": self.env._("Payments in flight that are proven paid"),
            "late": self.env._("Payments declared not paid that were paid after all"),
            "failure": self.env._("Payments in flight that the statement says failed"),
            "contradiction": self.env._("Rows that contradict a payment"),
            "twice": self.env._("Second payments of what was paid"),
            "several": self.env._("Rows that fit several payments: a person decides"),
            "fee": self.env._("Charges for payments of Odoo's"),
            "other_fee": self.env._("Other charges"),
            "top_up": self.env._("Top-ups"),
            "reversal": self.env._("Payments that M-Pesa took back"),
            "reversed": self.env._("Reversals that are known"),
            "stranger": self.env._("No payment of Odoo's: to be cleared by a person"),
            "ignored": self.env._("Nothing moved"),
        }

    @api.model
    def _in_order(self, rows):
        return sorted(rows, key=lambda row: (row.completed, st.RANK.get(row.kind, 9), row.line))

    # === IMPORTING === #

    def _begin(self, user):
        """Store the rows; work them out now when they are few, else let the job do it."""
        if self.state != "checked":
            raise UserError(self.env._("Press Check first, and look at what it says."))
        export = self._read()
        if self._describe(export):
            raise UserError("\n".join(self._describe(export)))
        known, new, troubles = self._sort_out(export)
        self.write({
            **self._prepare_facts(export), "state": "importing", "imported_by": user.id,
            "imported_at": fields.Datetime.now(), "row_count": len(export.rows),
            "known_count": len(export.rows) - len(new),
        })
        self.env["soko.mpesa.statement.row"].create([self._prepare_row(row) for row in new])
        for kind, row, reason in troubles:
            self._list(kind, reason, receipt=row.receipt, amount=float(row.amount))
        self._retry_listed()
        if len(new) > 5 * CHUNK:
            self.env.ref("soko_mpesa.ir_cron_import")._trigger()
        else:
            self._work_out()
            self._finish()

    def _prepare_row(self, row):
        return {
            "statement_id": self.id, "account_id": self.account_id.id,
            "company_id": self.company_id.id, "currency_id": self.currency_id.id,
            "line": row.line, "receipt": row.receipt, "kind": row.kind, "status": row.status,
            "completed_at": row.completed, "amount": float(row.amount),
            "balance": float(row.balance or 0), "details": row.details, "reason": row.reason,
            "party": row.party, "linked": row.linked, "reference": row.reference, "key": row.key,
        }

    def _retry_listed(self):
        """What an earlier import left to a person may be clear by now."""
        rows = self.env["soko.mpesa.statement.row"].search([
            ("account_id", "=", self.account_id.id), ("state", "in", ("listed", "failed")),
            ("statement_id", "!=", self.id)])
        # what needed a person is looked at again only if it has become clear
        matcher = self.account_id._get_matcher([row._as_row() for row in rows])
        for row in rows:
            plan = matcher.plan(row._as_row())
            if plan.effect not in ("several", "contradiction", "twice"):
                row._apply(plan)

    def _work_out(self, limit=None):
        """Apply rows that wait, the oldest first.

        :param int limit: how many, or a few more: those of one second stay together
        :return: whether there are more
        """
        model = self.env["soko.mpesa.statement.row"]
        waiting = [("statement_id", "=", self.id), ("state", "=", "new")]
        rows = model.search(waiting, order="completed_at, id", limit=limit)
        if limit and len(rows) == limit:
            rows |= model.search([*waiting, ("completed_at", "=", rows[-1].completed_at)])
        # a payment of the same amount in another part of the file may fit as well
        rivals = model.search([
            ("statement_id", "=", self.id), ("kind", "=", st.PAYMENT),
            ("status", "=", st.COMPLETED), ("id", "not in", rows.ids),
            ("amount", "in", rows.filtered(lambda row: row.kind == st.PAYMENT).mapped("amount"))])
        matcher = self.account_id._get_matcher([row._as_row() for row in rows | rivals])
        for row in rows._sort_by_time():
            row._apply(matcher.plan(row._as_row()))
        return bool(model.search_count(waiting, limit=1))

    def _finish(self):
        """When all rows are worked out: what isn't on the statement."""
        self._vote_absence()
        self.state = "imported"
        if self.sound:
            self._list_missing()

    def _shows_payouts(self):
        """Whether the file is of the account from which payouts leave.

        An export of the working or the charges account has the same shortcode and shows no payout
        at all, so what isn't in it may have been paid. One payment of ours in it, in whichever
        import it came first, is the proof.
        """
        keys = [row.key for row in self._read().rows]
        return bool(self.env["soko.mpesa.statement.row"].search_count([
            ("account_id", "=", self.account_id.id), ("key", "in", keys),
            ("kind", "=", st.PAYMENT), ("status", "=", st.COMPLETED), ("payout_id", "!=", False),
            ("payout_id.state", "=", "paid"),
        ], limit=1))

    def _get_covered(self):
        """Return (first, last) moment of sending that the rows must show if money moved."""
        settle = timedelta(minutes=self.account_id.absent_settle_minutes)
        return self.begins, self.ends - settle

    def _vote_absence(self, limit=None):
        """An open payment that isn't on a statement which covers it: one voice against it.

        :param int limit: how many payments to look at
        :return: whether there are more
        """
        # whoever has begun to vote has read the file, and found a payout of ours in it
        if not (self.sound and (self.voted_id or self._shows_payouts())):
            return False
        first, last = self._get_covered()
        attempts = self.env["soko.mpesa.attempt"].search([
            ("account_id", "=", self.account_id.id), ("state", "in", ("accepted", "unknown")),
            ("sent_at", ">=", first), ("sent_at", "<=", last), ("id", ">", self.voted_id),
            # not from who made the payment: it could be made again
            ("payout_id.maker_id", "!=", self.imported_by.id),
        ], order="id", limit=limit)
        for attempt in attempts.filtered(lambda attempt: not self._may_have(attempt)):
            attempt._lock()
            attempt._hear_absence(self)
        if attempts:
            self.voted_id = attempts[-1].id
        return bool(attempts) and len(attempts) == limit

    def _may_have(self, attempt):
        """Whether a row that nobody could assign may be this payment."""
        payout = attempt.payout_id
        return bool(self.env["soko.mpesa.statement.row"].search_count([
            ("account_id", "=", self.account_id.id), ("kind", "!=", "fee"),
            ("status", "=", "completed"), ("amount", "=", -payout.amount),
            ("state", "in", ("listed", "failed", "unmatched", "new")),
            ("completed_at", ">=", attempt.sent_at - match.EARLIEST),
            ("completed_at", "<=", attempt.sent_at + match.LATEST),
        ], limit=1))

    def _list_missing(self):
        """What the books have as paid and the statement, which covers it, doesn't have."""
        first, last = self._get_covered()
        payouts = self.env["soko.mpesa.attempt"].search([
            ("account_id", "=", self.account_id.id), ("state", "=", "paid"),
            ("sent_at", ">=", first), ("sent_at", "<=", last),
            ("payout_id.statement_row_id", "=", False),
        ]).payout_id
        if payouts and not self._shows_payouts():
            self._list("missing", self.env._(
                "%(count)s payouts of this period are paid in the books, and not one is in this "
                "file. Is it the export of another account of the shortcode (working, charges)? "
                "Then import that of the utility account too; else look for the receipts in the "
                "M-Pesa portal.", count=len(payouts)), amount=-sum(payouts.mapped("amount")))
            return
        for payout in payouts:
            reason = self.env._(
                "%(payout)s is paid in the books (%(receipt)s), and the statement doesn't have "
                "it. Look for the receipt in the M-Pesa portal.",
                payout=payout.name, receipt=payout.receipt)
            self._list("missing", reason, receipt=payout.receipt, payout_id=payout.id,
                       amount=-payout.amount)
            payout._alert(reason)

    def _list(self, kind, reason, **values):
        """List a difference, once a statement and row."""
        found = self.env["soko.mpesa.difference"].search_count([
            ("statement_id", "=", self.id), ("kind", "=", kind),
            ("receipt", "=", values.get("receipt")), ("reason", "=", reason)], limit=1)
        if not found:
            self.env["soko.mpesa.difference"].create({
                "statement_id": self.id, "kind": kind, "reason": reason, **values})

    @api.model
    @beats("ir_cron_import")
    def _cron_import(self):
        """Import large statements, some rows a transaction."""
        stop_at = time.monotonic() + PASS_BUDGET
        # sudo: the cron's user need not have an M-Pesa role
        for statement in self.sudo().search([("state", "=", "importing")], order="id"):
            more = True
            while more and time.monotonic() < stop_at:
                try:
                    more = statement._import_chunk()
                except OperationalError:
                    self.env.cr.rollback()  # a callback was faster: read again, in a fresh run
                    break
            if more:
                self.env.ref("soko_mpesa.ir_cron_import")._trigger()
                return

    def _import_chunk(self):
        """Work out some rows, then look for some payments, and commit.

        :return: whether there are more
        """
        if not self.try_lock_for_update(allow_referencing=True):
            return False
        self.invalidate_recordset()
        more = self._work_out(limit=CHUNK) or self._vote_absence(limit=VOTES)
        if not more:
            self._finish()
        self.env["ir.cron"]._commit_progress(1)
        return more

