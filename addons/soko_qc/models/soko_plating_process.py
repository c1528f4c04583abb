from odoo import api, fields, models
from odoo.exceptions import ValidationError

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
    karat = fields.Float(
        digits=(16, 2),
        compute="_compute_karat",
        inverse="_inverse_karat",
        help="The fineness in twenty-fourths: 24 is fine gold.",
    )
    price_per_gram = fields.Monetary(
        "Metal Price per Gram",
        tracking=True,
        help="Today's price of the fine metal; a run keeps the price of the day it is finished.",
    )
    max_age_days = fields.Integer(
        "Bath Lasts (days)", help="A bath older than this is pointed out on its runs. 0: no limit."
    )
    maintenance_ah = fields.Float(
        "Maintenance Every (Ah)",
        digits=(16, 5),
        help="Ampere-hours between carbon treatment, filter change and the like. 0: none planned.",
    )
    metal_min = fields.Float("Metal from (g/l)", digits=(16, 3))
    metal_max = fields.Float("Metal to (g/l)", digits=(16, 3))
    temperature_min = fields.Float("Temperature from (C)", digits=(16, 1))
    temperature_max = fields.Float("Temperature to (C)", digits=(16, 1))
    ph_min = fields.Float("pH from", digits=(16, 2))
    ph_max = fields.Float("pH to", digits=(16, 2))
    measure_required = fields.Boolean(
        "Measure Before Sale",
        help="Pieces plated by this process cannot be delivered to a customer before a thickness "
        "was measured.",
    )
    drag_out_share = fields.Float(
        "Drag-Out",
        digits=(16, 4),
        help="Metal the pieces carry into the rinse, as a share of what they took: 10 to 20 % is "
        "usual. The balance uses it for periods in which nobody measured the drag-out.",
    )
    salt_product_id = fields.Many2one(
        "product.product",
        "Metal Salt",
        check_company=True,
        domain="[('is_storable', '=', True), ('tracking', '=', 'none')]",
        help="What is added to the bath. Additions move it from the stock into the bath, runs "
        "consume it from there. Keep it in milligrams, so that small runs count.",
    )
    salt_share = fields.Float(
        "Metal in the Salt",
        digits=(16, 4),
        default=0.683,
        help="Grams of metal in a gram of salt: 68.3 % for potassium gold cyanide.",
    )
    target_ids = fields.One2many("soko.plating.target", "process_id", "Thickness by Surface Class")
    step_ids = fields.One2many("soko.plating.step", "process_id", "Recipe")
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

    _limits_valid = models.Constraint(
        """CHECK(metal_min >= 0 AND ph_min >= 0 AND ph_max <= 14 AND maintenance_ah >= 0
                 AND drag_out_share >= 0 AND drag_out_share < 1
                 AND salt_share > 0 AND salt_share <= 1)""",
        "Limits cannot be negative, a pH is at most 14, shares lie between 0 and 100 %.",
    )

    @api.depends("fineness")
    def _compute_karat(self):
        for process in self:
            process.karat = process.fineness * 24

    def _inverse_karat(self):
        for process in self:
            if not 0 < process.karat <= 24:
                raise ValidationError(
                    self.env._(
                        "%s karat does not exist: fine gold is 24. Check whether you meant the "
                        "fineness in thousandths.",
                        f"{process.karat:g}",
                    )
                )
            process.fineness = process.karat / 24

    def write(self, vals):
        if {"metal", "density", "equivalent_mass", "fineness"} & vals.keys():
            self.bath_ids._check_no_run_inside()
        return super().write(vals)

    @api.constrains("salt_product_id")
    def _check_salt_product(self):
        gram = self.env.ref("uom.product_uom_gram")
        for process in self:
            salt = process.salt_product_id
            if salt and (salt.tracking != "none" or not salt.uom_id._has_common_reference(gram)):
                raise ValidationError(
                    self.env._(
                        "%s can't be the metal salt: it must be kept by weight and without lots.",
                        salt.display_name,
                    )
                )

    @api.depends("metal")
    def _compute_constants(self):
        for process in self:
            metal = plating.METALS.get(process.metal)
            process.equivalent_mass = metal.equivalent_mass if metal else 0.0
            process.density = metal.density if metal else 0.0

    def _get_thickness(self, surface_class):
        """Target and least thickness of a surface class, in um.

        :return: the class's own, else the process's target for both
        :rtype: tuple[float, float]
        """
        self.ensure_one()
        own = self.target_ids.filtered(lambda t: t.surface_class == surface_class)[:1]
        if own:
            return own.target_um, own.minimum_um
        return self.target_thickness_um, self.target_thickness_um
