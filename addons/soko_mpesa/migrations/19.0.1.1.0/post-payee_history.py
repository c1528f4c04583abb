"""Begin the history of the M-Pesa numbers that were there before it.

The last number of a payee that was verified is read from the history: without these lines, a
changed number of a payee who has been paid for years would count as the first one.
"""

ENTERED = """
    INSERT INTO soko_mpesa_payee_change (
           partner_id, partner_name, partner_bank_id, company_id, event, number, user_id,
           changed_at, create_uid, create_date, write_uid, write_date)
    SELECT bank.partner_id, COALESCE(partner.complete_name, partner.name, '-'), bank.id,
           bank.company_id, 'entered', bank.acc_number,
           COALESCE(bank.soko_mpesa_edited_by, bank.create_uid), bank.create_date,
           1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM res_partner_bank bank
      JOIN res_partner partner ON partner.id = bank.partner_id
     WHERE bank.acc_type = 'mpesa'
       AND COALESCE(bank.soko_mpesa_edited_by, bank.create_uid) IS NOT NULL
       AND bank.create_date IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM soko_mpesa_payee_change line
                        WHERE line.partner_bank_id = bank.id)
  ORDER BY bank.id
"""
VERIFIED = """
    INSERT INTO soko_mpesa_payee_change (
           partner_id, partner_name, partner_bank_id, company_id, event, number, user_id,
           changed_at, create_uid, create_date, write_uid, write_date)
    SELECT bank.partner_id, COALESCE(partner.complete_name, partner.name, '-'), bank.id,
           bank.company_id, 'verified', bank.acc_number,
           bank.soko_mpesa_verified_by, bank.soko_mpesa_verified_at,
           1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
      FROM res_partner_bank bank
      JOIN res_partner partner ON partner.id = bank.partner_id
     WHERE bank.acc_type = 'mpesa' AND bank.soko_mpesa_verified_by IS NOT NULL
       AND bank.soko_mpesa_verified_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM soko_mpesa_payee_change line
                        WHERE line.partner_bank_id = bank.id AND line.event = 'verified')
  ORDER BY bank.soko_mpesa_verified_at, bank.id
"""


def migrate(cr, version):
    """Write who entered and who verified each number, as far as it is known."""
    cr.execute(ENTERED)
    cr.execute(VERIFIED)
