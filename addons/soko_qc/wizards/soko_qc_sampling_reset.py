from odoo import fields, models
from odoo.exceptions import UserError

from ..models.soko_qc_sampling_state import STAGES
from ..tools import sampling


class SokoQcSamplingReset(models.TransientModel):
    _name = "soko.qc.sampling.reset"
    _description = "Set the Inspection Severity"

    state_ids = fields.Many2many("soko.qc.sampling.state", string="Makers", required=True)
    stage = fields.Selection(
        STAGES,
        "New Severity",
        required=True,
        default=sampling.TIGHTENED,
        help="After inspection was discontinued, the standard goes on with tightened inspection.",
    )
    reason = fields.Text(required=True, help="Kept in the history, e.g. what the maker changed.")

    def action_confirm(self):
        """Set the severity of these makers; the counting begins anew."""
        self.ensure_one()
        self.state_ids.check_access("read")
        self.state_ids._check_manager()
        if not self.reason.strip():
            raise UserError(self.env._("Say why: the reason is kept in the maker's history."))
        needs_tables = self.stage in (sampling.TIGHTENED, sampling.REDUCED)
        for state in self.state_ids:
            if needs_tables and state.plan_id.sampling != "aql":
                raise UserError(
                    self.env._(
                        "%s has no tightened or reduced inspection, for it does not sample by AQL. "
                        "Choose full or normal.",
                        state.plan_id.name,
                    )
                )
            # sudo: a manager's decision, checked above; nobody writes states directly.
            state.sudo()._set_history(sampling.History(self.stage), self.reason.strip())
        return {"type": "ir.actions.act_window_close"}
