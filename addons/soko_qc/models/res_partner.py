from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    soko_sampling_state_ids = fields.One2many(
        "soko.qc.sampling.state",
        "partner_id",
        "Inspection Severities",
        groups="stock.group_stock_user",
    )
    soko_sampling_state_count = fields.Integer(
        compute="_compute_soko_sampling_state_count", groups="stock.group_stock_user"
    )

    def _compute_soko_sampling_state_count(self):
        groups = self.env["soko.qc.sampling.state"]._read_group(
            [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
        )
        counts = dict(groups)
        for partner in self:
            partner.soko_sampling_state_count = counts.get(partner, 0)

    def action_view_soko_sampling_states(self):
        """Open how closely this maker's lots are looked at."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_sampling_state_action"
        )
        return dict(action, domain=[("partner_id", "=", self.id)])
