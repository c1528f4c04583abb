from odoo import api, fields, models
from odoo.exceptions import UserError


class MrpWorkorder(models.Model):
    _name = "mrp.workorder"
    # The mixin first: its overrides come before Odoo's own methods.
    _inherit = ["soko.qc.inspected.workorder", "mrp.workorder"]

    soko_plating_process_id = fields.Many2one(related="operation_id.soko_plating_process_id")
    soko_plating_run_id = fields.Many2one(
        "soko.plating.run",
        "Plating Run",
        index="btree_not_null",
        copy=False,
        help="The bath load this work order rides on.",
    )
    soko_metal_cost_unit = fields.Float(
        "Metal Cost a Piece",
        digits="Product Price",
        readonly=True,
        copy=False,
        help="Area x thickness x density x fineness x price of the metal when the run finished.",
    )

    @api.constrains("soko_plating_run_id")
    def _check_soko_plating_run(self):
        for workorder in self:
            run = workorder.soko_plating_run_id
            if run and workorder.soko_plating_process_id != run.process_id:
                raise UserError(
                    self.env._(
                        "%(workorder)s is not a step of the process %(process)s, so it cannot "
                        "ride on %(run)s.",
                        workorder=workorder.display_name,
                        process=run.process_id.name,
                        run=run.name,
                    )
                )

    def write(self, vals):
        if "soko_plating_run_id" in vals and any(
            workorder.soko_plating_run_id.state == "done" for workorder in self
        ):
            raise UserError(self.env._("A finished run keeps its work orders."))
        return super().write(vals)

    def _soko_get_piece_count(self):
        """Pieces of this work order, in the product's own unit."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(self.qty_production, self.product_id.uom_id)

    def _soko_get_area(self):
        """Area of all its pieces in cm2."""
        self.ensure_one()
        return self._soko_get_piece_count() * self.product_id.soko_plating_area_cm2

    def _soko_get_metal_cost(self):
        """Cost of the metal on one piece, in the company's currency.

        Area x thickness x density x fineness x price: the piece's share, by area, of what the run
        deposited.
        """
        self.ensure_one()
        run = self.soko_plating_run_id
        share = self.product_id.soko_plating_area_cm2 / run.area_cm2 if run.area_cm2 else 0.0
        return share * run.fine_mass_g * run.price_per_gram

    def _set_duration(self):
        """Book time as the system.

        Accounting add-ons keep a cost line for the time of a work order and read it here, but
        those who work at the bench may not see cost lines, and could not close an order then.
        """
        # sudo: only after the write on the work order was allowed; adds the time that was entered
        return super(MrpWorkorder, self.sudo())._set_duration()
