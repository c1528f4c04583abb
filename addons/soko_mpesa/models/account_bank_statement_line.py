from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.context import defaults

# What M-Pesa has said can't be changed by hand; what it means can be matched by hand.
FROZEN_FIELDS = {
    "soko_mpesa_key", "soko_mpesa_row_id", "amount", "amount_currency", "date", "journal_id",
    "currency_id", "foreign_currency_id",
}


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    soko_mpesa_key = fields.Char(
        string="M-Pesa movement", readonly=True, copy=False,
        help="M-Pesa's receipt and the kind of movement. Each movement is booked once, whether "
             "a callback, a status query or a statement brings it first.",
    )
    soko_mpesa_row_id = fields.Many2one(
        "soko.mpesa.statement.row", string="Row of M-Pesa's statement", readonly=True, copy=False,
        index="btree_not_null", ondelete="restrict",
    )

    _soko_mpesa_key_uniq = models.UniqueIndex(
        "(journal_id, soko_mpesa_key) WHERE soko_mpesa_key IS NOT NULL",
        "This movement of M-Pesa's is booked already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        given = {name for vals in vals_list for name in vals if vals[name]}
        given |= defaults(self.env.context)
        if not self.env.su and given & {"soko_mpesa_key", "soko_mpesa_row_id"}:
            raise AccessError(self.env._("Only proof from M-Pesa makes such a line."))
        return super().create(vals_list)

    def write(self, vals):
        if FROZEN_FIELDS & vals.keys() and not self.env.su:
            self._soko_mpesa_check_free(vals)
        return super().write(vals)

    def _soko_mpesa_check_free(self, vals):
        if {"soko_mpesa_key", "soko_mpesa_row_id"} & vals.keys():
            raise AccessError(self.env._("Only proof from M-Pesa makes such a line."))
        for line in self.filtered("soko_mpesa_key"):
            changed = [
                name for name in FROZEN_FIELDS & vals.keys()
                if line._fields[name].convert_to_write(line[name], line) != vals[name]
                and str(line[name]) != str(vals[name])
            ]
            if changed:
                raise UserError(line._soko_mpesa_explain())

    def _soko_mpesa_explain(self):
        return self.env._(
            "%s is on M-Pesa's books as it is here, so it can't be changed or removed. If what "
            "M-Pesa did was wrong, book what puts it right beside it.", self.payment_ref,
        )

    def action_undo_reconciliation(self):
        for line in self.filtered("soko_mpesa_key"):
            # sudo: an accountant need not see payouts
            if line.soko_mpesa_key.endswith(("/payment", "/reversal")) and self.env[
                "soko.mpesa.payout"
            ].sudo().search_count([("receipt", "=", line.soko_mpesa_key.split("/")[0])], limit=1):
                raise UserError(line._soko_mpesa_explain())
        return super().action_undo_reconciliation()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_soko_mpesa(self):
        if keyed := self.filtered("soko_mpesa_key"):
            raise UserError(keyed[0]._soko_mpesa_explain())
