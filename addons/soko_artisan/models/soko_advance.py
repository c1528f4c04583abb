from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import MANAGER


class SokoAdvance(models.Model):
    """Money an artisan has before her pieces sell; the settlements pay it back, bit by bit."""

    _name = "soko.advance"
    _description = "Advance to an Artisan"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _allow_sudo_commands = False

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    artisan_id = fields.Many2one(
        "soko.artisan", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=lambda self: self.env.company._soko_today())
    purpose = fields.Selection(
        [("materials", "Materials"), ("loan", "Loan"), ("cash", "Cash advance")],
        required=True,
        default="materials",
        tracking=True,
    )
    note = fields.Char(string="For what")
    amount = fields.Monetary(required=True, tracking=True)
    repay_type = fields.Selection(
        [
            ("share", "A share of each settlement"),
            ("fixed", "A fixed sum of each settlement"),
        ],
        string="Paid back with",
        required=True,
        default="share",
    )
    repay_percent = fields.Float(
        string="Share (%)", digits=(5, 2), default=50, help="Of what the settlement earns."
    )
    repay_amount = fields.Monetary(string="Sum a settlement")
    consent_date = fields.Date(
        string="Agreed by the artisan on",
        tracking=True,
        help="A loan is taken off her money only when she has agreed to it.",
    )
    consent_note = fields.Char(string="Agreed how", help="e.g. signed paper no. 12, or a message")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("granted", "Granted"),
            ("paid_out", "Paid out"),
            ("repaid", "Paid back"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        store=True,
        tracking=True,
    )
    bill_id = fields.Many2one(
        "account.move",
        string="Payout document",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="restrict",
        groups="base.group_user",
        help="A bill that turns the advance into something the artisan owes; it is paid with any "
        "payment method, like a settlement's.",
    )
    repayment_ids = fields.One2many("soko.advance.repayment", "advance_id", readonly=True)
    amount_repaid = fields.Monetary(
        string="Paid back", compute="_compute_balance", store=True, copy=False
    )
    balance = fields.Monetary(
        string="Still to pay back", compute="_compute_balance", store=True, copy=False
    )

    _amount_positive = models.Constraint("CHECK (amount > 0)", "An advance must be above zero.")
    _never_more_than_lent = models.Constraint(
        "CHECK (amount_repaid <= amount)", "More would be paid back than was advanced."
    )
    _plan_works = models.Constraint(
        "CHECK ((repay_type = 'share' AND repay_percent > 0 AND repay_percent <= 100)"
        " OR (repay_type = 'fixed' AND repay_amount > 0))",
        "Say how it is paid back: a share above 0 and at most 100 %, or a sum above zero.",
    )
    _bill_uniq = models.UniqueIndex(
        "(bill_id) WHERE bill_id IS NOT NULL", "This bill belongs to another advance."
    )

    # === COMPUTE METHODS === #

    @api.depends("amount", "repayment_ids.amount", "repayment_ids.settlement_id.state")
    def _compute_balance(self):
        for advance in self:
            valid = advance.repayment_ids.filtered(lambda r: r.settlement_id.state != "cancelled")
            advance.amount_repaid = sum(valid.mapped("amount"))
            advance.balance = advance.amount - advance.amount_repaid

    @api.depends("bill_id.state", "bill_id.payment_state", "balance")
    def _compute_state(self):
        for advance in self:
            advance.state = advance._get_state()

    def _get_state(self):
        bill = self.sudo().bill_id  # sudo: an officer sees the state, the bill is for accountants
        if not bill:
            return "draft"
        if bill.state == "cancel" or bill.payment_state == "reversed":
            return "cancelled"
        if bill.payment_state != "paid":
            return "granted"
        return "repaid" if self.currency_id.is_zero(self.balance) else "paid_out"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals.pop("bill_id", None)
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.advance")
        return super().create(vals_list)

    def write(self, vals):
        """What was granted stands: only the plan to pay it back may change."""
        fixed = {"artisan_id", "amount", "purpose", "date", "bill_id", "name"}
        granted = self.filtered(lambda a: a.state != "draft")
        if not self.env.su and ("bill_id" in vals or (granted and fixed & set(vals))):
            raise AccessError(
                self.env._("%s is granted: its sum, purpose and artisan stand.", self[:1].name)
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(advance.state != "draft" for advance in self):
            raise UserError(self.env._("Only a draft can be deleted: this one is in the books."))

    # === ACTION METHODS === #

    def action_grant(self):
        """Make and post the document that pays the advance out."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only an artisan manager can grant an advance."))
        self.check_access("write")
        for advance in self:
            advance._grant()

    def action_view_bill(self):
        """Open the document that pays the advance out; register its payment there."""
        self.ensure_one()
        return self.bill_id._get_records_action()

    # === BUSINESS METHODS === #

    def _grant(self):
        self.ensure_one()
        self.lock_for_update()
        if self.bill_id:
            raise UserError(self.env._("%s is granted already.", self.name))
        if self.purpose == "loan" and not (self.consent_date and self.consent_note):
            raise UserError(
                self.env._(
                    "A loan is taken off the artisan's money, so she must agree first. Write down "
                    "when and how she did."
                )
            )
        # sudo: the manager grants; the bill is the machine's, with the values given here
        advance = self.sudo().with_company(self.company_id)
        advance.bill_id = advance.env["account.move"].create(advance._prepare_bill_vals())
        advance.bill_id.action_post()

    def _prepare_bill_vals(self):
        """Return the values of the payout: what the artisan gets, and owes us."""
        self.ensure_one()
        today = self.company_id._soko_today()
        line = {
            "name": f"{self.name} {self.note or ''}".strip(),
            "quantity": 1,
            "price_unit": self.amount,
            "account_id": self.company_id._soko_get_advance_account().id,
            "tax_ids": [Command.clear()],
        }
        return {
            "move_type": "in_invoice",
            "partner_id": self.artisan_id.partner_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "invoice_date": today,
            "invoice_date_due": today,
            "invoice_payment_term_id": False,
            "ref": self.name,
            "payment_reference": self.name,
            "invoice_line_ids": [Command.create(line)],
        }

    def _get_share_of(self, earned, left, owed):
        """Return what one settlement pays back: never more than is `left` of it, or `owed`.

        :param float earned: what the settlement earned before deductions
        :param float left: what is left of it after earlier deductions
        :param float owed: what is still to pay back of this advance
        """
        self.ensure_one()
        share = self.repay_amount
        if self.repay_type == "share":
            share = earned * self.repay_percent / 100
        step = self.currency_id._soko_payable_step()
        share = round(share / step) * step
        return self.currency_id.round(max(0, min(share, left, owed)))
