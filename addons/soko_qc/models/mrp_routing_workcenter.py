from odoo import fields, models

from .soko_plating_step import STEPS


class MrpRoutingWorkcenter(models.Model):
    _inherit = "mrp.routing.workcenter"

    soko_step = fields.Selection(STEPS, "Plating Step")
    soko_plating_process_id = fields.Many2one(
        "soko.plating.process",
        "Plating Process",
        check_company=True,
        index="btree_not_null",
        help="This step happens in a bath of this process; its work orders ride on plating runs.",
    )
