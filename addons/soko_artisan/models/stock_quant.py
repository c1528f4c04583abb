from odoo import models
from odoo.exceptions import UserError


class StockQuant(models.Model):
    _inherit = "stock.quant"

    def action_apply_inventory(self, date=None):
        """Ask what becomes of owners' pieces before a count takes or adds them."""
        undecided = self._soko_filtered_undecided()
        outdated = self.filtered("is_outdated")
        if not undecided or outdated or self.env.context.get("soko_decision"):
            return super().action_apply_inventory(date=date)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pieces that are not ours"),
            "res_model": "soko.stock.decide",
            "view_mode": "form",
            "target": "new",
            "context": {
                **self.env.context,
                "default_quant_ids": self.ids,
                "default_counting_date": date,
            },
        }

    def _set_inventory_quantity(self):
        """A quantity typed into the stock list is applied at once and can't ask anything."""
        changed = self.filtered(lambda q: q.quantity != q.inventory_quantity_auto_apply)
        if self._is_inventory_mode() and changed._soko_filtered_owned():
            raise UserError(
                self.env._(
                    "These pieces belong to %(owner)s. Count them under Physical Inventory, which "
                    "asks what becomes of pieces that are missing or too many.",
                    owner=changed._soko_filtered_owned()[0].owner_id.name,
                )
            )
        return super()._set_inventory_quantity()

    def _soko_filtered_owned(self):
        """Return the stock that belongs to somebody else."""
        return self.filtered(lambda q: q.owner_id and q.owner_id != q.company_id.partner_id)

    def _soko_filtered_undecided(self):
        """Return owners' stock whose count differs."""
        return self._soko_filtered_owned().filtered(
            lambda q: not q.product_uom_id.is_zero(q.inventory_quantity - q.quantity)
        )
