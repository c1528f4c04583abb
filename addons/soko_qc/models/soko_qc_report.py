from odoo import fields, models
from odoo.tools import SQL

from .soko_qc_defect import SEVERITIES


class SokoQcReport(models.Model):
    """What was wrong with the pieces of decided inspections: one row for each finding.

    A finding is a defect marked on a piece, or a criterion that failed.
    """

    _name = "soko.qc.report"
    _description = "Findings"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "cause"

    cause = fields.Char(readonly=True, help="The defect, else the criterion that failed.")
    defect_id = fields.Many2one("soko.qc.defect", readonly=True)
    severity = fields.Selection(SEVERITIES, readonly=True)
    inspection_id = fields.Many2one("soko.qc.inspection", readonly=True)
    plan_id = fields.Many2one("soko.qc.plan", readonly=True)
    partner_id = fields.Many2one("res.partner", "Maker", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", readonly=True)
    lot_id = fields.Many2one("stock.lot", readonly=True)
    user_id = fields.Many2one("res.users", "Inspector", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    date = fields.Datetime("Decided On", readonly=True)
    finding_count = fields.Integer("Findings", readonly=True)

    @property
    def _table_query(self):
        # The cause is a code or a name in the source language, so that rows of one cause group.
        return SQL(
            """
            SELECT rel.id, rel.cause, rel.defect_id, rel.severity, 1 AS finding_count,
                   piece.inspection_id, piece.plan_id, piece.partner_id, piece.product_id,
                   piece.categ_id, piece.lot_id, piece.user_id, piece.company_id,
                   piece.date_done AS date
              FROM (%(defects)s UNION ALL %(criteria)s) AS rel
              JOIN soko_qc_inspection_piece piece ON piece.id = rel.piece_id
             WHERE piece.state = 'done'
            """,
            defects=self._get_defects_query(),
            criteria=self._get_criteria_query(),
        )

    def _get_defects_query(self):
        # Odd ids for defects, even ones for criteria. A pair (piece, defect) has no id of its own.
        return SQL(
            """
            SELECT 2 * (rel.soko_qc_inspection_piece_id::bigint * 1000000 + defect.id) - 1 AS id,
                   defect.code AS cause, defect.id AS defect_id, defect.severity,
                   rel.soko_qc_inspection_piece_id AS piece_id
              FROM soko_qc_defect_soko_qc_inspection_piece_rel rel
              JOIN soko_qc_defect defect ON defect.id = rel.soko_qc_defect_id
            """
        )

    def _get_criteria_query(self):
        return SQL(
            """
            SELECT 2 * result.id::bigint AS id, result.name AS cause, NULL::integer AS defect_id,
                   result.severity, result.piece_id
              FROM soko_qc_inspection_result result
             WHERE result.verdict = 'fail'
            """
        )
