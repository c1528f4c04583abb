from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import judgement

RESULTS = [(judgement.TODO, "Open"), (judgement.PASS, "Pass"), (judgement.FAIL, "Fail")]
PIECE_RESULTS = [*RESULTS, (judgement.REWORK, "Rework")]
NOT_PASSED = (judgement.FAIL, judgement.REWORK)


class SokoQcInspectionPiece(models.Model):
    _name = "soko.qc.inspection.piece"
    _description = "Inspected Piece"
    _order = "inspection_id desc, number, id"
    _rec_name = "number"

    inspection_id = fields.Many2one(
        "soko.qc.inspection", required=True, index=True, ondelete="cascade", readonly=True
    )
    number = fields.Integer("Piece", readonly=True)
    state = fields.Selection(related="inspection_id.state", store=True)
    company_id = fields.Many2one(related="inspection_id.company_id", store=True, index=True)
    product_id = fields.Many2one(related="inspection_id.product_id", store=True, index=True)
    categ_id = fields.Many2one(related="product_id.categ_id", store=True)
    lot_id = fields.Many2one(related="inspection_id.lot_id", store=True)
    plan_id = fields.Many2one(related="inspection_id.plan_id", store=True, index="btree_not_null")
    partner_id = fields.Many2one(
        related="inspection_id.partner_id", store=True, index="btree_not_null"
    )
    user_id = fields.Many2one(related="inspection_id.user_id", store=True)
    date_done = fields.Datetime(related="inspection_id.date_done", store=True)
    result_ids = fields.One2many("soko.qc.inspection.result", "piece_id", "Criteria")
    defect_ids = fields.Many2many(
        "soko.qc.defect", string="Defects", help="A critical or major defect fails the piece."
    )
    result = fields.Selection(
        PIECE_RESULTS,
        required=True,
        default=judgement.TODO,
        compute="_compute_result",
        store=True,
        readonly=False,
        help="Rework: it did not pass, but its maker can mend it and bring it back.",
    )
    photo = fields.Image(
        "Picture",
        max_width=1280,
        max_height=1280,
        help="What is wrong, so that its maker sees it. Printed on the rework sheet.",
    )
    note = fields.Char(help="What the maker should know about this piece.")
    pass_rate = fields.Float(
        compute="_compute_pass_rate",
        store=True,
        aggregator="avg",
        help="1 for a passed piece, 0 for a failed one; on a group of pieces, the share passed.",
    )

    # === COMPUTE METHODS === #

    @api.depends("result_ids.verdict", "defect_ids")
    def _compute_result(self):
        for piece in self:
            judged = judgement.judge_piece(
                [(r.verdict, r.severity) for r in piece.result_ids],
                piece.defect_ids.mapped("severity"),
            )
            plain_pass = not piece.result_ids and piece.result == judgement.PASS
            if piece.result == judgement.REWORK and (judged == judgement.FAIL or piece.defect_ids):
                judged = judgement.REWORK
            elif judged == judgement.TODO and plain_pass:
                judged = judgement.PASS
            piece.result = judged

    @api.depends("result")
    def _compute_pass_rate(self):
        for piece in self:
            piece.pass_rate = 1.0 if piece.result == judgement.PASS else 0.0

    @api.depends("inspection_id.name", "number")
    def _compute_display_name(self):
        for piece in self:
            piece.display_name = f"{piece.inspection_id.name} / {piece.number}"

    @api.constrains("result")
    def _check_rework(self):
        for piece in self.filtered(lambda p: p.result == judgement.REWORK):
            piece.inspection_id._check_may_rework()

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        pieces = super().create(vals_list)
        pieces._check_open()
        return pieces

    def write(self, vals):
        self._check_open()
        res = super().write(vals)
        if "inspection_id" in vals:
            self._check_open()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_only_open(self):
        self._check_open()

    # === ACTIONS === #

    def action_pass(self):
        """Let this piece pass; readings the plan insists on stay open."""
        self.filtered(lambda p: p.result == judgement.REWORK).result = judgement.TODO
        results = self.result_ids.filtered(lambda r: not r._lacks_reading())
        results.write({"verdict": judgement.PASS})
        self.filtered(lambda p: not p.result_ids).write({"result": judgement.PASS})
        return True

    def action_rework(self):
        """Give this piece back to be mended; its defects or failed criteria say what is wrong."""
        self.write({"result": judgement.REWORK})
        return True

    # === BUSINESS METHODS === #

    def _check_open(self):
        """A decided inspection is a record: nobody changes its pieces."""
        closed = self.inspection_id.filtered(lambda i: i.state in ("done", "cancel"))
        if closed:
            raise UserError(
                self.env._("%s is closed; its pieces can no longer be changed.", closed[0].name)
            )

    def _is_open(self):
        """Still to be judged, or passed without the reading or photo its plan insists on."""
        self.ensure_one()
        passed = self.result_ids.filtered(lambda r: r.verdict == judgement.PASS)
        return self.result == judgement.TODO or any(r._lacks_reading() for r in passed)

    def _get_worst_severity(self):
        """Where the piece counts: its worst defect or failing criterion; None when it is good."""
        self.ensure_one()
        failed = self.result_ids.filtered(lambda r: r.verdict == judgement.FAIL)
        severities = {*failed.mapped("severity"), *self.defect_ids.mapped("severity")}
        unexplained = "major" if self.result in NOT_PASSED else None
        return judgement.worst_severity(severities) or unexplained

    def _lacks_reason(self):
        self.ensure_one()
        failed = self.result_ids.filtered(lambda r: r.verdict == judgement.FAIL)
        return self.result in NOT_PASSED and not (failed or self.defect_ids)

    @api.model
    def _get_pass_rates(self, field_name, records):
        """Decided pieces and the share of them that passed, for each record.

        :param str field_name: a stored many2one of the piece, e.g. ``plan_id``
        :param records: records of that many2one's model
        :rtype: dict[record, tuple[int, float]]
        """
        groups = self._read_group(
            [(field_name, "in", records.ids), ("state", "=", "done")],
            [field_name],
            ["__count", "pass_rate:avg"],
        )
        return {record: (count, rate) for record, count, rate in groups}
