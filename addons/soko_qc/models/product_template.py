from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    soko_plating_area_cm2 = fields.Float(
        "Plated Area (cm2)",
        digits=(16, 2),
        help="Surface of one piece that takes the metal, all sides. Current, time and metal of a "
        "plating run are computed from it.",
    )
    soko_surface_class = fields.Selection(
        [
            ("wear", "Worn hard (rings, bracelets)"),
            ("normal", "Worn (necklaces, brooches)"),
            ("light", "Hardly touched (earrings, inside)"),
        ],
        "Surface Class",
        help="How much the layer must stand; a plating process may have a thickness for each.",
    )
    soko_piece_count = fields.Integer(
        compute="_compute_soko_pass_rate", groups="stock.group_stock_user"
    )
    soko_pass_rate = fields.Float(
        "Pass Rate",
        compute="_compute_soko_pass_rate",
        groups="stock.group_stock_user",
        help="Share of the inspected pieces of this product that passed.",
    )

    soko_alert_count = fields.Integer(
        compute="_compute_soko_alert_count", groups="stock.group_stock_user"
    )

    _soko_plating_area_positive = models.Constraint(
        "CHECK(soko_plating_area_cm2 >= 0)", "The plated area cannot be negative."
    )

    def _compute_soko_pass_rate(self):
        variants = self.product_variant_ids
        rates = self.env["soko.qc.inspection.piece"]._get_pass_rates("product_id", variants)
        for template in self:
            figures = [rates[v] for v in template.product_variant_ids if v in rates]
            count = sum(pieces for pieces, _rate in figures)
            passed = sum(pieces * rate for pieces, rate in figures)
            template.soko_piece_count = count
            template.soko_pass_rate = passed / count if count else 0.0

    def _compute_soko_alert_count(self):
        counts = dict(
            self.env["soko.qc.alert"]._read_group(
                [("product_id.product_tmpl_id", "in", self.ids)], ["product_id"], ["__count"]
            )
        )
        for template in self:
            template.soko_alert_count = sum(counts.get(v, 0) for v in template.product_variant_ids)

    def action_view_soko_alerts(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_qc_alert_action")
        context = {"default_product_id": self.product_variant_id.id}
        return dict(
            action, domain=[("product_id.product_tmpl_id", "in", self.ids)], context=context
        )

    def action_view_soko_pieces(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_qc.soko_qc_inspection_piece_action"
        )
        return dict(action, domain=[("product_id", "in", self.product_variant_ids.ids)])

    def action_plate(self):
        """Open the small form that orders the plating of pieces of this product."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_plating_order_action")
        return dict(action, context={"default_product_id": self.product_variant_id.id})
