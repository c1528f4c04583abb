from odoo import models
from odoo.fields import Domain

from ..tools.states import PAYOUT_UNSENT


class SokoMpesaPayoutStop(models.AbstractModel):
    """Pay a payee nothing more, at any number, until a person has understood what happened."""

    _name = "soko.mpesa.payout.stop"
    _description = "M-Pesa payout: stop all that goes to a payee"

    def _find_unsent_to_payee(self):
        """Return the payouts that aren't sent and go to the same payee or pay the same bills.

        The payee is the whole of a company or family of contacts, archived ones as well, in all
        companies of ours: to stop is always safe, and whoever was paid twice is one and the same.

        :rtype: soko.mpesa.payout
        """
        again = self.replaced_by_ids | self._get_bills().reconciled_payment_ids
        concerned = Domain("partner_id", "in", self._get_persons().ids)
        concerned |= Domain("payment_id", "in", again.ids)
        others = Domain("state", "in", PAYOUT_UNSENT) & Domain("id", "not in", self.ids)
        return self.search(others & concerned, order="id")

    def _get_persons(self):
        """Return all contacts that are the payee, archived ones as well."""
        return self.env["res.partner"].with_context(active_test=False).search([
            ("commercial_partner_id", "in", self.partner_id.commercial_partner_id.ids)])

    def _stop_payee(self, reason):
        """Hold all that isn't sent to this payee, and trust none of the payee's numbers.

        The caller holds the locks of those payouts; see `soko.mpesa.attempt._lock`. What is made
        at this very moment, and isn't seen here, finds a number that isn't trusted any more.

        :param str reason: for people
        """
        # the number that was paid may be another contact's by now
        (self._get_persons().bank_ids | self.partner_bank_id).filtered(
            lambda bank: bank.acc_type == "mpesa" and bank.allow_out_payment,
        ).sorted("id").write({"allow_out_payment": False})
        for payout in self._find_unsent_to_payee():
            payout._hold(reason)
