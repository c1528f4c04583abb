from odoo import api, fields, models
from odoo.exceptions import UserError


class SokoAgreementTier(models.Model):
    """From a threshold on, the artisan's share is another one."""

    _name = "soko.agreement.tier"
    _description = "Share Tier"
    _order = "line_id, threshold"
    _rec_name = "percent"

    line_id = fields.Many2one(
        "soko.agreement.line", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="line_id.company_id", store=True)
    threshold = fields.Float(
        string="From",
        required=True,
        digits=(16, 2),
        help="Pieces sold in the period before this share begins, or the price of the piece from "
        "which on it counts.",
    )
    percent = fields.Float(string="Share (%)", required=True, digits=(5, 2))

    _threshold_positive = models.Constraint(
        "CHECK (threshold > 0)", "A tier begins above zero: below it the line's own share counts."
    )
    _percent_in_range = models.Constraint(
        "CHECK (percent > 0 AND percent <= 100)",
        "The artisan's share must be above 0 and at most 100 %.",
    )
    _threshold_once = models.UniqueIndex(
        "(line_id, threshold)", "Two tiers begin at the same threshold."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        tiers.line_id.agreement_id._note_change()
        return tiers

    def write(self, vals):
        if "line_id" in vals:
            raise UserError(self.env._("A tier stays with its product: remove it and add another."))
        res = super().write(vals)
        self.line_id.agreement_id._note_change()
        return res

    def unlink(self):
        agreements = self.line_id.agreement_id
        res = super().unlink()
        agreements._note_change()
        return res
