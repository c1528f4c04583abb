from odoo import fields, models


class SokoPlatingTank(models.Model):
    """The vessel and its rectifier; what is in it is a bath."""

    _name = "soko.plating.tank"
    _description = "Plating Tank"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda s: s.env.company
    )
    volume_l = fields.Float("Volume (l)", digits=(16, 2))
    max_current_a = fields.Float(
        "Rectifier up to (A)", digits=(16, 2), help="0: no limit is watched."
    )
    max_voltage_v = fields.Float(
        "Rectifier up to (V)", digits=(16, 2), help="0: no limit is watched."
    )
    max_area_cm2 = fields.Float(
        "Holds up to (cm2)",
        digits=(16, 2),
        help="Plated area that fits on the rack or into the barrel. 0: no limit is watched.",
    )
    bath_ids = fields.One2many("soko.plating.bath", "tank_id", "Baths")

    _figures_positive = models.Constraint(
        """CHECK(volume_l >= 0 AND max_current_a >= 0 AND max_voltage_v >= 0
                 AND max_area_cm2 >= 0)""",
        "Volume and limits of a tank cannot be negative.",
    )
