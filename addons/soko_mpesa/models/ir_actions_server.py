from odoo import api, models


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        # while modules are installed or updated it is they who make actions, not a person
        if self.env.registry.ready:
            for action, vals in zip(actions, vals_list, strict=True):
                self.env["soko.mpesa.automation"]._note_actions(action, "created", vals)
        return actions

    def write(self, vals):
        if not self.env.registry.ready:
            return super().write(vals)
        noted = self.env["soko.mpesa.automation"]
        before = noted._get_targets(self)
        res = super().write(vals)
        noted._note_actions(self, "changed", vals, before)
        return res
