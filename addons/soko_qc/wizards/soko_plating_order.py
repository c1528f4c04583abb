from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import clean_context


class SokoPlatingOrder(models.TransientModel):
    """Plate some pieces of a lot: one manufacturing order, reserved and put on a run."""

    _name = "soko.plating.order"
    _description = "Plate Pieces"

    product_id = fields.Many2one(
        "product.product",
        "Raw Product",
        compute="_compute_product_id",
        store=True,
        readonly=False,
    )
    lot_id = fields.Many2one(
        "stock.lot",
        domain="[('product_id', '=', product_id)]",
        help="The pieces to plate. One order holds pieces of one lot, so that each plated piece "
        "knows where it comes from.",
    )
    bom_id = fields.Many2one(
        "mrp.bom",
        "Plated Product",
        compute="_compute_bom_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', available_bom_ids)]",
        help="The bill of materials that makes the plated product of the raw one.",
    )
    available_bom_ids = fields.Many2many("mrp.bom", compute="_compute_available_bom_ids")
    process_id = fields.Many2one("soko.plating.process", compute="_compute_process_id")
    bath_id = fields.Many2one(
        "soko.plating.bath",
        compute="_compute_bath_id",
        store=True,
        readonly=False,
        domain="[('process_id', '=', process_id)]",
    )
    run_id = fields.Many2one(
        "soko.plating.run",
        domain="[('bath_id', '=', bath_id), ('state', '=', 'draft')]",
        help="A run that is still loading. Empty: a new run.",
    )
    available_quantity = fields.Float(
        digits="Product Unit", compute="_compute_available_quantity"
    )
    quantity = fields.Float(
        digits="Product Unit",
        compute="_compute_quantity",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    owner_id = fields.Many2one("res.partner", compute="_compute_available_quantity")

    # === COMPUTE METHODS === #

    @api.depends("lot_id")
    def _compute_product_id(self):
        for order in self:
            order.product_id = order.lot_id.product_id or order.product_id

    @api.depends("product_id")
    def _compute_available_bom_ids(self):
        for order in self:
            lines = self.env["mrp.bom.line"].search([("product_id", "=", order.product_id.id)])
            order.available_bom_ids = lines.bom_id.filtered(
                lambda bom: bom.operation_ids.soko_plating_process_id and bom.type == "normal"
            )

    @api.depends("lot_id")
    def _compute_quantity(self):
        for order in self:
            order.quantity = order.quantity or 1.0

    @api.depends("available_bom_ids")
    def _compute_bom_id(self):
        for order in self:
            if order.bom_id not in order.available_bom_ids:
                order.bom_id = order.available_bom_ids[:1]

    @api.depends("bom_id")
    def _compute_process_id(self):
        for order in self:
            order.process_id = order.bom_id.operation_ids.soko_plating_process_id[:1]

    @api.depends("process_id")
    def _compute_bath_id(self):
        for order in self:
            if order.bath_id.process_id != order.process_id:
                order.bath_id = order.process_id.bath_ids[:1]

    @api.depends("product_id", "lot_id", "bom_id")
    def _compute_available_quantity(self):
        for order in self:
            quants = order._get_quants()
            order.available_quantity = sum(quants.mapped("available_quantity"))
            order.owner_id = quants.owner_id[:1]

    # === ACTIONS === #

    def action_confirm(self):
        """Order the plating and load it on a run.

        :raises UserError: when the pieces are not free, of several owners, or no lot was chosen
        :return: the action that opens the run
        """
        self.ensure_one()
        self.check_access("write")
        # The defaults the form was opened with (its lot) must not reach the stock moves.
        self = self.with_env(self.env(context=clean_context(self.env.context)))
        self._check_order()
        production = self._create_production()
        self._reserve_pieces(production)
        run = self._load_run(production)
        return run._get_records_action()

    # === BUSINESS METHODS === #

    def _get_picking_type(self):
        self.ensure_one()
        company = self.bom_id.company_id or self.bath_id.company_id or self.env.company
        return self.bom_id.picking_type_id or self.env["stock.picking.type"].search(
            [("code", "=", "mrp_operation"), ("company_id", "=", company.id)], limit=1
        )

    def _get_quants(self):
        """The free quants of the chosen pieces, where manufacturing takes its components."""
        self.ensure_one()
        location = self._get_picking_type().default_location_src_id
        if not (self.product_id and location):
            return self.env["stock.quant"]
        lot = self.lot_id or None
        quants = self.env["stock.quant"]._gather(self.product_id, location, lot_id=lot)
        return quants.filtered(lambda q: q.lot_id == self.lot_id and q.available_quantity > 0)

    def _check_order(self):
        self.ensure_one()
        if not self.bom_id:
            raise UserError(
                self.env._(
                    "No bill of materials plates %s. Create one for the plated product, with the "
                    "raw one as its component and an operation that has a plating process.",
                    self.product_id.display_name or self.env._("nothing"),
                )
            )
        if not self.bath_id:
            raise UserError(
                self.env._("The process %s has no bath yet. Create one.", self.process_id.name)
            )
        if self.product_id.tracking != "none" and not self.lot_id:
            raise UserError(
                self.env._("Choose the lot to plate: each plated piece remembers its raw lot.")
            )
        if self.quantity <= 0:
            raise UserError(self.env._("Plate at least one piece."))
        quants = self._get_quants()
        if len({q.owner_id for q in quants}) > 1:
            raise UserError(
                self.env._(
                    "The pieces of %s belong to several owners. Separate them first: plated "
                    "pieces must keep their owner.",
                    (self.lot_id or self.product_id).display_name,
                )
            )
        if self.product_id.uom_id.compare(self.available_quantity, self.quantity) < 0:
            raise UserError(
                self.env._(
                    "Only %(available)s pieces of %(name)s are free to be plated. Pieces on hold "
                    "or promised to a customer are not.",
                    available=self.available_quantity,
                    name=(self.lot_id or self.product_id).display_name,
                )
            )

    def _get_bom_line(self):
        self.ensure_one()
        return self.bom_id.bom_line_ids.filtered(lambda x: x.product_id == self.product_id)[:1]

    def _prepare_production_vals(self):
        self.ensure_one()
        bom, line = self.bom_id, self._get_bom_line()
        per_piece = line.product_uom_id._compute_quantity(line.product_qty, self.product_id.uom_id)
        product = bom.product_id or bom.product_tmpl_id.product_variant_id
        return {
            "product_id": product.id,
            "bom_id": bom.id,
            "product_qty": self.quantity / per_piece * bom.product_qty,
            "product_uom_id": bom.product_uom_id.id,
            "picking_type_id": self._get_picking_type().id,
            "company_id": self.bath_id.company_id.id,
            "origin": self.lot_id.name,
        }

    def _create_production(self):
        """Create and confirm the order."""
        production = self.env["mrp.production"].create(self._prepare_production_vals())
        production.action_confirm()
        return production

    def _reserve_pieces(self, production):
        """Reserve exactly the chosen lot, as its owner's: Odoo would take any piece."""
        move = production.move_raw_ids.filtered(lambda m: m.product_id == self.product_id)
        move._do_unreserve()
        missing = self.quantity
        for quant in self._get_quants():
            if self.product_id.uom_id.compare(missing, 0) <= 0:
                break
            missing -= move._update_reserved_quantity(
                min(missing, quant.available_quantity),
                quant.location_id,
                lot_id=quant.lot_id,
                package_id=quant.package_id,
                owner_id=quant.owner_id,
                strict=True,
            )
        move._recompute_state()

    def _load_run(self, production):
        run = self.run_id or self.env["soko.plating.run"].create({"bath_id": self.bath_id.id})
        workorders = production.workorder_ids.filtered(
            lambda w: w.soko_plating_process_id == run.process_id
        )
        workorders.soko_plating_run_id = run
        return run
