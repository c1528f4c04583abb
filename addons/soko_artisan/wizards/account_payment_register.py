from odoo import Command, api, models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _reconcile_payments(self, to_process, edit_mode=False):
        """Match the payments of many settlements with their bills at once.

        Odoo does it one by one, which costs several times as much. What it does besides, for
        other currencies or many payments of one bill, doesn't occur here, or is left to it.
        """
        plan = self._soko_get_plan(to_process)
        if not plan:
            return super()._reconcile_payments(to_process, edit_mode=edit_mode)
        self.env["account.move.line"]._reconcile_plan(plan)
        self._soko_link(to_process)
        return None

    @api.model
    def _soko_link(self, to_process):
        """Link each payment with its bills, as Odoo does after matching; one insert for all."""
        payments = self.env["account.payment"].union(*(item["payment"] for item in to_process))
        # As the ORM does in `create`: a write a payment would cost four statements each.
        payments._fields["invoice_ids"].write_batch(
            [
                (item["payment"], [Command.link(bill.id) for bill in item["to_reconcile"].move_id])
                for item in to_process
            ]
        )
        payments.modified(["invoice_ids"])

    def _soko_get_plan(self, to_process):
        """Return the items to match, one set a payment; none where Odoo has to do it."""
        bills = [item["to_reconcile"].move_id for item in to_process]
        own = len(bills) == len(self.env["account.move"].union(*bills))
        if not self.env.context.get("soko_together") or not own:
            return []
        plan = []
        for item in to_process:
            items = item["payment"].move_id.line_ids | item["to_reconcile"]
            account = item["to_reconcile"].account_id
            plan.append(
                items.filtered(lambda li, account=account: li.account_id == account)
            )
        return plan if all(len(items.account_id) == 1 for items in plan) else []
