import base64
import hashlib
import json
import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..const import APPROVER
from ..tools.context import undefaulted
from ..tools.statement import RECEIPT

ENTERED = {
    "payout_id", "outcome", "receipt", "case_number", "document", "document_name", "note",
}


class SokoMpesaDeclaration(models.Model):
    """What two persons say became of a payment that stays unknown, after asking M-Pesa.

    The first approver enters it, another one confirms it; neither made the payment. It says paid
    or not paid, never to whom or how much.
    """

    _name = "soko.mpesa.declaration"
    _description = "Declared outcome of an M-Pesa payout"
    _inherit = ["mail.thread", "soko.mpesa.export.mixin"]
    _order = "id desc"
    _rec_name = "payout_id"
    _mail_post_access = "read"
    _allow_sudo_commands = False

    payout_id = fields.Many2one(
        "soko.mpesa.payout", required=True, index=True, ondelete="restrict",
    )
    attempt_id = fields.Many2one(
        "soko.mpesa.attempt", required=True, index=True, ondelete="restrict", readonly=True,
    )
    company_id = fields.Many2one(related="payout_id.company_id", store=True, index=True)
    payee_name = fields.Char(related="payout_id.payee_name")
    msisdn = fields.Char(related="payout_id.msisdn")
    amount = fields.Integer(related="payout_id.amount", string="Amount (KES)")
    outcome = fields.Selection(
        [("paid", "It was paid"), ("not_paid", "It was not paid")], required=True, tracking=True,
        help="As M-Pesa's portal or M-Pesa's support says. Your opinion isn't enough.",
    )
    receipt = fields.Char(
        string="M-Pesa receipt", tracking=True,
        help="The receipt number as the M-Pesa portal shows it. The next statement must have it.",
    )
    case_number = fields.Char(
        tracking=True, help="The number under which M-Pesa's support said that it was not paid.",
    )
    document = fields.Binary(
        attachment=False, help="M-Pesa's answer: a letter, a mail or a picture of the portal.",
    )
    document_name = fields.Char()
    note = fields.Text(help="Who was asked, when, and what they said.")
    state = fields.Selection(
        [("open", "Waits for a second person"), ("confirmed", "Confirmed"),
         ("withdrawn", "Withdrawn")],
        required=True, default="open", readonly=True, tracking=True,
    )
    declared_by = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    declared_at = fields.Datetime(required=True, readonly=True)
    confirmed_by = fields.Many2one(
        "res.users", readonly=True, ondelete="restrict", tracking=True)
    confirmed_at = fields.Datetime(readonly=True)

    _two_persons = models.Constraint(
        "CHECK(confirmed_by IS NULL OR confirmed_by <> declared_by)",
        "Another person than the one who declared it must confirm.",
    )
    _confirmed = models.Constraint(
        "CHECK((state = 'confirmed') = (confirmed_by IS NOT NULL))",
        "What is confirmed has a second person.",
    )
    _grounds = models.Constraint(
        "CHECK((outcome = 'paid' AND receipt IS NOT NULL) OR (outcome = 'not_paid' "
        "AND receipt IS NULL AND case_number IS NOT NULL AND document IS NOT NULL))",
        "Paid needs the receipt number. Not paid needs M-Pesa's case number and its answer as a "
        "document.",
    )
    _open_uniq = models.UniqueIndex(
        "(attempt_id) WHERE state = 'open'", "Somebody has declared an outcome already.")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # keywords could add keys, not take any away
        kept = undefaulted(self.env.context)
        clean = self.with_context(kept)  # pylint: disable=context-overridden
        return super(SokoMpesaDeclaration, clean).create(
            [self._complete(vals) for vals in vals_list])

    def _complete(self, vals):
        """Return `vals` with who declares, after checking that they may."""
        payout = self.env["soko.mpesa.payout"].browse(vals.get("payout_id"))
        own = {name for name in vals if name.startswith("message_")}
        if vals.keys() - ENTERED - own:
            raise AccessError(self.env._("Only the outcome and its grounds are entered here."))
        payout._check_group(APPROVER)
        # sudo: who may declare may have the payout's attempts and maker checked
        payout.sudo()._check_may_be_declared()
        self._check_stranger(payout)
        receipt = re.sub(r"\s", "", vals.get("receipt") or "").upper()
        if vals.get("outcome") == "paid" and not RECEIPT.fullmatch(receipt):
            raise ValidationError(self.env._(
                "Enter the receipt number as the M-Pesa portal shows it, such as SG632NMUAB."))
        # sudo: receipts of other companies count, too
        attempts = self.env["soko.mpesa.attempt"].sudo()
        if receipt and attempts.search_count([("receipt", "=", receipt)], limit=1):
            raise ValidationError(self.env._("The receipt %s belongs to another payment.", receipt))
        return {
            **vals, "receipt": receipt if vals.get("outcome") == "paid" else False,
            "attempt_id": payout.sudo()._get_undecided().id,  # sudo: as above
            "declared_by": self.env.uid, "declared_at": fields.Datetime.now(),
        }

    def write(self, vals):
        own = {name for name in vals if name.startswith(("message_", "activity_"))}
        if not self.env.su and vals.keys() - own:
            raise AccessError(self.env._(
                "A declaration isn't changed. Withdraw it and enter another one."))
        return super().write(vals)

    def _check_stranger(self, payout):
        """:raise AccessError: the user made the payment, wrote the number, or is the payee"""
        if objection := payout._find_person_objection():
            raise AccessError(objection)

    # === ACTION METHODS === #

    def action_confirm(self):
        """Confirm as the second person: the payment is then paid, or not paid."""
        self.payout_id._check_group(APPROVER)
        self.env["res.users"]._soko_mpesa_require_identity()
        for declaration in self:
            declaration._check_stranger(declaration.payout_id)
            # sudo: people can't write declarations or evidence; the persons are checked here
            declaration.sudo()._confirm(self.env.user)

    def action_withdraw(self):
        """Take back what was declared and not confirmed."""
        self.payout_id._check_group(APPROVER)
        for declaration in self:
            if declaration.state != "open":
                raise UserError(self.env._("This declaration isn't open any more."))
        self.sudo().write({"state": "withdrawn"})  # sudo: the right was checked
        self.flush_recordset()  # the next one is refused as long as this one is open

    def _confirm(self, user):
        self.ensure_one()
        self.lock_for_update()
        attempt = self.attempt_id
        attempt._lock()
        if self.state != "open":
            raise UserError(self.env._("This declaration isn't open any more."))
        if user == self.declared_by or user.partner_id == self.declared_by.partner_id:
            raise AccessError(self.env._(
                "You declared it, so another approver must confirm it."))
        if attempt.state not in ("accepted", "unknown"):
            raise UserError(self.env._(
                "The outcome has been proven meanwhile. Withdraw this declaration."))
        self.write({
            "state": "confirmed", "confirmed_by": user.id, "confirmed_at": fields.Datetime.now(),
        })
        self.flush_recordset()
        attempt._hear_human(self)

    # === AS EVIDENCE === #

    def _describe(self):
        said = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
        return self.env._(
            "%(said)s (%(grounds)s), say %(first)s and %(second)s",
            said=said, grounds=self.receipt or self.case_number,
            first=self.declared_by.name, second=self.confirmed_by.name)

    def _as_bytes(self):
        document = base64.b64decode(self.with_context(bin_size=False).document or b"")
        return json.dumps({
            "declaration": self.id, "outcome": self.outcome, "receipt": self.receipt or None,
            "case_number": self.case_number or None, "note": self.note or None,
            "document_sha256": hashlib.sha256(document).hexdigest() if document else None,
            "declared_by": self.declared_by.id, "confirmed_by": self.confirmed_by.id,
        }).encode()
