from odoo import Command, fields, models
from odoo.exceptions import UserError


class MrpBom(models.Model):
    _inherit = "mrp.bom"

    soko_plating_process_id = fields.Many2one(
        "soko.plating.process",
        "Plating Recipe",
        check_company=True,
        help="Its steps can be written as the operations of this bill of materials.",
    )

    def action_soko_apply_recipe(self):
        """Write the recipe's steps as operations, each waiting for the one before.

        :raises UserError: without a recipe, or when there are operations already
        """
        self.check_access("write")
        for bom in self:
            steps = bom.soko_plating_process_id.step_ids
            if not steps:
                raise UserError(self.env._("Choose a plating recipe that has steps first."))
            if bom.operation_ids:
                raise UserError(
                    self.env._(
                        "%s has operations already. Remove them first: the recipe replaces no "
                        "operation that orders may be using.",
                        bom.display_name,
                    )
                )
            bom.allow_operation_dependencies = True
            operations = self.env["mrp.routing.workcenter"].create(
                [step._prepare_operation_vals(bom) for step in steps]
            )
            for before, after in zip(operations, operations[1:], strict=False):
                after.blocked_by_operation_ids = [Command.set(before.ids)]
        return True
