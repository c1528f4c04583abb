from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    soko_mpesa_frozen = fields.Boolean(
        string="Freeze M-Pesa payouts",
        help="Nothing is sent while this is on. What is in flight is still followed up.",
    )

    def write(self, vals):
        res = super().write(vals)
        if vals.get("soko_mpesa_frozen") is False:
            # sudo: a cron is triggered, not edited
            self.env.ref("soko_mpesa.ir_cron_send").sudo()._trigger()
        return res
