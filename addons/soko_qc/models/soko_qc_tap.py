from odoo import fields, models

KINDS = [
    ("pass", "Piece passes"),
    ("rework", "Piece goes back to be mended"),
    ("open", "Piece is open again"),
    ("defect", "Defect seen"),
    ("no_defect", "Defect taken back"),
    ("verdict", "Criterion judged"),
    ("reading", "Reading entered"),
    ("text", "Text entered"),
    ("photo", "Photo taken"),
    ("note", "Note written"),
    ("next", "Another piece"),
]


class SokoQcTap(models.Model):
    """One touch at the bench, by the key that the device gave it.

    A device that lost its connection sends a touch again until it hears an answer. The key has its
    effect once, and what is counted here says how much work a piece is.
    """

    _name = "soko.qc.tap"
    _description = "Touch at the Bench"
    _order = "id"
    _rec_name = "key"

    key = fields.Char(required=True, readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    piece_id = fields.Many2one(
        "soko.qc.inspection.piece", required=True, readonly=True, index=True, ondelete="cascade"
    )
    inspection_id = fields.Many2one(related="piece_id.inspection_id", store=True, index=True)
    company_id = fields.Many2one(related="inspection_id.company_id", store=True)
    user_id = fields.Many2one("res.users", "Inspector", readonly=True)
    tapped_at = fields.Datetime(readonly=True, help="By the clock of the device.")

    _key_uniq = models.UniqueIndex("(key)", "This touch is here already.")
