from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_datetime

from ..const import APPROVER
from ..tools import msisdn, waiting
from ..tools.context import defaults
from .soko_mpesa_payee_change import HOW

ROLES = f"soko_mpesa.soko_mpesa_group_maker,{APPROVER}"

# For so long a verified number is pointed out to those who approve.
NEWS_DAYS = 30
# Written by this module alone.
STAMPS = {
    "soko_mpesa_verified_by", "soko_mpesa_verified_at", "soko_mpesa_verified_how",
    "soko_mpesa_edited_by", "soko_mpesa_edited_at", "soko_mpesa_registered_name",
    "soko_mpesa_old_number", "soko_mpesa_cooling_from", "soko_mpesa_name_warning",
}
IDENTITY = {"acc_number", "sanitized_acc_number", "acc_type", "partner_id"}
# A change of these is kept in the history.
WATCHED = IDENTITY | {"allow_out_payment", "active"}
UNVERIFIED = {
    "allow_out_payment": False, "soko_mpesa_verified_by": False, "soko_mpesa_verified_at": False,
    "soko_mpesa_verified_how": False,
}


@dataclass(frozen=True)
class Confirmation:
    """What a second person tells about a number. `how` is a key of HOW.

    It travels in the context as an object, because nobody can put one there by RPC.
    """

    how: str = ""
    registered_name: str = ""
    note: str = ""
    document: bytes = b""
    document_name: str = ""


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    # Stored and writable: 0712345678 may be a bank's account, so a person can say what it is.
    acc_type = fields.Selection(store=True, readonly=False)
    soko_mpesa_verified_by = fields.Many2one(
        "res.users", string="Verified by", readonly=True, copy=False, tracking=True,
        help="Who confirmed with the payee, on another way, that this is their number.",
    )
    soko_mpesa_verified_at = fields.Datetime(string="Verified at", readonly=True, copy=False)
    soko_mpesa_verified_how = fields.Selection(
        HOW, string="Confirmed by", readonly=True, copy=False,
        help="How the second person made sure that the number is the payee's.",
    )
    soko_mpesa_edited_by = fields.Many2one(
        "res.users", string="Entered by", readonly=True, copy=False,
        help="Who last wrote this number. Somebody else must verify it.",
    )
    soko_mpesa_edited_at = fields.Datetime(string="Entered at", readonly=True, copy=False)
    soko_mpesa_registered_name = fields.Char(
        string="Registered name", readonly=True, copy=False, groups=ROLES,
        help="The name under which the number is registered at M-Pesa, as the second person heard "
             "or saw it. The name that M-Pesa returns with each payment is compared with it.",
    )
    soko_mpesa_old_number = fields.Char(
        string="Replaces", readonly=True, copy=False, groups=ROLES,
        help="The payee's number that was verified before this one. Call it to confirm the new "
             "one: whoever stole a phone or a login can't answer there.",
    )
    soko_mpesa_cooling_from = fields.Datetime(
        readonly=True, copy=False, help="When a number that replaced another one was verified.",
    )
    soko_mpesa_cooling_until = fields.Datetime(
        string="Cooling off until", compute="_compute_soko_mpesa_cooling",
        help="Until then only a small first payment goes to this number, because it replaced "
             "another one.",
    )
    soko_mpesa_is_cooling = fields.Boolean(
        string="Cooling off", compute="_compute_soko_mpesa_cooling",
        search="_search_soko_mpesa_is_cooling",
    )
    soko_mpesa_name_warning = fields.Char(
        string="Name warning", readonly=True, copy=False, groups=ROLES,
        help="M-Pesa paid somebody of another name at this number. Nothing more is paid to the "
             "payee until an approver clears this.",
    )
    soko_mpesa_status = fields.Char(
        string="State", compute="_compute_soko_mpesa_status", compute_sudo=True,
        help="Whether M-Pesa may pay to this number, and if not, what is missing.",
    )
    soko_mpesa_may_verify = fields.Boolean(compute="_compute_soko_mpesa_may_verify")
    soko_mpesa_change_ids = fields.One2many(
        "soko.mpesa.payee.change", "partner_bank_id", string="History", readonly=True,
        groups=ROLES,
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

    # === COMPUTE METHODS === #

    @api.depends("soko_mpesa_cooling_from", "company_id")
    @api.depends_context("company")
    def _compute_soko_mpesa_cooling(self):
        now = self.env.cr.now()
        for bank in self:
            until = bank._soko_mpesa_get_cooling_until(bank.company_id or self.env.company)
            bank.soko_mpesa_is_cooling = bool(until) and now < until
            bank.soko_mpesa_cooling_until = until if bank.soko_mpesa_is_cooling else False

    def _search_soko_mpesa_is_cooling(self, operator, value):
        if operator != "in":
            return NotImplemented
        hours = self.env.company.soko_mpesa_cooling_hours
        cooling = [("soko_mpesa_cooling_from", ">", self.env.cr.now() - timedelta(hours=hours))]
        return cooling if True in value else ["!", *cooling]

    @api.depends(
        "allow_out_payment", "soko_mpesa_verified_by", "soko_mpesa_verified_at",
        "soko_mpesa_verified_how", "soko_mpesa_edited_by", "soko_mpesa_cooling_from",
        "soko_mpesa_name_warning", "acc_type", "active",
    )
    @api.depends_context("company", "lang", "tz")
    def _compute_soko_mpesa_status(self):
        for bank in self:
            bank.soko_mpesa_status = bank.acc_type == "mpesa" and bank._soko_mpesa_describe()

    def _soko_mpesa_describe(self):
        """Return in a sentence or two whether M-Pesa may pay to this number."""
        if not self.active:
            return self.env._("Archived: nothing is paid to it.")
        if not self._soko_mpesa_is_verified():
            return self.env._(
                "Not verified: nothing is paid to it until somebody else than %s confirms it.",
                self._soko_mpesa_get_editor().name,
            )
        parts = [self.env._(
            "Verified by %(who)s on %(when)s.", who=self.soko_mpesa_verified_by.name,
            when=format_datetime(self.env, self.soko_mpesa_verified_at, dt_format="medium"),
        )]
        if self.soko_mpesa_is_cooling:
            parts.append(self.env._(
                "It replaced another number: larger payments wait until %s.",
                format_datetime(self.env, self.soko_mpesa_cooling_until, dt_format="medium"),
            ))
        if self.soko_mpesa_name_warning:
            parts.append(self.env._("Payments wait until an approver clears the name warning."))
        return " ".join(parts)

    @api.depends("soko_mpesa_edited_by", "acc_type")
    @api.depends_context("uid")
    def _compute_soko_mpesa_may_verify(self):
        for bank in self:
            bank.soko_mpesa_may_verify = bank.acc_type == "mpesa" and not (
                bank._soko_mpesa_explain_verifier())

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        self._soko_mpesa_refuse_stamps(vals_list)
        vals_list = [self._soko_mpesa_prepare_create(dict(vals)) for vals in vals_list]
        banks = super().create(vals_list)
        banks.filtered(lambda bank: bank.acc_type == "mpesa")._soko_mpesa_enter()
        return banks

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
        if len(self) > 1 and WATCHED & vals.keys():
            return all(bank.write(vals) for bank in self)  # each has its own history
        vals = self._soko_mpesa_prepare_write(dict(vals))
        before = self._soko_mpesa_snapshot() if WATCHED & vals.keys() else {}
        # sudo: whoever may edit a number may take its trust away by that, and must; the right to
        # edit was checked above, the right to trust by `_soko_mpesa_check_verifier`
        res = super(ResPartnerBank, self.sudo()).write(vals)
        if before:
            self._soko_mpesa_remember(before)
        return res

    def unlink(self):
        """Archive M-Pesa numbers without writing them into the contact's chatter."""
        mpesa = self.filtered(lambda bank: bank.acc_type == "mpesa")
        mpesa.check_access("unlink")
        mpesa.action_archive()
        return super(ResPartnerBank, self - mpesa).unlink()

    def _mail_track(self, tracked_fields, initial_values):
        """Everybody who sees the contact reads its chatter; few need the number."""
        changes, commands = super()._mail_track(tracked_fields, initial_values)
        for _command, _id, values in commands:
            for name in ("old_value_char", "new_value_char"):
                if msisdn.is_canonical(values.get(name)):
                    values[name] = msisdn.mask(values[name])
        return changes, commands

    def _soko_mpesa_prepare_create(self, vals):
        """Return what to create; who enters a number can't trust it in the same breath."""
        if default := self.env.context.get("default_acc_type"):
            vals.setdefault("acc_type", default)
        vals = self._soko_mpesa_normalise(vals)
        if vals.get("acc_type") == "mpesa":
            vals.update(
                allow_out_payment=False, soko_mpesa_edited_by=self.env.uid,
                soko_mpesa_edited_at=self._soko_mpesa_now(),
            )
        return vals

    def _soko_mpesa_enter(self):
        """Note which number each new one replaces, and begin its history."""
        history = self.env["soko.mpesa.payee.change"]
        last = history._get_last_verified(self.partner_id)
        for bank in self:
            old = last.get(bank.partner_id.id, bank.acc_number)
            if old != bank.acc_number:
                # sudo: a stamp, which people don't write
                bank.sudo().write({"soko_mpesa_old_number": old})
        history._add([
            {"bank": bank, "event": "entered", "number": bank.acc_number,
             "old_number": last.get(bank.partner_id.id)} for bank in self
        ])

    def _soko_mpesa_prepare_write(self, vals):
        """Return what to write on a record that is, or becomes, an M-Pesa number."""
        was_mpesa = all(bank.acc_type == "mpesa" for bank in self)
        if "acc_number" in vals or "acc_type" in vals:
            vals = self._soko_mpesa_normalise(vals, was_mpesa)
        if self._soko_mpesa_changes_identity(vals) or self._soko_mpesa_changes_active(vals):
            vals.update(self._soko_mpesa_prepare_change(vals))
        elif vals.get("allow_out_payment"):
            self._soko_mpesa_check_verifier()
            vals.update(self._soko_mpesa_prepare_verified())
        elif "allow_out_payment" in vals:
            vals.update(UNVERIFIED)
            if self.soko_mpesa_is_cooling:
                vals["soko_mpesa_cooling_from"] = False  # it begins anew when it is verified anew
        return vals

    def _soko_mpesa_prepare_change(self, vals):
        """Return the stamps of another number, or of the same one for another payee.

        One that goes into the archive or comes back counts as such: there is a reason why it was
        put away, and who brings it back says that it is the payee's again.
        """
        number = vals.get("acc_number", self.acc_number)
        payee = self.env["res.partner"].browse(vals.get("partner_id", self.partner_id.id))
        old = self.env["soko.mpesa.payee.change"]._get_last_verified(payee).get(payee.id)
        return {
            **UNVERIFIED,
            "soko_mpesa_edited_by": self.env.uid,
            "soko_mpesa_edited_at": self._soko_mpesa_now(),
            "soko_mpesa_registered_name": False,
            "soko_mpesa_old_number": old if old != number else False,
            "soko_mpesa_cooling_from": False,
        }

    def _soko_mpesa_prepare_verified(self):
        """Return the stamps of a verification, by the clock of the database.

        Verifying a number again neither shortens nor prolongs its cooling-off.
        """
        told = self._soko_mpesa_get_confirmation()
        if self._soko_mpesa_is_verified() and not told.how:
            return {}
        now = self._soko_mpesa_now()
        vals = {
            "allow_out_payment": True, "soko_mpesa_verified_by": self.env.uid,
            "soko_mpesa_verified_at": now, "soko_mpesa_verified_how": told.how or False,
        }
        # sudo: who verifies was checked; the fields are hidden from those without a role
        bank = self.sudo()
        if bank.soko_mpesa_old_number and not bank.soko_mpesa_cooling_from:
            vals["soko_mpesa_cooling_from"] = now
        if told.registered_name:
            vals["soko_mpesa_registered_name"] = told.registered_name
        return vals

    def _soko_mpesa_changes_identity(self, vals):
        return any(
            bank._fields[name].convert_to_write(bank[name], bank) != vals[name]
            for name in IDENTITY & vals.keys() for bank in self
        )

    def _soko_mpesa_changes_active(self, vals):
        """Whether `vals` put an M-Pesa number into the archive or take it from there."""
        return "active" in vals and any(
            bank.acc_type == "mpesa" and bank.active != bool(vals["active"]) for bank in self)

    def _soko_mpesa_now(self):
        """Return this moment by the database: hosts' clocks jump and differ."""
        return self.env.cr.now().replace(microsecond=0)

    @api.model
    def _soko_mpesa_refuse_stamps(self, vals_list):
        given = set().union(defaults(self.env.context), *vals_list)
        if not self.env.su and STAMPS & given:
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
        if not number and not {"acc_number", "sanitized_acc_number"} & vals.keys():
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

    # === HISTORY === #

    def _soko_mpesa_get_confirmation(self):
        told = self.env.context.get("soko_mpesa_confirmation")
        return told if isinstance(told, Confirmation) else Confirmation()

    def _soko_mpesa_snapshot(self):
        return {
            "number": self.acc_number if self.acc_type == "mpesa" else False,
            "payee": self.partner_id, "verified": self.allow_out_payment, "active": self.active,
        }

    def _soko_mpesa_remember(self, before):
        """Write into the history what has become of the number since `before`."""
        after = self._soko_mpesa_snapshot()
        told = self._soko_mpesa_get_confirmation()
        facts = {"bank": self, "number": after["number"], "note": told.note}
        moved = before["payee"] != after["payee"]
        rows = []
        if before["number"] != after["number"] or moved:
            rows.append({
                **facts, "event": "changed" if before["number"] else "entered",
                "old_number": before["number"],
                "note": moved and self.env._(
                    "Moved from %(old)s to %(new)s.", old=before["payee"].display_name,
                    new=after["payee"].display_name,
                ),
            })
        elif after["verified"] and (not before["verified"] or told.how):
            rows.append({
                # sudo: who verifies was checked; those without a role don't see the names
                **facts, "event": "verified", "old_number": self.sudo().soko_mpesa_old_number,
                "how": told.how, "registered_name": self.sudo().soko_mpesa_registered_name,
                "document": told.document, "document_name": told.document_name,
            })
        elif before["verified"] and not after["verified"]:
            rows.append({**facts, "event": "distrusted"})
        if before["active"] != after["active"]:
            rows.append({**facts, "event": "restored" if after["active"] else "archived"})
        self.env["soko.mpesa.payee.change"]._add(rows)

    def action_open_soko_mpesa_history(self):
        """Open the history of these numbers."""
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "soko_mpesa.soko_mpesa_payee_change_action")
        return {**action, "domain": [("partner_bank_id", "in", self.ids)], "context": {}}

    # === VERIFICATION === #

    def action_soko_mpesa_verify(self):
        """Confirm that the number is the payee's; by an approver who didn't enter it."""
        self.check_access("read")
        if any(bank.acc_type != "mpesa" for bank in self):
            raise UserError(self.env._("This isn't an M-Pesa number."))
        self._soko_mpesa_verify(Confirmation())

    def action_soko_mpesa_open_verify(self):
        """Ask how the number was confirmed, and then verify it."""
        self.ensure_one()
        self.check_access("read")
        self._soko_mpesa_check_verifier()
        return self._soko_mpesa_open_wizard(
            "soko.mpesa.payee.verify", self.env._("Verify the M-Pesa number"))

    def action_soko_mpesa_open_clear(self):
        """Ask why the name warning may go, and then clear it."""
        self.ensure_one()
        self.check_access("read")
        self._soko_mpesa_check_verifier()
        return self._soko_mpesa_open_wizard(
            "soko.mpesa.name.clear", self.env._("Clear the name warning"))

    def action_soko_mpesa_unverify(self):
        """Stop paying to this number. Approvers, and everybody who may edit it, may do that."""
        self.check_access("read")
        if not self.env.user.has_group(APPROVER):
            self.check_access("write")
        # sudo: to stop is always safe; the right was checked
        self.sudo().filtered(lambda bank: bank.acc_type == "mpesa").write(
            {"allow_out_payment": False})

    def _soko_mpesa_open_wizard(self, model, title):
        return {
            "type": "ir.actions.act_window", "res_model": model, "view_mode": "form",
            "target": "new", "name": title, "context": {"default_partner_bank_id": self.id},
        }

    def _soko_mpesa_verify(self, told):
        """Trust these numbers, if the user is a second person.

        :param Confirmation told: how they were confirmed
        :raise AccessError: the user is no approver, or entered one of the numbers
        """
        self._soko_mpesa_check_verifier()
        # sudo: an approver may trust a number without the right to edit contacts, and should not
        # have it; that she is one, and not the one who entered it, was checked above
        self.sudo().with_context(soko_mpesa_confirmation=told).write({"allow_out_payment": True})

    def _soko_mpesa_check_verifier(self):
        """:raise AccessError: the user is no approver, entered the number, or is the payee"""
        for bank in self:
            if why := bank._soko_mpesa_explain_verifier():
                raise AccessError(why)

    def _soko_mpesa_explain_verifier(self):
        """Return why the user is no second person for this number; empty when she is."""
        user = self.env.user
        if not user.has_group(APPROVER):
            return self.env._("Only an M-Pesa approver verifies M-Pesa numbers.")
        payee = self.partner_id.display_name
        editor = self._soko_mpesa_get_editor()
        # two accounts of one person are one person
        if user == editor or user.partner_id == editor.partner_id:
            return self.env._(
                "You entered the number of %s, so somebody else must verify it.", payee)
        if user.partner_id == self.partner_id:
            return self.env._("This is your own number, so somebody else must verify it.")
        return ""

    def _soko_mpesa_get_editor(self):
        # sudo: only compared with the user, and named to colleagues
        return self.sudo().soko_mpesa_edited_by or self.sudo().create_uid

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

    def _soko_mpesa_get_cooling_until(self, company):
        """Return when the cooling-off ends by `company`'s rule; None when there is none."""
        return waiting.cooling_until(
            self.soko_mpesa_cooling_from, company.soko_mpesa_cooling_hours)

    def _soko_mpesa_touch(self):
        """Write to the row, so that a payment that is claimed at the same moment fails and retries.

        Locking it isn't enough: a transaction that began before doesn't see what this one sends.
        """
        self.env.cr.execute(
            "UPDATE res_partner_bank SET write_date = now() AT TIME ZONE 'UTC' WHERE id = %s",
            [self.id],
        )

    def _soko_mpesa_distrust_merged(self, note):
        """Take the trust away from numbers whose contacts were merged.

        Who merged contacts has put these numbers on the payee, so somebody else verifies them.
        """
        for bank in self:
            # sudo: stamps, which people don't write; whoever may merge may cause this
            bank.sudo().write({
                "allow_out_payment": False, "soko_mpesa_edited_by": self.env.uid,
                "soko_mpesa_edited_at": self._soko_mpesa_now(),
            })
        self.env["soko.mpesa.payee.change"]._add([
            {"bank": bank, "event": "merged", "number": bank.acc_number, "note": note}
            for bank in self
        ])

    # === NAMES === #

    def _soko_mpesa_warn_of_name(self, text):
        """Keep the next payments to this payee waiting, because M-Pesa named somebody else.

        :param str text: which names differ
        """
        # sudo: a stamp, which people don't write; the sender's proof causes it
        self.sudo().write({"soko_mpesa_name_warning": text})
        self.env["soko.mpesa.payee.change"]._add([{
            "bank": self, "event": "warned", "number": self.acc_number, "note": text,
        }])

    def _soko_mpesa_get_warned(self, payee):
        """Return the numbers of `payee`, archived ones too, that have a name warning."""
        # sudo: people without a role don't see warnings, but their payments wait for them
        return self.sudo().with_context(active_test=False).search([
            ("partner_id", "=", payee.id), ("soko_mpesa_name_warning", "!=", False),
        ])

    def _soko_mpesa_clear_name_warning(self, reason, registered_name=""):
        """Let payments go on although M-Pesa named somebody else.

        :param str reason: why the payee is the right one
        :param str registered_name: the name to compare with from now on; empty leaves it
        :raise AccessError: the user is no approver, or entered the number
        :raise UserError: there is no warning, or no reason
        """
        self.ensure_one()
        self._soko_mpesa_check_verifier()
        # sudo: that she is a second person was checked; nobody writes stamps by hand
        bank = self.sudo()
        if not bank.soko_mpesa_name_warning:
            raise UserError(self.env._("This number has no name warning any more."))
        if not (reason or "").strip():
            raise UserError(self.env._("Say why this is the right person."))
        bank.write({
            "soko_mpesa_name_warning": False,
            **({"soko_mpesa_registered_name": registered_name} if registered_name else {}),
        })
        self.env["soko.mpesa.payee.change"]._add([{
            "bank": self, "event": "cleared", "number": self.acc_number, "note": reason,
            "registered_name": registered_name,
        }])
        self.env["soko.mpesa.payout"]._recheck_soon()
