from odoo import models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def action_register_payment(self, ctx=None):
        self._soko_mpesa_check_not_in_payment()
        return super().action_register_payment(ctx)

    def reconcile(self):
        """Other money can't pay what M-Pesa was told to pay: say so in plain words."""
        self.filtered("reconciled")._soko_mpesa_check_not_in_payment()
        return super().reconcile()

    def _soko_mpesa_check_not_in_payment(self):
        """:raise UserError: M-Pesa has a payment of all that is open of one of these bills

        What is open beside such a payment, such as the rest of a bill that is paid in parts, may
        be paid.
        """
        closed = self.filtered(
            lambda line: line.account_type in ("liability_payable", "asset_receivable")
            and line.reconciled)
        if not closed:
            return
        # sudo: an accountant need not see payments or payouts
        bills = closed.sudo().move_id.filtered(lambda move: not move.amount_residual)
        for bill in bills:
            busy = bill._get_reconciled_payments().filtered(
                lambda payment: payment._soko_mpesa_is_in_flight())
            if busy:
                raise UserError(self.env._(
                    "%(bill)s is being paid by M-Pesa already (%(payment)s), and it isn't proven "
                    "yet. Wait for the proof. If nothing has been sent, you can withdraw that "
                    "payment and pay in another way.",
                    bill=bill.display_name, payment=busy[0].display_name,
                ))
