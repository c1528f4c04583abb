import base64
import hashlib

from odoo import api, fields, models

from ..tools.redact import redact


class SokoMpesaEvidence(models.Model):
    """Every fact heard from outside. A trigger refuses to change or delete it."""

    _name = "soko.mpesa.evidence"
    _description = "M-Pesa evidence"
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
        ],
        required=True, readonly=True,
    )
    channel = fields.Selection(
        [("sync", "Answer to our call"), ("callback", "Safaricom called us"), ("system", "Odoo")],
        required=True, readonly=True,
    )
    verdict = fields.Selection(
        [
            ("positive", "Proves the payment"),
            ("negative", "Speaks against it"),
            ("absent", "Payment not known there"),
            ("neutral", "Proves nothing"),
            ("contradiction", "Contradicts our records"),
        ],
        required=True, readonly=True,
    )
    code = fields.Char(readonly=True)
    description = fields.Char(readonly=True)
    receipt = fields.Char(readonly=True)
    amount = fields.Char(readonly=True, help="As it was said, in KES.")
    party = fields.Char(readonly=True, help="The person who was paid, as Safaricom named them.")
    received_at = fields.Datetime(required=True, readonly=True)
    source_address = fields.Char(readonly=True)
    sha256 = fields.Char(required=True, readonly=True)
    raw = fields.Binary(attachment=False, readonly=True)
    body = fields.Text(compute="_compute_body", string="Text as received")

    _callback_uniq = models.UniqueIndex(
        "(attempt_id, callback_id, kind, sha256) WHERE channel = 'callback'",
        "This was heard before.",
    )

    def init(self):
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION soko_mpesa_evidence_guard() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'M-Pesa evidence is append-only';
            END $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS soko_mpesa_evidence_guard ON soko_mpesa_evidence;
            CREATE TRIGGER soko_mpesa_evidence_guard BEFORE UPDATE OR DELETE
                ON soko_mpesa_evidence FOR EACH ROW
                EXECUTE FUNCTION soko_mpesa_evidence_guard();
        """)

    @api.depends("raw")
    def _compute_body(self):
        for evidence in self.with_context(bin_size=False):
            raw = base64.b64decode(evidence.raw or b"")
            evidence.body = raw.decode(errors="backslashreplace").replace("\x00", "\\x00")

    @api.model
    def _add(self, attempt, kind, channel, verdict, raw=b"", **facts):
        """Keep a fact about `attempt`.

        :param bytes raw: what was received; credentials are taken out first
        :param facts: code, description, receipt, amount, party, callback_id, source_address
        :rtype: soko.mpesa.evidence
        """
        raw = redact(raw)
        if "description" in facts:
            facts["description"] = redact((facts["description"] or "").encode()).decode()
        # sudo: nobody may write evidence by hand; this method is private
        return self.sudo().create({
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
        })
