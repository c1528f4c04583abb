from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import MANAGER

MEASURED = {"method", "craft_id", "date_start", "date_end", "company_id", "cost"}


class SokoTraining(models.Model):
    """A training held for artisans. Once held, its facts stand: its effect is measured by them."""

    _name = "soko.training"
    _description = "Training"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_start desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Topic", required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    method = fields.Selection(
        [
            ("workshop", "Workshop with exercises"),
            ("bench", "At her own bench"),
            ("apprenticeship", "Apprenticeship"),
            ("demonstration", "Demonstration"),
            ("peer", "Artisan teaches artisan"),
            ("online", "Online or by phone"),
        ],
        required=True,
        index=True,
        tracking=True,
        help="One of a fixed list, so that methods can be compared later.",
    )
    craft_id = fields.Many2one(
        "soko.craft",
        string="Craft or technique",
        index="btree_not_null",
        ondelete="restrict",
        help="What is taught. Empty for topics that are no craft, such as bookkeeping.",
    )
    trainer_id = fields.Many2one(
        "res.partner", index="btree_not_null", check_company=True
    )
    date_start = fields.Date(
        string="From",
        required=True,
        index=True,
        tracking=True,
        default=lambda self: self.env.company._soko_today(),
    )
    date_end = fields.Date(
        string="Until",
        required=True,
        tracking=True,
        compute="_compute_date_end",
        store=True,
        precompute=True,
        readonly=False,
    )
    place = fields.Char()
    state_id = fields.Many2one(
        "res.country.state", string="County", domain="[('country_id.code', '=', 'KE')]"
    )
    capacity = fields.Integer(string="Places", help="How many can attend. 0: no limit.")
    cost = fields.Monetary(help="What the training costs us altogether.")
    state = fields.Selection(
        [("planned", "Planned"), ("done", "Held"), ("cancelled", "Cancelled")],
        required=True,
        default="planned",
        copy=False,
        tracking=True,
    )
    note = fields.Html(string="Content")
    attendance_ids = fields.One2many("soko.training.attendance", "training_id", string="Artisans")
    invited_count = fields.Integer(string="Invited", compute="_compute_counts")
    attended_count = fields.Integer(string="Attended", compute="_compute_counts")

    _dates_in_order = models.Constraint(
        "CHECK (date_end >= date_start)", "The training ends before it begins. Mend the dates."
    )
    _figures_positive = models.Constraint(
        "CHECK (capacity >= 0 AND cost >= 0)", "Places and cost can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("date_start")
    def _compute_date_end(self):
        for training in self:
            if not training.date_end or training.date_end < training.date_start:
                training.date_end = training.date_start

    @api.depends("attendance_ids.status")
    def _compute_counts(self):
        for training in self:
            lines = training.attendance_ids
            training.invited_count = len(lines)
            training.attended_count = len(lines.filtered(lambda li: li.status == "attended"))

    # === CONSTRAINTS === #

    @api.constrains("capacity", "attendance_ids")
    def _check_capacity(self):
        for training in self.filtered("capacity"):
            coming = training.attendance_ids.filtered(lambda li: li.status != "absent")
            if len(coming) > training.capacity:
                raise ValidationError(
                    self.env._(
                        "%(training)s has %(capacity)s places and %(count)s artisans. Take some "
                        "off, or find a bigger room and change the places.",
                        training=training.name,
                        capacity=training.capacity,
                        count=len(coming),
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        if MEASURED & set(vals):
            self._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_not_held(self):
        self._check_open()

    def _check_open(self):
        """Refuse to change what a held training is measured by.

        :raise UserError: naming the training and the way
        """
        held = self.filtered(lambda t: t.state == "done")
        if held:
            raise UserError(
                self.env._(
                    "%(training)s has been held: its dates, method and results are what its effect "
                    "is measured by. A manager can reopen it to correct a mistake.",
                    training=held[:1].name,
                )
            )

    # === ACTION METHODS === #

    def action_done(self):
        """Close the training: everybody's attendance is known, and levels are written down.

        :raise UserError: it has not begun, or somebody's attendance is open
        """
        self.check_access("write")
        self.lock_for_update()
        for training in self.filtered(lambda t: t.state == "planned"):
            training._check_may_close()
            training.attendance_ids._record_skills()
            training.state = "done"

    def action_cancel(self):
        """Note that the training did not take place."""
        self.check_access("write")
        self._check_open()
        self.write({"state": "cancelled"})

    def action_reopen(self):
        """Open a held or cancelled training again, to correct it. Levels given stay."""
        self.check_access("write")
        if not self.env.user.has_group(MANAGER):
            raise UserError(self.env._("Only a manager can reopen a training. Ask one."))
        self.write({"state": "planned"})

    # === BUSINESS METHODS === #

    def _check_may_close(self):
        self.ensure_one()
        if self.date_start > self.company_id._soko_today():
            raise UserError(
                self.env._(
                    "%(training)s begins on %(day)s. It can be closed from that day on.",
                    training=self.name,
                    day=self.date_start,
                )
            )
        waiting = self.attendance_ids.filtered(lambda li: li.status == "invited")
        if waiting or not self.attendance_ids:
            raise UserError(
                self.env._(
                    "Say of each artisan whether she attended or was absent before you close "
                    "%(training)s. Open: %(names)s",
                    training=self.name,
                    names=", ".join(waiting.artisan_id.mapped("name")) or "-",
                )
            )
