from odoo import api, fields, models


class SokoArtisanGroup(models.Model):
    """A workshop, cooperative or art centre whose members deliver together."""

    _name = "soko.artisan.group"
    _description = "Artisan Group"
    _inherit = ["mail.thread", "image.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        index="btree_not_null",
        check_company=True,
        tracking=True,
        help="The contact that is paid when an agreement says that the group is the payee.",
    )
    state_id = fields.Many2one(
        "res.country.state", string="County", domain="[('country_id.code', '=', 'KE')]"
    )
    place = fields.Char(index="trigram", help="As a driver would ask for it, such as Kibera.")
    story = fields.Html(help="How the group began and what its members make together.")
    artisan_ids = fields.One2many("soko.artisan", "group_id", string="Members")
    artisan_count = fields.Integer(string="Number of members", compute="_compute_artisan_count")

    craft_ids = fields.Many2many("soko.craft", string="Crafts", compute="_compute_craft_ids")

    _name_company_uniq = models.UniqueIndex(
        "(name, company_id)", "There is a group of that name already."
    )

    @api.depends("artisan_ids")
    def _compute_artisan_count(self):
        counts = dict(
            self.env["soko.artisan"]._read_group(
                [("group_id", "in", self.ids)], ["group_id"], ["__count"]
            )
        )
        for group in self:
            group.artisan_count = counts.get(group, 0)

    @api.depends("artisan_ids.craft_ids")
    def _compute_craft_ids(self):
        for group in self:
            group.craft_ids = group.artisan_ids.craft_ids
