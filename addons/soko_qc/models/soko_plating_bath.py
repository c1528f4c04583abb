from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_compare

from ..tools import plating

# Enough runs to even out single readings, few enough to follow an ageing bath.
RUNS_TO_LEARN_FROM = 10


class SokoPlatingBath(models.Model):
    _name = "soko.plating.bath"
    _description = "Plating Bath"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(related="process_id.company_id", store=True, index=True)
    process_id = fields.Many2one(
        "soko.plating.process", required=True, index=True, ondelete="restrict", tracking=True
    )
    volume_l = fields.Float("Volume (l)", digits=(16, 2), tracking=True)
    metal_content_g_l = fields.Float(
        "Metal Content (g/l)",
        digits=(16, 3),
        tracking=True,
        help="As the last analysis found it.",
    )
    metal_total_g = fields.Float("Metal in the Bath (g)", compute="_compute_metal_total_g")
    date_analysis = fields.Date("Last Analysis", tracking=True)
    date_makeup = fields.Date("Made Up On", default=fields.Date.context_today, tracking=True)
    is_too_old = fields.Boolean(compute="_compute_is_too_old")
    efficiency = fields.Float(
        digits=(16, 8),
        compute="_compute_efficiency",
        store=True,
        precompute=True,
        readonly=False,
        tracking=True,
        help="Share of the current that plates metal: the process's to begin with, then learnt "
        "from the measured thickness of the last runs.",
    )
    efficiency_error = fields.Float(
        "Uncertainty",
        readonly=True,
        copy=False,
        help="Standard error of the learnt efficiency: two times it, up and down, holds the truth "
        "in about 95 of 100 cases. 0: fewer than two measured runs.",
    )
    tank_id = fields.Many2one(
        "soko.plating.tank", check_company=True, index="btree_not_null", tracking=True
    )
    user_ids = fields.Many2many(
        "res.users", string="Platers", help="Who may work with this bath. Nobody named: everybody."
    )
    log_ids = fields.One2many("soko.plating.bath.log", "bath_id", copy=False)
    balance_ids = fields.One2many("soko.plating.balance", "bath_id", "Balances", copy=False)
    ampere_hours = fields.Float("Ah Since Make-Up", compute="_compute_ampere_hours")
    maintained_ah = fields.Float("Ah at the Last Maintenance", readonly=True, copy=False)
    is_maintenance_due = fields.Boolean(compute="_compute_ampere_hours")
    location_id = fields.Many2one(
        "stock.location",
        "Stock Location",
        readonly=True,
        copy=False,
        check_company=True,
        help="Where the metal that is in the bath is kept in Inventory.",
    )
    unbooked_salt_g = fields.Float(
        readonly=True,
        copy=False,
        help="Consumed salt that is less than Inventory can count; the next run books it.",
    )
    run_ids = fields.One2many("soko.plating.run", "bath_id", "Runs")
    run_count = fields.Integer(compute="_compute_run_count")

    _figures_positive = models.Constraint(
        "CHECK(volume_l >= 0 AND metal_content_g_l >= 0)",
        "Volume and metal content cannot be negative.",
    )
    _one_bath_a_tank = models.UniqueIndex(
        "(tank_id) WHERE active AND tank_id IS NOT NULL",
        "There is a bath in this tank already. Archive the old one first.",
    )
    _efficiency_valid = models.Constraint(
        "CHECK(efficiency > 0 AND efficiency <= 1)",
        "The efficiency is a share above 0 % and at most 100 %.",
    )

    # === COMPUTE METHODS === #

    @api.depends("process_id")
    def _compute_efficiency(self):
        for bath in self:
            bath.efficiency = bath.process_id.efficiency or 1.0

    @api.depends("volume_l", "metal_content_g_l")
    def _compute_metal_total_g(self):
        for bath in self:
            bath.metal_total_g = bath.volume_l * bath.metal_content_g_l

    @api.depends("date_makeup", "process_id.max_age_days")
    def _compute_is_too_old(self):
        today = fields.Date.context_today(self)
        for bath in self:
            days = bath.process_id.max_age_days
            limit = bath.date_makeup and days and bath.date_makeup + timedelta(days=days)
            bath.is_too_old = bool(limit) and limit < today

    @api.depends("run_ids")
    def _compute_run_count(self):
        for bath in self:
            bath.run_count = len(bath.run_ids)

    def _compute_ampere_hours(self):
        for bath in self:
            domain = [("bath_id", "=", bath.id), ("state", "=", "done")]
            if bath.date_makeup:
                domain.append(("date_finished", ">=", bath.date_makeup))
            groups = self.env["soko.plating.run"]._read_group(domain, [], ["charge_ah:sum"])
            bath.ampere_hours = groups[0][0] or 0.0
            since = bath.ampere_hours - bath.maintained_ah
            every = bath.process_id.maintenance_ah
            due = float_compare(since, every, precision_digits=5) >= 0
            bath.is_maintenance_due = bool(every) and due

    # === CRUD METHODS === #

    def write(self, vals):
        if {"process_id", "tank_id", "active", "volume_l"} & vals.keys():
            self._check_no_run_inside()
        if "date_makeup" in vals:
            vals = {**vals, "maintained_ah": 0}
        return super().write(vals)

    def _check_no_run_inside(self):
        run = self.env["soko.plating.run"].search(
            [("bath_id", "in", self.ids), ("state", "=", "progress")], limit=1
        )
        if run:
            raise UserError(
                self.env._(
                    "%(run)s is in %(bath)s right now. Take it out or cancel it before you change "
                    "the bath, its tank or its process: its figures were computed with them.",
                    run=run.name,
                    bath=run.bath_id.name,
                )
            )

    # === ACTIONS === #

    def action_view_runs(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_plating_run_action")
        context = {"default_bath_id": self.id}
        return dict(action, domain=[("bath_id", "=", self.id)], context=context)

    # === BUSINESS METHODS === #

    def _learn_efficiency(self):
        """Take the efficiency from the last measured runs, each weighing by its charge."""
        for bath in self:
            runs = self.env["soko.plating.run"].search(
                [
                    ("bath_id", "=", bath.id),
                    ("state", "=", "done"),
                    ("measured_thickness_um", ">", 0),
                ],
                order="date_finished desc, id desc",
                limit=RUNS_TO_LEARN_FROM,
            )
            learnt, error = plating.efficiency_estimate(
                [run._get_efficiency_pair() for run in runs]
            )
            if learnt:
                bath.write({"efficiency": learnt, "efficiency_error": error or 0.0})

    def _check_user_allowed(self):
        """Refuse a user the bath does not name.

        :raises AccessError: when the bath names its platers and the user is not among them
        """
        for bath in self:
            if bath.user_ids and self.env.user not in bath.user_ids and not self.env.su:
                raise AccessError(
                    self.env._(
                        "Only %(people)s may work with %(bath)s. A quality manager can add you.",
                        people=", ".join(bath.user_ids.mapped("name")),
                        bath=bath.name,
                    )
                )

    def _warn(self, summary):
        """One open activity with this summary for whoever keeps the bath."""
        for bath in self:
            if not bath.activity_ids.filtered(lambda a: a.summary == summary):
                user = bath.user_ids[:1] or self.env.user
                bath.activity_schedule(
                    "mail.mail_activity_data_todo", summary=summary, user_id=user.id
                )

    def _warn_if_due(self):
        self.invalidate_recordset(["ampere_hours", "is_maintenance_due"])
        due = self.filtered(lambda bath: bath.is_maintenance_due or bath.is_too_old)
        due._warn(self.env._("Maintenance of the bath is due."))

    def _note_maintenance(self):
        for bath in self:
            bath.maintained_ah = bath.ampere_hours
            bath.activity_ids.filtered(
                lambda a: a.summary == self.env._("Maintenance of the bath is due.")
            ).action_feedback()

    # === STOCK OF THE METAL === #

    def _get_location(self):
        self.ensure_one()
        # sudo: whoever may work with the bath may have its place in Inventory made.
        bath = self.sudo()
        if not bath.location_id:
            bath.location_id = bath.location_id.create(
                {
                    "name": self.env._("Bath %s", bath.name),
                    "usage": "internal",
                    "company_id": bath.company_id.id,
                    "replenish_location": False,
                }
            )
        return bath.location_id

    def _move_salt(self, metal_g, into_bath):
        """Move salt with so much metal from the stock into the bath, or from it into production.

        What is less than the salt's unit can count is carried to the next run.

        :return: stock.move, empty without a salt on the process or with nothing to count
        """
        self.ensure_one()
        process = self.process_id
        salt, gram = process.salt_product_id, self.env.ref("uom.product_uom_gram")
        if not salt:
            return self.env["stock.move"]
        grams = metal_g / process.salt_share
        if into_bath:
            quantity = salt.uom_id.round(gram._compute_quantity(grams, salt.uom_id, round=False))
        else:
            grams += self.unbooked_salt_g
            exact = gram._compute_quantity(grams, salt.uom_id, round=False)
            quantity = max(salt.uom_id.round(exact, rounding_method="DOWN"), 0.0)
            booked = salt.uom_id._compute_quantity(quantity, gram, round=False)
            self.unbooked_salt_g = grams - booked
        if not quantity:
            return self.env["stock.move"]
        return self._create_salt_move(salt, quantity, into_bath)

    def _create_salt_move(self, salt, quantity, into_bath):
        bath, company = self._get_location(), self.company_id
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        production = salt.with_company(company).property_stock_production
        source, target = (warehouse.lot_stock_id, bath) if into_bath else (bath, production)
        places = {"location_id": source.id, "location_dest_id": target.id}
        line = {"product_id": salt.id, "quantity": quantity, "picked": True, **places}
        move = self.env["stock.move"].create(
            {
                "product_id": salt.id,
                "product_uom": salt.uom_id.id,
                "product_uom_qty": quantity,
                "company_id": company.id,
                "origin": self.name,
                "move_line_ids": [Command.create(line)],
                "picked": True,
                **places,
            }
        )
        move._action_confirm()
        return move._action_done()
