from odoo import fields, models

from ..const import KEEP_YEARS, LEAST_KEEP_YEARS


class ResCompany(models.Model):
    _inherit = "res.company"

    soko_mpesa_frozen = fields.Boolean(
        string="Freeze M-Pesa payouts",
        help="Nothing is sent while this is on. What is in flight is still followed up.",
    )
    soko_mpesa_frozen_reason = fields.Char(
        string="Why payouts are frozen", readonly=True,
        groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver",
        help="Why Odoo froze them by itself. It does so when the books contradict themselves.",
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

    soko_mpesa_day_limit = fields.Integer(
        string="Most M-Pesa sends a day (KES)", tracking=True,
        help="Your own limit for what leaves all M-Pesa accounts of the company together in one "
             "day of Nairobi. What would exceed it is sent on the next day. 0: no limit.",
    )

    soko_mpesa_keep_years = fields.Integer(
        string="Keep what M-Pesa wrote for (years)", default=KEEP_YEARS, tracking=True,
        help="The texts that M-Pesa sent, with names and numbers of payees, are erased when they "
             "are older. What was read from them and their digests stay. Kenya's Tax Procedures "
             "Act wants records for at least five years after the period that they are about. "
             "0: keep them for ever.",
    )

    _soko_mpesa_waits = models.Constraint(
        "CHECK(soko_mpesa_cooling_hours >= 0 AND soko_mpesa_first_payment_limit >= 0)",
        "Cooling-off and first payment can't be negative.",
    )

    _soko_mpesa_day = models.Constraint(
        "CHECK(COALESCE(soko_mpesa_day_limit, 0) >= 0)",
        "What M-Pesa sends a day can't be negative.",
    )

    _soko_mpesa_keep = models.Constraint(
        f"CHECK(soko_mpesa_keep_years = 0 OR soko_mpesa_keep_years >= {LEAST_KEEP_YEARS})",
        "What M-Pesa wrote is kept for at least five years, as Kenya's Tax Procedures Act wants "
        "it; 0 keeps it for ever.",
    )

    def write(self, vals):
        if vals.get("soko_mpesa_frozen") is False:
            vals = {**vals, "soko_mpesa_frozen_reason": False}
        res = super().write(vals)
        if {"soko_mpesa_cooling_hours", "soko_mpesa_first_payment_limit"} & vals.keys():
            self.env["soko.mpesa.payout"]._recheck_soon()
        if vals.get("soko_mpesa_frozen") is False:
            # sudo: a cron is triggered, not edited
            self.env.ref("soko_mpesa.ir_cron_send").sudo()._trigger()
        return res

    def _soko_mpesa_freeze(self, reason):
        """Send nothing more for these companies until a person says so.

        :param str reason: what contradicts itself
        """
        for company in self.filtered(lambda company: not company.soko_mpesa_frozen):
            # sudo: a guard stops the line whoever is acting
            company.sudo().write({"soko_mpesa_frozen": True, "soko_mpesa_frozen_reason": reason})
