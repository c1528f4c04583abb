from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..const import METHOD_CODE

# Where a transaction keeps, while it computes the states of bills, which ones M-Pesa has.
IN_PAYMENT = "soko_mpesa_bills_in_payment"
UNPROVEN = """
    SELECT own.move_id
      FROM account_move_line own
      JOIN (SELECT debit_move_id AS own_id, credit_move_id AS other_id
              FROM account_partial_reconcile
             UNION ALL
            SELECT credit_move_id, debit_move_id FROM account_partial_reconcile
           ) part ON part.own_id = own.id
      JOIN account_move_line other ON other.id = part.other_id
      JOIN account_move entry ON entry.id = other.move_id
      JOIN account_payment pay ON pay.id = entry.origin_payment_id
      JOIN account_payment_method_line line ON line.id = pay.payment_method_line_id
      JOIN account_payment_method method ON method.id = line.payment_method_id
     WHERE own.move_id IN %(moves)s AND method.code = %(code)s
       AND (NOT COALESCE(pay.is_matched, FALSE) OR EXISTS (
            SELECT FROM soko_mpesa_payout payout
             WHERE payout.payment_id = pay.id AND payout.cancelled_at IS NULL
               AND NOT EXISTS (SELECT FROM soko_mpesa_attempt attempt
                                WHERE attempt.payout_id = payout.id
                                  AND attempt.state IN ('paid', 'not_paid'))))
"""


class AccountMove(models.Model):
    _inherit = "account.move"

    soko_mpesa_receipt = fields.Char(
        string="M-Pesa receipt", compute="_compute_soko_mpesa_receipt",
        help="The receipt numbers of the M-Pesa payments that paid this document.",
    )

    soko_mpesa_posted_by = fields.Many2one(
        "res.users", readonly=True, copy=False, groups="base.group_system",
        help="Who posted it last. What a manager of M-Pesa wants paid waits for an approver.",
    )

    @api.depends("reconciled_payment_ids.payment_reference", "reconciled_payment_ids.state")
    def _compute_soko_mpesa_receipt(self):
        for move in self:
            # sudo: whoever may read the bill may see with which receipt it was paid
            payments = move.sudo().reconciled_payment_ids.filtered(
                lambda payment: payment.state == "paid" and payment._soko_is_mpesa())
            receipts = payments.filtered("payment_reference").mapped("payment_reference")
            # sudo: the same; what was paid after all is matched without its payment
            late = move.sudo()._get_reconciled_statement_lines().filtered("soko_mpesa_key")
            receipts += [line.soko_mpesa_key.split("/")[0] for line in late]
            move.soko_mpesa_receipt = ", ".join(receipts)

    def _compute_payment_state(self):
        """A bill is paid when M-Pesa has proven it, whoever matched its payment before."""
        cache = self.env.cr.cache
        cache[IN_PAYMENT] = unproven = self._soko_mpesa_get_unproven()
        try:
            res = super()._compute_payment_state()
        finally:
            cache.pop(IN_PAYMENT, None)
        for move in self.filtered(lambda move: move.payment_state == "paid"):
            if move.id in unproven:
                move.payment_state = "in_payment"
        return res

    @api.model
    def _get_invoice_in_payment_state(self):
        """A bill handed to M-Pesa is in payment until there is proof.

        Odoo calls this on the invoice whose state it computes, and on no record at all to ask
        which edition it is; that answer must not change.
        """
        if self:
            known = self.env.cr.cache.get(IN_PAYMENT)
            unproven = self._soko_mpesa_get_unproven() if known is None else known
            if unproven.intersection(self.ids):
                return "in_payment"
        return super()._get_invoice_in_payment_state()

    def _soko_mpesa_get_unproven(self):
        """Return the ids of those of which M-Pesa has a payment that isn't proven or not booked.

        One statement for all of them: Odoo asks for each bill that is paid, whatever paid it.
        """
        if not self.ids:
            return set()
        self.env["account.partial.reconcile"].flush_model()
        self.env["account.payment"].flush_model(["is_matched", "payment_method_line_id"])
        self.env["soko.mpesa.payout"].flush_model(["payment_id", "cancelled_at"])
        self.env["soko.mpesa.attempt"].flush_model(["payout_id", "state"])
        self.env.cr.execute(UNPROVEN, {"moves": tuple(self.ids), "code": METHOD_CODE})
        return {move_id for (move_id,) in self.env.cr.fetchall()}

    def action_register_payment(self):
        self._soko_mpesa_check_not_in_payment()
        return super().action_register_payment()

    def action_force_register_payment(self):
        self._soko_mpesa_check_not_in_payment()
        return super().action_force_register_payment()

    def _soko_mpesa_check_not_in_payment(self):
        """:raise UserError: all that is open of one of these is with M-Pesa already"""
        self.line_ids._soko_mpesa_check_not_in_payment()

    # === WHO MADE IT === #

    def _post(self, soft=True):
        posted = super()._post(soft)
        # sudo: who posts need not write this field; nobody may, since it tells whom to ask
        bills = posted.sudo().filtered(lambda move: move.is_purchase_document(True))
        bills.soko_mpesa_posted_by = self.env.user
        return posted

    def write(self, vals):
        if not self.env.su and "soko_mpesa_posted_by" in vals:
            raise AccessError(self.env._("Who posted a bill is written down by Odoo itself."))
        return super().write(vals)

    def _soko_mpesa_get_makers(self):
        """Return the users who made or posted these bills, or those that they are copies of.

        :rtype: res.users
        """
        bills = self.sudo()  # sudo: who made a bill is compared, not shown
        bills |= bills.auto_post_origin_id
        return bills.create_uid | bills.soko_mpesa_posted_by

    def button_draft(self):
        self._soko_mpesa_check_entry()
        return super().button_draft()

    def button_cancel(self):
        self._soko_mpesa_check_entry()
        return super().button_cancel()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        self._soko_mpesa_check_entry()
        return super()._reverse_moves(default_values_list, cancel)

    def _soko_mpesa_is_final(self):
        """Whether nothing that may rightly happen changes this entry any more."""
        self.ensure_one()
        payment = self.origin_payment_id
        if payment._soko_is_mpesa() if payment else False:
            states = set(payment.soko_mpesa_payout_ids.attempt_ids.mapped("state"))
            return bool({"paid", "not_paid", "reversed"} & states)
        return not self.statement_line_id or self.statement_line_id.is_reconciled

    def _soko_mpesa_check_entry(self):
        """:raise UserError: one of these is what M-Pesa did, or a payment that it still has"""
        # sudo: an accountant need not see bank statements
        if keyed := self.sudo().statement_line_id.filtered("soko_mpesa_key"):
            raise UserError(keyed[0]._soko_mpesa_explain())
        # sudo: an accountant need not see payouts
        payouts = self.sudo().origin_payment_id.soko_mpesa_payout_ids
        live = payouts.filtered(
            lambda payout: not payout.cancelled_at and not {"not_paid", "reversed"} & set(
                payout.attempt_ids.mapped("state")))
        if live:
            raise UserError(self.env._(
                "%s belongs to a payment that was handed to M-Pesa. It can't be undone here.",
                live[0].payment_id.display_name,
            ))
