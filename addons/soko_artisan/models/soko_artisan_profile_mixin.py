from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .soko_artisan_stage_mixin import OFFICER


class SokoArtisanProfileMixin(models.AbstractModel):
    """What is known of an artisan: skills, materials, place, household, consent."""

    _name = "soko.artisan.profile.mixin"
    _description = "Profile of an Artisan"

    place = fields.Char(
        index="trigram",
        help="Where the workshop is, as a driver would ask for it: Kibera, Gikomba.",
    )
    language_ids = fields.Many2many("soko.language", string="Speaks")
    skill_ids = fields.One2many("soko.artisan.skill", "artisan_id", string="Skills")
    source_ids = fields.One2many(
        "soko.material.source", "artisan_id", string="Sources of materials", groups=OFFICER
    )
    attendance_ids = fields.One2many(
        "soko.training.attendance", "artisan_id", string="Trainings", groups=OFFICER
    )
    training_count = fields.Integer(
        string="Trainings attended", compute="_compute_training_count", groups=OFFICER
    )
    request_count = fields.Integer(
        string="Open requests", compute="_compute_request_count", groups=OFFICER
    )
    national_id = fields.Char(
        string="ID number",
        copy=False,
        groups=OFFICER,
        help="Number of the national identity card. Seen by officers only.",
    )
    birth_year = fields.Integer(groups=OFFICER, aggregator=None)
    household_size = fields.Integer(groups=OFFICER, help="People who eat from one pot.")
    dependants = fields.Integer(groups=OFFICER, help="People who live on what she earns.")
    people_employed = fields.Integer(
        groups=OFFICER, help="People who work in the workshop for pay, the artisan left out."
    )
    women_employed = fields.Integer(groups=OFFICER)
    consent_date = fields.Date(string="Agreed on", copy=False)
    consent_user_id = fields.Many2one(
        "res.users", string="Recorded by", copy=False, readonly=True, groups=OFFICER
    )
    consent_how = fields.Selection(
        [("paper", "Signed paper"), ("message", "Message"), ("voice", "In person or by phone")],
        string="Agreed how",
        copy=False,
        groups=OFFICER,
    )
    consent_withdrawn_date = fields.Date(string="Withdrawn on", readonly=True, copy=False)
    double_checked = fields.Boolean(
        string="No double",
        copy=False,
        groups=OFFICER,
        help="Somebody has looked: this is another person than the one with the same name or "
        "phone (relatives may share a phone).",
    )
    double_ids = fields.Many2many(
        "soko.artisan", string="Looks like", compute="_compute_double_ids", groups=OFFICER
    )

    _household_positive = models.Constraint(
        "CHECK (household_size >= 0 AND dependants >= 0 AND people_employed >= 0"
        " AND women_employed >= 0)",
        "Numbers of people can't be negative.",
    )
    _women_among_employed = models.Constraint(
        "CHECK (COALESCE(women_employed, 0) <= COALESCE(people_employed, 0))",
        "More women are employed than people. Correct either number.",
    )
    _national_id_uniq = models.UniqueIndex(
        "(national_id, company_id) WHERE national_id IS NOT NULL",
        "Another artisan has this ID number already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("attendance_ids.status")
    def _compute_training_count(self):
        counts = dict(
            self.env["soko.training.attendance"]._read_group(
                [("artisan_id", "in", self.ids), ("status", "=", "attended")],
                ["artisan_id"],
                ["__count"],
            )
        )
        for artisan in self:
            artisan.training_count = counts.get(artisan._origin, 0)

    def _compute_request_count(self):
        counts = dict(
            self.env["soko.replenishment"]._read_group(
                [("artisan_id", "in", self.ids), ("state", "in", ("requested", "accepted"))],
                ["artisan_id"],
                ["__count"],
            )
        )
        for artisan in self:
            artisan.request_count = counts.get(artisan._origin, 0)

    @api.depends("name", "phone", "company_id", "double_checked")
    def _compute_double_ids(self):
        for artisan in self:
            artisan.double_ids = not artisan.double_checked and self._find_doubles(
                artisan.name, artisan.phone, artisan.company_id, artisan._origin
            )

    # === CONSTRAINTS === #

    @api.constrains("craft_ids")
    def _check_skills_have_craft(self):
        for artisan in self:
            missing = artisan.skill_ids.craft_id - artisan.craft_ids
            if missing:
                raise ValidationError(
                    self.env._(
                        "%(artisan)s has a level in %(crafts)s. Delete that line of her skills "
                        "first, then take the craft off.",
                        artisan=artisan.name,
                        crafts=", ".join(missing.mapped("name")),
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_national_id(vals)
            vals.update(self._prepare_consent_vals(vals) if vals.get("consent_publish") else {})
        return super().create(vals_list)

    def write(self, vals):
        vals = self._clean_vals(vals)
        self._check_national_id(vals)
        changed = self.browse()
        if "consent_publish" in vals:
            changed = self.filtered(lambda a: a.consent_publish != vals["consent_publish"])
        if not changed:
            return super().write(vals)
        res = super(SokoArtisanProfileMixin, self - changed).write(vals)
        return super(SokoArtisanProfileMixin, changed).write(
            {**vals, **self._prepare_consent_vals(vals)}
        ) and res

    def _check_national_id(self, vals):
        """Name who has an ID number already, before the database refuses it without a name.

        :param dict vals: values to be written on these artisans, or of a new one
        :raise UserError: naming the artisan who has the number
        """
        if not vals.get("national_id"):
            return
        company = self.env["res.company"].browse(vals.get("company_id"))
        company = company or self.company_id or self.env.company
        other = self.with_context(active_test=False).search(
            [
                ("national_id", "=", vals["national_id"]),
                ("company_id", "in", company.ids),
                ("id", "not in", self.ids),
            ],
            limit=1,
        )
        if other:
            raise UserError(
                self.env._(
                    "The ID number %(number)s belongs to %(other)s (%(ref)s) already. It is one "
                    "person: open that artisan instead, or correct the number.",
                    number=vals["national_id"],
                    other=other.name,
                    ref=other.ref,
                )
            )

    @api.model
    def _prepare_consent_vals(self, vals):
        """Return who noted a consent or its withdrawal and when, beside the values given."""
        today = self.env.company._soko_today()
        if not vals["consent_publish"]:
            return {"consent_withdrawn_date": today}
        return {
            "consent_date": vals.get("consent_date") or today,
            "consent_user_id": self.env.uid,
            "consent_withdrawn_date": False,
        }

    @api.model
    def _clean_vals(self, vals):
        """Return `vals` with phone and ID number as they are kept.

        :raise UserError: the phone number can't be one
        """
        vals = dict(vals)
        if vals.get("phone"):
            vals["phone"] = self._normalise_phone(vals["phone"])
        if "national_id" in vals:
            vals["national_id"] = "".join((vals["national_id"] or "").split()).upper() or False
        return vals

    @api.model
    def _normalise_phone(self, number):
        """Return a phone number as +254...; other countries' numbers need their own prefix.

        :param str number: as it is spoken or as a spreadsheet spoils it ("254700000001.0")
        :raise UserError: naming the number and how to write it
        """
        text = str(number).strip().removesuffix(".0")
        kenya = self.env.ref("base.ke")
        formatted = self.env["res.partner"]._phone_format(number=text, country=kenya)
        if not formatted or any(character.isalpha() for character in text):
            raise UserError(
                self.env._(
                    "%(number)s is not a phone number that can be called. Write it like 0700 000 "
                    "001 or +254 700 000 001; numbers of other countries begin with + and their "
                    "code.",
                    number=number,
                )
            )
        return formatted

    # === ACTION METHODS === #

    def action_view_requests(self):
        """Open what the artisan is asked to bring."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_replenishment_action"
        )
        return action | {
            "domain": [("artisan_id", "=", self.id)],
            "context": {"default_artisan_id": self.id},
        }

    def action_view_trainings(self):
        """Open the trainings the artisan was invited to."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_training_attendance_action"
        )
        return action | {
            "domain": [("artisan_id", "=", self.id)],
            "context": {"default_artisan_id": self.id},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _find_doubles(self, name, phone, company, known):
        """Return other artisans of the company with the same name or phone.

        :param known: the artisan herself, left out
        """
        same = [("name", "=ilike", name.strip())] if name and name.strip() else []
        if phone:
            formatted = self.env["res.partner"]._phone_format(
                number=str(phone), country=self.env.ref("base.ke")
            )
            numbers = [phone, *([formatted] if formatted else [])]
            if same:
                same = ["|", *same]
            same = [*same, ("partner_id.phone", "in", numbers)]
        if not same:
            return self.env["soko.artisan"]
        return self.env["soko.artisan"].with_context(active_test=False).search(
            [("company_id", "=", company.id), ("id", "not in", known.ids), *same], limit=5
        )
