from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import judgement
from .soko_qc_criterion import CRITERION_TYPES, NUMBERS
from .soko_qc_defect import SEVERITIES
from .soko_qc_inspection_piece import RESULTS


class SokoQcInspectionResult(models.Model):
    """One criterion on one piece. Limits are copies: the plan may change later."""

    _name = "soko.qc.inspection.result"
    _description = "Result of a Criterion"
    _order = "piece_id, id"

    piece_id = fields.Many2one(
        "soko.qc.inspection.piece", required=True, index=True, ondelete="cascade", readonly=True
    )
    inspection_id = fields.Many2one(related="piece_id.inspection_id", store=True, index=True)
    company_id = fields.Many2one(related="inspection_id.company_id", store=True, index=True)
    piece_number = fields.Integer("Piece Number", related="piece_id.number")
    criterion_id = fields.Many2one("soko.qc.criterion", index="btree_not_null", readonly=True)
    name = fields.Char(required=True, readonly=True)
    type = fields.Selection(CRITERION_TYPES, required=True, readonly=True)
    severity = fields.Selection(SEVERITIES, required=True, readonly=True)
    lower = fields.Float(digits=(16, 4), readonly=True)
    upper = fields.Float(digits=(16, 4), readonly=True)
    unit = fields.Char(readonly=True)
    instrument = fields.Char(readonly=True)
    reading_required = fields.Boolean(readonly=True)
    value = fields.Float(
        "Reading", digits=(16, 4), help="The measured value. Zero means: not measured."
    )
    text = fields.Char(help="What was read or seen, e.g. a hallmark.")
    photo = fields.Image(max_width=1920, max_height=1920)
    master_image = fields.Image("Master", compute="_compute_master_image")
    verdict = fields.Selection(
        RESULTS,
        required=True,
        default=judgement.TODO,
        compute="_compute_verdict",
        store=True,
        readonly=False,
    )

    @api.depends("value", "text")
    def _compute_verdict(self):
        for result in self:
            verdict = result.verdict or judgement.TODO
            if result.type in NUMBERS and result.value:
                verdict = judgement.judge_reading(result.value, result.lower, result.upper)
            elif result.type == "text" and result.text and verdict == judgement.TODO:
                verdict = judgement.PASS
            result.verdict = verdict

    @api.depends("criterion_id")
    def _compute_master_image(self):
        for result in self:
            compared = result.type == "compare"
            result.master_image = result.criterion_id._get_master() if compared else False

    @api.model_create_multi
    def create(self, vals_list):
        results = super().create(vals_list)
        results.piece_id._check_open()
        return results

    def write(self, vals):
        self.piece_id._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_open(self):
        self.piece_id._check_open()

    @api.constrains("value")
    def _check_value(self):
        for result in self.filtered(lambda r: r.type in NUMBERS):
            if result.value < 0 <= result.lower:
                raise ValidationError(
                    self.env._(
                        "%(criterion)s of piece %(piece)s cannot be %(value)s: a reading is not "
                        "negative here. Enter it without the minus.",
                        criterion=result.name,
                        piece=result.piece_number,
                        value=result.value,
                    )
                )
            if result.type == "count" and result.value != int(result.value):
                raise ValidationError(
                    self.env._(
                        "%(criterion)s of piece %(piece)s is counted, so %(value)s cannot be. "
                        "Enter a whole number.",
                        criterion=result.name,
                        piece=result.piece_number,
                        value=result.value,
                    )
                )

    def _lacks_reading(self):
        """A piece cannot pass this criterion yet: its plan insists on a number, text or photo."""
        self.ensure_one()
        if self.type == "photo":
            return not self.photo
        given = self.value if self.type in NUMBERS else self.text
        given = self.photo if self.type == "compare" else given
        return self.reading_required and self.type != "pass_fail" and not given
