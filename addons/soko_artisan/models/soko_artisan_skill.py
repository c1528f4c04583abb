from odoo import api, fields, models

LEVELS = [("1", "Learner"), ("2", "Skilled"), ("3", "Expert"), ("4", "Teaches others")]


class SokoArtisanSkill(models.Model):
    """How well an artisan masters a craft or technique, and how we know."""

    _name = "soko.artisan.skill"
    _description = "Artisan's Skill"
    _order = "level desc, id"
    _rec_name = "craft_id"

    artisan_id = fields.Many2one("soko.artisan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    state_id = fields.Many2one(related="artisan_id.state_id", store=True, string="County")
    craft_id = fields.Many2one(
        "soko.craft",
        string="Craft or technique",
        required=True,
        index=True,
        ondelete="restrict",
    )
    level = fields.Selection(LEVELS, required=True, default="2", index=True)
    proof = fields.Selection(
        [
            ("told", "She says so"),
            ("sample", "Sample seen"),
            ("test", "Test piece made here"),
            ("training", "Training passed"),
            ("work", "Pieces delivered"),
        ],
        string="Proven by",
        required=True,
        default="told",
    )
    date = fields.Date(
        string="Seen on", required=True, default=lambda self: self.env.company._soko_today()
    )
    attendance_id = fields.Many2one(
        "soko.training.attendance",
        string="Training",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
        groups="soko_artisan.soko_artisan_group_user",
    )
    note = fields.Char(groups="soko_artisan.soko_artisan_group_user")

    _artisan_craft_uniq = models.UniqueIndex(
        "(artisan_id, craft_id)",
        "The artisan has a level in this craft already. Change that line.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        skills = super().create(vals_list)
        skills._add_crafts()
        return skills

    def write(self, vals):
        res = super().write(vals)
        if "craft_id" in vals or "artisan_id" in vals:
            self._add_crafts()
        return res

    def _add_crafts(self):
        """Let each artisan be found by the crafts she has a level in."""
        for artisan, skills in self.grouped("artisan_id").items():
            artisan.craft_ids |= skills.craft_id
