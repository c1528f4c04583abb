import base64
import hashlib

from odoo import api, fields, models

from ..const import LEAST_KEEP_YEARS
from ..tools.redact import readable, redact

# A message as it was received may say more of a payee than a maker needs to know.
RAW_READERS = "soko_mpesa.soko_mpesa_group_approver,soko_mpesa.soko_mpesa_group_manager"


NOTHING = hashlib.sha256(b"").hexdigest()


class SokoMpesaEvidence(models.Model):
    """Every fact heard from outside. A trigger refuses to change or delete it; only the text as
    received may be erased, when it is older than the company keeps it.

    Each row carries a digest of itself and of the row before it, made by the database, and the
    attempt keeps the last one. One chain an attempt, because whoever writes evidence holds the
    attempt's lock anyway; a chain an account would make all payouts wait for each other.
    """

    _name = "soko.mpesa.evidence"
    _description = "M-Pesa evidence"
    _inherit = ["soko.mpesa.evidence.text", "soko.mpesa.export.mixin"]
    _order = "id desc"
    _allow_sudo_commands = False

    attempt_id = fields.Many2one(
        "soko.mpesa.attempt", required=True, index=True, ondelete="restrict", readonly=True,
    )
    payout_id = fields.Many2one(
        "soko.mpesa.payout", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    callback_id = fields.Many2one(
        "soko.mpesa.callback", index=True, ondelete="restrict", readonly=True,
    )
    kind = fields.Selection(
        [
            ("answer", "Answer to the payment request"),
            ("query", "Answer to the status query"),
            ("result", "Result of the payment"),
            ("status", "Result of the status query"),
            ("timeout", "Time-out notice"),
            ("lease", "Sender did not report back"),
            ("statement", "M-Pesa's statement"),
            ("human", "Declared by two persons"),
        ],
        required=True, readonly=True,
    )
    channel = fields.Selection(
        [
            ("sync", "Answer to our call"),
            ("callback", "M-Pesa called us"),
            ("system", "Odoo"),
            ("import", "Statement file"),
            ("person", "Two persons"),
        ],
        required=True, readonly=True,
    )
    verdict = fields.Selection(
        [
            ("positive", "Proves the payment"),
            ("negative", "Speaks against it"),
            ("absent", "Payment not known there"),
            ("neutral", "Proves nothing"),
            ("contradiction", "Contradicts our records"),
            ("reversal", "Takes the payment back"),
        ],
        required=True, readonly=True,
    )
    code = fields.Char(readonly=True)
    description = fields.Char(readonly=True)
    receipt = fields.Char(readonly=True)
    amount = fields.Char(readonly=True, help="As it was said, in KES.")
    party = fields.Char(readonly=True, help="The person who was paid, as M-Pesa named them.")
    received_at = fields.Datetime(required=True, readonly=True)
    source_address = fields.Char(readonly=True)
    sha256 = fields.Char(required=True, readonly=True)
    raw = fields.Binary(attachment=False, readonly=True, groups=RAW_READERS)
    chain = fields.Char(
        readonly=True, help="Digest of this row and of the one before it about the same attempt.",
    )
    body = fields.Text(compute="_compute_body", string="Text as received", groups=RAW_READERS)

    _callback_uniq = models.UniqueIndex(
        "(attempt_id, callback_id, kind, sha256) WHERE channel = 'callback'",
        "This was heard before.",
    )

    def init(self):
        self._make_guard()
        self._make_chain()

    def _make_guard(self):
        """Make the guard. The text as received may be erased when it is old enough, by the
        database's own clock and never before the law allows it; its digest, which the chain
        covers, stays."""
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_evidence_is_old(
                company integer, heard_at timestamp) RETURNS boolean AS $$
            BEGIN
                RETURN coalesce((
                    SELECT soko_mpesa_keep_years > 0
                       AND heard_at < (now() AT TIME ZONE 'UTC') - make_interval(
                           years => greatest(soko_mpesa_keep_years, %s))
                      FROM res_company WHERE id = company), false);
            END $$ LANGUAGE plpgsql STABLE;
            CREATE OR REPLACE FUNCTION soko_mpesa_evidence_guard() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF OLD.raw IS NOT NULL AND NEW.raw IS NULL
                       AND to_jsonb(NEW) - 'raw' = to_jsonb(OLD) - 'raw'
                       AND soko_mpesa_evidence_is_old(OLD.company_id, OLD.received_at) THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION 'M-Pesa evidence is append-only';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_evidence_guard ON soko_mpesa_evidence;
            CREATE TRIGGER soko_mpesa_evidence_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_evidence FOR EACH ROW
                EXECUTE FUNCTION soko_mpesa_evidence_guard();
            DROP TRIGGER IF EXISTS soko_mpesa_evidence_whole ON soko_mpesa_evidence;
            CREATE TRIGGER soko_mpesa_evidence_whole BEFORE TRUNCATE
                ON soko_mpesa_evidence FOR EACH STATEMENT
                EXECUTE FUNCTION soko_mpesa_evidence_guard();
        """, [LEAST_KEEP_YEARS])

    def _make_chain(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_evidence_chain(
                previous varchar, e soko_mpesa_evidence) RETURNS varchar AS $$
                SELECT encode(sha256(convert_to(ROW(
                    previous, e.attempt_id, e.payout_id, e.company_id, e.callback_id, e.kind,
                    e.channel, e.verdict, e.code, e.description, e.receipt, e.amount, e.party,
                    to_char(e.received_at, 'YYYY-MM-DD HH24:MI:SS.US'), e.source_address,
                    e.sha256)::text, 'UTF8')), 'hex')
            $$ LANGUAGE sql STABLE;
            CREATE OR REPLACE FUNCTION soko_mpesa_evidence_link() RETURNS trigger AS $$
            DECLARE
                previous varchar;
            BEGIN
                SELECT evidence_chain INTO previous FROM soko_mpesa_attempt
                 WHERE id = NEW.attempt_id FOR NO KEY UPDATE;
                NEW.chain := soko_mpesa_evidence_chain(previous, NEW);
                UPDATE soko_mpesa_attempt SET evidence_chain = NEW.chain
                 WHERE id = NEW.attempt_id;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_evidence_link ON soko_mpesa_evidence;
            CREATE TRIGGER soko_mpesa_evidence_link BEFORE INSERT
                ON soko_mpesa_evidence FOR EACH ROW EXECUTE FUNCTION soko_mpesa_evidence_link();
        """)

    @api.depends("raw", "sha256")
    @api.depends_context("lang")
    def _compute_body(self):
        for evidence in self.with_context(bin_size=False):
            if not evidence.raw and evidence.sha256 not in (False, NOTHING):
                evidence.body = self.env._(
                    "Erased, because it was older than the company keeps it. What was read from "
                    "it and its SHA-256 are kept.")
                continue
            evidence.body = readable(base64.b64decode(evidence.raw or b""))

    @api.model
    def _add(self, attempt, kind, channel, verdict, raw=b"", **facts):
        """Keep a fact about `attempt`; see `_prepare`.

        :rtype: soko.mpesa.evidence
        """
        return self._add_all([self._prepare(attempt, kind, channel, verdict, raw, **facts)])

    @api.model
    def _add_all(self, vals_list):
        """Keep facts.

        :param list vals_list: from `_prepare`
        :rtype: soko.mpesa.evidence
        """
        # sudo: nobody may write evidence by hand; this method is private
        evidence = self.sudo().create(vals_list)
        evidence.invalidate_recordset(["chain"])  # the database has filled it in
        return evidence

    @api.model
    def _prepare(self, attempt, kind, channel, verdict, raw=b"", **facts):
        """Return the values of a fact about `attempt`.

        :param bytes raw: what was received; credentials are taken out first
        :param facts: code, description, receipt, amount, party, callback_id, source_address
        """
        raw = redact(raw)
        if "description" in facts:
            facts["description"] = redact((facts["description"] or "").encode()).decode()
        return {
            **facts,
            "attempt_id": attempt.id,
            "payout_id": attempt.payout_id.id,
            "company_id": attempt.company_id.id,
            "kind": kind,
            "channel": channel,
            "verdict": verdict,
            "raw": base64.b64encode(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "received_at": fields.Datetime.now(),
        }
