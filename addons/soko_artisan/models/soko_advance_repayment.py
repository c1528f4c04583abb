from odoo import api, fields, models
from odoo.exceptions import UserError


class SokoAdvanceRepayment(models.Model):
    """What one settlement paid back of one advance. Machines write, people read."""

    _name = "soko.advance.repayment"
    _description = "Repayment of an Advance"
    _order = "id"
    _allow_sudo_commands = False

    advance_id = fields.Many2one(
        "soko.advance", required=True, readonly=True, index=True, ondelete="restrict"
    )
    settlement_id = fields.Many2one(
        "soko.settlement", required=True, readonly=True, index=True, ondelete="restrict"
    )
    artisan_id = fields.Many2one(related="advance_id.artisan_id", store=True, index=True)
    company_id = fields.Many2one(related="advance_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(related="settlement_id.date", store=True)
    amount = fields.Monetary(required=True, readonly=True)

    _once = models.UniqueIndex(
        "(advance_id, settlement_id)", "This settlement paid the advance back already."
    )
    _amount_positive = models.Constraint("CHECK (amount > 0)", "A repayment is above zero.")

    @api.depends("advance_id.name", "settlement_id.name")
    def _compute_display_name(self):
        for repayment in self:
            repayment.display_name = (
                f"{repayment.advance_id.name} / {repayment.settlement_id.name}"
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Repayments are in the books and are never deleted."))
