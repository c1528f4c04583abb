from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    soko_settlement_ids = fields.One2many(
        "soko.settlement",
        "bill_id",
        string="Settlement",
        groups="soko_artisan.soko_artisan_group_user",
    )

    def _invoice_paid_hook(self):
        res = super()._invoice_paid_hook()
        # sudo: an accountant without artisan rights pays the bill, the artisan is told all the same
        if self.sudo().soko_settlement_ids:
            self.env["soko.settlement"]._trigger_paid_notice()
        return res
