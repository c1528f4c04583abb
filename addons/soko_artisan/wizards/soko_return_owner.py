from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class SokoReturnOwner(models.TransientModel):
    """Unsold pieces go back to the artisan who made them, against her signature."""

    _name = "soko.return.owner"
    _description = "Return Pieces to their Maker"

    artisan_id = fields.Many2one("soko.artisan", required=True)
    company_id = fields.Many2one(related="artisan_id.company_id")
    reason = fields.Char(required=True, help="The artisan reads this on her receipt and page.")
    line_ids = fields.One2many(
        "soko.return.owner.line",
        "wizard_id",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    picking_id = fields.Many2one("stock.picking", string="Return", readonly=True)

    @api.depends("artisan_id")
    def _compute_line_ids(self):
        """Propose all free pieces of the artisan, or those of the lots that were chosen."""
        lots = self.env.context.get("soko_lot_ids")
        for wizard in self:
            quants = wizard._get_free_quants()
            if lots:
                quants = quants.filtered(lambda q: q.lot_id.id in lots)
            wizard.line_ids = [Command.clear()] + [
                Command.create({"quant_id": quant.id, "quantity": quant.available_quantity})
                for quant in quants
            ]

    def _get_free_quants(self):
        """Return the artisan's pieces that no order has reserved."""
        self.ensure_one()
        quants = self.env["stock.quant"].search(
            [
                ("owner_id", "=", self.artisan_id.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("location_id.usage", "=", "internal"),
                ("quantity", ">", 0),
            ]
        )
        return quants.filtered(lambda q: q.available_quantity > 0)

    def action_confirm(self):
        """Hand the pieces back: one done transfer, and one decision for each lot.

        Confirmed again, it opens the same transfer.
        """
        self.ensure_one()
        self.lock_for_update()
        if not self.picking_id:
            self.picking_id = self.with_company(self.company_id)._return()
        return self.picking_id._get_records_action(name=self.env._("Return to the maker"))

    def _return(self):
        lines = self.line_ids.filtered(lambda li: li.quantity > 0)
        if not lines:
            raise UserError(self.env._("Choose at least one piece to give back."))
        for line in lines:
            line._check_free()
        picking = self.env["stock.picking"].create(self._prepare_picking_vals(lines))
        # Lines that are made together with their move don't know the transfer yet.
        picking.move_ids.move_line_ids.picking_id = picking
        picking.move_ids.picked = True
        picking._action_done()
        return picking

    def _prepare_picking_vals(self, lines):
        """Return the values of the transfer to the maker."""
        partner = self.artisan_id.partner_id
        source = lines.quant_id.location_id[:1]
        warehouse = source.warehouse_id or self.env["stock.warehouse"].search(
            [("company_id", "=", self.company_id.id)], limit=1
        )
        target = partner.with_company(self.company_id).property_stock_supplier
        return {
            "picking_type_id": warehouse.out_type_id.id,
            "partner_id": partner.id,
            "owner_id": partner.id,
            "soko_artisan_id": self.artisan_id.id,
            "soko_return_reason": self.reason,
            "location_id": source.id,
            "location_dest_id": target.id,
            "move_ids": [Command.create(line._prepare_move_vals(target)) for line in lines],
        }
