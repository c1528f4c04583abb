from odoo import fields, models


class SokoPlatingTarget(models.Model):
    """How thick a process plates products of one surface class."""

    _name = "soko.plating.target"
    _description = "Thickness by Surface Class"
    _order = "process_id, id"

    process_id = fields.Many2one(
        "soko.plating.process", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="process_id.company_id", store=True, index=True)
    surface_class = fields.Selection(
        lambda s: s.env["product.template"]._fields["soko_surface_class"].selection,
        required=True,
    )
    target_um = fields.Float("Target (um)", digits=(16, 3), required=True)
    minimum_um = fields.Float("At Least (um)", digits=(16, 3), required=True)

    _figures_valid = models.Constraint(
        "CHECK(minimum_um > 0 AND minimum_um <= target_um)",
        "The least thickness is above zero and not more than the target.",
    )
    _one_a_class = models.UniqueIndex(
        "(process_id, surface_class)", "This surface class has its thickness already."
    )
