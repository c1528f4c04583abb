from odoo import api, fields, models
from odoo.tools import format_list

from ..tools import judgement


class SokoQcAlertRaiser(models.AbstractModel):
    """An inspection raises alerts: by hand, or by itself where its plan says so."""

    _name = "soko.qc.alert.raiser"
    _description = "Raises Quality Alerts"

    alert_ids = fields.One2many("soko.qc.alert", "inspection_id", "Alerts")
    alert_count = fields.Integer(compute="_compute_alert_count")

    @api.depends("alert_ids")
    def _compute_alert_count(self):
        for inspection in self:
            inspection.alert_count = len(inspection.alert_ids)

    # === ACTIONS === #

    def action_create_alert(self):
        """Open a new alert about this inspection."""
        self.ensure_one()
        alerts = self.env["soko.qc.alert"]
        alerts.check_access("create")
        vals = alerts._prepare_inspection_vals(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Alert"),
            "res_model": "soko.qc.alert",
            "view_mode": "form",
            "context": {f"default_{name}": value for name, value in vals.items()},
        }

    def action_view_alerts(self):
        return self.alert_ids._get_records_action(name=self.env._("Alerts"))

    # === AUTOMATIC ALERTS === #

    def _raise_alerts(self):
        """One alert for each decided inspection whose plan asks for it, by its gravest reason."""
        alerts = self.env["soko.qc.alert"]
        for inspection in self:
            reason = inspection._get_alert_reason()
            if reason:
                alerts |= alerts.create(inspection._prepare_alert_vals(reason))
        return alerts

    def _get_alert_reason(self):
        """Why this inspection needs an alert, or None."""
        self.ensure_one()
        plan = self.plan_id
        worst = [piece._get_worst_severity() for piece in self.piece_ids]
        if plan.alert_on_critical and judgement.SEVERITIES[0] in worst:
            return "critical"
        if not self._is_refused():
            return None
        if plan.alert_refused_lots and self._count_refused() >= plan.alert_refused_lots:
            return "repeated"
        return "refused" if plan.alert_on_refused else None

    def _is_refused(self):
        """The sample refused the lot or, where all pieces were looked at, none was accepted."""
        self.ensure_one()
        return self.lot_verdict == "refused" or self.decision == "rejected"

    def _count_refused(self):
        """Refused lots of this maker under this plan since the last alert about them."""
        self.ensure_one()
        if not self.partner_id:
            return 0
        same = [
            ("plan_id", "=", self.plan_id.id),
            ("partner_id", "=", self.partner_id.id),
            ("company_id", "=", self.company_id.id),
        ]
        # sudo: the count must be whole, whatever alerts the inspector may see.
        last = self.sudo().search(
            [*same, ("alert_ids.reason", "=", "repeated")], order="date_done desc, id desc", limit=1
        )
        if last:
            same.append(("date_done", ">", last.date_done))
        return self.sudo().search_count(
            [*same, "|", ("lot_verdict", "=", "refused"), ("decision", "=", "rejected")]
        )

    def _prepare_alert_vals(self, reason):
        """Values of the alert that an inspection raises by itself. Call ``super()``."""
        self.ensure_one()
        titles = {
            "critical": self.env._("Critical defect in %s", self.name),
            "refused": self.env._("Lot refused in %s", self.name),
            "repeated": self.env._("%s: lots refused again and again", self.partner_id.name),
        }
        found = self.piece_ids.defect_ids.mapped("name")
        failed = self.piece_ids.result_ids.filtered(lambda r: r.verdict == judgement.FAIL)
        causes = list(dict.fromkeys([*found, *failed.mapped("name")]))
        plan = self.plan_id
        return {
            **self.env["soko.qc.alert"]._prepare_inspection_vals(self),
            "title": titles[reason],
            "reason": reason,
            "priority": "1" if reason == "critical" else "0",
            "user_id": (plan.alert_user_id or self.user_id or self.env.user).id,
            "date_deadline": fields.Date.add(
                fields.Date.context_today(self), days=plan.alert_days
            ),
            "description": format_list(self.env, causes) if causes else False,
        }
