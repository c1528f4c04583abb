from odoo import api, fields, models


class SokoMpesaApprovalLine(models.TransientModel):
    """One payout in a bulk approval, with what the approver should know of it."""

    _name = "soko.mpesa.approval.line"
    _description = "Payout to approve"
    _order = "is_new desc, amount desc, id"

    approval_id = fields.Many2one(
        "soko.mpesa.approval", required=True, index=True, ondelete="cascade", readonly=True,
    )
    payout_id = fields.Many2one(
        "soko.mpesa.payout", required=True, readonly=True, ondelete="cascade",
    )
    partner_id = fields.Many2one(related="payout_id.partner_id")
    msisdn = fields.Char(related="payout_id.msisdn")
    maker_id = fields.Many2one(related="payout_id.maker_id")
    amount = fields.Integer(string="Amount (KES)", readonly=True)
    currency_id = fields.Many2one(related="approval_id.currency_id")
    fee = fields.Monetary(readonly=True)
    is_new = fields.Boolean(string="New or changed", readonly=True)
    news = fields.Char(string="Look at", readonly=True)
    reason = fields.Char(
        string="Not approved because", readonly=True,
        help="Empty: it is approved when you press Approve.",
    )

    @api.model
    def _prepare_lines(self, payouts):
        """Return the values of a line for each payout, as the present user may approve them."""
        # sudo: who sees the payouts may see what is new about their payees
        news = payouts.sudo().partner_bank_id._soko_mpesa_get_news()
        vals_list = []
        for payout in payouts:
            # sudo: the number behind the payout is compared, not shown
            text = news.get(payout.sudo().partner_bank_id.id, "")
            vals_list.append({
                "payout_id": payout.id, "amount": payout.amount,
                "fee": float(payout.sudo().account_id._get_fee(payout.amount) or 0),
                "is_new": bool(text), "news": text, "reason": payout._find_objection(),
            })
        return sorted(vals_list, key=lambda vals: (not vals["is_new"], -vals["amount"]))

    def _approve(self):
        """Approve these under the locks; who can't be approved any more gets the reason."""
        # sudo: people can't write payouts; the role was checked, the persons are below
        payouts = self.payout_id.sudo()
        locked = payouts.try_lock_for_update(allow_referencing=True)
        payouts.invalidate_recordset()
        locked._lock_payees()
        good = locked.browse()
        for line in self:
            payout = line.payout_id.sudo()
            if payout not in locked or payout.state != "submitted":
                line.reason = self.env._("Somebody else has dealt with it meanwhile.")
            elif reason := payout._find_objection():
                line.reason = reason
            else:
                good |= payout
        good._approve(self.env.user)
