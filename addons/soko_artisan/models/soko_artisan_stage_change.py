from odoo import fields, models

from .soko_artisan_stage_mixin import STAGES


class SokoArtisanStageChange(models.Model):
    """When an artisan moved from one stage to the next: written by the system, kept for good."""

    _name = "soko.artisan.stage.change"
    _description = "Artisan's Change of Stage"
    _order = "date desc, id desc"
    _rec_name = "stage"
    _allow_sudo_commands = False

    artisan_id = fields.Many2one("soko.artisan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    stage_from = fields.Selection(STAGES, string="From", help="Empty: the first stage noted.")
    stage = fields.Selection(STAGES, string="To", required=True, index=True)
    date = fields.Date(required=True)
    user_id = fields.Many2one("res.users", string="By", required=True)
    reason = fields.Char()
