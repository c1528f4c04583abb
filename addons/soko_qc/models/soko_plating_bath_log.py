from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import plating

# Which figure a kind of entry must have, so that no line is empty.
NEEDED = {
    "analysis": ("metal_content_g_l",),
    "addition": ("metal_g",),
    "sample": ("metal_g",),
    "drag_out": ("metal_g",),
    "recovered": ("metal_g",),
}


class SokoPlatingBathLog(models.Model):
    """What was found in a bath, put into it or taken out of it. Entries stay as they are."""

    _name = "soko.plating.bath.log"
    _description = "Bath Log"
    _order = "date desc, id desc"
    _check_company_auto = True

    bath_id = fields.Many2one(
        "soko.plating.bath", required=True, index=True, ondelete="restrict", check_company=True
    )
    company_id = fields.Many2one(related="bath_id.company_id", store=True, index=True)
    date = fields.Datetime(required=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", default=lambda s: s.env.user, readonly=True)
    kind = fields.Selection(
        [
            ("analysis", "Titration"),
            ("check", "Temperature or pH"),
            ("addition", "Addition"),
            ("sample", "Sample Taken"),
            ("drag_out", "Drag-Out Measured"),
            ("recovered", "Recovered from the Rinse"),
            ("maintenance", "Maintenance"),
        ],
        required=True,
        default="analysis",
    )
    metal_content_g_l = fields.Float("Metal (g/l)", digits=(16, 3))
    temperature_c = fields.Float("Temperature (C)", digits=(16, 1))
    ph = fields.Float("pH", digits=(16, 2))
    metal_g = fields.Float(
        "Fine Metal (g)", digits=(16, 5), help="Grams of metal, not of salt, put in or taken out."
    )
    verdict = fields.Selection(
        [("pass", "Pass"), ("warn", "Warning"), ("fail", "Fail")],
        compute="_compute_verdict",
        store=True,
        precompute=True,
    )
    move_id = fields.Many2one("stock.move", "Stock Move", readonly=True, index="btree_not_null")
    note = fields.Char()

    _figures_valid = models.Constraint(
        """CHECK(metal_content_g_l >= 0 AND metal_g >= 0 AND ph >= 0 AND ph <= 14
                 AND temperature_c > -10 AND temperature_c < 120)""",
        "Metal cannot be negative, a pH lies between 0 and 14, a bath between -10 and 120 C.",
    )

    @api.depends("kind", "metal_content_g_l", "temperature_c", "ph", "bath_id")
    def _compute_verdict(self):
        for entry in self:
            verdicts = entry._get_verdicts()
            worst = next((v for v in ("fail", "warn", "pass") if v in verdicts), False)
            entry.verdict = worst

    def _get_verdicts(self):
        """Verdict of each figure that was found and has a limit; a figure of 0 was not looked at,
        except the metal of a titration."""
        self.ensure_one()
        process = self.bath_id.process_id
        found = {
            "metal": self.kind == "analysis" and self.metal_content_g_l,
            "temperature": self.temperature_c or False,
            "ph": self.ph or False,
        }
        verdicts = []
        for name, value in found.items():
            low, high = process[f"{name}_min"] or None, process[f"{name}_max"] or None
            if value is not False and (low or high):
                verdicts.append(plating.judge_range(value, low, high))
        return verdicts

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals.pop("move_id", None)
        entries = super().create(vals_list)
        for entry in entries:
            entry._check_figures()
            entry.bath_id._check_user_allowed()
            entry._apply()
        return entries

    def _check_figures(self):
        for name in NEEDED.get(self.kind, ()):
            if not self[name] and self.kind != "analysis":
                raise UserError(
                    self.env._(
                        "Enter the grams of metal: an entry '%s' without them says nothing.",
                        dict(self._fields["kind"]._description_selection(self.env))[self.kind],
                    )
                )
        if self.kind == "check" and not (self.temperature_c or self.ph):
            raise UserError(self.env._("Enter the temperature or the pH."))

    def _apply(self):
        """Carry the entry over to the bath: its analysis, its metal in stock, its maintenance."""
        self.ensure_one()
        bath = self.bath_id
        if self.kind == "analysis":
            newest = self.search(
                [("bath_id", "=", bath.id), ("kind", "=", "analysis")], limit=1
            )
            bath.write(
                {
                    "metal_content_g_l": newest.metal_content_g_l,
                    "date_analysis": fields.Date.context_today(self, newest.date),
                }
            )
        elif self.kind == "addition":
            # sudo: the reference is set by this step alone, entries cannot be written.
            self.sudo().move_id = bath._move_salt(self.metal_g, into_bath=True)
        elif self.kind == "maintenance":
            bath._note_maintenance()
        if self.verdict == "fail":
            bath._warn(self.env._("A figure of the bath is out of its limits."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("The log of a bath is kept. Correct a wrong entry with a new one.")
        )
