from odoo import models


class IrCron(models.Model):
    _inherit = "ir.cron"

    def write(self, vals):
        res = super().write(vals)
        # what it does is its server action's, and told there; here it is when, and as whom
        if self.env.registry.ready:
            own = [name for name in vals if not self._fields[name].inherited]
            self.env["soko.mpesa.automation"]._note_actions(
                self.ir_actions_server_id, "changed", own)
        return res
