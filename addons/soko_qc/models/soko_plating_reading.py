from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class SokoPlatingReading(models.Model):
    """A thickness, on one place of one piece."""

    _name = "soko.plating.reading"
    _description = "Thickness Reading"
    _order = "run_id, workorder_id, piece, id"

    run_id = fields.Many2one(
        "soko.plating.run", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    workorder_id = fields.Many2one(
        "mrp.workorder",
        "Work Order",
        index="btree_not_null",
        domain="[('soko_plating_run_id', '=', run_id)]",
        help="Whose pieces. Empty: a reading of the whole run, on a test strip for example.",
    )
    piece = fields.Integer(default=1, help="Number of the piece within its work order.")
    place = fields.Char(help="Where on the piece, for example rim or clasp.")
    thickness_um = fields.Float("Thickness (um)", digits=(16, 3), required=True)
    method = fields.Selection(
        [("xrf", "X-ray gauge"), ("other", "Other instrument"), ("weight", "Weighing")],
        required=True,
        default="xrf",
    )
    user_id = fields.Many2one("res.users", default=lambda s: s.env.user, readonly=True)
    date = fields.Datetime(default=fields.Datetime.now, required=True)

    _figures_valid = models.Constraint(
        "CHECK(thickness_um >= 0 AND piece > 0)",
        "A thickness cannot be negative, and pieces are numbered from 1.",
    )

    @api.constrains("thickness_um", "run_id")
    def _check_thickness(self):
        for reading in self:
            reading.run_id._check_plausible_thickness(reading.thickness_um)

    @api.constrains("workorder_id", "run_id")
    def _check_run(self):
        for reading in self:
            if reading.run_id.state == "cancel":
                raise UserError(self.env._("A cancelled run has nothing to measure."))
            workorder = reading.workorder_id
            if workorder and workorder.soko_plating_run_id != reading.run_id:
                raise ValidationError(
                    self.env._(
                        "%(workorder)s was not on %(run)s.",
                        workorder=workorder.display_name,
                        run=reading.run_id.name,
                    )
                )

    def write(self, vals):
        """Correct readings while the pieces are being measured; afterwards they are evidence."""
        if any(reading.run_id.state == "done" for reading in self) and not self._is_manager():
            raise UserError(
                self.env._(
                    "Readings of a finished run are evidence: only a quality manager corrects one. "
                    "If you measured again, add a reading."
                )
            )
        return super().write(vals)

    def _is_manager(self):
        return self.env.user.has_group("soko_qc.soko_qc_group_manager")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        if not self._is_manager():
            raise UserError(
                self.env._("Readings are evidence: only a quality manager removes one.")
            )
