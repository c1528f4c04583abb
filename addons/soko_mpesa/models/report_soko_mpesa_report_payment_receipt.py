from odoo import api, models
from odoo.exceptions import UserError


class ReportSokoMpesaReportPaymentReceipt(models.AbstractModel):
    """The same paper for accountants, who see payments and no payouts."""

    _name = "report.soko_mpesa.report_payment_receipt"
    _inherit = "report.soko_mpesa.report_receipt"
    _description = "M-Pesa receipt of a payment"

    @api.model
    def _get_payouts(self, docids):
        payments = self.env["account.payment"].browse(docids)
        payments.check_access("read")
        # sudo: who may read a payment may print its receipt; numbers are masked for those without
        # a role in M-Pesa
        payouts = payments.sudo().soko_mpesa_payout_ids.filtered(
            lambda payout: not payout.cancelled_at)
        if len(payouts.payment_id) < len(payments):
            raise UserError(self.env._(
                "Only payments that M-Pesa has paid have an M-Pesa receipt. Select those alone."))
        return payouts
