import logging
import time
from datetime import timedelta

from odoo import api, fields, models

from ..const import LEAST_KEEP_YEARS, PASS_BUDGET
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

# Rows that are erased in one transaction.
BATCH = 1000
# Letters to addresses that nobody was given prove nothing, whatever they say.
STRANGER_DAYS = 90
# The text of old rows of one company; `soko_mpesa_evidence_is_old` would be asked for each row
# of the table, so the time is compared here, and the guard asks it for those that are found.
OLD_TEXTS = """
    UPDATE {table} SET raw = NULL WHERE id IN (
           SELECT id FROM {table}
            WHERE company_id = %s AND raw IS NOT NULL AND {heard_at}
                  < (now() AT TIME ZONE 'UTC') - make_interval(years => %s) {only}
            ORDER BY id LIMIT %s)
"""
EVIDENCE = OLD_TEXTS.format(table="soko_mpesa_evidence", heard_at="received_at", only="")
LETTERS = OLD_TEXTS.format(table="soko_mpesa_inbox", heard_at="create_date",
                           only="AND state IN ('applied', 'failed')")


class SokoMpesaRetention(models.AbstractModel):
    """Erases personal data that is older than it is kept.

    Of evidence and letters only the text as received goes: it names the payee. What was read from
    it stays, and its digest, so the chain of evidence can still be checked from end to end.
    """

    _name = "soko.mpesa.retention"
    _description = "M-Pesa retention"

    @api.model
    @beats("ir_cron_retain")
    def _cron_retain(self):
        """Erase what is too old; what doesn't fit into the pass waits for the next one."""
        stop_at = time.monotonic() + PASS_BUDGET
        # sudo: the cron's user need not have an M-Pesa role
        retention = self.sudo()
        companies = retention.env["res.company"].search([("soko_mpesa_keep_years", ">", 0)])
        steps = [
            *((retention._erase, (query, company)) for company in companies
              for query in (EVIDENCE, LETTERS)),
            (retention._forget_strangers, ()),
        ]
        for step, arguments in steps:
            while time.monotonic() < stop_at:
                count = step(*arguments)
                self.env["ir.cron"]._commit_progress(count)
                if count < BATCH:
                    break

    def _erase(self, query, company):
        """Erase the texts of up to BATCH old rows.

        :param str query: EVIDENCE or LETTERS
        :return: how many there were
        :rtype: int
        """
        self.env.flush_all()
        years = max(company.soko_mpesa_keep_years, LEAST_KEEP_YEARS)
        self.env.cr.execute(query, [company.id, years, BATCH])
        count = self.env.cr.rowcount
        if count:
            self.env["soko.mpesa.evidence"].invalidate_model(["raw", "body"])
            self.env["soko.mpesa.inbox"].invalidate_model(["raw"])
            _logger.info("M-Pesa: %s texts of %s older than %s years erased", count,
                         company.name, years)
        return count

    def _forget_strangers(self):
        """Delete up to BATCH old letters that came to addresses nobody was given.

        :return: how many there were
        :rtype: int
        """
        limit = fields.Datetime.now() - timedelta(days=STRANGER_DAYS)
        letters = self.env["soko.mpesa.inbox"].search(
            [("state", "=", "quarantined"), ("callback_id", "=", False),
             ("create_date", "<", limit)], order="id", limit=BATCH)
        count = len(letters)
        letters.unlink()
        return count
