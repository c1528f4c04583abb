import functools
import time

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models

from ..tools.watch import Job, seconds_of


def beats(job):
    """Decorate a job's method: the end of each pass leaves a stamp.

    A pass that raises leaves none, so a job that always fails is as silent as one that never runs.

    :param str job: the XML id of its cron record, without the module
    """
    def decorate(method):
        @functools.wraps(method)
        def wrapped(self, *args, **kwargs):
            began = time.monotonic()
            result = method(self, *args, **kwargs)
            self.env["soko.mpesa.heartbeat"]._beat(job, time.monotonic() - began)
            return result
        return wrapped
    return decorate


class SokoMpesaHeartbeat(models.Model):
    """When each job ended its last pass; one row a job."""

    _name = "soko.mpesa.heartbeat"
    _description = "M-Pesa heartbeat"
    _inherit = ["soko.mpesa.export.mixin"]
    _rec_name = "job"
    _log_access = False
    _allow_sudo_commands = False

    job = fields.Char(required=True, readonly=True)
    last_pass = fields.Datetime(required=True, readonly=True)
    seconds = fields.Float(readonly=True, help="How long the last pass took.")

    place = fields.Integer(
        readonly=True, help="Last record of a pass that ran out of time; 0: it came to the end.",
    )

    _job_uniq = models.Constraint("UNIQUE(job)", "A job has one heart.")

    @api.model
    def _beat(self, job, seconds=0):
        """Stamp the end of a pass with the database's clock.

        :param str job: as for `beats`
        :param float seconds: how long the pass took
        """
        try:
            with self.env.cr.savepoint():
                self.env.cr.execute("""
                    INSERT INTO soko_mpesa_heartbeat (job, last_pass, seconds)
                         VALUES (%s, clock_timestamp() AT TIME ZONE 'UTC', %s)
                    ON CONFLICT (job) DO UPDATE
                            SET last_pass = EXCLUDED.last_pass, seconds = EXCLUDED.seconds
                """, [job, seconds])
        except OperationalError:
            return  # another process ends a pass of the same job at this moment: stamped anyway
        self.invalidate_model()

    @api.model
    def _get_age(self, job):
        """Return the seconds since the last pass of `job`; None when there was none."""
        return self._get_age_and_length(job)[0]

    @api.model
    def _get_age_and_length(self, job):
        """Return (seconds since the last pass of `job`, seconds that it took).

        The first is None when there was none.
        """
        self.env.cr.execute("""
            SELECT EXTRACT(EPOCH FROM clock_timestamp() AT TIME ZONE 'UTC' - last_pass)::bigint,
                   COALESCE(seconds, 0)
              FROM soko_mpesa_heartbeat WHERE job = %s
        """, [job])
        row = self.env.cr.fetchone()
        return (max(row[0], 0), row[1]) if row else (None, 0)

    @api.model
    def _get_place(self, job):
        """Return the id of the record at which a pass of `job` ran out of time, or 0."""
        return self.search([("job", "=", job)]).place

    @api.model
    def _keep_place(self, job, place):
        """Note where the next pass of `job` goes on.

        :param int place: id of the last record that was done; 0 for the beginning
        """
        self._beat(job)
        self.search([("job", "=", job)]).place = place

    @api.model
    def _get_jobs(self, wanted=()):
        """Return the module's scheduled jobs as they are in the database now; one query.

        :param wanted: names that must be among them; one that isn't is reported as missing
        :rtype: list of Job
        """
        self.env["ir.cron"].flush_model(["active", "user_id"])
        self.env["res.users"].flush_model(["active"])
        self.env.cr.execute("""
            SELECT data.name, cron.id, cron.cron_name, cron.active,
                   people.active OR people.id = %s,
                   EXTRACT(EPOCH FROM clock_timestamp() AT TIME ZONE 'UTC'
                           - COALESCE(heart.last_pass, cron.lastcall, cron.create_date))::bigint,
                   cron.interval_number, cron.interval_type
              FROM ir_model_data data
              JOIN ir_cron cron ON cron.id = data.res_id
              JOIN res_users people ON people.id = cron.user_id
         LEFT JOIN soko_mpesa_heartbeat heart ON heart.job = data.name
             WHERE data.module = 'soko_mpesa' AND data.model = 'ir.cron'
          ORDER BY data.name
        """, [SUPERUSER_ID])  # OdooBot is archived in every database, and works
        jobs = [
            Job(name, label, cron_id, active, user_active, max(age or 0, 0),
                seconds_of(number, unit))
            for (name, cron_id, label, active, user_active, age, number, unit)
            in self.env.cr.fetchall()
        ]
        known = {job.name for job in jobs}
        return jobs + [Job(name, name) for name in wanted if name not in known]
