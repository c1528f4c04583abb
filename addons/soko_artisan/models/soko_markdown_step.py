from odoo import fields, models


class SokoMarkdownStep(models.Model):
    """After so many days in the house, so much less."""

    _name = "soko.markdown.step"
    _description = "Markdown Step"
    _order = "schedule_id, days"

    schedule_id = fields.Many2one(
        "soko.markdown.schedule", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="schedule_id.company_id", store=True)
    days = fields.Integer(string="Days in the house", required=True)
    percent = fields.Float(
        string="Less (%)",
        required=True,
        digits=(5, 2),
        help="Off the shop's full price, not off the step before.",
    )

    _days_positive = models.Constraint("CHECK (days > 0)", "A markdown begins after day 0.")
    _percent_in_range = models.Constraint(
        "CHECK (percent > 0 AND percent < 100)", "A markdown is above 0 and below 100 %."
    )
    _days_once = models.UniqueIndex(
        "(schedule_id, days)", "Two steps begin on the same day."
    )
