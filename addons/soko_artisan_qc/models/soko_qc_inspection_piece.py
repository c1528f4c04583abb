from odoo import fields, models


class SokoQcInspectionPiece(models.Model):
    _inherit = "soko.qc.inspection.piece"

    artisan_id = fields.Many2one(
        related="inspection_id.artisan_id",
        store=True,
        index="btree_not_null",
        groups="soko_artisan.soko_artisan_group_user",
    )
