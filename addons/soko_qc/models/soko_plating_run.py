from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.tools import float_compare, format_datetime

from ..tools import plating

# Figures are kept as they were computed and rounded where they are shown: the charge of one piece
# is some thousandths of an ampere-hour, and metal is dear. Tracked ones have digits all the same,
# the chatter would show two decimals of them.
TRACKED = (16, 8)
# What the steps write, and their value before the first one. `readonly` keeps no RPC call away, and
# a run that is not done any more would prove no layer and stop no thin piece.
STEP_VALUES = {
    "state": "draft",
    "date_started": False,
    "date_finished": False,
    "efficiency": 0.0,
    "price_per_gram": 0.0,
    "booked_metal_g": 0.0,
}
COMPUTED = (
    "piece_count", "area_cm2", "charge_ah", "deposit_mass_g", "fine_mass_g", "metal_cost"
)


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
    date_planned = fields.Date("Planned For", index=True, default=fields.Date.context_today)
    tank_id = fields.Many2one(related="bath_id.tank_id")
    reading_ids = fields.One2many("soko.plating.reading", "run_id", "Readings", copy=False)
    area_load = fields.Float(
        "Load by Area", compute="_compute_capacity", help="Share of what the tank holds."
    )
    current_load = fields.Float(
        "Load by Current", compute="_compute_capacity", help="Share of what the rectifier gives."
    )
    volts = fields.Float("Voltage (V)", digits=(16, 2), copy=False)
    rectifier_ah = fields.Float(
        "Rectifier (Ah)",
        digits=TRACKED,
        copy=False,
        tracking=True,
        help="Ampere-hours the rectifier counted. 0: current x time.",
    )
    charge_ah = fields.Float("Charge (Ah)", compute="_compute_charge", store=True)
    booked_metal_g = fields.Float(
        readonly=True,
        copy=False,
        help="Fine metal of this run that the bath's stock was charged with.",
    )
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
        digits=TRACKED,
        compute="_compute_measured_thickness",
        store=True,
        readonly=False,
        tracking=True,
        copy=False,
        help="What this run added: mean of the readings, by area, less the layer of pieces that "
        "are plated again. Zero: not measured. It teaches the bath its efficiency.",
    )
    efficiency = fields.Float(
        readonly=True,
        copy=False,
        help="The bath's efficiency this run was computed with.",
    )
    deposit_mass_g = fields.Float(
        "Deposited Metal (g)",
        compute="_compute_deposit",
        store=True,
        help="Area x measured thickness x density; before a measurement: current x time x "
        "efficiency by Faraday's law.",
    )
    fine_mass_g = fields.Float(
        "Fine Metal (g)",
        compute="_compute_deposit",
        store=True,
        help="Deposited metal x fineness: the gold this run took out of the bath.",
    )
    price_per_gram = fields.Monetary(readonly=True, copy=False)
    metal_cost = fields.Monetary(compute="_compute_metal_cost", store=True)
    warning = fields.Text(compute="_compute_warning")
    note = fields.Text("Remarks")

    _figures_positive = models.Constraint(
        """CHECK(current_a >= 0 AND minutes >= 0 AND measured_thickness_um >= 0
                 AND volts >= 0 AND rectifier_ah >= 0)""",
        "Current, voltage, minutes, ampere-hours and thickness cannot be negative.",
    )

    # === COMPUTE METHODS === #

    @api.depends(
        "workorder_ids.state",
        "workorder_ids.qty_production",
        "workorder_ids.product_id.soko_plating_area_cm2",
    )
    def _compute_load(self):
        for run in self:
            if run.state == "done":
                # What was in the bath is a fact, whatever the product's area becomes later.
                run.update({"piece_count": run.piece_count, "area_cm2": run.area_cm2})
                continue
            workorders = run.workorder_ids.filtered(lambda w: w.state != "cancel")
            run.piece_count = sum(w._soko_get_piece_count() for w in workorders)
            run.area_cm2 = sum(w._soko_get_area() for w in workorders)

    @api.depends("workorder_ids")
    def _compute_production_ids(self):
        for run in self:
            run.production_ids = run.workorder_ids.production_id

    @api.depends("current_a", "minutes", "rectifier_ah")
    def _compute_charge(self):
        for run in self:
            run.charge_ah = run.rectifier_ah or plating.charge_ah(run.current_a, run.minutes)

    @api.depends("reading_ids.thickness_um", "reading_ids.piece", "reading_ids.workorder_id")
    def _compute_measured_thickness(self):
        """By area over the work orders that were measured; else over the readings of the run.

        Of pieces that are plated again only what was added counts: this run deposited no more.
        """
        for run in self:
            measured = run.reading_ids.workorder_id
            area = sum(w._soko_get_area() for w in measured)
            if area:
                parts = sum(w._soko_get_area() * w._soko_get_added_thickness() for w in measured)
                run.measured_thickness_um = parts / area
            elif run.reading_ids:
                values = run.reading_ids.mapped("thickness_um")
                run.measured_thickness_um = sum(values) / len(values)
            else:
                run.measured_thickness_um = run.measured_thickness_um

    @api.depends("area_cm2", "current_a", "bath_id.tank_id")
    def _compute_capacity(self):
        for run in self:
            tank = run.bath_id.tank_id
            area, amperes = tank.max_area_cm2, tank.max_current_a
            current = run.current_a or run.suggested_current_a
            run.area_load = run.area_cm2 / area if area else 0.0
            run.current_load = current / amperes if amperes else 0.0

    @api.depends("area_cm2", "process_id", "bath_id.efficiency", "current_a")
    def _compute_suggestion(self):
        for run in self:
            process, area = run.process_id, run.area_cm2
            run.suggested_current_a = plating.current_for_area(area, process.current_density)
            current = run.current_a or run.suggested_current_a
            mass = plating.layer_mass(area, run._get_target(), process.density)
            # A current below zero is refused when it is saved, not while it is typed.
            run.suggested_minutes = mass and current > 0 and plating.minutes_for_mass(
                mass, current, process.equivalent_mass, run.bath_id.efficiency
            )

    @api.depends("charge_ah", "area_cm2", "efficiency", "bath_id.efficiency")
    def _compute_expected(self):
        for run in self:
            mass, area = run._get_faraday_mass(), run.area_cm2
            density = run.process_id.density
            thickness = plating.layer_thickness(mass, area, density) if mass and area else 0.0
            run.expected_thickness_um = thickness

    @api.depends("charge_ah", "area_cm2", "measured_thickness_um", "efficiency")
    def _compute_deposit(self):
        for run in self:
            measured = run._get_measured_mass()
            run.deposit_mass_g = measured or run._get_faraday_mass()
            run.fine_mass_g = run.deposit_mass_g * run.process_id.fineness

    @api.depends("fine_mass_g", "price_per_gram")
    def _compute_metal_cost(self):
        for run in self:
            run.metal_cost = run.fine_mass_g * run.price_per_gram

    @api.depends(
        "bath_id", "workorder_ids", "measured_thickness_um", "reading_ids", "state", "volts",
        "current_a", "area_cm2",
    )
    def _compute_warning(self):
        for run in self:
            run.warning = "\n".join(run._get_warnings()) or False

    # === CONSTRAINTS === #

    @api.constrains("measured_thickness_um")
    def _check_measured_thickness(self):
        for run in self:
            run._check_plausible_thickness(run.measured_thickness_um)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_step_values(vals)
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.plating.run") or "/"
        # Explicit values: a default of the context or of a user is no step either.
        return super().create([{**STEP_VALUES, **vals} for vals in vals_list])

    def write(self, vals):
        self._check_step_values(vals)
        if {"bath_id", "current_a", "minutes", "rectifier_ah", "volts"} & vals.keys():
            self._check_not_closed(moved="bath_id" in vals)
        return super().write(vals)

    def _check_step_values(self, vals):
        """Only the steps of a run write what follows from them, as superuser.

        :raises AccessError: when somebody writes it by hand
        """
        if not self.env.su and not vals.keys().isdisjoint((*STEP_VALUES, *COMPUTED)):
            raise AccessError(
                self.env._(
                    "The state of a run, and what was computed from it, are not written by hand. "
                    "Enter current, minutes and readings, and use the buttons."
                )
            )

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
        self.bath_id._check_user_allowed()
        for run in self:
            run._check_load()
            run.workorder_ids.button_start()
            # sudo: the state is written by these steps alone; the right was checked above.
            run.sudo().write(
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

        :raises UserError: when current, minutes or an area are missing, when the run is not in the
            bath, or when somebody else finishes it or has done so
        """
        self._check_not_finished()
        self._check_state("progress")
        self._lock_to_finish()
        # The load of a finished run stays as it is: take in what changed a moment ago.
        self.flush_recordset(["piece_count", "area_cm2"])
        for run in self:
            if not (run.current_a and run.minutes):
                raise UserError(
                    self.env._("Enter the current and the minutes of %s first.", run.name)
                )
            run._check_area()
            # sudo: the same.
            run.sudo().write(
                {
                    "state": "done",
                    "date_finished": fields.Datetime.now(),
                    "price_per_gram": run._get_price(),
                }
            )
            run._book_metal()
            run._finish_workorders()
            run._post_summary()
        self.bath_id._learn_efficiency()
        self.bath_id._warn_if_due()
        return True

    def action_measure(self):
        """Learn again from a thickness that was entered after the run was finished."""
        self._check_state("done")
        for run in self:
            run._book_metal()
        self.bath_id._learn_efficiency()
        return True

    def action_cancel(self):
        """Take the work orders off this run; they can go on another one."""
        self._check_state(("draft", "progress"))
        self.workorder_ids.button_pending()
        # sudo: the same.
        self.sudo().write({"state": "cancel", "workorder_ids": [Command.clear()]})
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

    def _check_not_finished(self):
        self.check_access("write")
        for run in self.filtered(lambda r: r.state == "done"):
            raise UserError(
                self.env._(
                    "%(name)s came out of the bath already, on %(date)s: somebody finished it "
                    "before you. Nothing was booked a second time. Open it again to see its "
                    "figures.",
                    name=run.name,
                    date=format_datetime(self.env, run.date_finished),
                )
            )

    def _lock_to_finish(self):
        """Two people must not finish one run."""
        try:
            self.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody else is working on %s at this moment. Wait a moment, open it again "
                    "and look whether it is finished.",
                    ", ".join(self.mapped("name")[:5]),
                )
            ) from error

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
        self._check_area()
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

    def _check_area(self):
        self.ensure_one()
        bare = self.workorder_ids.filtered(lambda w: not w.product_id.soko_plating_area_cm2)
        if bare:
            raise UserError(
                self.env._(
                    "%s has no plated area. Enter it on the product: current, time and metal are "
                    "computed from it.",
                    bare[0].product_id.display_name,
                )
            )

    def _get_faraday_mass(self, efficiency=None):
        """Grams that current and time give, with the run's (else the bath's) efficiency."""
        self.ensure_one()
        process = self.process_id
        if not process or self.charge_ah < 0:
            return 0.0
        efficiency = efficiency or self.efficiency or self.bath_id.efficiency
        # Ampere-hours are one ampere for so many hours, whatever the current did meanwhile.
        return plating.deposited_mass(
            1.0, self.charge_ah * 60, process.equivalent_mass, efficiency
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

    def _get_target(self):
        """The thickest target of its products: one rack gets one time in the bath."""
        self.ensure_one()
        goals = [w._soko_get_missing_thickness() for w in self.workorder_ids if w.product_id]
        return max(goals, default=self.process_id.target_thickness_um)

    def _get_price(self):
        """Price of the fine metal on the day the run is finished, else the process's own."""
        self.ensure_one()
        day = fields.Date.context_today(self, self.date_finished)
        price = self.env["soko.metal.price"]._get_price(
            self.company_id, self.process_id.metal, day
        )
        return self.process_id.price_per_gram if price is None else price

    def _book_metal(self):
        """Charge the bath's stock with what this run took and was not charged yet."""
        self.ensure_one()
        self.bath_id._move_salt(self.fine_mass_g - self.booked_metal_g, into_bath=False)
        # sudo: written by this step alone; the right to the run was checked before.
        self.sudo().booked_metal_g = self.fine_mass_g

    def _check_plausible_thickness(self, thickness_um):
        """Refuse a reading in a wrong unit.

        :raises ValidationError: for more than fifty times the target
        """
        self.ensure_one()
        target = self.process_id.target_thickness_um
        if thickness_um > 50 * target:
            raise ValidationError(
                self.env._(
                    "%(value)s um is more than fifty times the target of %(target)s um. Check "
                    "the unit of the reading: um, not nm or microinch.",
                    value=thickness_um,
                    target=target,
                )
            )

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
        if self.bath_id.is_maintenance_due:
            warnings.append(self.env._("Maintenance of the bath is due."))
        warnings += self._get_limit_warnings()
        thin = self.workorder_ids.filtered(lambda w: w._soko_get_plating_verdict() == "under")
        if thin:
            names = ", ".join(thin.mapped("production_id.name"))
            warnings.append(self.env._("Too thin to be sold as plated: %s.", names))
        lost = self.workorder_ids.filtered(
            lambda w: w.soko_reading_ids and w.soko_thickness_um < w.soko_thickness_before_um
        )
        if lost:
            names = ", ".join(lost.mapped("production_id.name"))
            text = self.env._("Thinner than before it was plated again: %s. Check the readings.")
            warnings.append(text % names)
        measured, target = self.measured_thickness_um, self._get_target()
        if measured and float_compare(measured, target, precision_digits=3) < 0:
            warnings.append(self.env._("The layer is thinner than the target: plate again."))
        return warnings

    def _get_limit_warnings(self):
        self.ensure_one()
        tank, warnings = self.bath_id.tank_id, []
        current = self.current_a or self.suggested_current_a
        for value, limit, text in (
            (current, tank.max_current_a, self.env._("The rectifier gives %s A at most.")),
            (self.volts, tank.max_voltage_v, self.env._("The rectifier gives %s V at most.")),
            (self.area_cm2, tank.max_area_cm2, self.env._("The tank holds %s cm2 at most.")),
        ):
            if limit and value > limit:
                warnings.append(text % f"{limit:g}")
        metal = self.bath_id.metal_total_g
        if self.state == "draft" and metal and self._get_wanted_mass() > metal:
            warnings.append(self.env._("The bath holds less metal than this load would take."))
        return warnings

    def _get_wanted_mass(self):
        process = self.process_id
        mass = plating.layer_mass(self.area_cm2, self._get_target(), process.density)
        return mass * process.fineness

    def _finish_workorders(self):
        """Finish the work orders, then every order that has no other step, by Odoo's own flow."""
        self.ensure_one()
        productions = self.workorder_ids.production_id
        for workorder in self.workorder_ids:
            cost = workorder._soko_get_metal_cost()
            workorder.soko_metal_cost_unit = cost
            # Where Inventory values the finished pieces, the metal is a part of their cost.
            if "extra_cost" in productions._fields:
                workorder.production_id.extra_cost += cost
        self.workorder_ids.button_finish()
        ready = productions.filtered(
            lambda p: all(w.state in ("done", "cancel") for w in p.workorder_ids)
        )
        ready = ready.with_context(skip_redirection=True)
        if any(production._soko_is_plated_again() for production in ready):
            # What such an order consumes changes the average cost of what it makes: Odoo must see
            # them one after the other, in the order it replays their moves.
            for production in ready.sorted("id"):
                production.button_mark_done()
        elif ready and ready.button_mark_done() is not True:
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
