from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..tools.replenish import quantity_to_ask

OPEN_STATES = ("requested", "accepted")


class SokoReplenishment(models.Model):
    """We ask an artisan to bring more of a piece, because some have just left."""

    _name = "soko.replenishment"
    _description = "Replenishment Request"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")
    artisan_id = fields.Many2one("soko.artisan", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="artisan_id.company_id", store=True, index=True)
    product_id = fields.Many2one(
        "product.product", required=True, index=True, ondelete="restrict", check_company=True
    )
    quantity = fields.Float(digits="Product Unit", required=True)
    quantity_done = fields.Float(
        string="Brought", digits="Product Unit", readonly=True, copy=False
    )
    quantity_promised = fields.Float(
        string="Promised",
        digits="Product Unit",
        readonly=True,
        copy=False,
        help="What the artisan said she will bring; the rest is not expected.",
    )
    quantity_expected = fields.Float(
        string="Expected",
        digits="Product Unit",
        compute="_compute_quantity_expected",
        store=True,
        help="Pieces still to come: what is asked for, or promised once she has answered, less "
        "what was brought.",
    )
    due_date = fields.Date(string="Bring by")
    asked_date = fields.Date(string="Asked by", readonly=True, copy=False)
    reminder_date = fields.Date(string="Reminded on", readonly=True, copy=False)
    escalation_date = fields.Date(string="Office told on", readonly=True, copy=False)
    state = fields.Selection(
        [
            ("requested", "Requested"),
            ("accepted", "Accepted"),
            ("declined", "Declined"),
            ("done", "Brought"),
        ],
        required=True,
        default="requested",
        copy=False,
        tracking=True,
    )
    answer_date = fields.Datetime(string="Answered on", readonly=True, copy=False)
    picking_id = fields.Many2one(
        "stock.picking",
        string="Because of",
        index="btree_not_null",
        groups="base.group_user",
        help="The delivery that took the pieces which are to be replaced.",
    )

    _quantity_positive = models.Constraint(
        "CHECK (quantity > 0)", "Ask for at least one piece."
    )

    # === COMPUTE METHODS === #

    @api.depends("quantity", "quantity_promised", "quantity_done", "state")
    def _compute_quantity_expected(self):
        for request in self:
            wanted = {
                "requested": request.quantity,
                "accepted": request.quantity_promised or request.quantity,
            }.get(request.state, 0)
            request.quantity_expected = max(wanted - request.quantity_done, 0)

    # === CONSTRAINTS === #

    @api.constrains("state", "artisan_id")
    def _check_stage(self):
        open_requests = self.filtered(lambda request: request.state in OPEN_STATES)
        open_requests.artisan_id._check_stage_allows("replenishment")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = self.env["ir.sequence"].next_by_code("soko.replenishment")
        return super().create(vals_list)

    # === ACTION METHODS === #

    def action_accept(self):
        """Note that the artisan will bring the pieces."""
        self.check_access("write")
        self._answer("accepted")

    def action_decline(self):
        """Note that the artisan can't bring the pieces."""
        self.check_access("write")
        self._answer("declined")

    # === BUSINESS METHODS === #

    def _answer(self, state, quantity=None, date=None):
        """Write the artisan's answer down, once.

        :param str state: "accepted" or "declined"
        :param float quantity: pieces she will bring; None for all
        :param date: day on which she brings them; None for the day asked for
        :raise UserError: the request was answered or closed before, or the answer is impossible
        """
        self.lock_for_update()
        for request in self:
            if request.state != "requested":
                raise UserError(
                    self.env._(
                        "%(name)s was answered already: %(state)s.",
                        name=request.name,
                        state=request._get_state_text(),
                    )
                )
        for request in self:
            request.write(request._prepare_answer_vals(state, quantity, date))
            request.activity_unlink(["mail.mail_activity_data_todo"])

    def _prepare_answer_vals(self, state, quantity, date):
        """Return the values of an answer.

        :raise UserError: a count that is not whole, below one or above what is asked for, or a
            day that is over
        """
        self.ensure_one()
        vals = {"state": state, "answer_date": fields.Datetime.now()}
        if state == "declined":
            return vals
        quantity = self.quantity if quantity is None else quantity
        if quantity != int(quantity) or not 1 <= quantity <= self.quantity:
            raise UserError(
                self.env._(
                    "Say a whole number of pieces from 1 to %(most)s.", most=f"{self.quantity:g}"
                )
            )
        if date and date < self.env.company._soko_today():
            raise UserError(self.env._("That day is over. Choose today or a later day."))
        if date and date != self.due_date:
            vals |= {"asked_date": self.due_date, "due_date": date}
        return vals | {"quantity_promised": quantity}

    def _get_state_text(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    @api.model
    def _create_from_settlement_lines(self, lines):
        """Ask the makers of sold pieces for new ones, as their agreements in force say.

        A fixed number of queries for any number of lines. A plated piece asks for the raw one:
        the product is the one of the agreement that the pieces were dropped off under.

        :param lines: new `soko.settlement.line` records
        :return: the requests made
        """
        shipped, pickings = self._get_shipped(lines)
        agreement_lines = lines.artisan_id._get_running_agreement_lines().filtered(
            lambda al: (al.artisan_id, al.product_id) in shipped
        )
        if not agreement_lines:
            return self.browse()
        in_stock = self._get_in_stock(agreement_lines.artisan_id)
        asked = self._get_asked(agreement_lines.artisan_id)
        vals_list = []
        for agreement_line in agreement_lines:
            key = agreement_line.artisan_id, agreement_line.product_id
            quantity = quantity_to_ask(
                in_stock[key],
                asked[key],
                shipped[key],
                agreement_line.min_stock,
                agreement_line.target_stock,
            )
            if quantity > 0:
                vals_list.append(
                    self._prepare_request_vals(agreement_line, quantity, pickings[key])
                )
        requests = self.create(vals_list)
        requests._notify_requested()
        return requests

    @api.model
    def _get_shipped(self, lines):
        """Return ({(artisan, product): pieces}, {(artisan, product): picking}) of `lines`."""
        shipped, pickings = defaultdict(float), {}
        for line in lines:
            product = line.lot_id.soko_agreement_line_id.product_id or line.product_id
            shipped[line.artisan_id, product] += line.quantity
            pickings[line.artisan_id, product] = line.picking_id
        return shipped, pickings

    @api.model
    def _get_in_stock(self, artisans):
        """Return {(artisan, agreed product): pieces in the house}."""
        groups = self.env["stock.quant"]._read_group(
            [
                ("lot_id.soko_artisan_id", "in", artisans.ids),
                ("owner_id", "in", artisans.partner_id.ids),
                ("location_id.usage", "in", ("internal", "transit")),
            ],
            ["lot_id"],
            ["quantity:sum"],
        )
        in_stock = defaultdict(float)
        for lot, quantity in groups:
            product = lot.soko_agreement_line_id.product_id or lot.product_id
            in_stock[lot.soko_artisan_id, product] += quantity
        return in_stock

    @api.model
    def _get_asked(self, artisans):
        """Return {(artisan, product): pieces asked for and not brought yet}."""
        groups = self._read_group(
            [("artisan_id", "in", artisans.ids), ("state", "in", OPEN_STATES)],
            ["artisan_id", "product_id"],
            ["quantity_expected:sum"],
        )
        asked = defaultdict(float)
        for artisan, product, quantity in groups:
            asked[artisan, product] = quantity
        return asked

    @api.model
    def _prepare_request_vals(self, agreement_line, quantity, picking):
        """Return the values of one request under an agreement line in force."""
        days = agreement_line.agreement_id.replenish_days
        return {
            "artisan_id": agreement_line.artisan_id.id,
            "product_id": agreement_line.product_id.id,
            "quantity": quantity,
            "due_date": self.env.company._soko_today() + timedelta(days=days),
            "picking_id": picking.id,
        }

    def _notify_requested(self):
        """Tell each artisan about her request, by text message and e-mail."""
        for request in self:
            in_her_words = request.with_context(lang=request.artisan_id.partner_id.lang)
            request.artisan_id._tell(in_her_words._get_request_text(), request)

    @api.model
    def _cron_remind(self):
        """Ask those who are silent once more, and then tell the office, once each."""
        today = self.env.company._soko_today()
        for company in self.env["res.company"].search([("soko_reminder_days", ">", 0)]):
            silent_since = today - timedelta(days=company.soko_reminder_days)
            silent = self.search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "requested"),
                    ("escalation_date", "=", False),
                ]
            )
            silent.filtered(
                lambda r, since=silent_since: r.reminder_date and r.reminder_date <= since
            )._tell_office()
            silent.filtered(
                lambda r, since=silent_since: not r.reminder_date and r._get_asked_on() <= since
            )._remind()

    def _get_asked_on(self):
        """Return the day on which the artisan was asked."""
        self.ensure_one()
        return fields.Datetime.context_timestamp(self, self.create_date).date()

    def _remind(self):
        """Ask the artisans again, in their language."""
        for request in self:
            request.reminder_date = self.env.company._soko_today()
            in_her_words = request.with_context(lang=request.artisan_id.partner_id.lang)
            request.artisan_id._tell(in_her_words._get_reminder_text(), request)

    def _get_reminder_text(self):
        """Return the reminder, in the language of the context."""
        self.ensure_one()
        return self.env._(
            "Soko: we have no answer yet. Can you bring %(quantity)s %(product)s by %(date)s? "
            "All, some, another day or no, answer here: %(url)s",
            **self._get_text_values(),
        )

    def _tell_office(self):
        """Leave an activity: somebody should call the artisan."""
        for request in self:
            request.escalation_date = self.env.company._soko_today()
            line = request.artisan_id._get_running_agreement_lines().filtered(
                lambda al, product=request.product_id: al.product_id == product
            )[:1]
            request.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("No answer: call %s", request.artisan_id.name),
                user_id=(line.agreement_id.user_id or self.env.user).id,
            )

    def _get_request_text(self):
        """Return the text message, in the language of the context."""
        self.ensure_one()
        return self.env._(
            "Soko: your %(product)s sold. Please bring %(quantity)s more by %(date)s. "
            "Answer here: %(url)s",
            **self._get_text_values(),
        )

    def _get_text_values(self):
        """Return what is asked for, by when and where to answer, as the messages say it."""
        self.ensure_one()
        return {
            "product": self.product_id.display_name,
            "quantity": f"{self.quantity:g}",
            "date": format_date(self.env, self.due_date, date_format="d MMMM"),
            "url": f"{self.get_base_url()}/my/artisan",
        }

    @api.model
    def _note_brought(self, artisan, product, quantity):
        """Count dropped off pieces against the artisan's open requests, the oldest first."""
        requests = self.search(
            [
                ("artisan_id", "=", artisan.id),
                ("product_id", "=", product.id),
                ("state", "in", OPEN_STATES),
            ],
            order="id",
        )
        for request in requests:
            taken = min(quantity, request.quantity_expected)
            if taken <= 0:
                break
            quantity -= taken
            request.quantity_done += taken
            if product.uom_id.is_zero(request.quantity_expected):
                request.state = "done"
                request.activity_unlink(["mail.mail_activity_data_todo"])
