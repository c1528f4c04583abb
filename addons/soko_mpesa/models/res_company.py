from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    soko_mpesa_frozen = fields.Boolean(
        string="Freeze M-Pesa payouts",
        help="Nothing is sent while this is on. What is in flight is still followed up.",
    )

    soko_mpesa_cooling_hours = fields.Integer(
        string="Cooling-off of a changed number (hours)", default=72, tracking=True,
        help="So long after a payee's new number was verified, larger payments to it wait: time "
             "for the payee to notice a change that somebody else made. 0: no cooling-off.",
    )
    soko_mpesa_first_payment_limit = fields.Integer(
        string="First payment to a number up to (KES)", default=10_000, tracking=True,
        help="Before M-Pesa has proven a payment to a number, and while a changed number cools "
             "off, at most this is paid to it in all. 0: first payments have no limit, and to a "
             "number that cools off nothing is paid.",
    )

    _soko_mpesa_waits = models.Constraint(
        "CHECK(soko_mpesa_cooling_hours >= 0 AND soko_mpesa_first_payment_limit >= 0)",
        "Cooling-off and first payment can't be negative.",
    )

    def write(self, vals):
        res = super().write(vals)
        if {"soko_mpesa_cooling_hours", "soko_mpesa_first_payment_limit"} & vals.keys():
            self.env["soko.mpesa.payout"]._recheck_soon()
        if vals.get("soko_mpesa_frozen") is False:
            # sudo: a cron is triggered, not edited
            self.env.ref("soko_mpesa.ir_cron_send").sudo()._trigger()
        return res
