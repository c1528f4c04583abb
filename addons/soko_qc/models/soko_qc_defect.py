from odoo import fields, models

SEVERITIES = [("critical", "Critical"), ("major", "Major"), ("minor", "Minor")]


class SokoQcDefect(models.Model):
    _name = "soko.qc.defect"
    _description = "Defect"
    _order = "code, id"
    _rec_names_search = ["code", "name"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Short code written on the piece's tag, e.g. CRACK.")
    severity = fields.Selection(
        SEVERITIES,
        required=True,
        default="major",
        help="Critical: unsafe or illegal. Major: nobody would keep it. Both reject the piece. "
        "Minor: off-standard but usable; it is noted and the piece passes.",
    )
    description = fields.Text(translate=True, help="How to recognise it.")
    image_1920 = fields.Image("Picture", max_width=1920, max_height=1920)
    active = fields.Boolean(default=True)

    _code_uniq = models.Constraint(
        "UNIQUE(code)", "This defect code exists already. Use another code, or unarchive that one."
    )
