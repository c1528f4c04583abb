from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..tools import plating


class SokoPlatingRun(models.Model):
    """Work orders that go through one bath together."""

    _name = "soko.plating.run"
    _description = "Plating Run"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(readonly=True, copy=False, default="/")
    state = fields.Selection(
        [
            ("draft", "Loading"),
            ("progress", "In the Bath"),
            ("done", "Done"),
            ("cancel", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    company_id = fields.Many2one(related="bath_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    bath_id = fields.Many2one(
        "soko.plating.bath",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        tracking=True,
    )
    process_id = fields.Many2one(related="bath_id.process_id", store=True, index=True)
    user_id = fields.Many2one("res.users", "Plater", default=lambda s: s.env.user, tracking=True)
    workorder_ids = fields.One2many("mrp.workorder", "soko_plating_run_id", "Work Orders")
    production_ids = fields.Many2many(
        "mrp.production", string="Manufacturing Orders", compute="_compute_production_ids"
    )
    piece_count = fields.Float(
        "Pieces", digits="Product Unit", compute="_compute_load", store=True
    )
    area_cm2 = fields.Float(
        "Area (cm2)",
        digits=(16, 2),
        compute="_compute_load",
        store=True,
        help="Sum over the work orders: pieces x plated area of the product.",
    )
    suggested_current_a = fields.Float(
        "Suggested Current (A)", digits=(16, 3), compute="_compute_suggestion"
    )
    suggested_minutes = fields.Float(compute="_compute_suggestion")
    current_a = fields.Float("Current (A)", digits=(16, 3), tracking=True, copy=False)
    minutes = fields.Float(digits=(16, 2), tracking=True, copy=False)
    date_started = fields.Datetime("Into the Bath", readonly=True, copy=False)
    date_finished = fields.Datetime("Out of the Bath", readonly=True, copy=False)
    expected_thickness_um = fields.Float(
        "Expected Thickness (um)",
        digits=(16, 3),
        compute="_compute_expected",
        help="What current, minutes and the bath's efficiency give on this area.",
    )
    measured_thickness_um = fields.Float(
        "Measured Thickness (um)",
        digits=(16, 3),
        tracking=True,
        copy=False,
        help="Mean of the readings. Zero: not measured. It teaches the bath its efficiency.",
    )
    efficiency = fields.Float(
        digits=(16, 4),
        readonly=True,
        copy=False,
        help="The bath's efficiency this run was computed with.",
    )
    deposit_mass_g = fields.Float(
        "Deposited Metal (g)",
        digits=(16, 5),
        compute="_compute_deposit",
        store=True,
        help="Area x measured thickness x density; before a measurement: current x time x "
        "efficiency by Faraday's law.",
    )
    fine_mass_g = fields.Float(
        "Fine Metal (g)",
        digits=(16, 5),
        compute="_compute_deposit",
        store=True,
        help="Deposited metal x fineness: the gold this run took out of the bath.",
    )
    price_per_gram = fields.Monetary(readonly=True, copy=False)
    metal_cost = fields.Monetary(compute="_compute_metal_cost", store=True)
    warning = fields.Text(compute="_compute_warning")
    note = fields.Text("Remarks")

    _figures_positive = models.Constraint(
        "CHECK(current_a >= 0 AND minutes >= 0 AND measured_thickness_um >= 0)",
        "Current, minutes and thickness cannot be negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "workorder_ids.state",
        "workorder_ids.qty_production",
        "workorder_ids.product_id.soko_plating_area_cm2",
    )
    def _compute_load(self):
        for run in self:
            workorders = run.workorder_ids.filtered(lambda w: w.state != "cancel")
            run.piece_count = sum(w._soko_get_piece_count() for w in workorders)
            run.area_cm2 = sum(w._soko_get_area() for w in workorders)

    @api.depends("workorder_ids")
    def _compute_production_ids(self):
        for run in self:
            run.production_ids = run.workorder_ids.production_id

    @api.depends("area_cm2", "process_id", "bath_id.efficiency", "current_a")
    def _compute_suggestion(self):
        for run in self:
            process, area = run.process_id, run.area_cm2
            run.suggested_current_a = plating.current_for_area(area, process.current_density)
            current = run.current_a or run.suggested_current_a
            mass = plating.layer_mass(area, process.target_thickness_um, process.density)
            run.suggested_minutes = mass and plating.minutes_for_mass(
                mass, current, process.equivalent_mass, run.bath_id.efficiency
            )

    @api.depends("current_a", "minutes", "area_cm2", "efficiency", "bath_id.efficiency")
    def _compute_expected(self):
        for run in self:
            mass, area = run._get_faraday_mass(), run.area_cm2
            density = run.process_id.density
            thickness = plating.layer_thickness(mass, area, density) if mass and area else 0.0
            run.expected_thickness_um = thickness

    @api.depends("current_a", "minutes", "area_cm2", "measured_thickness_um", "efficiency")
    def _compute_deposit(self):
        for run in self:
            measured = run._get_measured_mass()
            run.deposit_mass_g = measured or run._get_faraday_mass()
            run.fine_mass_g = run.deposit_mass_g * run.process_id.fineness

    @api.depends("fine_mass_g", "price_per_gram")
    def _compute_metal_cost(self):
        for run in self:
            run.metal_cost = run.fine_mass_g * run.price_per_gram

    @api.depends("bath_id", "workorder_ids", "measured_thickness_um", "state")
    def _compute_warning(self):
        for run in self:
            run.warning = "\n".join(run._get_warnings()) or False

    # === CONSTRAINTS === #

    @api.constrains("measured_thickness_um")
    def _check_measured_thickness(self):
        for run in self:
            limit = 50 * run.process_id.target_thickness_um
            if run.measured_thickness_um > limit:
                raise ValidationError(
                    self.env._(
                        "%(value)s um is more than fifty times the target of %(target)s um. Check "
                        "the unit of the reading: um, not nm or microinch.",
                        value=run.measured_thickness_um,
                        target=run.process_id.target_thickness_um,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.plating.run") or "/"
        return super().create(vals_list)

    def write(self, vals):
        if {"bath_id", "current_a", "minutes"} & vals.keys():
            self._check_not_closed(moved="bath_id" in vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if any(run.state in ("progress", "done") for run in self):
            raise UserError(
                self.env._("A run that was in the bath is part of the bath's history: keep it.")
            )

    # === ACTIONS === #

    def action_start(self):
        """The pieces go into the bath: start the work orders.

        :raises UserError: for an empty run, a product without area, a work order that waits for an
            earlier one, or pieces of several owners or lots in one manufacturing order
        """
        self._check_state("draft")
        for run in self:
            run._check_load()
            run.workorder_ids.button_start()
            run.write(
                {
                    "state": "progress",
                    "date_started": fields.Datetime.now(),
                    "efficiency": run.bath_id.efficiency,
                    "current_a": run.current_a or run.suggested_current_a,
                }
            )
        return True

    def action_finish(self):
        """The pieces come out: finish the work orders and the orders that have no other step.

        :raises UserError: when current or minutes are missing, or the run is not in the bath
        """
        self._check_state("progress")
        # Two people must not finish one run.
        self.lock_for_update()
        for run in self:
            if not (run.current_a and run.minutes):
                raise UserError(
                    self.env._("Enter the current and the minutes of %s first.", run.name)
                )
            run.write(
                {
                    "state": "done",
                    "date_finished": fields.Datetime.now(),
                    "price_per_gram": run.process_id.price_per_gram,
                }
            )
            run._finish_workorders()
            run._post_summary()
        self.bath_id._learn_efficiency()
        return True

    def action_measure(self):
        """Learn again from a thickness that was entered after the run was finished."""
        self._check_state("done")
        self.bath_id._learn_efficiency()
        return True

    def action_cancel(self):
        """Take the work orders off this run; they can go on another one."""
        self._check_state(("draft", "progress"))
        self.workorder_ids.button_pending()
        self.write({"state": "cancel", "workorder_ids": [Command.clear()]})
        return True

    def action_view_productions(self):
        return self.production_ids._get_records_action(name=self.env._("Manufacturing Orders"))

    # === BUSINESS METHODS === #

    def _check_state(self, states):
        self.check_access("write")
        states = (states,) if isinstance(states, str) else states
        for run in self:
            if run.state not in states:
                labels = dict(self._fields["state"]._description_selection(self.env))
                raise UserError(
                    self.env._(
                        "%(name)s is %(state)s, so this step is not possible.",
                        name=run.name,
                        state=labels[run.state],
                    )
                )

    def _check_not_closed(self, moved):
        states = ("progress", "done") if moved else ("done",)
        if any(run.state in states for run in self):
            raise UserError(
                self.env._("The bath, current and minutes of a run in progress or done are facts.")
                if moved
                else self.env._("The run is done; its current and minutes can't change any more.")
            )

    def _check_load(self):
        self.ensure_one()
        if not self.workorder_ids:
            raise UserError(self.env._("Put at least one work order on %s.", self.name))
        bare = self.workorder_ids.filtered(lambda w: not w.product_id.soko_plating_area_cm2)
        if bare:
            raise UserError(
                self.env._(
                    "%s has no plated area. Enter it on the product: current, time and metal are "
                    "computed from it.",
                    bare[0].product_id.display_name,
                )
            )
        blocked = self.workorder_ids.filtered(lambda w: w.state not in ("ready", "progress"))
        if blocked:
            raise UserError(
                self.env._(
                    "%s is not ready for the bath. Finish the steps before it, or take it off "
                    "this run.",
                    blocked[0].display_name,
                )
            )
        self.workorder_ids.production_id._soko_check_one_owner()

    def _get_faraday_mass(self, efficiency=None):
        """Grams that current and time give, with the run's (else the bath's) efficiency."""
        self.ensure_one()
        process = self.process_id
        if not process or self.current_a < 0 or self.minutes < 0:
            return 0.0
        efficiency = efficiency or self.efficiency or self.bath_id.efficiency
        return plating.deposited_mass(
            self.current_a, self.minutes, process.equivalent_mass, efficiency
        )

    def _get_measured_mass(self):
        self.ensure_one()
        return plating.layer_mass(
            self.area_cm2, max(self.measured_thickness_um, 0.0), self.process_id.density
        )

    def _get_efficiency_pair(self):
        """Measured mass and the mass at 100 %, what a bath learns from."""
        self.ensure_one()
        return self._get_measured_mass(), self._get_faraday_mass(efficiency=1.0)

    def _get_final_thickness(self):
        self.ensure_one()
        return self.measured_thickness_um or self.expected_thickness_um

    def _get_warnings(self):
        """Sentences about what is unusual in this run; nothing here blocks it."""
        self.ensure_one()
        warnings = []
        if self.bath_id.is_too_old:
            warnings.append(self.env._("The bath is older than its process allows."))
        if any(not w.product_id.soko_plating_area_cm2 for w in self.workorder_ids):
            warnings.append(self.env._("A product has no plated area yet."))
        measured, target = self.measured_thickness_um, self.process_id.target_thickness_um
        if measured and measured < target:
            warnings.append(self.env._("The layer is thinner than the target: plate again."))
        return warnings

    def _finish_workorders(self):
        """Finish the work orders, then every order that has no other step, by Odoo's own flow."""
        self.ensure_one()
        productions = self.workorder_ids.production_id
        for workorder in self.workorder_ids:
            workorder.soko_metal_cost_unit = workorder._soko_get_metal_cost()
        self.workorder_ids.button_finish()
        ready = productions.filtered(
            lambda p: all(w.state in ("done", "cancel") for w in p.workorder_ids)
        )
        ready = ready.with_context(skip_redirection=True)
        if ready and ready.button_mark_done() is not True:
            # One order with a question to answer holds up the whole set: take them one by one.
            for production in ready.filtered(lambda p: p.state != "done"):
                production.button_mark_done()

    def _post_summary(self):
        self.ensure_one()
        left = self.production_ids.filtered(lambda p: p.state != "done")
        body = self.env._(
            "%(pieces)s pieces, %(area).1f cm2, %(mass).4f g of metal, %(thickness).3f um.",
            pieces=self.piece_count,
            area=self.area_cm2,
            mass=self.deposit_mass_g,
            thickness=self._get_final_thickness(),
        )
        if left:
            names = ", ".join(left.mapped("name"))
            body += " " + self.env._("Still to be closed in Manufacturing: %s.", names)
        self.message_post(body=body)
