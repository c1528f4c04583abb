from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

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
    due_date = fields.Date(string="Bring by")
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

    def _answer(self, state):
        """Write the artisan's answer down, once.

        :param str state: "accepted" or "declined"
        :raise UserError: the request was answered or closed before
        """
        for request in self:
            if request.state != "requested":
                raise UserError(
                    self.env._(
                        "%(name)s was answered already: %(state)s.",
                        name=request.name,
                        state=request._get_state_text(),
                    )
                )
        self.write({"state": state, "answer_date": fields.Datetime.now()})

    def _get_state_text(self):
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    @api.model
    def _create_from_settlement_lines(self, lines):
        """Ask the makers of sold pieces for new ones, as their agreements say.

        :param lines: new `soko.settlement.line` records
        :return: the requests made
        """
        shipped = {}
        for line in lines:
            product = line.lot_id.soko_agreement_line_id.product_id or line.product_id
            key = line.artisan_id, product
            shipped[key] = shipped.get(key, 0) + line.quantity, line.picking_id
        return self.browse()

    @api.model
    def _prepare_request_vals(self, agreement_line, quantity, picking):
        """Return the values of one request under an agreement line in force."""
        days = agreement_line.agreement_id.replenish_days
        return {
            "artisan_id": agreement_line.artisan_id.id,
            "product_id": agreement_line.product_id.id,
            "quantity": quantity,
            "due_date": fields.Date.context_today(self) + timedelta(days=days),
            "picking_id": picking.id,
        }
