from odoo import models
from odoo.exceptions import UserError

from ..const import METHOD_CODE
from ..tools.amounts import to_cents
from ..tools.serial import touch


class AccountPaymentRegister(models.TransientModel):
    """Odoo's wizard that pays bills, with M-Pesa's rules for amounts.

    Bills that are paid in full are paid in whole shillings, their cents are carried to the
    payee's next payment; what is too large for one payment becomes several.
    """

    _inherit = "account.payment.register"

    def _init_payments(self, to_process, edit_mode=False):
        # a window may have no journal, where the user may pay from none: Odoo says what then
        account = self.env["soko.mpesa.account"]._for_journals(self.journal_id).get(self.journal_id)
        if not account or self.payment_method_line_id.code != METHOD_CODE:
            return super()._init_payments(to_process, edit_mode=edit_mode)
        # in place: the same list is posted and reconciled afterwards
        to_process[:] = self._soko_mpesa_arrange(account, to_process, edit_mode)
        with self.env["account.payment"]._soko_mpesa_together():
            return super()._init_payments(to_process, edit_mode=edit_mode)

    def _soko_mpesa_arrange(self, account, to_process, edit_mode):
        """Return `to_process` with whole shillings and parts that M-Pesa takes."""
        ours = [item for item in to_process if self._soko_mpesa_is_ours(account, item)]
        for item in ours:
            self._soko_mpesa_check_open(account, item)
        plan = account._plan_amounts([
            (self.env["res.partner"].browse(item["create_vals"]["partner_id"]),
             to_cents(item["create_vals"]["amount"]), self._soko_mpesa_settles(item, edit_mode))
            for item in ours
        ], self.payment_date)
        plans = {id(item): planned for item, planned in zip(ours, plan, strict=True)}
        arranged = []
        for item in to_process:
            planned = plans.get(id(item))
            arranged += self._soko_mpesa_split(item, *planned) if planned else [item]
        return arranged

    def _soko_mpesa_is_ours(self, account, item):
        vals = item["create_vals"]
        return (
            vals["payment_type"] == "outbound" and vals["currency_id"] == account.currency_id.id
            and vals["payment_method_line_id"] == self.payment_method_line_id.id
        )

    def _soko_mpesa_check_open(self, account, item):
        """:raise UserError: what this pays was paid since the window was opened

        Odoo leaves out what is settled already and posts the payment all the same: it would be
        paid a second time.
        """
        lines = item["to_reconcile"]
        touch(self.env.cr, lines._table, lines.ids)
        lines.invalidate_recordset()
        lines.filtered("reconciled")._soko_mpesa_check_not_in_payment()
        known = all(line.currency_id == account.currency_id for line in lines)
        due = abs(sum(lines.mapped("amount_residual_currency")))
        amount = item["create_vals"]["amount"]
        if all(lines.mapped("reconciled")) or (
                known and account.currency_id.compare_amounts(amount, due) > 0):
            raise UserError(self.env._(
                "Of this, only %(due)s KES are open, not %(amount)s: it was paid meanwhile, or you "
                "typed too much. Close this window and look at the bill again.",
                due=f"{due:,.2f}", amount=f"{amount:,.2f}",
            ))

    def _soko_mpesa_settles(self, item, edit_mode):
        """Whether this pays all that is due, so that nobody typed its cents."""
        if not edit_mode:
            return True
        totals = self._get_total_amounts_to_pay(self.batches)
        return any(
            self.currency_id.compare_amounts(item["create_vals"]["amount"], totals[name]) == 0
            for name in ("amount_by_default", "full_amount")
        )

    def _soko_mpesa_split(self, item, parts, cents):
        """Return an item for each part; the first has Odoo's write-offs, the last the cents."""
        vals = item["create_vals"]
        given = vals.get("write_off_line_vals") or []
        items = []
        for index, amount in enumerate(parts):
            writeoffs = (given if index == 0 else []) + (cents if index == len(parts) - 1 else [])
            items.append({
                **item, "create_vals": {**vals, "amount": amount, "write_off_line_vals": writeoffs},
            })
        return items
