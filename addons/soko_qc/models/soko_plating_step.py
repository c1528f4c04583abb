from odoo import fields, models

STEPS = [
    ("polish", "Polish"),
    ("ultrasonic", "Ultrasonic Clean"),
    ("strike", "Strike"),
    ("plate", "Plate"),
    ("rinse", "Rinse"),
    ("dry", "Dry"),
    ("seal", "Seal"),
    ("inspect", "Inspect"),
]


class SokoPlatingStep(models.Model):
    """A step of a process's recipe; on a bill of materials it becomes an operation."""

    _name = "soko.plating.step"
    _description = "Step of a Plating Recipe"
    _order = "process_id, sequence, id"
    _check_company_auto = True

    process_id = fields.Many2one(
        "soko.plating.process", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="process_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(STEPS, required=True, default="plate")
    workcenter_id = fields.Many2one("mrp.workcenter", required=True, check_company=True)
    minutes = fields.Float(help="Expected time of the step.")
    strike_process_id = fields.Many2one(
        "soko.plating.process",
        check_company=True,
        help="The process of the strike bath, when the strike is counted as a run of its own.",
    )
    note = fields.Char("What to Watch")

    _minutes_positive = models.Constraint("CHECK(minutes >= 0)", "Minutes cannot be negative.")

    def _prepare_operation_vals(self, bom):
        self.ensure_one()
        process = self.process_id if self.kind == "plate" else self.strike_process_id
        return {
            "bom_id": bom.id,
            "name": dict(STEPS)[self.kind] + (f": {self.note}" if self.note else ""),
            "sequence": self.sequence,
            "workcenter_id": self.workcenter_id.id,
            "time_mode": "manual",
            "time_cycle_manual": self.minutes,
            "soko_step": self.kind,
            "soko_plating_process_id": process.id,
        }
