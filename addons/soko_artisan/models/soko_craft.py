from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SokoCraft(models.Model):
    """A skill an artisan works with: casting, beading, horn carving."""

    _name = "soko.craft"
    _description = "Craft"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    parent_id = fields.Many2one(
        "soko.craft",
        string="Technique of",
        index="btree_not_null",
        ondelete="restrict",
        help="Empty for a craft. Silver soldering, for instance, is a technique of metal work.",
    )
    active = fields.Boolean(default=True)
    color = fields.Integer(string="Colour")

    _name_uniq = models.UniqueIndex("(name)", "There is a craft of that name already.")

    # === CONSTRAINTS === #

    @api.constrains("parent_id")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A craft can't be a technique of itself."))
