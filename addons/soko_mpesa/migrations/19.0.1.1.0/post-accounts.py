"""Give old accounts the standard tariff, and old late payments the mark that the books go by.

The tariff's default can't apply to accounts that were there before the tariff. A payment that was
first declared not paid and then reported as paid was only told to a person by the first version.
"""

TARIFF = """
    UPDATE soko_mpesa_account SET tariff_id = (
           SELECT res_id FROM ir_model_data
            WHERE module = 'soko_mpesa' AND name = 'soko_mpesa_tariff_standard')
     WHERE tariff_id IS NULL
"""
LATE = """
    UPDATE soko_mpesa_payout p SET paid_late = TRUE
      FROM account_payment pay
     WHERE pay.id = p.payment_id AND pay.state = 'rejected' AND p.paid_late IS NOT TRUE
       AND EXISTS (SELECT FROM soko_mpesa_attempt a
                    WHERE a.payout_id = p.id AND a.state = 'paid')
"""


def migrate(cr, version):
    """Bring accounts and payouts of the first version to what the books expect."""
    cr.execute(TARIFF)
    cr.execute(LATE)
