from datetime import datetime, time, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SokoQcPeriod(models.AbstractModel):
    """A screen of figures that looks at a period, by the calendar of who looks."""

    _name = "soko.qc.period"
    _description = "Period of Figures"

    date_from = fields.Date("From")
    date_to = fields.Date("To")

    @api.constrains("date_from", "date_to")
    def _check_period(self):
        for screen in self:
            if screen._is_backwards():
                raise ValidationError(self.env._("The period ends before it begins."))

    def _is_backwards(self):
        return bool(self.date_from and self.date_to and self.date_from > self.date_to)

    def _get_period_domain(self, field_name):
        """Domain of the moments in this period, both days included.

        :param str field_name: a datetime field
        """
        domain = Domain.TRUE
        if self.date_from:
            domain &= Domain(field_name, ">=", self._get_midnight(self.date_from))
        if self.date_to:
            following = self.date_to + timedelta(days=1)
            domain &= Domain(field_name, "<", self._get_midnight(following))
        return domain

    def _get_midnight(self, day):
        """The beginning of a day of the user's, in UTC as the database keeps it."""
        local = self.env.tz.localize(datetime.combine(day, time.min))
        return local.astimezone(timezone.utc).replace(tzinfo=None)
