from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals or "payment_reference" in vals:
            self._soko_notice_settlements()
        return res

    def _soko_notice_settlements(self):
        """A payment changed: settlements paid by it look again, and tell what is proven.

        Also for payments that were matched with the bill by hand, which Odoo links through the
        journal items only.
        """
        # sudo: who proves a payment need not be allowed to read settlements
        payments = self.sudo()
        settlements = (payments.invoice_ids | payments.reconciled_bill_ids).soko_settlement_ids
        if settlements:
            self.env.add_to_compute(settlements._fields["state"], settlements)
            settlements._trigger_paid_notice()
