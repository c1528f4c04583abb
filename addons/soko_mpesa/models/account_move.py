from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import METHOD_CODE


class AccountMove(models.Model):
    _inherit = "account.move"

    soko_mpesa_receipt = fields.Char(
        string="M-Pesa receipt", compute="_compute_soko_mpesa_receipt",
        help="The receipt numbers of the M-Pesa payments that paid this document.",
    )

    @api.depends("reconciled_payment_ids.payment_reference", "reconciled_payment_ids.state")
    def _compute_soko_mpesa_receipt(self):
        for move in self:
            # sudo: whoever may read the bill may see with which receipt it was paid
            payments = move.sudo().reconciled_payment_ids.filtered(
                lambda payment: payment.state == "paid" and payment._soko_is_mpesa())
            receipts = payments.filtered("payment_reference").mapped("payment_reference")
            move.soko_mpesa_receipt = ", ".join(receipts)

    def _compute_payment_state(self):
        """A bill is paid when M-Pesa has proven it, whoever matched its payment before."""
        res = super()._compute_payment_state()
        for move in self.filtered(lambda move: move.payment_state == "paid"):
            # sudo: the state of a bill doesn't depend on who looks
            payments = move.sudo()._get_reconciled_payments()
            if any(payment._soko_mpesa_is_in_flight() for payment in payments):
                move.payment_state = "in_payment"
        return res

    @api.model
    def _get_invoice_in_payment_state(self):
        """A bill handed to M-Pesa is in payment until there is proof.

        Odoo calls this on the invoice whose state it computes, and on no record at all to ask
        which edition it is; that answer must not change.
        """
        # sudo: the state of a bill doesn't depend on who looks
        if any(
            payment.payment_method_line_id.code == METHOD_CODE and not payment.is_matched
            for payment in self.sudo()._get_reconciled_payments()
        ):
            return "in_payment"
        return super()._get_invoice_in_payment_state()

    def button_draft(self):
        self._soko_mpesa_check_entry()
        return super().button_draft()

    def button_cancel(self):
        self._soko_mpesa_check_entry()
        return super().button_cancel()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        self._soko_mpesa_check_entry()
        return super()._reverse_moves(default_values_list, cancel)

    def _soko_mpesa_check_entry(self):
        """:raise UserError: one of these is the entry of a payment that M-Pesa still has"""
        # sudo: an accountant need not see payouts
        payouts = self.sudo().origin_payment_id.soko_mpesa_payout_ids
        live = payouts.filtered(
            lambda payout: not payout.cancelled_at and "not_paid" not in
            payout.attempt_ids.mapped("state"))
        if live:
            raise UserError(self.env._(
                "%s belongs to a payment that was handed to M-Pesa. It can't be undone here.",
                live[0].payment_id.display_name,
            ))
