import base64
from datetime import date

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


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
        precompute=True,
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
    warning = fields.Text(compute="_compute_warning", compute_sudo=False)
    picking_id = fields.Many2one(
        "stock.picking", string="Receipt", readonly=True, help="Made once, however often confirmed."
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
            lines = wizard.artisan_id._get_running_agreement_lines(grace=True)
            wizard.product_ids = lines.product_id

    @api.depends("artisan_id", "line_ids.product_id")
    def _compute_warning(self):
        """Say that an agreement is over and its days of grace run."""
        today = self.env.company._soko_today()
        for wizard in self:
            lines = wizard._get_running_lines()
            over = [
                lines[product].agreement_id
                for product in wizard.line_ids.product_id._origin
                if product in lines and (lines[product].agreement_id.date_end or today) < today
            ]
            texts = [wizard._get_grace_text(agreement) for agreement in dict.fromkeys(over)]
            wizard.warning = "\n".join(texts) or False

    def _get_grace_text(self, agreement):
        return self.env._(
            "%(agreement)s ended on %(end)s. Pieces are taken in on its terms until %(grace)s; "
            "make a new agreement before.",
            agreement=agreement.name,
            end=format_date(self.env, agreement.date_end),
            grace=format_date(self.env, agreement.date_grace),
        )

    def _get_running_lines(self):
        """Return {product: agreement line}, one in force before one in its days of grace."""
        lines = self.artisan_id._get_running_agreement_lines(grace=True)
        in_order = lines.sorted(lambda li: li.agreement_id.date_end or date.max)
        return {line.product_id: line for line in in_order}

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

        Confirmed again (a second tap, a request sent again on a bad line), it opens the same one.

        :return: the action that opens the receipt
        :raise UserError: nothing to receive, or a product without an agreement in force
        """
        self.ensure_one()
        self.lock_for_update()
        self._check_warehouse()
        wizard = self.with_company(self.artisan_id.company_id)
        picking = wizard.picking_id or wizard._receive()
        return picking._get_records_action(name=self.env._("Drop-off"))

    # === BUSINESS METHODS === #

    def _check_warehouse(self):
        """Refuse a warehouse of another company than the artisan's."""
        if self.warehouse_id.company_id != self.company_id:
            raise UserError(
                self.env._(
                    "%(warehouse)s belongs to another company than %(artisan)s, who consigns to "
                    "%(company)s. Choose a warehouse of that company.",
                    warehouse=self.warehouse_id.name,
                    artisan=self.artisan_id.name,
                    company=self.company_id.name,
                )
            )

    def _receive(self):
        """Return the validated receipt of these pieces, and count them as brought."""
        self.artisan_id._begin_drop_off()
        agreed = self._get_agreed_lines()
        self.picking_id = picking = self._create_receipt()
        for move in picking.move_ids:
            self._fill_move(move, agreed[move.product_id])
        picking._action_done()
        self._attach_photo(picking)
        if self.warning:
            picking._message_log(body=self.warning)
        for line in self.line_ids:
            self.env["soko.replenishment"]._note_brought(
                self.artisan_id, line.product_id, line.quantity
            )
        return picking

    def _get_agreed_lines(self):
        """Return {product: agreement line in force}, for every product of the drop-off."""
        if not self.line_ids:
            raise UserError(self.env._("Add at least one product that was dropped off."))
        agreed = self._get_running_lines()
        missing = self.line_ids.product_id.filtered(lambda product: product not in agreed)
        if missing:
            raise UserError(
                self.env._(
                    "%(artisan)s has no agreement in force on %(products)s, so there is no price "
                    "for it. Add it to an active agreement, then take the pieces in.",
                    artisan=self.artisan_id.name,
                    products=", ".join(missing.mapped("display_name")),
                )
            )
        return agreed

    def _create_receipt(self):
        """Return a confirmed receipt in the artisan's name, one move for each product."""
        if not self.warehouse_id.soko_drop_off_type_id:
            # sudo: an officer may receive pieces but not set up operation types
            self.warehouse_id.sudo()._soko_ensure_drop_off_type()
        picking = self.env["stock.picking"].create(self._prepare_picking_vals())
        picking.action_confirm()
        return picking

    def _prepare_picking_vals(self):
        """Return the values of the receipt."""
        picking_type = self.warehouse_id.soko_drop_off_type_id
        partner = self.artisan_id.partner_id
        locations = {
            "location_id": picking_type.default_location_src_id.id,
            "location_dest_id": picking_type.default_location_dest_id.id,
        }
        moves = [
            {
                "product_id": product.id,
                "product_uom": product.uom_id.id,
                "product_uom_qty": sum(lines.mapped("quantity")),
                **locations,
            }
            for product, lines in self.line_ids.grouped("product_id").items()
        ]
        return {
            "picking_type_id": picking_type.id,
            "partner_id": partner.id,
            "owner_id": partner.id,
            "soko_artisan_id": self.artisan_id.id,
            "move_ids": [Command.create(vals) for vals in moves],
            **locations,
        }

    def _fill_move(self, move, agreement_line):
        """Put one line with a lot of its own on the move for each line of the drop-off.

        The move says where the pieces go: other modules may have sent them elsewhere on the way.
        """
        lines = self.line_ids.filtered(lambda li: li.product_id == move.product_id)
        lots = self.env["stock.lot"].create(
            [self._prepare_lot_vals(line, agreement_line) for line in lines]
        )
        values = [
            move._prepare_move_line_vals(quantity=line.quantity)
            | {"lot_id": lot.id, "owner_id": self.artisan_id.partner_id.id}
            for line, lot in zip(lines, lots, strict=True)
        ]
        move.move_line_ids.unlink()
        self.env["stock.move.line"].create(values)
        move.picked = True

    def _prepare_lot_vals(self, line, agreement_line):
        """Return the values of the lot of one line, with the price of today."""
        return agreement_line._prepare_lot_snapshot_vals() | {
            "name": self.env["ir.sequence"].next_by_code("soko.drop.off.lot"),
            "product_id": line.product_id.id,
            "soko_drop_off_date": self.env.company._soko_today(),
            "soko_photo": self.photo,
        }

    def _attach_photo(self, picking):
        """Keep the photo of the pieces with the receipt."""
        if self.photo:
            picking.message_post(
                body=self.env._("Photo of the drop-off"),
                attachments=[("drop-off.jpg", base64.b64decode(self.photo))],
            )
