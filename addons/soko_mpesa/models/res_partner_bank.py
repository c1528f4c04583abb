from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools import msisdn

# Written by this module alone.
STAMPS = {"soko_mpesa_verified_by", "soko_mpesa_verified_at", "soko_mpesa_edited_by"}
# For so long a verified number is pointed out to those who approve.
NEWS_DAYS = 30
IDENTITY = {"acc_number", "sanitized_acc_number", "acc_type", "partner_id"}


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    # Stored and writable: 0712345678 may be a bank's account, so a person can say what it is.
    acc_type = fields.Selection(store=True, readonly=False)
    soko_mpesa_verified_by = fields.Many2one(
        "res.users", string="Verified by", readonly=True, copy=False, tracking=True,
        help="Who confirmed with the payee, on another way, that this is their number.",
    )
    soko_mpesa_verified_at = fields.Datetime(string="Verified at", readonly=True, copy=False)
    soko_mpesa_edited_by = fields.Many2one(
        "res.users", string="Entered by", readonly=True, copy=False,
        help="Who last wrote this number. Somebody else must verify it.",
    )

    @api.model
    def _get_supported_account_types(self):
        return super()._get_supported_account_types() + [("mpesa", self.env._("M-Pesa"))]

    @api.model
    def retrieve_acc_type(self, acc_number):
        """Only a number in international form is M-Pesa by itself."""
        if msisdn.is_unmistakable(acc_number):
            return "mpesa"
        return super().retrieve_acc_type(acc_number)

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._soko_mpesa_refuse_stamps(vals_list)
        vals_list = [self._soko_mpesa_normalise(dict(vals)) for vals in vals_list]
        for vals in vals_list:
            if vals.get("acc_type") == "mpesa":
                # who enters a number can't trust it in the same breath
                vals.update(allow_out_payment=False, soko_mpesa_edited_by=self.env.uid)
        return super().create(vals_list)

    def write(self, vals):
        self._soko_mpesa_refuse_stamps([vals])
        mpesa = self.filtered(lambda bank: bank.acc_type == "mpesa")
        if not mpesa and vals.get("acc_type") != "mpesa" and not (
                msisdn.is_unmistakable(vals.get("acc_number"))):
            return super().write(vals)
        others = self - mpesa
        if mpesa and others:
            return mpesa.write(vals) and others.write(vals)
        self.check_access("write")
        vals = self._soko_mpesa_prepare_write(dict(vals))
        # sudo: whoever may edit a number may take its trust away by that, and must; the right to
        # edit was checked above, the right to trust by `_soko_mpesa_check_verifier`
        return super(ResPartnerBank, self.sudo()).write(vals)

    def _soko_mpesa_prepare_write(self, vals):
        """Return what to write on records that are, or become, M-Pesa numbers."""
        was_mpesa = all(bank.acc_type == "mpesa" for bank in self)
        if "acc_number" in vals or "acc_type" in vals:
            vals = self._soko_mpesa_normalise(vals, was_mpesa)
        if self._soko_mpesa_changes_identity(vals):
            vals.update(
                allow_out_payment=False, soko_mpesa_edited_by=self.env.uid,
                soko_mpesa_verified_by=False, soko_mpesa_verified_at=False,
            )
        elif vals.get("allow_out_payment"):
            self._soko_mpesa_check_verifier()
            vals.update(
                soko_mpesa_verified_by=self.env.uid,
                soko_mpesa_verified_at=fields.Datetime.now(),
            )
        elif "allow_out_payment" in vals:
            vals.update(soko_mpesa_verified_by=False, soko_mpesa_verified_at=False)
        return vals

    def _soko_mpesa_changes_identity(self, vals):
        return any(
            bank._fields[name].convert_to_write(bank[name], bank) != vals[name]
            for name in IDENTITY & vals.keys() for bank in self
        )

    @api.model
    def _soko_mpesa_refuse_stamps(self, vals_list):
        if not self.env.su and any(STAMPS & vals.keys() for vals in vals_list):
            raise AccessError(self.env._("Use the Verify button of the M-Pesa number."))

    @api.model
    def _soko_mpesa_normalise(self, vals, was_mpesa=False):
        """Return `vals` with the number of an M-Pesa account in Daraja's form.

        :raise ValidationError: it is said to be M-Pesa but is no Kenyan mobile number
        """
        number = vals.get("acc_number") or vals.get("sanitized_acc_number")
        if vals.get("acc_type", "mpesa" if was_mpesa else "") != "mpesa" and not (
                "acc_type" not in vals and msisdn.is_unmistakable(number)):
            return vals
        vals["acc_type"] = "mpesa"
        if not number:
            number = self.acc_number if len(self) == 1 else ""
        try:
            vals["acc_number"] = msisdn.normalise(number)
        except ValueError as error:
            raise ValidationError(self._soko_mpesa_explain(number, str(error))) from None
        vals.pop("sanitized_acc_number", None)
        return vals

    def _soko_mpesa_explain(self, number, why):
        """Return why `number` was refused, and what to do."""
        reasons = {
            "empty": self.env._("it is empty"),
            "characters": self.env._("it has characters that no telephone number has"),
            "country": self.env._("it isn't a number of Kenya (+254)"),
            "landline": self.env._("it is no mobile number: those begin with 07 or 01"),
            "length": self.env._("it has too many or too few digits"),
        }
        return self.env._(
            "\"%(number)s\" can't receive M-Pesa: %(why)s. Write it as 0712 345 678 or "
            "+254 712 345 678.", number=number or "", why=reasons[why],
        )

    # === VERIFICATION === #

    def action_soko_mpesa_verify(self):
        """Confirm that the number is the payee's; by an approver who didn't enter it."""
        self.check_access("read")
        if any(bank.acc_type != "mpesa" for bank in self):
            raise UserError(self.env._("This isn't an M-Pesa number."))
        self._soko_mpesa_check_verifier()
        # sudo: an approver may trust a number without the right to edit contacts, and should not
        # have it; that she is one, and not the one who entered it, was checked above
        self.sudo().write({"allow_out_payment": True})

    def action_soko_mpesa_unverify(self):
        """Stop paying to this number. Everybody who may edit it may do that."""
        self.check_access("write")
        self.filtered(lambda bank: bank.acc_type == "mpesa").write({"allow_out_payment": False})

    def _soko_mpesa_check_verifier(self):
        """:raise AccessError: the user is no approver, or entered the number"""
        if not self.env.user.has_group("soko_mpesa.soko_mpesa_group_approver"):
            raise AccessError(self.env._("Only an M-Pesa approver verifies M-Pesa numbers."))
        own = self.filtered(lambda bank: bank.soko_mpesa_edited_by == self.env.user)
        if own:
            raise AccessError(self.env._(
                "You entered the number of %s, so somebody else must verify it.",
                own[0].partner_id.display_name,
            ))

    def _soko_mpesa_is_verified(self):
        """Whether a second person has verified this number as it is now."""
        return bool(
            self.acc_type == "mpesa" and self.allow_out_payment and self.soko_mpesa_verified_by
            and self.soko_mpesa_verified_by != self.soko_mpesa_edited_by
        )

    def _soko_mpesa_get_news(self):
        """Return what an approver should look at: {id: text}, only where there is something.

        First payments to a number, and numbers that were verified in the last 30 days.
        """
        # sudo: who pays need not see all payouts; only whether there are any comes out
        payouts = self.env["soko.mpesa.payout"].sudo()
        paid = payouts._read_group(
            [("partner_id", "in", self.partner_id.ids), ("state", "=", "paid")],
            ["partner_id", "msisdn"])
        known = {(partner.id, number) for partner, number in paid}
        partners = {partner for partner, _number in known}
        recently = fields.Datetime.now() - timedelta(days=NEWS_DAYS)
        news = {}
        for bank in self:
            if (bank.partner_id.id, bank.acc_number) not in known:
                news[bank.id] = (
                    self.env._("New number: earlier payments went to another one")
                    if bank.partner_id.id in partners else self.env._("First payment"))
            elif bank.soko_mpesa_verified_at and bank.soko_mpesa_verified_at > recently:
                news[bank.id] = self.env._(
                    "Number verified on %s", bank.soko_mpesa_verified_at.date())
        return news
