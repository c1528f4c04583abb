from odoo import models

from ..tools.pricing import payable_step


class ResCurrency(models.Model):
    _inherit = "res.currency"

    def _soko_payable_step(self):
        """Return the smallest sum that can be paid out in this currency (float)."""
        self.ensure_one()
        return payable_step(self.name, self.rounding)

    def _soko_has_rate(self, other, company, date):
        """Return whether sums of this currency can be converted to `other` on `date`.

        Odoo converts at 1 when it knows no rate: a debt must not be made that way.
        """
        self.ensure_one()
        return self == other or all(
            self.env["res.currency.rate"].sudo().search_count(  # sudo: rates are no secret
                [
                    ("currency_id", "=", currency.id),
                    ("company_id", "in", (False, company.root_id.id)),
                    ("name", "<=", date),
                ],
                limit=1,
            )
            for currency in (self | other) - company.currency_id
        )
