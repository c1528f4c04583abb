from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    soko_settlement_ids = fields.One2many(
        "soko.settlement",
        "bill_id",
        string="Settlement",
        groups="soko_artisan.soko_artisan_group_user",
    )

    soko_accrual_date = fields.Date(
        string="Settlements accrued on",
        readonly=True,
        copy=False,
        help="This entry accrues what was sold and not billed to us at the end of this day.",
    )

    _soko_accrual_uniq = models.UniqueIndex(
        "(company_id, soko_accrual_date) WHERE soko_accrual_date IS NOT NULL AND state <> 'cancel'",
        "What is not billed at the end of this period is accrued already. Open that entry.",
    )
    # Without it, Odoo asks the database after each change of a bill whether it pays an advance.
    soko_advance_ids = fields.One2many(
        "soko.advance",
        "bill_id",
        string="Advance",
        groups="soko_artisan.soko_artisan_group_user",
    )

    def _invoice_paid_hook(self):
        res = super()._invoice_paid_hook()
        # sudo: an accountant without artisan rights pays the bill, the artisan is told all the same
        together = self.env.context.get("soko_together")
        if not together and self.sudo().soko_settlement_ids:
            self.env["soko.settlement"]._trigger_paid_notice()
        return res
