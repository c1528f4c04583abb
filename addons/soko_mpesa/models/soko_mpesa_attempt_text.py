from odoo import api, fields, models
from odoo.tools import format_datetime


class SokoMpesaAttemptText(models.AbstractModel):
    """How an attempt stands, in a sentence for the back office."""

    _name = "soko.mpesa.attempt.text"
    _description = "M-Pesa attempt: sentences"
    _inherit = ["soko.mpesa.export.mixin"]

    story = fields.Text(
        compute="_compute_story", string="How it stands", help="What was done and what comes next.",
    )

    @api.depends("state", "receipt", "sent_at", "not_before", "next_query_at", "query_count")
    @api.depends_context("lang", "tz")
    def _compute_story(self):
        for attempt in self:
            attempt.story = getattr(attempt, f"_tell_{attempt.state}")()

    def _tell_prepared(self):
        if not self.send_count:
            return self.env._("Waits to be sent.")
        return self.env._(
            "Nothing was taken by M-Pesa. It goes again under the same reference, not before %s.",
            self._get_time(self.not_before))

    def _tell_sending(self):
        return self.env._("Is being sent since %s.", self._get_time(self.sent_at))

    def _tell_accepted(self):
        return self.env._(
            "M-Pesa took it at %(sent)s; its result is awaited. If none comes, M-Pesa is asked "
            "at %(asked)s.",
            sent=self._get_time(self.sent_at), asked=self._get_time(self.next_query_at))

    def _tell_unknown(self):
        return self.env._(
            "Sent at %(sent)s; nobody knows what became of it. M-Pesa was asked %(count)s times "
            "and is asked again at %(asked)s.",
            sent=self._get_time(self.sent_at), count=self.query_count,
            asked=self._get_time(self.next_query_at))

    def _tell_paid(self):
        return self.env._("Paid; M-Pesa's receipt is %s.", self.receipt)

    def _tell_not_paid(self):
        return self.env._("Proven not paid. Another attempt gets another reference.")

    def _tell_reversed(self):
        return self.env._("It was paid (%s) and M-Pesa took it back.", self.receipt)

    def _tell_cancelled(self):
        return self.env._("Withdrawn before it was sent.")

    def _get_time(self, moment):
        return format_datetime(self.env, moment, dt_format="short") if moment else "-"
