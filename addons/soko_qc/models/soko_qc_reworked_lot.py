from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from ..tools import judgement
from .soko_qc_plan import DEFAULT_REWORK_LIMIT


class SokoQcReworkedLot(models.AbstractModel):
    """Pieces that go back to be mended, and come back to be looked at anew.

    They wait in the rework location, are handed out to who mends them (a location of its own, so
    that a count knows where they are) and come back on hold, under an inspection of their own.
    """

    _name = "soko.qc.reworked.lot"
    _description = "Lot With Pieces for Rework"

    reworked_from_id = fields.Many2one(
        "soko.qc.inspection",
        "Mended After",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The inspection that gave these pieces back to be mended.",
    )
    rework_ids = fields.One2many("soko.qc.inspection", "reworked_from_id", "Looked at Again")
    rework_inspection_count = fields.Integer(compute="_compute_rework_inspection_count")
    rework_round = fields.Integer(
        "Times Mended", readonly=True, copy=False, help="How often these pieces were mended."
    )
    qty_rework = fields.Float("For Rework", digits="Product Unit", readonly=True, copy=False)
    qty_handed_out = fields.Float("Handed Out", digits="Product Unit", readonly=True, copy=False)
    qty_rework_back = fields.Float("Back", digits="Product Unit", readonly=True, copy=False)
    rework_state = fields.Selection(
        [("waiting", "To hand out"), ("out", "Being mended"), ("back", "Back")],
        "Rework",
        compute="_compute_rework_state",
        store=True,
    )

    # === COMPUTE METHODS === #

    @api.depends("rework_ids")
    def _compute_rework_inspection_count(self):
        for lot in self:
            lot.rework_inspection_count = len(lot.rework_ids)

    @api.depends("qty_rework", "qty_handed_out", "qty_rework_back")
    def _compute_rework_state(self):
        for lot in self:
            if not lot.qty_rework:
                lot.rework_state = False
            elif lot._get_qty_to_hand_out() > 0:
                lot.rework_state = "waiting"
            else:
                lot.rework_state = "out" if lot._get_qty_being_mended() > 0 else "back"

    # === ACTIONS === #

    def action_hand_out(self):
        """Hand the pieces that wait for rework to who mends them.

        :raises UserError: when nothing waits, or the pieces are not there
        """
        self._check_state("done", self.env._("hand out pieces of"))
        self._lock_for_decision()
        todo = self.filtered(lambda i: i._get_qty_to_hand_out() > 0)
        if not todo:
            raise UserError(
                self.env._(
                    "There is nothing to hand out: no piece waits for rework. Pieces that were "
                    "handed out come back with 'Back From Rework'."
                )
            )
        for lot in todo:
            lot._hand_out(lot._get_qty_to_hand_out())
        return True

    def action_rework_back(self):
        """Open the small form that takes mended pieces back."""
        self.ensure_one()
        self._check_state("done", self.env._("take back pieces of"))
        action = self.env["ir.actions.act_window"]._for_xml_id("soko_qc.soko_qc_rework_back_action")
        return dict(action, context={"default_inspection_id": self.id})

    def action_view_rework(self):
        return self.rework_ids._get_records_action(name=self.env._("Looked at Again"))

    # === LIMIT === #

    def _get_rework_limit(self):
        self.ensure_one()
        return self.plan_id.rework_limit if self.plan_id else DEFAULT_REWORK_LIMIT

    def _check_may_rework(self):
        """Refuse to give pieces back once more than the plan allows.

        :raises UserError: when these pieces were mended as often as the plan allows
        """
        self.ensure_one()
        limit = self._get_rework_limit()
        if self.rework_round >= limit:
            raise UserError(
                self.env._(
                    "Pieces of %(name)s can't go back to be mended: they were mended %(round)s "
                    "times and %(limit)s is the limit. Let the piece pass, or reject it.",
                    name=self.name,
                    round=self.rework_round,
                    limit=limit,
                )
            )

    def _is_sampled(self):
        # What was mended is looked at piece by piece, and is no new lot of its maker.
        return not self.reworked_from_id and super()._is_sampled()

    # === QUANTITIES AND PLACES === #

    def _get_qty_to_hand_out(self):
        self.ensure_one()
        return self.product_uom_id.round(self.qty_rework - self.qty_handed_out)

    def _get_qty_being_mended(self):
        self.ensure_one()
        return self.product_uom_id.round(self.qty_handed_out - self.qty_rework_back)

    def _get_quality_warehouse(self):
        """The warehouse whose quality locations these pieces use."""
        self.ensure_one()
        picking_type = self.move_line_id.move_id.picking_type_id
        return (picking_type or self.production_id.picking_type_id).warehouse_id

    def _get_rework_location(self):
        warehouse = self._get_quality_warehouse()
        if not warehouse.soko_qc_rework_location_id:
            # sudo: an inspector may hand out pieces but not set up locations.
            warehouse.sudo()._soko_qc_set_up()
        return warehouse.soko_qc_rework_location_id

    def _get_handed_out_location(self):
        self._get_rework_location()
        return self._get_quality_warehouse().soko_qc_rework_out_location_id

    # === STEPS === #

    def _hand_out(self, quantity):
        self.ensure_one()
        self._move_for_rework(
            quantity, self._get_rework_location(), self._get_handed_out_location()
        )
        # sudo: the quantity is written by this step alone; the caller checked the right.
        self.sudo().qty_handed_out += quantity
        self.activity_feedback(["soko_qc.mail_activity_type_rework"])
        self.message_post(
            body=self.env._(
                "%(quantity)s pieces handed out to be mended%(whom)s.",
                quantity=f"{quantity:g}",
                whom=f" ({self.partner_id.name})" if self.partner_id else "",
            )
        )

    def _take_back(self, quantity):
        """Put mended pieces on hold again, under an inspection of their own.

        :param float quantity: pieces that came back
        :return: the new inspection
        :raises UserError: for more pieces than were handed out, or a quantity that is not positive
        """
        self.ensure_one()
        self._check_state("done", self.env._("take back pieces of"))
        self._lock_for_decision()
        mended = self._get_qty_being_mended()
        compare = self.product_uom_id.compare
        if compare(quantity, 0) <= 0 or compare(quantity, mended) > 0:
            raise UserError(
                self.env._(
                    "%(quantity)s pieces can't come back to %(name)s: %(mended)s are handed out. "
                    "Enter how many of those came back.",
                    quantity=f"{quantity:g}",
                    name=self.name,
                    mended=f"{mended:g}",
                )
            )
        self._move_for_rework(quantity, self._get_handed_out_location(), self.location_id)
        # sudo: inspections are made by the steps that put pieces on hold, never by hand.
        lot = self.sudo()
        lot.qty_rework_back += quantity
        return self.browse(lot.create(lot._prepare_rework_vals(quantity)).id)

    def _prepare_rework_vals(self, quantity):
        self.ensure_one()
        kept = (
            "company_id", "product_id", "lot_id", "owner_id", "partner_id", "picking_id",
            "move_line_id", "workorder_id", "location_id", "location_dest_id",
            "rejected_location_id", "plan_id",
        )  # fmt: skip
        return {
            **{name: self[name].id for name in kept},
            "quantity": quantity,
            "reworked_from_id": self.id,
            "rework_round": self.rework_round + 1,
        }

    def _move_for_rework(self, quantity, location, destination):
        self.ensure_one()
        if self.workorder_id:
            return  # the pieces stay where they are: in production
        # sudo: the count must be whole, whatever quants the inspector may see.
        quants = self.env["stock.quant"].sudo()._gather(
            self.product_id, location, lot_id=self.lot_id, owner_id=self.owner_id, strict=True
        )
        found = sum(quants.mapped("quantity"))
        if self.product_uom_id.compare(found, quantity) < 0:
            raise UserError(
                self.env._(
                    "%(name)s is about %(needed)s pieces, but only %(found)s are in %(location)s. "
                    "Correct the count first.",
                    name=self.name,
                    needed=f"{quantity:g}",
                    found=f"{found:g}",
                    location=location.display_name,
                )
            )
        # sudo: only the superuser may tie a move to an inspection, which opens the gate; what
        # moves comes from the inspection, whose rights the caller checked.
        moves = self.env["stock.move"].sudo()
        moves.create(self._prepare_move_vals(quantity, location, destination))._action_done()

    # === MESSAGES === #

    def _tell_about_rework(self):
        for lot in self:
            lot.activity_schedule(
                "soko_qc.mail_activity_type_rework",
                user_id=(lot.user_id or self.env.user).id,
                note=lot._get_rework_text(),
            )
            told = lot.partner_id.filtered("email")
            lot.message_post(
                body=lot._get_rework_text(),
                partner_ids=told.ids,
                subtype_xmlid="mail.mt_comment" if told else "mail.mt_note",
            )

    def _get_rework_text(self):
        """How many pieces go back, and what is wrong with them."""
        self.ensure_one()
        return self.env._(
            "%(quantity)s of %(total)s %(product)s can be mended: %(reasons)s.",
            quantity=f"{self.qty_rework:g}",
            total=f"{self.quantity:g}",
            product=self.product_id.display_name,
            reasons=format_list(self.env, self._get_rework_reasons()),
        )

    def _get_rework_reasons(self):
        """Defects and failed criteria of the pieces that go back, each once."""
        self.ensure_one()
        pieces = self.piece_ids.filtered(lambda p: p.result == judgement.REWORK)
        failed = pieces.result_ids.filtered(lambda r: r.verdict == judgement.FAIL)
        return list(dict.fromkeys([*pieces.defect_ids.mapped("name"), *failed.mapped("name")]))
