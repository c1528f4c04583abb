from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .soko_artisan_skill import LEVELS


class SokoTrainingAttendance(models.Model):
    """One artisan in one training: did she come, and what can she do since?"""

    _name = "soko.training.attendance"
    _description = "Attendance of a Training"
    _order = "date_start desc, id desc"
    _rec_name = "training_id"
    _check_company_auto = True

    training_id = fields.Many2one("soko.training", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="training_id.company_id", store=True, index=True)
    method = fields.Selection(related="training_id.method", store=True, index=True)
    date_start = fields.Date(related="training_id.date_start", store=True, index=True)
    date_end = fields.Date(related="training_id.date_end", store=True)
    training_state = fields.Selection(related="training_id.state", store=True)
    artisan_id = fields.Many2one(
        "soko.artisan", required=True, index=True, ondelete="restrict", check_company=True
    )
    status = fields.Selection(
        [("invited", "Invited"), ("attended", "Attended"), ("absent", "Absent")],
        required=True,
        default="invited",
    )
    result = fields.Selection(
        [("passed", "Passed"), ("practise", "Needs practice"), ("failed", "Not passed")],
        help="How she did. Only for who attended.",
    )
    craft_id = fields.Many2one(
        "soko.craft",
        string="Skill gained",
        compute="_compute_craft_id",
        store=True,
        readonly=False,
        precompute=True,
        ondelete="restrict",
    )
    level = fields.Selection(
        LEVELS,
        string="Level reached",
        help="Written to the artisan's skills when the training is closed. A higher level that she "
        "has already stays.",
    )
    note = fields.Char(groups="soko_artisan.soko_artisan_group_user")

    _training_artisan_uniq = models.UniqueIndex(
        "(training_id, artisan_id)", "This artisan is on the list of the training already."
    )
    _result_of_attended = models.Constraint(
        "CHECK (status = 'attended' OR (result IS NULL AND level IS NULL))",
        "Only who attended has a result or a level. Set the attendance first, or empty both.",
    )

    # === COMPUTE METHODS === #

    @api.depends("training_id.craft_id")
    def _compute_craft_id(self):
        for line in self:
            line.craft_id = line.craft_id or line.training_id.craft_id

    # === CONSTRAINTS === #

    @api.constrains("level", "craft_id", "result")
    def _check_level(self):
        for line in self.filtered("level"):
            if not line.craft_id or line.result != "passed":
                raise ValidationError(
                    self.env._(
                        "%(artisan)s reaches a level only in a craft, and by passing. Name the "
                        "skill gained and set the result to Passed, or empty the level.",
                        artisan=line.artisan_id.name,
                    )
                )

    @api.constrains("artisan_id")
    def _check_stage(self):
        self.filtered(lambda li: li.status == "invited").artisan_id._check_stage_allows("training")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.training_id._check_open()
        lines.training_id._check_capacity()
        return lines

    def write(self, vals):
        self.training_id._check_open()
        res = super().write(vals)
        if "status" in vals:
            self.training_id._check_capacity()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_not_held(self):
        self.training_id._check_open()

    # === BUSINESS METHODS === #

    def _record_skills(self):
        """Write the levels reached to the artisans' skills, and call applicants trained."""
        passed = self.filtered(lambda li: li.result == "passed")
        for line in passed.filtered("level"):
            line._record_skill()
        passed.artisan_id.filtered(lambda a: a.stage == "applicant")._set_stage(
            "trained", self.env._("Passed a training")
        )

    def _record_skill(self):
        """Create the skill, or raise its level; a proven higher one stays."""
        self.ensure_one()
        vals = {
            "level": self.level,
            "proof": "training",
            "date": self.date_end,
            "attendance_id": self.id,
        }
        skill = self.artisan_id.skill_ids.filtered(lambda s: s.craft_id == self.craft_id)
        if not skill:
            key = {"artisan_id": self.artisan_id.id, "craft_id": self.craft_id.id}
            self.env["soko.artisan.skill"].create(key | vals)
        elif skill.level < self.level or skill.proof == "told":
            skill.write({**vals, "level": max(skill.level, self.level)})
