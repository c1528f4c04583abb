from odoo import api, fields, models

from ..tools import plating


class SokoPlatingProcess(models.Model):
    _name = "soko.plating.process"
    _description = "Plating Process"
    _inherit = ["mail.thread"]
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda s: s.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    metal = fields.Selection(
        [(key, metal.name) for key, metal in plating.METALS.items()],
        required=True,
        default="gold_1",
        help="The metal and its ion in the solution; it fills in the constants below.",
    )
    target_thickness_um = fields.Float(
        "Target Thickness (um)", digits=(16, 3), required=True, default=0.5, tracking=True
    )
    current_density = fields.Float(
        "Current Density (A/dm2)",
        digits=(16, 3),
        required=True,
        default=0.5,
        help="From the data sheet of the solution. Current = area x current density.",
    )
    efficiency = fields.Float(
        digits=(16, 4),
        required=True,
        default=0.9,
        tracking=True,
        help="Share of the current that plates metal, from the data sheet of the solution; a new "
        "bath starts with it and learns its own from measured runs.",
    )
    equivalent_mass = fields.Float(
        "Equivalent Mass (g/mol)",
        digits=(16, 3),
        compute="_compute_constants",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="Molar mass divided by the electrons an ion takes. Change it when the data sheet of "
        "the solution names another ion.",
    )
    density = fields.Float(
        "Density (g/cm3)",
        digits=(16, 3),
        compute="_compute_constants",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="Of the deposit. An alloy is lighter than the pure metal: take the data sheet's.",
    )
    fineness = fields.Float(
        digits=(16, 4),
        required=True,
        default=1.0,
        help="Share of the precious metal in the deposit: 1 for fine gold, 0.75 for 18 karat.",
    )
    price_per_gram = fields.Monetary(
        "Metal Price per Gram",
        tracking=True,
        help="Today's price of the fine metal; a run keeps the price of the day it is finished.",
    )
    max_age_days = fields.Integer(
        "Bath Lasts (days)", help="A bath older than this is pointed out on its runs. 0: no limit."
    )
    instructions = fields.Html()
    bath_ids = fields.One2many("soko.plating.bath", "process_id", "Baths")

    _figures_positive = models.Constraint(
        """CHECK(target_thickness_um > 0 AND current_density > 0 AND equivalent_mass > 0
                 AND density > 0 AND price_per_gram >= 0 AND max_age_days >= 0)""",
        "Thickness, current density, equivalent mass and density must be above zero; price and "
        "age cannot be negative.",
    )
    _shares_valid = models.Constraint(
        "CHECK(efficiency > 0 AND efficiency <= 1 AND fineness > 0 AND fineness <= 1)",
        "Efficiency and fineness are shares above 0 % and at most 100 % (24 karat is 100 %).",
    )

    @api.depends("metal")
    def _compute_constants(self):
        for process in self:
            metal = plating.METALS.get(process.metal)
            process.equivalent_mass = metal.equivalent_mass if metal else 0.0
            process.density = metal.density if metal else 0.0
