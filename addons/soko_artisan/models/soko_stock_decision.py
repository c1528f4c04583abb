from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import MANAGER

# What a decision leaves behind as a debt.
DEBT_KINDS = {"scrap": "loss", "loss": "loss", "use": "use", "gone": "loss"}


class SokoStockDecision(models.Model):
    """What became of an owner's pieces that left the house unsold, and who decided it.

    A journal: machines write it while the pieces move, people read it.
    """

    _name = "soko.stock.decision"
    _description = "Decision on Pieces of an Owner"
    _order = "id desc"
    _allow_sudo_commands = False

    name = fields.Char(string="Number", required=True, readonly=True, default="/")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    owner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="restrict"
    )
    artisan_id = fields.Many2one(
        "soko.artisan", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    product_id = fields.Many2one(
        "product.product", required=True, readonly=True, index=True, ondelete="restrict"
    )
    lot_id = fields.Many2one(
        "stock.lot", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    quantity = fields.Float(digits="Product Unit", required=True, readonly=True)
    value = fields.Monetary(
        readonly=True, help="What the pieces would earn their owner at the agreed price."
    )
    cause = fields.Selection(
        [
            ("scrap", "Scrapped"),
            ("loss", "Missing at a count"),
            ("found", "Found at a count"),
            ("use", "Used in production"),
            ("gone", "Left the house"),
            ("return", "Handed back"),
        ],
        string="What happened",
        required=True,
        readonly=True,
    )
    action = fields.Selection(
        [
            ("pay", "Pay the owner"),
            ("write_off", "Write off against the owner"),
            ("return", "Return to the owner"),
            ("keep", "Theirs again"),
        ],
        string="Decision",
        required=True,
        readonly=True,
        help="Theirs again: found pieces stand in the owner's name; what was paid for their loss "
        "is taken back.",
    )
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Decided by",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
        groups="base.group_user",
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    move_line_id = fields.Many2one(
        "stock.move.line",
        string="Move line",
        required=True,
        readonly=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    settlement_line_id = fields.Many2one(
        "soko.settlement.line", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    _move_line_uniq = models.UniqueIndex(
        "(move_line_id)", "What becomes of these pieces was decided already."
    )
    _reason_given = models.Constraint(
        "CHECK (action <> 'write_off' OR length(trim(coalesce(reason, ''))) > 0)",
        "Say why the owner gets nothing for these pieces.",
    )

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Decisions on an owner's pieces are evidence and are never deleted.")
        )

    # === BUSINESS METHODS === #

    @api.model
    def _record(self, move_lines):
        """Write down what becomes of owners' pieces that left, or came back, unsold.

        Hooked into the moment the stock changes, so that no app goes round it. Whoever moved the
        pieces said what becomes of them (see :meth:`stock.move._soko_get_decision`); where a
        machine moved them, the company's policy decides.

        :param move_lines: done `stock.move.line` records of owned pieces, see `_soko_get_cause`
        :return: the new decisions
        :raise AccessError: a write-off by somebody who is no artisan manager
        :raise UserError: the company refuses moves that nobody decided on
        """
        artisans = self.env["soko.settlement.line"]._find_artisans(move_lines)
        vals_list = [
            self._prepare_decision_vals(line, artisans.get(line)) for line in move_lines
        ]
        decisions = self.create(vals_list)
        decisions._make_debts()
        for decision in decisions.filtered(lambda d: d.action == "keep"):
            decision._take_back_loss()
        return decisions

    @api.model
    def _prepare_decision_vals(self, line, artisan):
        """Return the values of the decision on one done move line."""
        cause = line._soko_get_cause()
        action, reason = self._choose_action(line, cause)
        Line = self.env["soko.settlement.line"]
        price = Line._prepare_unsold_price_vals(line)["price_unit"]
        company = line.company_id
        return {
            "name": self.env["ir.sequence"]
            .with_company(company)
            .next_by_code("soko.stock.decision"),
            "company_id": company.id,
            "owner_id": line.owner_id.id,
            "artisan_id": artisan.id if artisan else False,
            "product_id": line.product_id.id,
            "lot_id": line.lot_id.id,
            "quantity": line.quantity_product_uom,
            "value": company.currency_id.round(price * line.quantity_product_uom),
            "cause": cause,
            "action": action,
            "reason": reason,
            "move_line_id": line.id,
        }

    @api.model
    def _choose_action(self, line, cause):
        """Return (action, reason) for pieces that left or came back in this way."""
        if cause == "return":
            return "return", line.move_id.picking_id.soko_return_reason or line.move_id.origin
        action, reason = line.move_id._soko_get_decision()
        if cause == "found":
            return "keep", reason
        if not action:
            return self._apply_policy(line)
        if action == "write_off" and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._(
                    "Only an artisan manager can decide that an owner gets nothing for pieces. "
                    "Pay the owner, return the pieces, or ask a manager."
                )
            )
        return action, reason

    @api.model
    def _apply_policy(self, line):
        """Return the company's decision on pieces that nobody was asked about."""
        if line.company_id.soko_undecided_policy == "refuse":
            raise UserError(
                self.env._(
                    "%(quantity)s x %(product)s belong to %(owner)s and would leave the house "
                    "unsold. Nothing was moved. Scrap or count them, which asks what becomes of "
                    "them, or return them to the owner.",
                    quantity=f"{line.quantity:g}",
                    product=line.product_id.display_name,
                    owner=line.owner_id.name,
                )
            )
        return "pay", self.env._("Company policy: pieces that leave unsold are paid.")

    def _make_debts(self):
        """Owe the owners what was decided to be paid, in one create.

        A move line that is a debt already (another agreement's moment of debt) is not owed twice.
        """
        Line = self.env["soko.settlement.line"]
        payable = self.filtered(lambda d: d.action == "pay" and d.artisan_id)
        known = Line.search([("move_line_id", "in", payable.move_line_id.ids)])
        by_move_line = {line.move_line_id: line for line in known}
        missing = payable.filtered(lambda d: d.move_line_id not in by_move_line)
        lines = Line.create(
            [
                Line._prepare_unsold_vals(d.move_line_id, d.artisan_id, DEBT_KINDS[d.cause])
                for d in missing
            ]
        )
        by_move_line |= {line.move_line_id: line for line in lines}
        for decision in payable:
            decision.settlement_line_id = by_move_line[decision.move_line_id]
        lines._trigger_settlement()

    def _take_back_loss(self):
        """Found pieces: what is owed or was paid for their loss at a count is taken back."""
        self.ensure_one()
        losses = self.search(
            [
                ("cause", "=", "loss"),
                ("action", "=", "pay"),
                ("owner_id", "=", self.owner_id.id),
                ("product_id", "=", self.product_id.id),
                ("lot_id", "=", self.lot_id.id),
                ("company_id", "=", self.company_id.id),
            ]
        ).settlement_line_id
        Line = self.env["soko.settlement.line"]
        lines = Line.create(
            Line._take_back(losses, self.move_line_id, self.move_line_id.quantity_product_uom)
        )
        self.settlement_line_id = lines[:1]
        lines._trigger_settlement()
