from odoo import api, models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("soko_together"):
            for vals in vals_list:
                # Even an empty list makes Odoo write the entries one by one, while it creates.
                if not vals.get("write_off_line_vals"):
                    vals.pop("write_off_line_vals", None)
        return super().create(vals_list)

    def write(self, vals):
        res = super().write(vals)
        # of many together: once for all, when they are paid
        together = self.env.context.get("soko_together")
        if not together and ("state" in vals or "payment_reference" in vals):
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
