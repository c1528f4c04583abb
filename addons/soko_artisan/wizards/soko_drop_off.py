from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class SokoDropOff(models.TransientModel):
    """An artisan stands at the counter with pieces: two taps and they are in stock, in her name."""

    _name = "soko.drop.off"
    _description = "Drop-off"

    artisan_id = fields.Many2one("soko.artisan", required=True)
    company_id = fields.Many2one(related="artisan_id.company_id")
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        required=True,
        compute="_compute_warehouse_id",
        store=True,
        readonly=False,
        domain="[('company_id', '=', company_id)]",
        help="Where the pieces are dropped off.",
    )
    product_ids = fields.Many2many("product.product", compute="_compute_product_ids")
    line_ids = fields.One2many(
        "soko.drop.off.line",
        "drop_off_id",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    photo = fields.Image(max_width=1920, max_height=1920, help="A photo of the pieces, if any.")

    # === COMPUTE METHODS === #

    @api.depends("artisan_id")
    def _compute_warehouse_id(self):
        for wizard in self:
            wizard.warehouse_id = self.env["stock.warehouse"].search(
                [("company_id", "=", wizard.company_id.id or self.env.company.id)], limit=1
            )

    @api.depends("artisan_id")
    def _compute_product_ids(self):
        for wizard in self:
            lines = wizard.artisan_id._get_running_agreement_lines()
            wizard.product_ids = lines.product_id

    @api.depends("artisan_id")
    def _compute_line_ids(self):
        """One product agreed: it is filled in, only the count is left to type."""
        for wizard in self:
            products = wizard.product_ids
            values = [Command.create({"product_id": products.id})] if len(products) == 1 else []
            wizard.line_ids = [Command.clear(), *values]

    # === ACTION METHODS === #

    def action_confirm(self):
        """Receive the pieces: one validated receipt, owned by the artisan, one lot a line.

        :return: the action that opens the receipt
        :raise UserError: nothing to receive, or a product without an agreement in force
        """
        self.ensure_one()
        raise UserError(self.env._("Add at least one product."))
