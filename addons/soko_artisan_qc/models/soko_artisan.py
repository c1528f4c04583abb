from odoo import fields, models


class SokoArtisan(models.Model):
    _inherit = "soko.artisan"

    qc_piece_count = fields.Integer(
        "Inspected Pieces", compute="_compute_qc_pass_rate", compute_sudo=True
    )
    qc_pass_rate = fields.Float(
        "Pass Rate",
        compute="_compute_qc_pass_rate",
        compute_sudo=True,
        help="Share of the artisan's inspected pieces that passed.",
    )

    def _compute_qc_pass_rate(self):
        rates = self.env["soko.qc.inspection.piece"]._get_pass_rates("artisan_id", self)
        for artisan in self:
            artisan.qc_piece_count, artisan.qc_pass_rate = rates.get(artisan, (0, 0.0))

    def action_view_inspected_pieces(self):
        """Open the inspected pieces of this artisan."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_inspection_piece_action"
        )
        return dict(action, domain=[("artisan_id", "=", self.id)])
