import hashlib
import logging
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models

from ..tools import anchors, claims
from ..tools.watch import digest_of

_logger = logging.getLogger(__name__)

JOB = "ir_cron_anchor"
RULE = "I-20 evidence is as it was written down outside the database"
LATE_DAYS = 2
# The end of each chain up to a row. Whoever reads the file can ask the same by hand.
STATE = """
    WITH kept AS (SELECT id, attempt_id, chain FROM soko_mpesa_evidence WHERE id <= %s),
         ends AS (SELECT DISTINCT ON (attempt_id) attempt_id, chain FROM kept
                   ORDER BY attempt_id, id DESC)
    SELECT (SELECT count(*) FROM kept), coalesce((SELECT max(id) FROM kept), 0),
           encode(sha256(convert_to(coalesce((
               SELECT string_agg(attempt_id || ' ' || coalesce(chain, '-'), ','
                                 ORDER BY attempt_id) FROM ends), ''), 'UTF8')), 'hex')
"""


class SokoMpesaAnchor(models.AbstractModel):
    """Once a day writes down outside the database what the evidence is, and compares.

    The chain of evidence shows a row that was changed, but whoever may switch the guards of the
    database off can write the whole chain anew. A file beside the list of what was sent, and a
    message to the managers, can't be rewritten from inside the database.
    """

    _name = "soko.mpesa.anchor"
    _description = "M-Pesa anchor of the evidence"

    @api.model
    def _get_path(self):
        """Return the file of the anchors; empty when this server has no key file."""
        path = self.env["soko.mpesa.account"]._get_claims_path()
        return path and path + anchors.SUFFIX

    @api.model
    def _get_database(self):
        """Return the fingerprint of this database: of its identity and its name, because a copy
        beside the original has the same identity and goes its own way."""
        identity = self.env["soko.mpesa.account"]._get_database_uuid()
        text = f"{identity}|{self.env.cr.dbname}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @api.model
    def _look(self, last_id):
        """Return what the evidence is now, up to the row `last_id`.

        :rtype: tools.anchors.Anchor
        """
        self.env.flush_all()
        self.env.cr.execute(STATE, [last_id])
        [(count, last_id, digest)] = self.env.cr.fetchall()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return anchors.Anchor(now, self._get_database(), count, last_id, digest)

    @api.model
    def _get_differences(self):
        """Compare the evidence with the newest anchor.

        :return: {RULE: [what differs]}, as `_invariant_violations` does; empty when all is well
            or when nothing was written down yet. A file that can't be read is told by the
            set-up check and by the job that stands still, and isn't held against the evidence.
        """
        path = self._get_path()
        try:
            anchor = path and anchors.last(path, self._get_database())
        except claims.ClaimsFileError:
            _logger.warning("The anchors of M-Pesa evidence can't be read", exc_info=True)
            return {}
        if not anchor:
            return {}
        found = self._look(anchor.last_id)
        if found.agrees(anchor):
            return {}
        # what was found is part of it: evidence rewritten once more is another matter
        return {RULE: [
            f"{anchor.at[:10]}: {anchor.count}, #{anchor.last_id}, {anchor.digest[:16]}; "
            f"now {found.count}, #{found.last_id}, {found.digest[:16]}"]}

    # === THE JOB === #

    @api.model
    def _cron_anchor(self):
        """Compare with the last anchor, then write the next one. No stamp is left when that
        can't be done, so that the job is told as one that stands still."""
        # sudo: the cron's user need not have an M-Pesa role
        self = self.sudo()  # noqa: PLW0642
        path = self._get_path()
        if path and not self._write_next(path):
            return
        self.env["soko.mpesa.heartbeat"]._beat(JOB)

    def _write_next(self, path):
        differences = self._get_differences()
        if differences and not self._is_understood(differences):
            # what differs must not become the new measure
            self.env["soko.mpesa.watch"]._guard(thorough=True)
            return False
        last_id = self._get_settled_id()
        if not last_id:
            return True
        anchor = self._look(last_id)
        try:
            anchors.append(path, anchor)
        except claims.ClaimsFileError as error:
            _logger.warning("The anchor of M-Pesa evidence can't be written to %s: %s", path, error)
            return False
        self._tell(anchor)
        return True

    def _is_understood(self, differences):
        """Whether an approver has declared that just this difference is understood."""
        row = self.env["soko.mpesa.attention"].search(
            [("kind", "=", "invariant"), ("subject", "=", RULE)], limit=1)
        return bool(row) and row.accepted_digest == digest_of(differences[RULE])

    def _get_settled_id(self):
        """Return the last row before which none can appear any more; 0 when there is none."""
        limit = self.env.cr.now() - timedelta(minutes=anchors.SETTLE_MINUTES)
        # sudo: evidence of all companies is one book
        return self.env["soko.mpesa.evidence"].sudo().search(
            [("create_date", "<=", limit)], order="id desc", limit=1).id or 0

    def _tell(self, anchor):
        """Tell the managers of each company, in the chatter of its first account; who gets
        mail has a copy that no database can rewrite."""
        accounts = self.env["soko.mpesa.account"].search([("active", "=", True)], order="id")
        for company, owned in accounts.grouped("company_id").items():
            managers = self.env["soko.mpesa.watch"]._get_managers(company)
            owned[0].message_post(
                body=self.env._(
                    "Anchor of the evidence, %(at)s: %(count)s rows, the last is number "
                    "%(last)s, digest %(digest)s. Keep this message: with it anybody can show "
                    "that the evidence up to that row wasn't rewritten.",
                    at=anchor.at, count=anchor.count, last=anchor.last_id, digest=anchor.digest),
                partner_ids=managers.partner_id.ids, subtype_xmlid="mail.mt_note",
            )

    @api.model
    def _get_age_of_last(self, path):
        """Return (newest anchor or None, whether it is older than it should be).

        :raise claims.ClaimsFileError: the file can't be read
        """
        late = fields.Datetime.now() - timedelta(days=LATE_DAYS)
        anchor = anchors.last(path, self._get_database())
        if anchor:
            return anchor, anchor.at < late.strftime("%Y-%m-%dT%H:%M:%SZ")
        # sudo: whether there is evidence at all is no secret
        return None, bool(self.env["soko.mpesa.evidence"].sudo().search_count(
            [("create_date", "<", late)], limit=1))
