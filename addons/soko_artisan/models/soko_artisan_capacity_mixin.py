import operator as op

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.stages import allows, stages_that_allow
from ..tools.weeks import free_capacity, week_of
from .soko_replenishment import OPEN_STATES

COMPARE = {"<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "in": lambda a, values: a in values}


class SokoArtisanCapacityMixin(models.AbstractModel):
    """What an artisan can make in a week, what of it is taken, and what is left."""

    _name = "soko.artisan.capacity.mixin"
    _description = "Weekly Capacity of an Artisan"

    capacity_per_week = fields.Float(
        string="Capacity a week",
        digits="Product Unit",
        tracking=True,
        help="What the artisan can make for us in a usual week. 0: not asked yet.",
    )
    capacity_unit = fields.Selection(
        [("piece", "pieces"), ("hour", "hours")], required=True, default="piece"
    )
    hours_per_piece = fields.Float(
        default=1.0, help="How long a usual piece takes: turns requested pieces into hours."
    )
    free_this_week = fields.Float(
        digits="Product Unit",
        compute="_compute_free_capacity",
        search="_search_free_this_week",
        help="Capacity of this week, Monday to Sunday, that nothing is booked on.",
    )
    free_next_week = fields.Float(
        digits="Product Unit",
        compute="_compute_free_capacity",
        search="_search_free_next_week",
        help="Capacity of next week, Monday to Sunday, that nothing is booked on.",
    )

    _capacity_positive = models.Constraint(
        "CHECK (capacity_per_week >= 0)", "The capacity of a week can't be negative."
    )
    _hours_per_piece_positive = models.Constraint(
        "CHECK (capacity_unit != 'hour' OR hours_per_piece > 0)",
        "Say how many hours a usual piece takes: without it nobody knows what a request costs.",
    )

    # === COMPUTE METHODS === #

    @api.depends("capacity_per_week", "capacity_unit", "hours_per_piece", "stage")
    def _compute_free_capacity(self):
        for offset, name in enumerate(("free_this_week", "free_next_week")):
            free = self._get_free_capacity(offset)
            for artisan in self:
                artisan[name] = free[artisan]

    def _search_free_this_week(self, operator, value):
        return self._search_free_capacity(0, operator, value)

    def _search_free_next_week(self, operator, value):
        return self._search_free_capacity(1, operator, value)

    @api.model
    def _search_free_capacity(self, offset, operator, value):
        """Return the domain of the artisans whose free capacity of a week compares so."""
        if operator not in COMPARE:
            return NotImplemented
        compare = COMPARE[operator]
        candidates = self.with_context(active_test=False).search(
            [("capacity_per_week", ">", 0), ("stage", "in", stages_that_allow("work"))]
        )
        free = candidates._get_free_capacity(offset)
        found = [artisan.id for artisan in candidates if compare(free[artisan], value)]
        if compare(0.0, value):  # all the others have nothing free, and nothing is asked for
            return Domain("id", "not in", list(set(candidates.ids) - set(found)))
        return Domain("id", "in", found)

    # === BUSINESS METHODS === #

    def _get_free_capacity(self, offset):
        """Return {artisan: free capacity} of this week (0) or a later one, in her own unit."""
        date_from, date_to = week_of(self.env.company._soko_today(), offset)
        booked = self._get_booked_capacity(date_from, date_to)
        return {
            artisan: free_capacity(artisan.capacity_per_week, booked.get(artisan, 0.0))
            if allows(artisan.stage or "applicant", "work")
            else 0.0
            for artisan in self
        }

    def _get_booked_capacity(self, date_from, date_to):
        """Hook: return what these artisans are already asked to make in a time.

        Contract: one query or a fixed number of them for any number of artisans; each amount in
        the artisan's own `capacity_unit`; who has nothing booked may be left out. An override
        calls `super()` and *adds* its own bookings (orders, loans of tools, holidays) to the sums.

        Default: the pieces of open replenishment requests that are to be brought in that time.
        What is overdue, or has no day, weighs on every time from today on until it is brought.

        :param datetime.date date_from: first day
        :param datetime.date date_to: last day, included
        :rtype: dict of artisan record to float
        """
        due = Domain("due_date", ">=", date_from) & Domain("due_date", "<=", date_to)
        today = self.env.company._soko_today()
        if date_to >= today:
            due |= Domain("due_date", "=", False) | Domain("due_date", "<", today)
        groups = self.env["soko.replenishment"]._read_group(
            Domain("artisan_id", "in", self._origin.ids) & Domain("state", "in", OPEN_STATES) & due,
            ["artisan_id"],
            ["quantity_expected:sum"],
        )
        open_pieces = {artisan.id: quantity for artisan, quantity in groups}
        return {
            artisan: artisan._pieces_to_capacity(open_pieces[artisan._origin.id])
            for artisan in self
            if artisan._origin.id in open_pieces
        }

    def _pieces_to_capacity(self, pieces):
        """Return what `pieces` take of the artisan's week, in her unit."""
        self.ensure_one()
        return pieces * self.hours_per_piece if self.capacity_unit == "hour" else pieces
