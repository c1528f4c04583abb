from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, LockError, UserError

from ..const import OFFICER
from ..tools.receipt import CLOCK_SKEW

RECEIVED_VIA = [
    ("shopper", "The shopper said so"),
    ("staff", "Staff"),
    ("carrier", "The carrier"),
    ("timeout", "Time has passed"),
]


class StockPicking(models.Model):
    _inherit = "stock.picking"

    soko_artisan_id = fields.Many2one(
        "soko.artisan",
        string="Artisan",
        index="btree_not_null",
        check_company=True,
        help="Who dropped these pieces off.",
    )
    soko_received_date = fields.Datetime(
        string="Received by the shopper on", readonly=True, copy=False
    )
    soko_received_via = fields.Selection(
        RECEIVED_VIA, string="Known from", readonly=True, copy=False
    )

    soko_receipt_event_ids = fields.One2many(
        "soko.receipt.event", "picking_id", string="Who said so", readonly=True, groups=OFFICER
    )
    soko_receipt_event_count = fields.Integer(
        compute="_compute_soko_receipt_event_count", groups=OFFICER
    )
    soko_return_reason = fields.Char(
        string="Why they go back", readonly=True, copy=False, help="Said to the owner."
    )

    @api.depends("soko_receipt_event_ids")
    def _compute_soko_receipt_event_count(self):
        for picking in self:
            picking.soko_receipt_event_count = len(picking.soko_receipt_event_ids)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_received_vals(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._soko_check_received_vals(vals)
        other_owner = self.filtered(
            lambda p: "owner_id" in vals
            and p.owner_id.id != vals["owner_id"]
            and p.location_id._soko_is_house()
        )
        res = super().write(vals)
        other_owner._soko_reserve_again()
        return res

    def _soko_reserve_again(self):
        """The owner was changed: what is reserved of others is given back, and theirs taken.

        Pieces that somebody picked already stay as they are; validating them is refused when the
        new owner hasn't got them.
        """
        moves = self.move_ids.filtered(
            lambda m: m.state in ("assigned", "partially_available") and not m.picked
        )
        if moves:
            moves._do_unreserve()
            moves._action_assign()

    @api.model
    def _soko_check_received_vals(self, vals):
        """`readonly` keeps no RPC call away: a date alone would leave the artisans unpaid."""
        if not self.env.su and ("soko_received_date" in vals or "soko_received_via" in vals):
            raise AccessError(self.env._('Press "Received by the shopper" on the delivery.'))

    def action_soko_mark_received(self):
        """Staff know that the shopper has the parcel: ask when, and how they know."""
        self._soko_check_may_note()
        for picking in self:
            picking._soko_check_receivable()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_receipt_note_action"
        )
        action["context"] = {"default_picking_ids": self.ids}
        return action

    def action_soko_view_receipt_events(self):
        """Open what was said about the receipt of this delivery."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "soko_artisan.soko_receipt_event_action"
        )
        action["domain"] = [("picking_id", "=", self.id)]
        action["context"] = {}
        return action

    def _soko_check_may_note(self):
        """Refuse whoever may not say that a shopper has these parcels."""
        if not self.env.user.has_group(OFFICER):
            raise AccessError(
                self.env._("Only artisan officers can say that a shopper has received a parcel.")
            )
        self.check_access("write")

    def _soko_check_receivable(self, date=None):
        """Refuse to note by hand what can't be, or is noted already.

        :param datetime.datetime date: when the shopper had the parcel; now when not given
        :raise UserError: what is wrong, and what to do
        """
        self.ensure_one()
        if self.soko_received_date:
            raise UserError(
                self.env._(
                    "%(name)s is noted as received on %(date)s already. Known from: %(via)s. "
                    "Nothing was changed.",
                    name=self.name,
                    date=self.company_id._soko_day_of(self.soko_received_date),
                    via=self._soko_get_via_label(self.soko_received_via),
                )
            )
        if not self.filtered_domain(self._soko_get_received_domain()):
            raise UserError(
                self.env._(
                    "%(name)s is not a delivery that was sent to a shopper. Open the delivery of "
                    "the shopper's order, and validate it first when it has left.",
                    name=self.name,
                )
            )
        if refusal := self._soko_get_receipt_refusal("staff", date or fields.Datetime.now()):
            Event = self.env["soko.receipt.event"]
            labels = dict(Event._fields["refusal"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(name)s can't be received then: %(reason)s. Put the time right.",
                    name=self.name,
                    reason=labels[refusal].lower(),
                )
            )

    def action_soko_print_labels(self):
        """Print one label for each lot of these drop-offs."""
        return self.env.ref("soko_artisan.action_report_drop_off_label").report_action(
            self.move_line_ids.lot_id, config=False
        )

    def action_soko_print_return(self):
        """Print what the owner signs for pieces that are handed back."""
        return self.env.ref("soko_artisan.action_report_return_receipt").report_action(
            self, config=False
        )

    @api.model
    def _soko_get_received_domain(self):
        return [
            ("state", "=", "done"),
            ("picking_type_code", "=", "outgoing"),
            ("location_dest_id.usage", "=", "customer"),
            ("soko_received_date", "=", False),
        ]

    @api.model
    def _soko_get_tracking_domain(self, tracking_ref):
        """Return the domain of deliveries that a carrier's number stands for.

        Hook. Default: our own number of the delivery, which carriers print as their customer's
        reference. Where deliveries keep the carrier's number, call `super()` and add it with "or".
        """
        return [("name", "=", tracking_ref)]

    def _soko_filtered_order(self, order):
        """Return those of these deliveries that belong to an order, by its number."""
        return self.filtered(lambda p: order in (p.sale_id.name, p.origin))

    def _soko_get_receipt_refusal(self, via, date):
        """Return why a receipt can't be true, or an empty string.

        People may say that a parcel of a cancelled order arrived, machines may not: they would
        pay the maker of a piece that is on its way back.

        :param str via: see :meth:`_soko_mark_received`
        :param datetime.datetime date: when the shopper is said to have had it
        :return: a value of `soko.receipt.event.refusal`
        """
        self.ensure_one()
        if self.state == "cancel":
            return "cancelled"
        if date > fields.Datetime.now() + CLOCK_SKEW:
            return "future"
        company = self.company_id
        # By days: a parcel that left by hand at noon may be validated in the evening.
        if company._soko_day_of(date) < self._soko_get_shipped_day():
            return "before_shipped"
        if via not in ("carrier", "timeout"):
            return ""
        if self.sale_id.state == "cancel":
            return "cancelled"
        return "returned" if self._soko_all_came_back() else ""

    def _soko_get_shipped_day(self):
        """Return the day on which this delivery was validated, where the company is.

        A delivery whose moves were finished one by one knows it from them only.

        :rtype: datetime.date
        """
        self.ensure_one()
        shipped = self.date_done or max(self.move_ids.mapped("date"))
        return self.company_id._soko_day_of(shipped)

    def _soko_all_came_back(self):
        """Tell whether each piece of this delivery was sent back to us."""
        sent = self.move_ids.filtered(lambda m: m.state == "done")
        back = sent.returned_move_ids.filtered(lambda m: m.state == "done")
        return bool(back) and all(
            move.product_id.uom_id.compare(
                sum((back & move.returned_move_ids).mapped("product_qty")), move.product_qty
            ) >= 0
            for move in sent
        )

    def _soko_get_via_label(self, via):
        return dict(self._fields["soko_received_via"]._description_selection(self.env))[via]

    def _soko_mark_received(self, via, date=None, **facts):
        """Note that the shopper has these parcels, and make what depends on it due.

        Idempotent: a parcel counts once, whoever says it and how often; the same source may repeat
        itself. What is said later, or can't be true, is kept as evidence and has no effect.
        Deliveries only that are done (a carrier may also speak of cancelled ones, and is refused);
        anything else is passed over.

        :param str via: one of "shopper", "staff", "carrier", "timeout"
        :param datetime.datetime date: when the shopper had it (UTC); now when not given
        :param facts: values of the `soko.receipt.event`: `reference` of the event at its source,
            `evidence` word for word, `tracking_ref`, `token_id`, `user_id`, `partner_id`, `address`
        :return: the pickings that were not noted as received before
        """
        # sudo: the shopper's link and the carrier have no account; the ledger has no writers
        pickings = self.sudo()
        try:
            pickings.lock_for_update(allow_referencing=True)
        except LockError as error:
            # Two taps at once: Odoo runs the later one again, which then finds it noted.
            raise ConcurrencyError(str(error)) from error
        date = date or fields.Datetime.now()
        events = pickings._soko_filtered_news(via, facts.get("reference"))._soko_write_events(
            {"source": via, "date": date, **facts}
        )
        counted = events.filtered(lambda e: e.outcome == "counted").picking_id
        counted.write({"soko_received_date": date, "soko_received_via": via})
        events._log_in_chatter()
        lines = self.env["soko.settlement.line"].sudo().search([("picking_id", "in", counted.ids)])
        lines._make_due()
        return self.browse(counted.ids)

    def _soko_filtered_news(self, via, reference):
        """Return the deliveries that a source may speak of and hasn't, under this reference."""
        states = ("done", "cancel") if via == "carrier" else ("done",)
        news = self.filtered(
            lambda p: p.state in states
            and p.picking_type_code == "outgoing"
            and p.location_dest_id.usage == "customer"
        )
        told = self.env["soko.receipt.event"].sudo().search(  # sudo: as in _soko_mark_received
            [
                ("picking_id", "in", news.ids),
                ("source", "=", via),
                ("reference", "=", reference or False),
            ]
        )
        return news - told.picking_id

    def _soko_write_events(self, vals):
        """Write down what a source says of each of these deliveries, and what comes of it."""
        vals_list = []
        for picking in self:
            refusal = picking._soko_get_receipt_refusal(vals["source"], vals["date"])
            known = "known" if picking.soko_received_date else "counted"
            vals_list.append(
                {
                    **vals,
                    "picking_id": picking.id,
                    "outcome": "refused" if refusal else known,
                    "refusal": refusal or False,
                }
            )
        # sudo: events have no writers; the shopper and the carrier have no account
        return self.env["soko.receipt.event"].sudo().create(vals_list)
