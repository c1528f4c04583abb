from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError


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
    replated_workorder_id = fields.Many2one(
        "mrp.workorder",
        "Plated Again In",
        index="btree_not_null",
        readonly=True,
        copy=False,
        help="The work order that plated this piece once more: its reading tells its layer since.",
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

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_replated({name: value for name, value in vals.items() if value})
        # An explicit value: a default of the context is no order to plate again.
        return super().create([{"replated_workorder_id": False, **vals} for vals in vals_list])

    def _check_replated(self, vals):
        """Only "Plate Again" says which pieces it took; `readonly` keeps no RPC call away.

        :raises AccessError: when somebody writes it by hand
        """
        if not self.env.su and "replated_workorder_id" in vals:
            raise AccessError(
                self.env._(
                    "Which pieces were plated again is written by 'Plate Again' on their lot, not "
                    "by hand."
                )
            )

    def write(self, vals):
        """Correct readings while the pieces are being measured; afterwards they are evidence."""
        self._check_replated(vals)
        corrected = vals.keys() != {"replated_workorder_id"}
        done = any(reading.run_id.state == "done" for reading in self)
        if corrected and done and not self._is_manager():
            raise UserError(
                self.env._(
                    "Readings of a finished run are evidence: only a quality manager corrects one. "
                    "If you measured again, add a reading."
                )
            )
        return super().write(vals)

    def _get_piece_means(self):
        """Mean of the places of each piece, in um.

        :rtype: dict[tuple[mrp.workorder, int], float]
        """
        pieces = self.grouped(lambda r: (r.workorder_id, r.piece))
        return {key: sum(p.mapped("thickness_um")) / len(p) for key, p in pieces.items()}

    def _is_plated_again(self):
        """Whether the piece has left its lot for another bath since."""
        self.ensure_one()
        return self.replated_workorder_id.production_id.state == "done"

    def _is_manager(self):
        return self.env.user.has_group("soko_qc.soko_qc_group_manager")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_evidence(self):
        if not self._is_manager():
            raise UserError(
                self.env._("Readings are evidence: only a quality manager removes one.")
            )
