from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import judgement
from .soko_qc_inspection_piece import RESULTS

SHEET_FIELDS = {"result", "defect_ids", "note"}


class SokoQcSecondLookPiece(models.Model):
    """A piece under its number of the first sheet. What was found there is not shown here."""

    _name = "soko.qc.second.look.piece"
    _description = "Piece of a Second Look"
    _order = "look_id desc, number, id"
    _rec_name = "number"

    look_id = fields.Many2one(
        "soko.qc.second.look", required=True, readonly=True, index=True, ondelete="cascade"
    )
    # A first sheet that is begun anew numbers its pieces anew: the second one can't be compared.
    piece_id = fields.Many2one(
        "soko.qc.inspection.piece",
        "On the First Sheet",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="look_id.company_id", store=True, index=True)
    state = fields.Selection(related="look_id.state")
    number = fields.Integer("Piece", readonly=True)
    defect_ids = fields.Many2many(
        "soko.qc.defect", string="Defects", help="A critical or major defect fails the piece."
    )
    result = fields.Selection(
        RESULTS,
        required=True,
        default=judgement.TODO,
        compute="_compute_result",
        store=True,
        readonly=False,
        help="Whether it can be mended doesn't matter here: a piece passes or fails.",
    )
    note = fields.Char()

    @api.depends("defect_ids")
    def _compute_result(self):
        for piece in self:
            judged = judgement.judge_piece([], piece.defect_ids.mapped("severity"))
            piece.result = judged if judged == judgement.FAIL else piece.result or judgement.TODO

    def write(self, vals):
        """Let the second inspector judge, nobody else, until the look is finished."""
        if not self.env.su:
            if not set(vals) <= SHEET_FIELDS:
                raise AccessError(self.env._("Only what is seen on a piece is written by hand."))
            for look in self.look_id:
                look._check_own()
        return super().write(vals)

    def action_pass(self):
        """Let this piece pass."""
        self.write({"result": judgement.PASS})
        return True

    def action_fail(self):
        """Let this piece fail."""
        self.write({"result": judgement.FAIL})
        return True
