from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ..const import APPROVER, MAKER

ACCOUNTANT = "account.group_account_invoice"


class SokoMpesaClearing(models.TransientModel):
    """Somebody says what movements are that were no payment of Odoo's.

    Community has no page that matches bank statement lines, so this is it: the amounts are
    carried from the clearing account to where they belong. On a payee's account Odoo then offers
    them on the open bills.
    """

    _name = "soko.mpesa.clearing"
    _description = "Clear M-Pesa movements"

    row_ids = fields.Many2many(
        "soko.mpesa.statement.row", required=True, readonly=True,
        default=lambda self: self.env["soko.mpesa.statement.row"].browse(
            self.env.context.get("active_ids")),
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True,
        default=lambda self: self.env["soko.mpesa.statement.row"].browse(
            self.env.context.get("active_ids"))[:1].company_id,
    )
    account_id = fields.Many2one(
        "account.account", required=True, check_company=True, string="It belongs on",
        help="For money to or from a partner: their payable or receivable account.",
    )
    partner_id = fields.Many2one("res.partner")
    note = fields.Char(required=True, help="What it was. It stays on the journal entry.")

    def action_clear(self):
        """Carry the movements over to the chosen account."""
        self.ensure_one()
        user = self.env.user
        if not user.has_group(ACCOUNTANT) or not any(map(user.has_group, (MAKER, APPROVER))):
            raise AccessError(self.env._(
                "To clear movements you need a role in M-Pesa and one in accounting."))
        self.row_ids.check_access("read")
        if self.account_id.account_type in ("liability_payable", "asset_receivable") and (
            not self.partner_id
        ):
            raise UserError(self.env._("Say whose account it is: choose the partner."))
        # sudo: rows can't be written by hand; the roles were checked, and rows can be read
        for row in self.row_ids.sudo():
            row._clear_to(self.account_id, self.partner_id, self.note)
        return {"type": "ir.actions.act_window_close"}
