from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from ..tools import plating


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
        readonly=True,
        copy=False,
        help="Area x thickness x density x fineness x price of the metal when the run finished.",
    )

    soko_reading_ids = fields.One2many("soko.plating.reading", "workorder_id", "Readings")
    soko_thickness_um = fields.Float(
        "Measured (um)",
        compute="_compute_soko_thickness",
        store=True,
        help="Mean of its pieces; of each piece, mean of its places.",
    )
    soko_thickness_min_um = fields.Float(
        "Thinnest Piece (um)", compute="_compute_soko_thickness", store=True
    )

    soko_replated_reading_ids = fields.One2many(
        "soko.plating.reading", "replated_workorder_id", "Readings Before"
    )
    soko_thickness_before_um = fields.Float(
        "Layer Before (um)",
        compute="_compute_soko_thickness_before",
        help="Mean layer of pieces that are plated again, as it was measured before.",
    )

    @api.depends("soko_reading_ids.thickness_um", "soko_reading_ids.piece")
    def _compute_soko_thickness(self):
        for workorder in self:
            means = list(workorder.soko_reading_ids._get_piece_means().values())
            workorder.soko_thickness_um = sum(means) / len(means) if means else 0.0
            workorder.soko_thickness_min_um = min(means, default=0.0)

    @api.depends("soko_replated_reading_ids.thickness_um", "production_id.move_raw_ids")
    def _compute_soko_thickness_before(self):
        for workorder in self:
            workorder.soko_thickness_before_um = workorder._soko_get_thickness_before()

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

        Area x thickness x density x fineness x price: the piece's share, by area and by measured
        thickness, of what the run deposited. Of a piece that is plated again: what was added.
        """
        self.ensure_one()
        run = self.soko_plating_run_id
        process, area = run.process_id, self.product_id.soko_plating_area_cm2
        if self.soko_reading_ids or run.measured_thickness_um:
            # A measured 0 is a measurement: the piece lost contact.
            own, mean = self._soko_get_added_thickness(), run.measured_thickness_um
            thickness = own if self.soko_reading_ids else mean
            mass = plating.layer_mass(area, thickness, process.density)
        else:
            mass = run.deposit_mass_g * area / run.area_cm2 if run.area_cm2 else 0.0
        return mass * process.fineness * run.price_per_gram

    def _soko_get_process(self):
        """The process it was plated by, else the one its operation asks for."""
        self.ensure_one()
        return self.soko_plating_run_id.process_id or self.soko_plating_process_id

    def _soko_get_thickness_goal(self):
        """Target and least thickness of its product, in um."""
        self.ensure_one()
        return self._soko_get_process()._get_thickness(self.product_id.soko_surface_class)

    def _soko_get_missing_thickness(self):
        """What its pieces still need to reach the target, in um."""
        self.ensure_one()
        return max(self._soko_get_thickness_goal()[0] - self.soko_thickness_before_um, 0.0)

    def _soko_get_thickness_before(self):
        """Mean layer its pieces came with, in um: 0 for raw ones."""
        self.ensure_one()
        if means := self.soko_replated_reading_ids._get_piece_means():
            return sum(means.values()) / len(means)
        if not self.production_id._soko_is_plated_again():
            return 0.0
        # Measured as a whole, on a test strip for example: no piece has a reading of its own.
        steps = self.production_id._soko_get_piece_lines().lot_id._soko_get_plating_steps()
        return max((step._soko_get_mean_layer() for step in steps), default=0.0)

    def _soko_get_mean_layer(self):
        """Mean of the whole layer on its pieces after this step, in um."""
        self.ensure_one()
        if self.soko_reading_ids:
            return self.soko_thickness_um
        return self.soko_thickness_before_um + self.soko_plating_run_id.measured_thickness_um

    def _soko_get_added_thickness(self):
        """What this step added by its readings, in um: an instrument sees the whole layer."""
        self.ensure_one()
        return max(self.soko_thickness_um - self.soko_thickness_before_um, 0.0)

    def _soko_get_standing_readings(self):
        """Its readings without those of pieces that were plated again since.

        When only such pieces were measured, their readings still speak for those they left behind:
        nobody has shown that those are any better.
        """
        self.ensure_one()
        readings = self.soko_reading_ids
        return readings.filtered(lambda r: not r._is_plated_again()) or readings

    def _soko_get_plating_verdict(self):
        """``pass``, ``under`` or ``unmeasured``, by the thinnest piece."""
        self.ensure_one()
        run, minimum = self.soko_plating_run_id, self._soko_get_thickness_goal()[1]
        if self.soko_reading_ids:
            thickness = min(self._soko_get_standing_readings()._get_piece_means().values())
        elif run.measured_thickness_um:
            thickness = self.soko_thickness_before_um + run.measured_thickness_um
        else:
            return "unmeasured"
        return "under" if float_compare(thickness, minimum, precision_digits=3) < 0 else "pass"

    def _set_duration(self):
        """Book time as the system.

        Accounting add-ons keep a cost line for the time of a work order and read it here, but
        those who work at the bench may not see cost lines, and could not close an order then.
        """
        # sudo: only after the write on the work order was allowed; adds the time that was entered
        return super(MrpWorkorder, self.sudo())._set_duration()
