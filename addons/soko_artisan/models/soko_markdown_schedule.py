from odoo import api, fields, models


class SokoMarkdownSchedule(models.Model):
    """How the shop's price falls while a piece stays in the house."""

    _name = "soko.markdown.schedule"
    _description = "Markdown Schedule"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    notice_days = fields.Integer(
        string="Days of notice",
        default=7,
        help="The artisan is told so many days before each step begins.",
    )
    bearer = fields.Selection(
        [("shared", "The artisan shares it"), ("house", "We bear it")],
        string="Who bears it",
        required=True,
        default="shared",
        help="Shared: her share is taken from the lower price, and a fixed price falls in the "
        "same proportion. We bear it: she earns as if the price had not fallen.",
    )
    step_ids = fields.One2many(
        "soko.markdown.step", "schedule_id", string="Steps", copy=True
    )

    _notice_positive = models.Constraint(
        "CHECK (notice_days >= 0)", "Days of notice can't be negative."
    )

    # === BUSINESS METHODS === #

    @api.depends("name")
    def _compute_display_name(self):
        for schedule in self:
            steps = ", ".join(f"{s.days} d −{s.percent:g} %" for s in schedule.step_ids)
            schedule.display_name = f"{schedule.name} ({steps})" if steps else schedule.name

    def _get_terms(self):
        """Return the schedule as plain data, to be frozen in versions and lots; {} for none."""
        if not self:
            return {}
        return {
            "steps": [[step.days, step.percent] for step in self.step_ids.sorted("days")],
            "bearer": self.bearer,
            "notice_days": self.notice_days,
        }
