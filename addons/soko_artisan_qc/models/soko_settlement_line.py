from odoo import models


class SokoSettlementLine(models.Model):
    _inherit = "soko.settlement.line"

    def _get_blocking_reasons(self):
        """A piece is paid when an inspection accepted it, or the raw lot it was plated from."""
        reasons = super()._get_blocking_reasons()
        # sudo: the hook is asked by people who may see what is owed but not each lot.
        lot = self.lot_id.sudo()
        if self.kind == "sale" and not lot.soko_qc_cleared:
            reasons.append(
                self.env._(
                    "No inspection accepted %s. Inspect its drop-off, or let an artisan manager "
                    'tick "Payable Without Inspection" on the lot.',
                    lot.name or self.product_id.display_name,
                )
            )
        return reasons
