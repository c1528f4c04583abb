from odoo import fields, models
from odoo.exceptions import UserError


class SokoStockDecide(models.TransientModel):
    """A count differs for pieces that are not ours: what becomes of them?"""

    _name = "soko.stock.decide"
    _description = "Decide on an Owner's Pieces"

    quant_ids = fields.Many2many("stock.quant", string="Counted", required=True)
    counting_date = fields.Datetime()
    action = fields.Selection(
        [("pay", "Pay the owner"), ("write_off", "Write off against the owner")],
        string="Missing pieces",
        required=True,
        default="pay",
        help="Pay: the owner is owed the agreed price, as for a sale. Write off: the owner gets "
        "nothing; only an artisan manager may decide that. Pieces that were found stand in the "
        "owner's name again.",
    )
    reason = fields.Char(required=True, help="What happened, for the owner and the auditor.")

    def action_confirm(self):
        """Apply the count with this decision."""
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Say what happened: the owner will ask."))
        decision = {"action": self.action, "reason": self.reason}
        quants = self.quant_ids.with_context(soko_decision=decision)
        return quants.action_apply_inventory(self.counting_date or None)
