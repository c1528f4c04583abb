from odoo import fields, models


class StockLocation(models.Model):
    _inherit = "stock.location"

    soko_qc_role = fields.Selection(
        [
            ("hold", "On hold for inspection"),
            ("rework", "For rework"),
            ("rework_out", "Handed out for rework"),
            ("rejected", "Rejected"),
        ],
        string="Quality Role",
        index="btree_not_null",
        help="Pieces here, and in the locations below, only leave through their inspection, a "
        "return to who delivered them, or a quality manager's scrap.",
    )

    def _soko_qc_filtered_guarded(self):
        """The locations of ``self`` that are, or lie in, a hold or rejected location."""
        # sudo: a guard must see every guarded location, whatever its user may see.
        roots = self.sudo().search([("soko_qc_role", "!=", False)])
        paths = tuple(roots.mapped("parent_path"))
        if not paths:
            return self.browse()
        return self.filtered(lambda location: (location.parent_path or "").startswith(paths))
