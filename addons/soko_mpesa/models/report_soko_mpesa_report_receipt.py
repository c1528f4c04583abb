from odoo import api, models


class ReportSokoMpesaReportReceipt(models.AbstractModel):
    _name = "report.soko_mpesa.report_receipt"
    _description = "M-Pesa receipt of a payout"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return what the paper shows.

        :raise AccessError: the user may not read one of the documents
        :raise UserError: one of them isn't paid
        """
        payouts = self._get_payouts(docids or [])
        return {"doc_ids": payouts.ids, "doc_model": payouts._name, "docs": payouts,
                "receipts": payouts._get_receipts()}

    @api.model
    def _get_payouts(self, docids):
        payouts = self.env["soko.mpesa.payout"].browse(docids)
        payouts.check_access("read")
        # sudo: who may read a payout may print who was paid what by which company
        return payouts.sudo()
