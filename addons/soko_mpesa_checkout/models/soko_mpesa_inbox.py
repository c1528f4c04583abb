import base64
import hashlib

from odoo import api, fields, models

from odoo.addons.soko_mpesa.tools.redact import redact

from ..const import CALLBACK_WORD
from ..tools import stk


class SokoMpesaInbox(models.Model):
    _inherit = "soko.mpesa.inbox"

    transaction_id = fields.Many2one(
        "payment.transaction", index="btree_not_null", readonly=True, ondelete="restrict",
        help="The shopper's payment that this letter is about.",
    )

    @api.model
    def _store(self, word, token, raw, source_address):
        """Keep letters about shoppers' payments too; all others go the usual way."""
        transaction = self.env["payment.transaction"]
        if word == CALLBACK_WORD:
            transaction = transaction._soko_mpesa_find(token)
        if not transaction:
            return super()._store(word, token, raw, source_address)
        raw = redact(raw)
        # sudo: a letter comes from outside, without a user; nothing is shown to the sender
        self.sudo().create({
            "transaction_id": transaction.id, "company_id": transaction.company_id.id,
            "word": word, "state": "new", "raw": base64.b64encode(raw),
            "sha256": hashlib.sha256(raw).hexdigest(), "source_address": source_address,
        })
        # sudo: a cron is triggered, not edited
        self.env.ref("soko_mpesa.ir_cron_apply").sudo()._trigger()
        return True

    def _apply(self):
        """Apply letters about shoppers' payments under the lock of their transaction."""
        if not self.transaction_id:
            super()._apply()
            return
        raw = base64.b64decode(self.with_context(bin_size=False).raw or b"")
        self.transaction_id._soko_mpesa_hear(stk.read_callback(raw))
        self.state = "applied"
