from odoo import api, fields, models


class SokoMaterialSource(models.Model):
    """Where an artisan has a material from, and what proves that it is clean."""

    _name = "soko.material.source"
    _description = "Source of a Material"
    _order = "date desc, id desc"
    _rec_name = "material_id"
    _check_company_auto = True

    artisan_id = fields.Many2one("soko.artisan", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    material_id = fields.Many2one(
        "soko.material", required=True, index=True, ondelete="restrict"
    )
    source = fields.Char(
        required=True, help="Where it comes from, such as scrap yard Gikomba, row 4."
    )
    supplier_id = fields.Many2one(
        "res.partner", index="btree_not_null", check_company=True
    )
    evidence = fields.Selection(
        [
            ("none", "None yet"),
            ("declaration", "Her own declaration"),
            ("visit", "Seen by us"),
            ("receipt", "Supplier's receipt"),
            ("licence", "Licence or certificate"),
        ],
        required=True,
        default="none",
    )
    date = fields.Date(
        string="Dated", required=True, default=lambda self: self.env.company._soko_today()
    )
    date_expiry = fields.Date(
        string="Valid until",
        index=True,
        help="Last day on which it proves anything. Empty: no end.",
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Papers and photos")
    state = fields.Selection(
        [("missing", "No evidence"), ("valid", "Valid"), ("expired", "Expired")],
        compute="_compute_state",
    )

    _dates_in_order = models.Constraint(
        "CHECK (date_expiry IS NULL OR date_expiry >= date)",
        "The evidence expires before its date. Mend either.",
    )

    # === COMPUTE METHODS === #

    @api.depends("evidence", "date_expiry")
    def _compute_state(self):
        for source in self:
            today = (source.company_id or self.env.company)._soko_today()
            if source.evidence == "none":
                source.state = "missing"
            elif source.date_expiry and source.date_expiry < today:
                source.state = "expired"
            else:
                source.state = "valid"

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        sources = super().create(vals_list)
        sources._add_materials()
        return sources

    def write(self, vals):
        res = super().write(vals)
        if "material_id" in vals or "artisan_id" in vals:
            self._add_materials()
        return res

    def _add_materials(self):
        """Let each artisan be found by the materials whose source is known, and keep the papers."""
        for artisan, sources in self.grouped("artisan_id").items():
            artisan.material_ids |= sources.material_id
