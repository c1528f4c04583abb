from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, LockError, UserError

from ..tools import judgement

# What inspectors fill in; the rest follows from the receipt and from the steps below.
SHEET_FIELDS = ("user_id", "note", "piece_ids", "result_ids")
CHATTER_FIELDS = ("activity_", "message_")


class SokoQcInspection(models.Model):
    """The inspection of the pieces of one received move line.

    The pieces wait in the hold location. ``action_done`` sends the accepted ones where the receipt
    meant them to go and the others to the rejected or rework location, owner and lot kept.
    """

    _name = "soko.qc.inspection"
    _description = "Inspection"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "soko.qc.reworked.lot",  # first: what was mended is not sampled
        "soko.qc.sampled.lot",
        "soko.qc.alert.raiser",
        "soko.qc.looked.at.twice",
    ]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(readonly=True, copy=False, default="/")
    state = fields.Selection(
        [
            ("draft", "To Inspect"),
            ("in_progress", "In Progress"),
            ("done", "Done"),
            ("cancel", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, index=True, readonly=True, default=lambda s: s.env.company
    )
    product_id = fields.Many2one("product.product", required=True, index=True, readonly=True)
    product_uom_id = fields.Many2one(related="product_id.uom_id")
    lot_id = fields.Many2one("stock.lot", index=True, readonly=True)
    package_id = fields.Many2one("stock.package", readonly=True, index="btree_not_null")
    owner_id = fields.Many2one(
        "res.partner",
        readonly=True,
        index="btree_not_null",
        help="Whose pieces they are, when they are not the company's own.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        "Responsible",
        readonly=True,
        index="btree_not_null",
        help="Who answers for the quality: the owner of the pieces, else who delivered them.",
    )
    user_id = fields.Many2one(
        "res.users", "Inspector", tracking=True, help="Who looked at the pieces."
    )
    picking_id = fields.Many2one("stock.picking", "Transfer", index="btree_not_null", readonly=True)
    workorder_id = fields.Many2one(
        "mrp.workorder",
        "Work Order",
        readonly=True,
        index="btree_not_null",
        help="The pieces are in production, at this step. Their inspection moves no stock.",
    )
    production_id = fields.Many2one(related="workorder_id.production_id")
    move_line_id = fields.Many2one("stock.move.line", index="btree_not_null", readonly=True)
    location_id = fields.Many2one(
        "stock.location", "On Hold In", required=True, readonly=True, index=True
    )
    location_dest_id = fields.Many2one(
        "stock.location",
        "Accepted Pieces Go To",
        required=True,
        readonly=True,
        help="Where the transfer meant to put the pieces.",
    )
    rejected_location_id = fields.Many2one(
        "stock.location", "Rejected Pieces Go To", required=True, readonly=True
    )
    quantity = fields.Float(digits="Product Unit", readonly=True)
    plan_id = fields.Many2one(
        "soko.qc.plan",
        check_company=True,
        index="btree_not_null",
        tracking=True,
        help="What to look at and on how many pieces. Without a plan each piece gets a plain look: "
        "pass or fail.",
    )
    instructions = fields.Html(related="plan_id.instructions")
    piece_ids = fields.One2many("soko.qc.inspection.piece", "inspection_id", "Pieces")
    result_ids = fields.One2many("soko.qc.inspection.result", "inspection_id", "Criteria")
    piece_count = fields.Integer("Looked At", compute="_compute_piece_counts")
    todo_count = fields.Integer("Still Open", compute="_compute_piece_counts")
    failed_count = fields.Integer(
        "Failed", compute="_compute_piece_counts", help="Pieces that did not pass, rework included."
    )
    rework_count = fields.Integer("Of These for Rework", compute="_compute_piece_counts")
    qty_accepted = fields.Float("Accepted", digits="Product Unit", readonly=True, copy=False)
    qty_rejected = fields.Float("Rejected", digits="Product Unit", readonly=True, copy=False)
    qty_returned = fields.Float(
        "Returned",
        digits="Product Unit",
        compute="_compute_qty_returned",
        help="Rejected pieces that are on a return transfer, handed over or not.",
    )
    taps_per_piece = fields.Float(
        digits=(16, 2),
        compute="_compute_taps_per_piece",
        help="Touches at the bench for each piece that was looked at; 0 when the form was used.",
    )
    decision = fields.Selection(
        [
            ("accepted", "Accepted"),
            ("partly", "Partly Accepted"),
            ("rework", "For Rework"),
            ("rejected", "Rejected"),
        ],
        compute="_compute_decision",
        store=True,
    )
    date_done = fields.Datetime("Decided On", readonly=True, copy=False)
    move_ids = fields.One2many("stock.move", "soko_inspection_id", "Moves", readonly=True)
    note = fields.Text("Remarks", help="Printed on the certificate.")

    # === COMPUTE METHODS === #

    @api.depends("piece_ids.result")
    def _compute_piece_counts(self):
        for inspection in self:
            results = inspection.piece_ids.mapped("result")
            inspection.piece_count = len(results)
            inspection.todo_count = results.count(judgement.TODO)
            inspection.rework_count = results.count(judgement.REWORK)
            inspection.failed_count = results.count(judgement.FAIL) + inspection.rework_count

    def _compute_taps_per_piece(self):
        counts = dict(
            self.env["soko.qc.tap"]._read_group(
                [("inspection_id", "in", self.ids)], ["inspection_id"], ["__count"]
            )
        )
        for inspection in self:
            inspection.taps_per_piece = counts.get(inspection, 0) / (inspection.piece_count or 1)

    @api.depends("state", "qty_accepted", "qty_rejected", "qty_rework")
    def _compute_decision(self):
        for inspection in self:
            if inspection.state != "done":
                inspection.decision = False
            elif not (inspection.qty_rejected or inspection.qty_rework):
                inspection.decision = "accepted"
            elif inspection.qty_accepted:
                inspection.decision = "partly"
            else:
                inspection.decision = "rejected" if inspection.qty_rejected else "rework"

    @api.depends("move_ids.state", "move_ids.product_qty")
    def _compute_qty_returned(self):
        for inspection in self:
            moves = inspection._get_return_moves()
            inspection.qty_returned = sum(moves.mapped("product_qty"))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company_id = vals.get("company_id") or self.env.company.id
                sequence = self.env["ir.sequence"].with_company(company_id)
                vals["name"] = sequence.next_by_code("soko.qc.inspection") or "/"
        return super().create(vals_list)

    def write(self, vals):
        self._check_sheet_vals(vals)
        return super().write(vals)

    def _check_sheet_vals(self, vals):
        """Let inspectors write their sheet only, for `readonly` keeps no RPC call away.

        Pieces go where the receipt meant them to, and a decision comes from what was looked at.

        :raises AccessError: when somebody writes anything else by hand
        """
        written = {name for name in vals if not name.startswith(CHATTER_FIELDS)}
        if all(inspection.state == "draft" for inspection in self):
            written.discard("plan_id")
        if not self.env.su and not written <= set(SHEET_FIELDS):
            raise AccessError(
                self.env._(
                    "What an inspection is about, and its decision, are not written by hand. Fill "
                    "in the sheet and use the buttons."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._(
                "Inspections are the memory of what was accepted and are never deleted. "
                "Cancel the inspection instead."
            )
        )

    # === ACTIONS === #

    def action_start(self):
        """Begin: list the pieces to look at, each with the plan's criteria."""
        self._check_state("draft", self.env._("start"))
        # sudo: the numbers are written by this step alone; the right was checked above.
        self.sudo()._fix_sample()
        pieces = self.env["soko.qc.inspection.piece"]
        pieces.create([vals for record in self for vals in record._prepare_pieces_vals()])
        # sudo: the state is written by these steps alone; the right was checked above.
        self.sudo().write({"state": "in_progress", "user_id": self.env.uid})
        return True

    def action_all_pass(self):
        """Let every piece that is still open pass; readings a plan insists on stay open."""
        self.filtered(lambda i: i.state == "draft").action_start()
        self._check_state("in_progress", self.env._("pass the pieces of"))
        results = self.result_ids.filtered(lambda r: r.verdict == judgement.TODO)
        results.filtered(lambda r: not r._lacks_reading()).verdict = judgement.PASS
        plain = self.piece_ids.filtered(lambda p: not p.result_ids and p.result == judgement.TODO)
        plain.result = judgement.PASS
        return True

    def action_done(self):
        """Decide: move the accepted pieces on and the rejected ones aside.

        A lot whose sample refuses it may have to be looked at whole first; then the pieces that
        are missing are listed, and the lot is not decided yet.

        :return: True, or the notice about the lots that are to be looked at whole
        :raises UserError: when a piece is open, a failed piece has no reason, or the pieces are no
            longer on hold
        """
        self._check_state("in_progress", self.env._("close"))
        self._lock_for_decision()
        # sudo: begun before there were samples with fixed numbers.
        self.filtered(lambda i: not i.sample_size).sudo()._fix_sample()
        for inspection in self:
            inspection._check_complete()
        # sudo: a verdict is written by this step alone; the right was checked above.
        self.sudo()._record_verdict()
        refused = self.filtered(lambda i: i._needs_screening())
        refused._start_screening()
        (self - refused)._decide()
        return refused._get_screening_notice() if refused else True

    def _lock_for_decision(self):
        """Two inspectors must not decide on the same pieces, nor on two lots of one maker."""
        try:
            self.lock_for_update()
            # sudo: an inspector may not write a maker's history, only decide lots that do.
            self.sudo().sampling_state_id.lock_for_update()
        except LockError as error:
            raise UserError(
                self.env._(
                    "Somebody else decides on %s, or on another lot of the same maker, at this "
                    "moment. Wait a moment, open it again, and look at what was decided.",
                    ", ".join(self.mapped("name")[:5]),
                )
            ) from error

    def _decide(self):
        """Write the decision, move the pieces, tell whom it concerns."""
        if not self:
            return
        for inspection in self:
            accepted, rejected, rework = inspection._judge()
            # sudo: a decision is written by this step alone; the right was checked before.
            inspection.sudo().write(
                {"qty_accepted": accepted, "qty_rejected": rejected, "qty_rework": rework}
            )
        self._check_still_on_hold()
        # sudo: the same.
        self.sudo().write({"state": "done", "date_done": fields.Datetime.now()})
        self._move_pieces()
        self._post_decision()
        self._qc_on_result()
        rework = self.filtered(lambda i: i.qty_rework > 0)
        if rework:
            rework._qc_on_rework()
        self._raise_alerts()

    def action_cancel(self):
        """Give up the inspection; the pieces stay on hold until it is taken up again."""
        self._check_state(("draft", "in_progress"), self.env._("cancel"))
        # sudo: the state is written by these steps alone; the right was checked above.
        self.sudo().write({"state": "cancel"})
        return True

    def action_draft(self):
        """Take a cancelled inspection up again, from an empty sheet."""
        self._check_state("cancel", self.env._("take up"))
        # sudo: the state is written by these steps alone; the right was checked above.
        self.sudo().write({"state": "draft", "sample_size": 0})
        self.piece_ids.unlink()
        return True

    def action_return_rejected(self):
        """Prepare the transfer that gives the rejected pieces back to who delivered them.

        One transfer a partner, ready to hand over; validating it in Inventory finishes the return.

        :return: the action that opens the transfers
        """
        self._check_state("done", self.env._("return the rejected pieces of"))
        todo = self.filtered(lambda i: i._get_qty_to_return() > 0)
        if not todo:
            raise UserError(self.env._("There is nothing to return: no rejected piece is left."))
        pickings = self.env["stock.picking"]
        for (partner, picking_type), inspections in todo.grouped(
            lambda i: (i.owner_id or i.partner_id, i._get_return_picking_type())
        ).items():
            pickings |= inspections._create_return(partner, picking_type)
        return self._get_pickings_action(pickings)

    def action_open_bench(self):
        """Open this inspection on the full-screen page."""
        self.ensure_one()
        action = self.env["ir.actions.client"]._for_xml_id("soko_qc.soko_qc_bench_action")
        return dict(action, params={"inspection": self.id})

    def action_view_moves(self):
        action = self.env["ir.actions.act_window"]._for_xml_id("stock.stock_move_line_action")
        return dict(action, domain=[("move_id", "in", self.move_ids.ids)], context={})

    # === HOOKS === #

    @api.model
    def _qc_prepare_vals(self, move_line):
        """Values of the inspection of a done receipt line.

        Override to add values; call ``super()`` and return a dict for ``create``.

        :param move_line: a done stock.move.line that was diverted to a hold location
        """
        warehouse = move_line.move_id.picking_type_id.warehouse_id
        return {
            "company_id": move_line.company_id.id,
            "product_id": move_line.product_id.id,
            "lot_id": move_line.lot_id.id,
            "package_id": move_line.result_package_id.id,
            "owner_id": move_line.owner_id.id,
            "picking_id": move_line.picking_id.id,
            "move_line_id": move_line.id,
            "quantity": move_line.quantity_product_uom,
            "location_id": move_line.location_dest_id.id,
            "location_dest_id": move_line.soko_intended_location_id.id,
            "rejected_location_id": warehouse.soko_qc_rejected_location_id.id,
        }

    @api.model
    def _qc_prepare_workorder_vals(self, workorder, quantity):
        """Values of the inspection of pieces at a step of manufacturing.

        Override to add values; call ``super()`` and return a dict for ``create``.

        :param workorder: mrp.workorder
        :param float quantity: pieces to look at, in the product's own unit
        """
        production = workorder.production_id
        owners = production.move_raw_ids.move_line_ids.owner_id
        owner = owners if len(owners) == 1 else owners.browse()
        warehouse = production.picking_type_id.warehouse_id
        return {
            "company_id": production.company_id.id,
            "product_id": production.product_id.id,
            "workorder_id": workorder.id,
            "owner_id": owner.id,
            "partner_id": owner.id,
            "quantity": quantity,
            "location_id": production.production_location_id.id,
            "location_dest_id": production.location_dest_id.id,
            "rejected_location_id": warehouse.soko_qc_rejected_location_id.id,
        }

    def _qc_get_responsible_partner(self):
        """Who answers for the quality of these pieces.

        Default: the owner of the pieces, else the partner of the transfer. Override to name
        somebody else; return a res.partner, which may be empty.
        """
        self.ensure_one()
        return self.owner_id or self.picking_id.partner_id

    def _qc_on_result(self):
        """Called once on decided inspections, after their pieces were moved. Default: nothing.

        Override to tell somebody or to write a score; call ``super()``. Raising undoes the
        decision.
        """

    def _qc_on_rework(self):
        """Called once on decided inspections that have pieces to be mended. Default: tell people.

        The inspector gets an activity to hand them out; who answers for the pieces gets a message,
        where there is an e-mail address to send it to. Override to tell by other means; call
        ``super()``. Raising undoes the decision.
        """
        self._tell_about_rework()

    # === BUSINESS METHODS === #

    @api.model
    def _create_from_move_lines(self, move_lines):
        """One inspection for each diverted receipt line, with the plan that fits it best."""
        plans = self.env["soko.qc.plan"]._get_candidates(move_lines.company_id)
        inspections = self.create([self._qc_prepare_vals(line) for line in move_lines])
        # Whose pieces they are can be told, and a plan chosen by it, once the records are there.
        for inspection in inspections.with_context(tracking_disable=True):
            inspection.partner_id = inspection._qc_get_responsible_partner()
            inspection.plan_id = inspection.plan_id or inspection._find_plan(plans)
        return inspections

    def _find_plan(self, plans):
        """The plan that fits best, of the candidates."""
        self.ensure_one()
        return plans._get_most_specific(
            self.product_id,
            self.move_line_id.move_id.picking_type_id,
            self.company_id,
            self.partner_id,
        )

    def _check_state(self, states, verb):
        """Refuse a step for the wrong user or in the wrong state."""
        self.check_access("write")
        states = (states,) if isinstance(states, str) else states
        wrong = self.filtered(lambda i: i.state not in states)
        if wrong:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "You cannot %(verb)s %(name)s: it is %(state)s.",
                    verb=verb,
                    name=wrong[0].name,
                    state=labels[wrong[0].state],
                )
            )

    def _prepare_pieces_vals(self):
        self.ensure_one()
        results = [criterion._prepare_result_vals() for criterion in self.plan_id.criterion_ids]
        return [
            {
                "inspection_id": self.id,
                "number": number,
                "result_ids": [Command.create(dict(vals)) for vals in results],
            }
            for number in range(self.piece_count + 1, self._get_pieces_to_list() + 1)
        ]

    def _get_pieces_to_list(self):
        return judgement.piece_count(self.quantity) if self.screening else self.sample_size

    def _check_complete(self):
        self.ensure_one()
        if not self.piece_ids:
            raise UserError(self.env._("%s has no piece that was looked at.", self.name))
        self._check_sample_whole()
        open_pieces = self.piece_ids.filtered(lambda p: p._is_open())
        if open_pieces:
            raise UserError(
                self.env._(
                    "%(name)s: piece %(number)s is still open. Pass it, or mark what is wrong with "
                    "it; a reading the plan insists on must be entered.",
                    name=self.name,
                    number=", ".join(str(n) for n in open_pieces.mapped("number")[:10]),
                )
            )
        unexplained = self.piece_ids.filtered(lambda p: p._lacks_reason())
        if unexplained:
            raise UserError(
                self.env._(
                    "%(name)s: piece %(number)s fails without a reason. Choose a defect, so that "
                    "its maker knows what to do better.",
                    name=self.name,
                    number=unexplained[0].number,
                )
            )

    def _check_sample_whole(self):
        """As many pieces as the plan asks for, and no more than there are."""
        self.ensure_one()
        if self.piece_count > judgement.piece_count(self.quantity):
            raise UserError(
                self.env._(
                    "%(name)s lists %(pieces)s pieces but only %(quantity)s were received. Remove "
                    "the lines that are no piece.",
                    name=self.name,
                    pieces=self.piece_count,
                    quantity=self.quantity,
                )
            )
        wanted = self._get_pieces_to_list()
        if self.piece_count < wanted:
            raise UserError(
                self.env._(
                    "%(name)s lists %(pieces)s pieces, but %(wanted)s are to be looked at. Cancel "
                    "the inspection and take it up again: all of them are listed then.",
                    name=self.name,
                    pieces=self.piece_count,
                    wanted=wanted,
                )
            )

    def _judge(self):
        self.ensure_one()
        try:
            return self._split()
        except ValueError as error:
            raise UserError(
                self.env._(
                    "The numbers of %(name)s do not fit one another: %(pieces)s pieces looked at, "
                    "%(failed)s failed, %(quantity)s received.",
                    name=self.name,
                    pieces=self.piece_count,
                    failed=self.failed_count,
                    quantity=self.quantity,
                )
            ) from error

    def _check_still_on_hold(self):
        """The quantities to move must still be on hold: a count may have corrected them."""
        held = self.filtered(lambda i: not i.workorder_id)
        # sudo: the count must be whole, whatever quants the inspector may see.
        quants = self.env["stock.quant"].sudo()
        groups = quants._read_group(
            [
                ("product_id", "in", held.product_id.ids),
                ("location_id", "in", held.location_id.ids),
            ],
            ["product_id", "location_id", "lot_id", "owner_id"],
            ["quantity:sum"],
        )
        on_hold = {tuple(r.id for r in group[:-1]): group[-1] for group in groups}
        for key, inspections in held.grouped(
            lambda i: (i.product_id.id, i.location_id.id, i.lot_id.id, i.owner_id.id)
        ).items():
            needed = sum(inspections.mapped("quantity"))
            found = on_hold.get(key, 0.0)
            if inspections.product_uom_id.compare(found, needed) < 0:
                raise UserError(
                    self.env._(
                        "%(name)s is about %(needed)s pieces, but only %(found)s are on hold in "
                        "%(location)s. Correct the count first.",
                        name=inspections[0].name,
                        needed=needed,
                        found=found,
                        location=inspections.location_id.display_name,
                    )
                )

    def _move_pieces(self):
        # sudo: only the superuser may tie a move to an inspection, which opens the gate; the
        # quantities and places come from the inspection, which its rights were checked on.
        moves = self.env["stock.move"].sudo()
        vals_list = [vals for inspection in self for vals in inspection._prepare_moves_vals()]
        moves = moves.create(vals_list)._action_done()
        moves.filtered(lambda m: not m.location_dest_id.soko_qc_role)._trigger_assign()

    def _prepare_moves_vals(self):
        self.ensure_one()
        if self.workorder_id:
            return []  # the pieces stay where they are: in production
        parts = [
            (self.qty_accepted, self.location_dest_id),
            (self.qty_rejected, self.rejected_location_id),
            (self.qty_rework, self._get_rework_location()),
        ]
        return [
            self._prepare_move_vals(quantity, self.location_id, destination)
            for quantity, destination in parts
            if self.product_uom_id.compare(quantity, 0) > 0
        ]

    def _prepare_move_vals(self, quantity, location, destination):
        """A move of pieces of this inspection, its line telling owner, lot and package."""
        self.ensure_one()
        common = {
            "product_id": self.product_id.id,
            "location_id": location.id,
            "location_dest_id": destination.id,
            "company_id": self.company_id.id,
            "picked": True,
        }
        in_package = self.package_id if location == self.location_id else self.package_id.browse()
        whole = self.product_uom_id.compare(quantity, self.quantity) == 0
        line = {
            **common,
            "product_uom_id": self.product_uom_id.id,
            "quantity": quantity,
            "lot_id": self.lot_id.id,
            "owner_id": self.owner_id.id,
            "package_id": in_package.id,
            "result_package_id": in_package.id if whole and not destination.soko_qc_role else False,
        }
        return {
            **common,
            "product_uom": self.product_uom_id.id,
            "product_uom_qty": quantity,
            "origin": self.name,
            # Push rules of the warehouse take accepted pieces on from there.
            "warehouse_id": destination.warehouse_id.id,
            "soko_inspection_id": self.id,
            "move_line_ids": [Command.create(line)],
        }

    def _post_decision(self):
        for inspection in self:
            codes = inspection.piece_ids.defect_ids.mapped("code")
            inspection.message_post(
                body=self.env._(
                    "%(accepted)s accepted, %(rejected)s rejected, %(rework)s for rework"
                    "%(defects)s.",
                    accepted=inspection.qty_accepted,
                    rejected=inspection.qty_rejected,
                    rework=inspection.qty_rework,
                    defects=f" ({', '.join(codes)})" if codes else "",
                )
            )

    # === RETURN TO THE OWNER === #

    def _get_return_moves(self):
        # sudo: whoever may see the inspection may see how far its return is.
        return self.sudo().move_ids.filtered(
            lambda m: m.picking_id and m.state != "cancel" and m.location_id.soko_qc_role
        )

    def _get_qty_to_return(self):
        self.ensure_one()
        return 0.0 if self.workorder_id else self.qty_rejected - self.qty_returned

    def _get_return_picking_type(self):
        self.ensure_one()
        warehouse = self._get_quality_warehouse()
        if not warehouse.soko_qc_return_type_id:
            # sudo: an inspector may return pieces but not set up operation types.
            warehouse.sudo()._soko_qc_set_up()
        return warehouse.soko_qc_return_type_id

    def _create_return(self, partner, picking_type):
        destination = partner.property_stock_supplier or self.env.ref(
            "stock.stock_location_suppliers"
        )
        # sudo: for the same reason as in _move_pieces.
        pickings = self.env["stock.picking"].sudo()
        picking = pickings.create(
            {
                "partner_id": partner.id,
                "picking_type_id": picking_type.id,
                "location_id": self.rejected_location_id[:1].id,
                "location_dest_id": destination.id,
                "company_id": self.company_id.id,
                "origin": ", ".join(self.mapped("name")),
            }
        )
        picking.move_ids = [
            Command.create(inspection._prepare_return_move_vals(picking)) for inspection in self
        ]
        picking.action_confirm()
        return self.env["stock.picking"].browse(picking.id)

    def _prepare_return_move_vals(self, picking):
        self.ensure_one()
        vals = self._prepare_move_vals(
            self._get_qty_to_return(), self.rejected_location_id, picking.location_dest_id
        )
        extra = {"picking_id": picking.id, "picked": False}
        for command in vals["move_line_ids"]:
            command[2].update(extra)
        return {
            **vals,
            **extra,
            "picking_type_id": picking.picking_type_id.id,
            "origin_returned_move_id": self.move_line_id.move_id.id,
        }

    def _get_pickings_action(self, pickings):
        action = self.env["ir.actions.act_window"]._for_xml_id("stock.action_picking_tree_all")
        action.update(domain=[("id", "in", pickings.ids)], context={})
        if len(pickings) == 1:
            action.update(res_id=pickings.id, views=[(False, "form")])
        return action
