from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Pay nobody at the numbers of merged contacts before somebody has looked at them."""
        partners = self.env["res.partner"].browse(partner_ids).exists()
        # sudo: whoever may merge contacts moves their numbers without seeing them
        numbers = partners.sudo().with_context(active_test=False).bank_ids.filtered(
            lambda bank: bank.acc_type == "mpesa")
        if not numbers or len(partners) < 2:
            return super()._merge(partner_ids, dst_partner, extra_checks)
        names = ", ".join(partners.mapped("display_name"))
        history = self.env["soko.mpesa.payee.change"]
        history._allow_moving(True)
        res = super()._merge(partner_ids, dst_partner, extra_checks)
        self.env.flush_all()
        history._allow_moving(False)
        numbers.exists()._soko_mpesa_distrust_merged(
            self.env._("These contacts were merged: %s.", names))
        return res
