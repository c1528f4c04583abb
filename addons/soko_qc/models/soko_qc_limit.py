from odoo import api, fields, models

from ..tools import compliance

KINDS = [
    ("nickel", "Nickel release"),
    ("lead", "Lead"),
    ("cadmium", "Cadmium"),
    ("plated", "Gold plated"),
    ("heavy", "Heavy gold plated"),
    ("vermeil", "Vermeil"),
    ("karat", "Gold, by karat"),
    ("horn", "Horn: origin"),
    ("bone", "Bone: origin"),
]
TESTED = ("nickel", "lead", "cadmium")
PLATED = ("plated", "heavy", "vermeil")
GOLD = (*PLATED, "karat")
ORIGIN = ("horn", "bone")


class SokoQcLimit(models.Model):
    """A limit of a law or trade rule. Records, for rules change and their source must be named."""

    _name = "soko.qc.limit"
    _description = "Compliance Limit"
    _order = "kind, measure, value, id"

    name = fields.Char(required=True, translate=True, help="E.g. Posts in pierced ears.")
    kind = fields.Selection(KINDS, required=True, index=True)
    measure = fields.Selection(
        [("content", "Content or release"), ("thickness", "Thickness"), ("karat", "Karat")],
        required=True,
        default="content",
    )
    bound = fields.Selection(
        [
            (compliance.BELOW, "Less than"),
            (compliance.AT_MOST, "At most"),
            (compliance.AT_LEAST, "At least"),
        ],
        required=True,
        default=compliance.BELOW,
    )
    value = fields.Float("Limit", digits=(16, 4), required=True)
    unit = fields.Char(required=True, help="E.g. % by weight, ug/cm2/week, um.")
    source = fields.Char(required=True, help="The rule it comes from, with its section.")
    active = fields.Boolean(default=True)

    _value_positive = models.Constraint("CHECK(value >= 0)", "A limit cannot be negative.")

    @api.depends("name", "kind", "bound", "value", "unit")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        bounds = dict(self._fields["bound"]._description_selection(self.env))
        for limit in self:
            kind, bound = kinds.get(limit.kind, ""), bounds.get(limit.bound, "")
            limit.display_name = (
                f"{kind}, {limit.name}: {bound.lower()} {limit.value:g} {limit.unit or ''}".strip()
            )

    def _is_kept(self, value):
        """Whether a value in this limit's unit keeps it."""
        self.ensure_one()
        return compliance.keeps(value, self.bound, self.value)
