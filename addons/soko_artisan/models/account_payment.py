from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        res = super().write(vals)
        if "state" in vals or "payment_reference" in vals:
            # sudo: who proves a payment need not be allowed to read settlements
            bills = self.sudo().invoice_ids | self.sudo().reconciled_bill_ids
            if bills.soko_settlement_ids:
                self.env["soko.settlement"]._trigger_paid_notice()
        return res
