from odoo import api, models

from ..const import METHOD_CODE


class AccountPaymentMethod(models.Model):
    _inherit = "account.payment.method"

    @api.model
    def _get_payment_method_information(self):
        return {
            **super()._get_payment_method_information(),
            METHOD_CODE: {
                "mode": "multi",
                "type": ("bank",),
                "currency_ids": self.env.ref("base.KES").ids,
            },
        }

    def _auto_link_payment_methods(self, payment_methods, methods_info):
        """Keep M-Pesa off the company's other bank journals: its own is set up on purpose."""
        others = payment_methods.filtered(lambda method: method.code != METHOD_CODE)
        super()._auto_link_payment_methods(others, methods_info)
        return payment_methods
