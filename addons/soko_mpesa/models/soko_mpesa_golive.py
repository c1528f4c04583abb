from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import APPROVER, MANAGER

# What people write by hand; ticks are set by buttons.
FREE_FIELDS = frozenset({"note", "attachment_ids"})


class SokoMpesaGolive(models.Model):
    """One point of the go-live list of one account: who has seen to it, when, with what proof."""

    _name = "soko.mpesa.golive"
    _description = "M-Pesa go-live list"
    _inherit = ["mail.thread", "soko.mpesa.export.mixin"]
    _order = "account_id, stage, sequence, id"
    _rec_name = "item_id"
    _allow_sudo_commands = False

    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="cascade", readonly=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True, index=True)
    item_id = fields.Many2one(
        "soko.mpesa.golive.item", string="Point", required=True, index=True, ondelete="restrict",
        readonly=True,
    )
    how = fields.Text(related="item_id.how")
    stage = fields.Selection(related="item_id.stage", store=True)
    sequence = fields.Integer(related="item_id.sequence", store=True)
    needs_two = fields.Boolean(related="item_id.needs_two")
    check_code = fields.Char(related="item_id.check_code")
    done_by_id = fields.Many2one(
        "res.users", string="Done by", readonly=True, ondelete="restrict", tracking=True)
    done_at = fields.Datetime(readonly=True)
    second_id = fields.Many2one(
        "res.users", string="Second person", readonly=True, ondelete="restrict", tracking=True)
    second_at = fields.Datetime(readonly=True)
    note = fields.Text(tracking=True, help="What was seen, where it is written down.")
    attachment_ids = fields.Many2many("ir.attachment", string="Proof")
    state = fields.Selection(
        [("open", "Open"), ("half", "Second person"), ("done", "Done")],
        compute="_compute_state",
        help="What the set-up check can see is done when the last check found it in order.",
    )

    _item_uniq = models.Constraint("UNIQUE(account_id, item_id)", "Each point is listed once.")
    _two_persons = models.Constraint(
        "CHECK(second_id IS NULL OR second_id <> done_by_id)",
        "The second person must be somebody else.",
    )

    @api.depends("done_by_id", "second_id", "item_id.needs_two", "item_id.check_code")
    def _compute_state(self):
        found = {account: account._get_checked() for account in self.account_id}
        for line in self:
            code = line.item_id.check_code
            if code:
                line.state = "done" if code in found[line.account_id] else "open"
            elif not line.done_by_id:
                line.state = "open"
            else:
                line.state = "half" if line.needs_two and not line.second_id else "done"

    # === CRUD METHODS === #

    def write(self, vals):
        if not self.env.su and not vals.keys() <= FREE_FIELDS:
            raise AccessError(self.env._("Use the buttons to tick a point."))
        return super().write(vals)

    @api.model
    def _ensure_for(self, account):
        """List the points of `account` that aren't listed yet."""
        # sudo: people can't make these; the list is the same for every account
        model = self.sudo()
        known = model.search([("account_id", "=", account.id)]).item_id
        items = model.env["soko.mpesa.golive.item"].search([("id", "not in", known.ids)])
        model.create([{"account_id": account.id, "item_id": item.id} for item in items])

    # === ACTION METHODS === #

    def action_tick(self):
        """Declare these points done; for points that need two, the second person presses too."""
        self._check_role()
        # sudo: people can't write ticks; role and person are checked
        for line in self.sudo():
            line._tick(self.env.user)
        self.account_id._refresh_golive()

    def action_untick(self):
        """Open these points again."""
        self._check_role()
        # sudo: people can't write ticks; to open a point is always safe
        self.sudo().write({
            "done_by_id": False, "done_at": False, "second_id": False, "second_at": False})
        self.filtered(lambda line: line.stage == "1_before").account_id._reopen_golive()

    def _check_role(self):
        self.check_access("write")
        user = self.env.user
        if not self.env.su and not (user.has_group(MANAGER) or user.has_group(APPROVER)):
            raise AccessError(self.env._("Managers and approvers tick the points of this list."))

    def _tick(self, user):
        if self.item_id.check_code:
            raise UserError(self.env._(
                "\"%s\" is seen by the set-up check itself. Press Check set-up on the account.",
                self.item_id.name))
        if self.state == "done":
            return
        now = fields.Datetime.now()
        if not self.done_by_id:
            if not user.has_group(MANAGER):
                raise AccessError(self.env._("A manager ticks this point first."))
            self.write({"done_by_id": user.id, "done_at": now})
            return
        if user == self.done_by_id or not user.has_group(APPROVER):
            raise AccessError(self.env._(
                "\"%(name)s\" was ticked by %(user)s. The second tick is an approver's, who is "
                "somebody else.", name=self.item_id.name, user=self.done_by_id.name))
        self.write({"second_id": user.id, "second_at": now})
