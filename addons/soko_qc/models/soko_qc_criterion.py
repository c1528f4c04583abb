from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .soko_qc_defect import SEVERITIES

CRITERION_TYPES = [
    ("pass_fail", "Pass or fail"),
    ("measure", "Measure"),
    ("count", "Count"),
    ("text", "Text"),
    ("photo", "Photo"),
    ("compare", "Compare with the master"),
]
NUMBERS = ("measure", "count")


class SokoQcCriterion(models.Model):
    _name = "soko.qc.criterion"
    _description = "Inspection Criterion"
    _order = "plan_id, sequence, id"

    plan_id = fields.Many2one("soko.qc.plan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="plan_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True, help="What to look at, e.g. Edges are smooth")
    type = fields.Selection(
        CRITERION_TYPES,
        required=True,
        default="pass_fail",
        help="Measure: a number with a unit and a tolerance. Count: a whole number of things. "
        "Photo: the piece passes with a picture only. Compare: the master's picture is shown "
        "beside the piece.",
    )
    severity = fields.Selection(
        SEVERITIES,
        required=True,
        default="major",
        help="A failing critical or major criterion rejects the piece; a minor one is only noted.",
    )
    target = fields.Float(digits=(16, 4), help="The wanted value of a measure.")
    tolerance_minus = fields.Float(digits=(16, 4), help="How far below the target still passes.")
    tolerance_plus = fields.Float(digits=(16, 4), help="How far above the target still passes.")
    unit = fields.Char(help="Unit of the measure, e.g. mm, g, um.")
    reading_required = fields.Boolean(
        help="On: each inspected piece needs its reading. Off: a piece may pass by a go / no-go "
        "gauge, without a number."
    )
    instrument = fields.Char(translate=True, help="What it is measured with, e.g. calliper 3.")
    instructions = fields.Char(translate=True, help="How to check it.")

    image_1920 = fields.Image(
        "Master",
        max_width=1920,
        max_height=1920,
        help="What it should look like. Empty: the master sample of the plan.",
    )

    _tolerances_positive = models.Constraint(
        "CHECK(tolerance_minus >= 0 AND tolerance_plus >= 0)", "A tolerance cannot be negative."
    )

    @api.depends("name", "plan_id.name")
    @api.depends_context("soko_qc_show_plan")
    def _compute_display_name(self):
        shows_plan = self.env.context.get("soko_qc_show_plan")
        for criterion in self:
            plan_name = criterion.plan_id.name if shows_plan else ""
            criterion.display_name = (
                f"{plan_name}: {criterion.name}" if plan_name else criterion.name
            )

    @api.constrains("type", "unit")
    def _check_unit(self):
        for criterion in self:
            if criterion.type == "measure" and not (criterion.unit or "").strip():
                raise ValidationError(
                    self.env._("%s is a measure and needs a unit, e.g. mm.", criterion.name)
                )

    @api.constrains("type", "image_1920")
    def _check_master(self):
        for criterion in self.filtered(lambda c: c.type == "compare"):
            if not criterion._get_master():
                raise ValidationError(
                    self.env._(
                        "%s compares with a master: add its picture here, or the picture of the "
                        "master sample to the plan.",
                        criterion.name,
                    )
                )

    def action_view_chart(self):
        """Open the control chart of this measure."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_control_chart_action"
        )
        context = {"dialog_size": "extra-large", "default_criterion_id": self.id}
        return dict(action, context=context)

    def _get_master(self):
        """The picture a piece is compared with, which may be empty."""
        return self.image_1920 or self.plan_id.image_1920

    def _prepare_result_vals(self):
        """What an inspection keeps of the criterion, so that later changes leave it alone."""
        self.ensure_one()
        return {
            "criterion_id": self.id,
            "name": self.name,
            "type": self.type,
            "severity": self.severity,
            "lower": self.target - self.tolerance_minus,
            "upper": self.target + self.tolerance_plus,
            "unit": self.unit,
            "instrument": self.instrument,
            "reading_required": self.reading_required,
        }
