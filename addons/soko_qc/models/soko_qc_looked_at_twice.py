from odoo import api, fields, models
from odoo.exceptions import UserError


class SokoQcLookedAtTwice(models.AbstractModel):
    """Somebody else may look at the pieces of an inspection again, and changes nothing in it."""

    _name = "soko.qc.looked.at.twice"
    _description = "Looked At by a Second Person"

    second_look_ids = fields.One2many(
        "soko.qc.second.look",
        "inspection_id",
        "Second Looks",
        groups="soko_qc.soko_qc_group_inspector",
    )
    second_look_count = fields.Integer(
        compute="_compute_second_look_count", groups="soko_qc.soko_qc_group_inspector"
    )

    @api.depends("second_look_ids")
    def _compute_second_look_count(self):
        for inspection in self:
            inspection.second_look_count = len(inspection.second_look_ids)

    def action_second_look(self):
        """Ask for a second look, or open the one that was asked for.

        :return: the action that opens its sheet
        """
        self.ensure_one()
        self._check_state(("in_progress", "done"), self.env._("look a second time at"))
        if not self.piece_ids:
            raise UserError(self.env._("%s has no piece to look at.", self.name))
        looks = self.env["soko.qc.second.look"]
        look = looks.search([("inspection_id", "=", self.id), ("state", "!=", "done")])
        # sudo: a sheet is made by this step alone; the right to inspect was checked above.
        look = look or looks.sudo().create({"inspection_id": self.id}).sudo(False)
        return look._get_records_action(name=self.env._("Second Look"))

    def action_view_second_looks(self):
        return self.second_look_ids._get_records_action(name=self.env._("Second Looks"))
