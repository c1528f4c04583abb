from odoo import models

from .. import points


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _commit_progress(self, *args, **kwargs):
        """The two commits of a send: the claim (K3 before, K4 after) and the record (K11)."""
        phase = getattr(points.here, "phase", "")
        if phase == "claim" and points.here.claims:
            points.reach("K3")
            if points.SABOTAGE == "no-claim-commit":
                return 0.0
            left = super()._commit_progress(*args, **kwargs)
            points.reach("K4")
            return left
        if phase == "record":
            points.reach("K11")
        return super()._commit_progress(*args, **kwargs)
