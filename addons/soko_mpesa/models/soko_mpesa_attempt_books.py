import json
from decimal import Decimal

from odoo import fields, models

from ..tools import parse, proof
from ..tools import verdict as verdicts


class SokoMpesaAttemptBooks(models.AbstractModel):
    """What an attempt hears from a statement and from people; the caller holds the locks."""

    _name = "soko.mpesa.attempt.books"
    _description = "M-Pesa attempt: statement and declarations"

    def _hear_statement(self, row):
        """Take in a row of M-Pesa's statement: completed proves, failed speaks against it.

        :param row: soko.mpesa.statement.row
        """
        result = row._as_result()
        verdict = verdicts.of_status(result, self._expected())
        self._keep_fact("statement", "import", verdict, row._as_bytes(), result)
        self._conclude(verdict, result, asks_again=False)

    def _hear_absence(self, statement):
        """Take in that a statement which covers the time of sending doesn't have the payment.

        :param statement: soko.mpesa.statement
        """
        result = parse.StatusResult(readable=True, description=self.env._(
            "M-Pesa's statement up to %(moment)s UTC doesn't have this payment.",
            moment=fields.Datetime.to_string(statement.ends)))
        self._keep_fact(
            "statement", "import", proof.ABSENT,
            json.dumps({"statement": statement.id, "sha256": statement.sha256}).encode(), result)
        self._conclude(proof.ABSENT, result, asks_again=False)

    def _hear_reversal(self, row):
        """Take in that M-Pesa took the payment back.

        :param row: soko.mpesa.statement.row, with a receipt of its own
        """
        result = row._as_result()
        self._keep_fact("statement", "import", "reversal", row._as_bytes(), result)
        self._set_state("reversed")
        self.payout_id._on_reversed(row.receipt)

    def _hear_human(self, declaration):
        """Take in what two persons say became of a payment.

        :param declaration: soko.mpesa.declaration, confirmed by the second person
        """
        paid = declaration.outcome == "paid"
        payout = self.payout_id
        result = parse.StatusResult(
            readable=True, code="0", status="completed" if paid else "failed",
            receipt=declaration.receipt or "", amount=Decimal(payout.amount) if paid else None,
            party=payout.msisdn if paid else "", description=declaration._describe(),
        )
        verdict = verdicts.of_status(result, self._expected())
        self._keep_fact("human", "person", verdict, declaration._as_bytes(), result)
        self._conclude(verdict, result, asks_again=False)

    def _keep_fact(self, kind, channel, verdict, raw, result):
        self.env["soko.mpesa.evidence"]._add(
            self, kind, channel, verdict, raw,
            description=result.description, receipt=result.receipt, party=result.party,
            amount=str(result.amount) if result.amount is not None else False,
        )
