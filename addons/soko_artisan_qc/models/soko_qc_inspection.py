from odoo import api, fields, models


class SokoQcInspection(models.Model):
    _inherit = "soko.qc.inspection"

    artisan_id = fields.Many2one(
        "soko.artisan",
        compute="_compute_artisan_id",
        store=True,
        index="btree_not_null",
        groups="soko_artisan.soko_artisan_group_user",
        help="Who made the pieces.",
    )

    @api.depends("lot_id.soko_artisan_id", "picking_id.soko_artisan_id")
    def _compute_artisan_id(self):
        for inspection in self:
            inspection.artisan_id = (
                inspection.lot_id.soko_artisan_id or inspection.picking_id.soko_artisan_id
            )

    def _qc_get_responsible_partner(self):
        """The artisan answers for the quality, also when a group owns or delivers the pieces."""
        # sudo: whoever receives the pieces may not see artisans.
        return self.sudo().artisan_id.partner_id or super()._qc_get_responsible_partner()

    def _qc_on_result(self):
        """Tell the artisans whose pieces were rejected, and why."""
        res = super()._qc_on_result()
        # sudo: an inspector may neither see artisans nor send text messages.
        for inspection in self.sudo().filtered(lambda i: i.artisan_id and i.qty_rejected > 0):
            artisan = inspection.artisan_id
            in_their_words = inspection.with_context(lang=artisan.lang)
            artisan._send_sms(in_their_words._get_rejection_text(), inspection)
        return res

    def _qc_on_rework(self):
        """Tell the artisans which pieces they can mend, and what is wrong with them."""
        res = super()._qc_on_rework()
        # sudo: an inspector may neither see artisans nor send text messages.
        for inspection in self.sudo().filtered("artisan_id"):
            artisan = inspection.artisan_id
            in_their_words = inspection.with_context(lang=artisan.lang)
            artisan._send_sms(in_their_words._get_rework_sms(), inspection)
        return res

    def _get_rework_sms(self):
        """Return the text message about pieces to be mended, in the language of the context."""
        self.ensure_one()
        return self.env._(
            "Soko: %(rework)s of your %(total)s %(product)s can be mended: %(reasons)s. Please "
            "collect them, mend them and bring them back.",
            rework=f"{self.qty_rework:g}",
            total=f"{self.quantity:g}",
            product=self.product_id.display_name,
            reasons=", ".join(self._get_rework_reasons()),
        )

    def _get_rejection_text(self):
        """Return the text message about rejected pieces, in the language of the context."""
        self.ensure_one()
        failed = self.piece_ids.filtered(lambda p: p.result == "fail")
        criteria = failed.result_ids.filtered(lambda r: r.verdict == "fail")
        reasons = failed.defect_ids.mapped("name") or criteria.mapped("name")
        return self.env._(
            "Soko: %(accepted)s of your %(total)s %(product)s passed. %(rejected)s did not: "
            "%(reasons)s. Please collect what did not pass.",
            accepted=f"{self.qty_accepted:g}",
            total=f"{self.quantity:g}",
            product=self.product_id.display_name,
            rejected=f"{self.qty_rejected:g}",
            reasons=", ".join(dict.fromkeys(reasons)),
        )
