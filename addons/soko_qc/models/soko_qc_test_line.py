from odoo import api, fields, models
from odoo.exceptions import UserError

from .soko_qc_limit import TESTED


class SokoQcTestLine(models.Model):
    _name = "soko.qc.test.line"
    _description = "Laboratory Result"
    _order = "report_id, id"

    report_id = fields.Many2one(
        "soko.qc.test.report", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="report_id.company_id", store=True, index=True)
    limit_id = fields.Many2one(
        "soko.qc.limit", required=True, domain=[("kind", "in", TESTED)], ondelete="restrict"
    )
    part = fields.Char(help="Which part was tested, e.g. ear hook.")
    value = fields.Float("Result", digits=(16, 4), help="0: nothing was detected.")
    unit = fields.Char(related="limit_id.unit")
    verdict = fields.Selection(
        [("pass", "Keeps it"), ("fail", "Fails")], compute="_compute_verdict"
    )

    _value_positive = models.Constraint(
        "CHECK(value >= 0)", "A laboratory's result cannot be negative. Enter 0 for not detected."
    )

    @api.depends("value", "limit_id")
    def _compute_verdict(self):
        for line in self:
            judged = line.limit_id and line.value >= 0
            line.verdict = judged and ("pass" if line.limit_id._is_kept(line.value) else "fail")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_draft()
        return lines

    def write(self, vals):
        self._check_draft()
        res = super().write(vals)
        self._check_draft()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        self._check_draft()

    def _check_draft(self):
        approved = self.report_id.filtered("approved_user_id")
        if approved:
            raise UserError(
                self.env._(
                    "%s is approved; its results can no longer be changed. Withdraw it and make a "
                    "new one.",
                    approved[0].display_name,
                )
            )

    def _prepare_proof(self):
        """Plain values for who shows the result."""
        self.ensure_one()
        report, limit = self.report_id, self.limit_id
        return {
            "report": report.name,
            "laboratory": report.laboratory_id.name,
            "date": report.date,
            "valid_until": report.date_expiry,
            "part": self.part or "",
            "value": self.value,
            "unit": limit.unit,
            "bound": limit.bound,
            "limit": limit.value,
            "source": limit.source,
        }
