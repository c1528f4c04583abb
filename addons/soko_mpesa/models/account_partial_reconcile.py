from odoo import api, models
from odoo.exceptions import UserError


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_flight(self):
        """Keep a bill closed while M-Pesa has its payment: open, it could be paid twice."""
        moves = (self.debit_move_id | self.credit_move_id).move_id
        # sudo: an accountant need not see payments or payouts
        payments = moves.sudo().origin_payment_id
        if busy := payments.filtered(lambda payment: payment._soko_mpesa_is_in_flight()):
            raise UserError(self.env._(
                "%s is with M-Pesa. Until it is proven paid or not paid, it stays matched with "
                "its bill.", busy[0].display_name,
            ))
