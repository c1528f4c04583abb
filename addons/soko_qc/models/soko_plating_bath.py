from datetime import timedelta

from odoo import api, fields, models

from ..tools import plating

# Enough runs to even out single readings, few enough to follow an ageing bath.
RUNS_TO_LEARN_FROM = 10


class SokoPlatingBath(models.Model):
    _name = "soko.plating.bath"
    _description = "Plating Bath"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(related="process_id.company_id", store=True, index=True)
    process_id = fields.Many2one(
        "soko.plating.process", required=True, index=True, ondelete="restrict", tracking=True
    )
    volume_l = fields.Float("Volume (l)", digits=(16, 2), tracking=True)
    metal_content_g_l = fields.Float(
        "Metal Content (g/l)",
        digits=(16, 3),
        tracking=True,
        help="As the last analysis found it.",
    )
    metal_total_g = fields.Float("Metal in the Bath (g)", compute="_compute_metal_total_g")
    date_analysis = fields.Date("Last Analysis", tracking=True)
    date_makeup = fields.Date("Made Up On", default=fields.Date.context_today, tracking=True)
    is_too_old = fields.Boolean(compute="_compute_is_too_old")
    efficiency = fields.Float(
        digits=(16, 4),
        compute="_compute_efficiency",
        store=True,
        precompute=True,
        readonly=False,
        tracking=True,
        help="Share of the current that plates metal: the process's to begin with, then learnt "
        "from the measured thickness of the last runs.",
    )
    run_ids = fields.One2many("soko.plating.run", "bath_id", "Runs")
    run_count = fields.Integer(compute="_compute_run_count")

    _figures_positive = models.Constraint(
        "CHECK(volume_l >= 0 AND metal_content_g_l >= 0)",
        "Volume and metal content cannot be negative.",
    )
    _efficiency_valid = models.Constraint(
        "CHECK(efficiency > 0 AND efficiency <= 1)",
        "The efficiency is a share above 0 % and at most 100 %.",
    )

    # === COMPUTE METHODS === #

    @api.depends("process_id")
    def _compute_efficiency(self):
        for bath in self:
            bath.efficiency = bath.process_id.efficiency or 1.0

    @api.depends("volume_l", "metal_content_g_l")
    def _compute_metal_total_g(self):
        for bath in self:
            bath.metal_total_g = bath.volume_l * bath.metal_content_g_l

    @api.depends("date_makeup", "process_id.max_age_days")
    def _compute_is_too_old(self):
        today = fields.Date.context_today(self)
        for bath in self:
            days = bath.process_id.max_age_days
            limit = bath.date_makeup and days and bath.date_makeup + timedelta(days=days)
            bath.is_too_old = bool(limit) and limit < today

    @api.depends("run_ids")
    def _compute_run_count(self):
        for bath in self:
            bath.run_count = len(bath.run_ids)

    # === ACTIONS === #

    def action_view_runs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_plating_run_action")
        context = {"default_bath_id": self.id}
        return dict(action, domain=[("bath_id", "=", self.id)], context=context)

    # === BUSINESS METHODS === #

    def _learn_efficiency(self):
        """Take the efficiency from the last measured runs, each weighing by its charge."""
        for bath in self:
            runs = self.env["soko.plating.run"].search(
                [
                    ("bath_id", "=", bath.id),
                    ("state", "=", "done"),
                    ("measured_thickness_um", ">", 0),
                ],
                order="date_finished desc, id desc",
                limit=RUNS_TO_LEARN_FROM,
            )
            learnt = plating.learnt_efficiency([run._get_efficiency_pair() for run in runs])
            if learnt:
                bath.efficiency = learnt
