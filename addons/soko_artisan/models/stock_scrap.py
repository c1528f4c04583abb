from odoo import api, fields, models
from odoo.exceptions import UserError


class StockScrap(models.Model):
    _inherit = "stock.scrap"

    soko_decision = fields.Selection(
        [("pay", "Pay the owner"), ("write_off", "Write off against the owner")],
        string="What the owner gets",
        help="The pieces are not ours. Pay the owner the agreed price, or, as an artisan manager "
        "and with a reason, nothing.",
    )
    soko_decision_reason = fields.Char(string="Why")

    @api.onchange("lot_id")
    def _onchange_soko_lot_id(self):
        """Pieces of a drop-off belong to their maker: nobody has to remember it."""
        # sudo: who scraps may not see artisans, but must not scrap the pieces as ours
        artisan = self.lot_id.sudo().soko_artisan_id
        if artisan:
            self.owner_id = artisan.partner_id

    def action_validate(self):
        self.ensure_one()
        ours = self.company_id.partner_id
        if self.owner_id and self.owner_id != ours and not self.soko_decision:
            raise UserError(
                self.env._(
                    "These pieces belong to %(owner)s. Say in \"What the owner gets\" what becomes "
                    "of them; to hand them back, return them instead.",
                    owner=self.owner_id.name,
                )
            )
        return super().action_validate()
