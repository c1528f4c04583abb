"""What must never be, as queries that must return no row. Names as in the design reference."""

INVARIANTS = {
    "I-1 one proven payment a payment": """
        SELECT p.payment_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state = 'paid' GROUP BY p.payment_id HAVING count(*) > 1
    """,
    "I-2 one live attempt a payout": """
        SELECT payout_id FROM soko_mpesa_attempt
         WHERE state IN ('prepared', 'sending', 'accepted', 'unknown', 'paid')
         GROUP BY payout_id HAVING count(*) > 1
    """,
    "I-3 references and receipts are unique": """
        SELECT originator_id FROM soko_mpesa_attempt GROUP BY originator_id HAVING count(*) > 1
         UNION ALL
        SELECT receipt FROM soko_mpesa_attempt WHERE receipt IS NOT NULL
         GROUP BY receipt HAVING count(*) > 1
    """,
    "I-9 what is paid has a receipt and the payment carries it": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN soko_mpesa_attempt a ON a.payout_id = p.id
          JOIN account_payment pay ON pay.id = p.payment_id
         WHERE a.state = 'paid' AND p.exception_reason IS NULL
           AND (a.receipt IS NULL OR p.receipt IS DISTINCT FROM a.receipt
                OR pay.payment_reference IS DISTINCT FROM a.receipt OR pay.state <> 'paid')
    """,
    "I-9 no payment is paid or rejected without proof": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN account_payment pay ON pay.id = p.payment_id
         WHERE p.cancelled_at IS NULL
           AND ((pay.state = 'paid' AND p.state NOT IN ('paid', 'exception'))
                OR (pay.state = 'rejected' AND p.state NOT IN ('failed', 'exception')))
    """,
    "I-10 what is paid has positive evidence with its receipt and amount": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state = 'paid' AND NOT EXISTS (
               SELECT FROM soko_mpesa_evidence e
                WHERE e.attempt_id = a.id AND e.verdict = 'positive'
                  AND e.receipt = a.receipt AND e.amount::numeric = p.amount)
    """,
    "I-11 what is not paid has negative evidence": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
         WHERE a.state = 'not_paid' AND NOT EXISTS (
               SELECT FROM soko_mpesa_evidence e
                WHERE e.attempt_id = a.id AND e.verdict = 'negative')
    """,
    "I-12 no claim outlives its lease for long": """
        SELECT originator_id FROM soko_mpesa_attempt
         WHERE state = 'sending'
           AND lease_until < (now() AT TIME ZONE 'UTC') - interval '10 minutes'
    """,
    "I-13 two persons, and the approved content": """
        SELECT name FROM soko_mpesa_payout
         WHERE approver_id = maker_id
            OR (approved_at IS NOT NULL AND approved_hash IS DISTINCT FROM content_hash)
    """,
    "I-14 what was sent has the digest of its request": """
        SELECT originator_id FROM soko_mpesa_attempt
         WHERE state IN ('sending', 'accepted', 'unknown', 'paid', 'not_paid')
           AND (request_sha256 IS NULL OR send_count < 1)
    """,
    "I-15 the guards of the database are there": """
        SELECT name FROM (VALUES ('soko_mpesa_evidence_guard'), ('soko_mpesa_attempt_guard'),
                                 ('soko_mpesa_payout_guard')) AS guard(name)
         WHERE NOT EXISTS (SELECT FROM pg_trigger
                            WHERE tgname = guard.name AND tgenabled <> 'D')
    """,
    "I-16 whole shillings within the limits": """
        SELECT name FROM soko_mpesa_payout WHERE amount NOT BETWEEN 10 AND 250000
         UNION ALL
        SELECT p.name FROM soko_mpesa_payout p JOIN account_payment pay ON pay.id = p.payment_id
         WHERE p.cancelled_at IS NULL AND pay.amount <> p.amount
    """,
    "I-17 every payment that was handed over has its payout": """
        SELECT pay.id FROM account_payment pay
          JOIN account_payment_method_line line ON line.id = pay.payment_method_line_id
          JOIN account_payment_method method ON method.id = line.payment_method_id
         WHERE method.code = 'mpesa_b2c' AND pay.state IN ('in_process', 'paid')
           AND NOT EXISTS (SELECT FROM soko_mpesa_payout p
                            WHERE p.payment_id = pay.id AND p.cancelled_at IS NULL)
    """,
    "carried cents of a payee are never negative, and less than a shilling": """
        SELECT line.account_id, line.partner_id, -sum(line.amount_currency)
          FROM account_move_line line
         WHERE line.parent_state = 'posted' AND line.account_id IN (
               SELECT remainder_account_id FROM soko_mpesa_account)
         GROUP BY line.account_id, line.partner_id
        HAVING sum(line.amount_currency) > 0
            OR (sum(line.amount_currency) <= -1
                -- what an undone payment gave back is paid with the next one
                AND NOT EXISTS (
                    SELECT FROM account_payment pay
                      JOIN account_move_line item ON item.move_id = pay.move_id
                     WHERE item.account_id = line.account_id AND item.partner_id = line.partner_id
                       AND pay.state IN ('rejected', 'canceled', 'draft')))
    """,
}
