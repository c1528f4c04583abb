from odoo import api, fields, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    soko_mpesa_change_count = fields.Integer(
        string="M-Pesa history", compute="_compute_soko_mpesa_change_count",
        groups="soko_mpesa.soko_mpesa_group_maker,soko_mpesa.soko_mpesa_group_approver",
    )

    def _compute_soko_mpesa_change_count(self):
        counts = dict(self.env["soko.mpesa.payee.change"]._read_group(
            [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]))
        for partner in self:
            partner.soko_mpesa_change_count = counts.get(partner._origin, 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_soko_mpesa_history(self):
        # sudo: that there is a history is no secret to those who may delete the contact
        change = self.env["soko.mpesa.payee.change"].sudo().search(
            [("partner_id", "in", self.ids)], limit=1)
        if change:
            raise UserError(self.env._(
                "%s has a history of M-Pesa numbers, which must stay. Archive the contact instead.",
                change.partner_id.display_name,
            ))

    def action_open_soko_mpesa_history(self):
        """Open the history of the contact's M-Pesa numbers."""
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "soko_mpesa.soko_mpesa_payee_change_action")
        return {**action, "domain": [("partner_id", "in", self.ids)], "context": {}}
