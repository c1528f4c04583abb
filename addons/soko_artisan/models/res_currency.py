from odoo import models

from ..tools.pricing import payable_step


class ResCurrency(models.Model):
    _inherit = "res.currency"

    def _soko_payable_step(self):
        """Return the smallest sum that can be paid out in this currency (float)."""
        self.ensure_one()
        return payable_step(self.name, self.rounding)
