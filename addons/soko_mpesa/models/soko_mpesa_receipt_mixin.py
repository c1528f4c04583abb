import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..tools import eat

_logger = logging.getLogger(__name__)

# Those who see whole numbers; others see the last three digits.
SEES_NUMBERS = ("soko_mpesa.soko_mpesa_group_maker", "soko_mpesa.soko_mpesa_group_approver")


class SokoMpesaReceiptMixin(models.AbstractModel):
    """What people see and get of a payout: its age, its bills, its receipt on paper and by SMS."""

    _name = "soko.mpesa.receipt.mixin"
    _description = "M-Pesa receipt"

    bill_refs = fields.Char(
        string="Pays", compute="_compute_bill_refs", compute_sudo=True,
        help="The bills that the payment pays, with the vendor's own reference.",
    )
    age = fields.Char(
        compute="_compute_age", help="How long it took, or has taken so far.",
    )
    receipt_sms_at = fields.Datetime(
        string="Receipt texted", readonly=True, copy=False,
        help="When the SMS with the receipt was put into the queue. It is sent once.",
    )

    # === COMPUTE METHODS === #

    @api.depends("payment_id")
    def _compute_bill_refs(self):
        for payout in self:
            payout.bill_refs = ", ".join(
                f"{bill.name} ({bill.ref})" if bill.ref else bill.name or ""
                for bill in payout._get_bills()
            )

    @api.depends("submitted_at", "paid_at", "cancelled_at")
    def _compute_age(self):
        now = fields.Datetime.now()
        for payout in self:
            end = payout.paid_at or payout.cancelled_at or now
            minutes = int((end - payout.submitted_at).total_seconds() // 60) if (
                payout.submitted_at) else 0
            payout.age = payout._format_age(max(minutes, 0))

    def _format_age(self, minutes):
        if minutes < 60:
            return self.env._("%s min", minutes)
        if minutes < 48 * 60:
            return self.env._("%s h", minutes // 60)
        return self.env._("%s d", minutes // (24 * 60))

    def _get_bills(self):
        """Return the bills that the payment pays, or was made to pay."""
        return self.payment_id._soko_mpesa_get_bills()

    @api.model
    def _expand_states(self, states, domain):
        """Columns of the kanban: the usual way of a payout; others only when they hold any."""
        usual = ("submitted", "approved", "in_flight", "paid")
        return [key for key, _label in self._fields["state"].selection
                if key in usual or key in states]

    # === ACTIONS === #

    def action_open_bills(self):
        """Open the bills that the payment pays, with the user's own rights."""
        self.ensure_one()
        self.check_access("read")
        # sudo: which bills it pays is shown on the payout already
        return self.sudo()._get_bills().with_env(self.env)._get_records_action(
            name=self.env._("Bills"))

    def action_print_receipt(self):
        """Print the receipts of paid payouts."""
        self.check_access("read")
        return self.env.ref("soko_mpesa.soko_mpesa_payout_report_action").report_action(self)

    # === PAPER === #

    def _get_receipts(self):
        """Return what the receipts say, a dictionary each, in each payee's language.

        :raise UserError: one of them isn't proven paid
        """
        for payout in self:
            if payout.state != "paid":
                raise UserError(self.env._(
                    "%s isn't paid, so there is no receipt. A receipt is printed only for what "
                    "M-Pesa has proven.", payout.name,
                ))
        return [
            payout.with_context(lang=payout.partner_id.lang or self.env.lang)._prepare_receipt()
            for payout in self
        ]

    def _prepare_receipt(self):
        return {
            "payout": self,
            "lang": self.env.context.get("lang"),
            "number": self._get_shown_number(),
            "amount": f"KES {self.amount:,}",
            "words": self._get_amount_in_words(),
            "date": format_datetime(
                self.env, self.paid_at, tz=eat.ZONE, dt_format="d MMMM y, HH:mm") + " EAT",
            "bills": self.bill_refs,
        }

    def _get_amount_in_words(self):
        kes = self.env.ref("base.KES")
        words = kes.amount_to_text(self.amount).removesuffix(kes.currency_unit_label or "").strip()
        return self.env._("%s Kenyan shillings", words)

    def _get_shown_number(self):
        if any(self.env.user.has_group(group) for group in SEES_NUMBERS):
            return f"+{self.msisdn}"
        return "*" * (len(self.msisdn) - 3) + self.msisdn[-3:]

    # === SMS === #

    def _text_receipt(self):
        """Put an SMS with the receipt into Odoo's queue, once, when the account says so.

        It is stored with the proof or not at all; Odoo sends the queue later. A fault in it must
        not undo the proof.
        """
        if not self.account_id.send_receipt_sms or self.receipt_sms_at or self.state != "paid":
            return
        template = self.env.ref(
            "soko_mpesa.sms_template_receipt", raise_if_not_found=False)
        if not template:
            return  # somebody has deleted it, and that is an answer too
        try:
            with self.env.cr.savepoint():
                self.receipt_sms_at = fields.Datetime.now()
                self._message_sms_with_template(
                    template, sms_numbers=[f"+{self.msisdn}"], put_in_queue=True)
        except OperationalError:
            raise
        except Exception:  # whatever is wrong with a text of theirs
            _logger.warning("M-Pesa payout %s: no SMS", self.name, exc_info=True)
            self._alert(self.env._(
                "It is paid, but the SMS with the receipt couldn't be made. Look at the SMS "
                "template \"M-Pesa receipt\"."
            ))
