from datetime import datetime, time, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import plating

FLOWS = ("additions", "deposited", "drag_out", "recovered", "samples")
KINDS = {
    "addition": "additions",
    "drag_out": "drag_out",
    "recovered": "recovered",
    "sample": "samples",
}


class SokoPlatingBalance(models.Model):
    """Where the metal of a bath went in a period, and what nobody can explain."""

    _name = "soko.plating.balance"
    _description = "Metal Balance"
    _inherit = ["mail.thread"]
    _order = "date_to desc, id desc"
    _check_company_auto = True

    bath_id = fields.Many2one(
        "soko.plating.bath", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="bath_id.company_id", store=True, index=True)
    date_from = fields.Date(required=True)
    date_to = fields.Date(required=True, default=fields.Date.context_today)
    state = fields.Selection(
        [("draft", "Open"), ("closed", "Closed")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    opening_g = fields.Float(
        "Opening (g)",
        digits=(16, 5),
        compute="_compute_opening",
        store=True,
        readonly=False,
        copy=False,
        help="The closing of the last closed balance; for the first one, what an analysis found.",
    )
    additions_g = fields.Float("Additions (g)", digits=(16, 5), readonly=True)
    deposited_g = fields.Float("Deposited (g)", digits=(16, 5), readonly=True)
    drag_out_g = fields.Float("Drag-Out (g)", digits=(16, 5), readonly=True)
    recovered_g = fields.Float("Recovered (g)", digits=(16, 5), readonly=True)
    samples_g = fields.Float("Samples (g)", digits=(16, 5), readonly=True)
    closing_g = fields.Float(
        "Closing, as Found (g)",
        digits=(16, 5),
        copy=False,
        help="Metal content by titration x volume.",
    )
    expected_g = fields.Float(
        "Closing, as Booked (g)", digits=(16, 5), compute="_compute_gap", store=True
    )
    gap_g = fields.Float(
        "Gap (g)",
        digits=(16, 5),
        compute="_compute_gap",
        store=True,
        help="Metal that the books have and the bath hasn't. Negative: the bath holds more.",
    )

    _period_valid = models.Constraint(
        "CHECK(date_from <= date_to)", "A period ends on or after the day it begins."
    )
    _metal_positive = models.Constraint(
        "CHECK(opening_g >= 0 AND closing_g >= 0)", "Metal in a bath cannot be negative."
    )

    @api.depends("bath_id", "date_from")
    def _compute_opening(self):
        for balance in self:
            before = balance._get_previous()
            balance.opening_g = before.closing_g if before else balance.opening_g

    @api.depends("opening_g", "closing_g", *(f"{flow}_g" for flow in FLOWS))
    def _compute_gap(self):
        for balance in self:
            flows = {flow: balance[f"{flow}_g"] for flow in FLOWS}
            figures = plating.Balance(balance.opening_g, **flows)
            balance.expected_g = figures.expected
            balance.gap_g = figures.gap(balance.closing_g)

    @api.constrains("bath_id", "date_from", "date_to")
    def _check_no_overlap(self):
        for balance in self:
            overlapping = self.search_count(
                [
                    ("id", "!=", balance.id),
                    ("bath_id", "=", balance.bath_id.id),
                    ("date_from", "<=", balance.date_to),
                    ("date_to", ">=", balance.date_from),
                ],
                limit=1,
            )
            if overlapping:
                raise UserError(
                    self.env._("Another balance of this bath covers a part of these days.")
                )

    def write(self, vals):
        if any(balance.state == "closed" for balance in self):
            figures = {f for f in vals if f.endswith("_g") or f.startswith("date_")}
            if figures | ({"bath_id", "state"} & vals.keys()):
                raise UserError(self.env._("A closed balance stays as it is."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        if any(balance.state == "closed" for balance in self):
            raise UserError(self.env._("A closed balance stays as it is."))

    def action_compute(self):
        """Take the flows of the period from the log and the runs, and the last titration."""
        self.check_access("write")
        for balance in self:
            vals = balance._prepare_flows()
            # A closing that somebody weighed or titrated is not overwritten.
            if not balance.closing_g:
                vals["closing_g"] = balance._get_closing()
            balance.write(vals)
        return True

    def action_close(self):
        """Freeze the figures; the next balance opens with this closing.

        :raises UserError: without a closing figure
        """
        self.action_compute()
        for balance in self:
            if not balance.closing_g:
                raise UserError(
                    self.env._(
                        "Nobody measured what %s holds at the end of the period. Titrate it and "
                        "log the titration, or enter the closing.",
                        balance.bath_id.name,
                    )
                )
            balance.state = "closed"
        return True

    def _get_previous(self):
        self.ensure_one()
        if not (self.bath_id and self.date_from):
            return self.browse()
        return self.search(
            [
                ("bath_id", "=", self.bath_id.id),
                ("state", "=", "closed"),
                ("date_to", "<", self.date_from),
            ],
            limit=1,
        )

    def _get_period_domain(self, field):
        """Domain of a moment within the days of the period, in the user's time zone."""
        bounds = []
        for day in (self.date_from, self.date_to + timedelta(days=1)):
            local = self.env.tz.localize(datetime.combine(day, time.min))
            bounds.append(local.astimezone(timezone.utc).replace(tzinfo=None))
        start, end = bounds
        return [("bath_id", "=", self.bath_id.id), (field, ">=", start), (field, "<", end)]

    def _prepare_flows(self):
        self.ensure_one()
        vals = {f"{flow}_g": 0.0 for flow in FLOWS}
        groups = self.env["soko.plating.bath.log"]._read_group(
            [*self._get_period_domain("date"), ("kind", "in", list(KINDS))],
            ["kind"],
            ["metal_g:sum"],
        )
        for kind, grams in groups:
            vals[f"{KINDS[kind]}_g"] = grams
        runs = [*self._get_period_domain("date_finished"), ("state", "=", "done")]
        [(deposited,)] = self.env["soko.plating.run"]._read_group(runs, [], ["fine_mass_g:sum"])
        vals["deposited_g"] = deposited or 0.0
        if not vals["drag_out_g"]:
            vals["drag_out_g"] = vals["deposited_g"] * self.bath_id.process_id.drag_out_share
        return vals

    def _get_closing(self):
        entry = self.env["soko.plating.bath.log"].search(
            [*self._get_period_domain("date"), ("kind", "=", "analysis")], limit=1
        )
        return entry.metal_content_g_l * self.bath_id.volume_l
