"""What must never be, as queries that must return no row. Names as in the design reference.

Each query is fast enough to be asked every half minute: one that would read all books looks at
the newest payouts, those changed lately and all that are open. Ask it with ``thorough`` to have
it look at everything. A violation stops the sending, so what people may rightly do must not look
like one.

I-6 (equal to the imported statement) belongs to the statement; I-7, I-8 and half of I-14 compare
with the provider's own books, which no query can see: the tests' auditors do.
"""

from ..const import LEAST_KEEP_YEARS

# Payouts whose books are looked at each time: the newest, those changed lately (a late result of
# an old one), and all that aren't final.
NEWEST = 1000
LATELY = "1 hour"
OPEN_STATES = "('draft', 'submitted', 'approved', 'held', 'in_flight', 'exception')"
RECENT_IDS = f"""
            SELECT id FROM soko_mpesa_payout
             WHERE id > (SELECT max(id) - {NEWEST} FROM soko_mpesa_payout)
             UNION
            SELECT id FROM soko_mpesa_payout
             WHERE write_date > (now() AT TIME ZONE 'UTC') - interval '{LATELY}'
             UNION
            SELECT id FROM soko_mpesa_payout WHERE state IN {OPEN_STATES}"""
# Conditions by the name of their place in SCOPED, for the quick look.
SCOPES = {
    "scope": f"p.id IN ({RECENT_IDS})",
    "evidence_scope": f"e.id > (SELECT max(id) - {NEWEST} FROM soko_mpesa_evidence)",
    # a payment without a payout is in no scope of payouts
    "payment_scope": f"pay.id > (SELECT max(id) - {NEWEST} FROM account_payment)",
}

# Names of guards by table; I-15 wants each of them there and switched on.
GUARDS = (
    ("soko_mpesa_evidence", "soko_mpesa_evidence_guard"),
    ("soko_mpesa_evidence", "soko_mpesa_evidence_link"),
    ("soko_mpesa_evidence", "soko_mpesa_evidence_whole"),
    ("soko_mpesa_attempt", "soko_mpesa_attempt_guard"),
    ("soko_mpesa_attempt", "soko_mpesa_attempt_whole"),
    ("soko_mpesa_payout", "soko_mpesa_payout_guard"),
    ("soko_mpesa_payout", "soko_mpesa_payout_whole"),
)
UNIQUE_INDEXES = (
    "soko_mpesa_attempt_originator_uniq", "soko_mpesa_attempt_number_uniq",
    "soko_mpesa_attempt_live_uniq", "soko_mpesa_attempt_receipt_uniq",
    "soko_mpesa_payout_payment_uniq", "soko_mpesa_evidence_callback_uniq",
    "soko_mpesa_callback_token_uniq", "soko_mpesa_inbox_once",
)
CHECKS = (
    "soko_mpesa_payout_amount_range", "soko_mpesa_payout_two_persons",
    "soko_mpesa_payout_approved_content", "soko_mpesa_payout_msisdn_form",
    "soko_mpesa_attempt_originator_form",
)


def _rows(values):
    """Return strings, or tuples of strings, of this file as rows of a VALUES list."""
    rows = [(value,) if isinstance(value, str) else value for value in values]
    return ", ".join("(" + ", ".join(f"'{text}'" for text in row) + ")" for row in rows)


INVARIANTS = {
    "I-3 the database refuses what must be unique, or out of bounds": f"""
        SELECT name FROM (VALUES {_rows(UNIQUE_INDEXES)}) AS wanted(name)
         WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
                            WHERE c.relname = wanted.name AND i.indisunique AND i.indisvalid)
         UNION ALL
        SELECT name FROM (VALUES {_rows(CHECKS)}) AS wanted(name)
         WHERE NOT EXISTS (SELECT FROM pg_constraint c
                            WHERE c.conname = wanted.name AND c.contype = 'c'
                              AND c.convalidated)
    """,
    "I-9 what is proven paid is not waited for": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state IN ('prepared', 'sending', 'accepted', 'unknown')
           AND p.exception_reason IS NULL
           AND EXISTS (SELECT FROM soko_mpesa_evidence e
                        WHERE e.attempt_id = a.id AND e.verdict = 'positive')
    """,
    # as long as the sweep hasn't run since, it is late but not broken; two hours are too late
    "I-12 no claim outlives its lease for long": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
         WHERE a.state = 'sending'
           AND (a.lease_until IS NULL
                OR a.lease_until < (now() AT TIME ZONE 'UTC') - interval '2 hours'
                OR (SELECT c.lastcall FROM ir_cron c
                      JOIN ir_model_data d ON d.res_id = c.id AND d.model = 'ir.cron'
                     WHERE d.module = 'soko_mpesa' AND d.name = 'ir_cron_sweep')
                   > a.lease_until + interval '10 minutes')
    """,
    "I-12 what is unknown for a day has somebody's task": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state IN ('accepted', 'unknown') AND p.exception_reason IS NULL
           AND a.sent_at < (now() AT TIME ZONE 'UTC') - interval '26 hours'
           AND p.write_date < (now() AT TIME ZONE 'UTC') - interval '1 hour'
           AND (SELECT c.lastcall FROM ir_cron c
                  JOIN ir_model_data d ON d.res_id = c.id AND d.model = 'ir.cron'
                 WHERE d.module = 'soko_mpesa' AND d.name = 'ir_cron_sweep')
               > a.sent_at + interval '26 hours'
           AND NOT EXISTS (SELECT FROM mail_activity t
                            WHERE t.res_model = 'soko.mpesa.payout' AND t.res_id = p.id
                              AND t.active)
    """,
    "I-15 the guards of the database are there": f"""
        SELECT guard.name FROM (VALUES {_rows(GUARDS)}) AS guard(relation, name)
         WHERE NOT EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                            WHERE t.tgname = guard.name AND c.relname = guard.relation
                              AND t.tgenabled IN ('O', 'A'))
    """,
    "I-16 no money in a floating-point column": """
        SELECT c.relname || '.' || a.attname FROM pg_attribute a
          JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
         WHERE (c.relname LIKE 'soko\\_mpesa\\_%' OR c.relname = 'account_payment')
           AND a.attname ~ 'amount|balance|charge|fee|float|limit|money|paid|price|total'
           AND a.atttypid IN ('real'::regtype, 'double precision'::regtype)
           AND NOT a.attisdropped
    """,
}

# The books of each payout; places in braces are filled from SCOPES, or with TRUE for everything.
SCOPED = {
    # whichever payouts of that payment are the older ones
    "I-1 one proven payment a payment": """
        SELECT p.payment_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state = 'paid' AND p.payment_id IN (
               SELECT p.payment_id FROM soko_mpesa_payout p WHERE {scope})
         GROUP BY p.payment_id HAVING count(*) > 1
    """,
    "I-2 one live attempt a payout": """
        SELECT a.payout_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE {scope} AND a.state IN ('prepared', 'sending', 'accepted', 'unknown', 'paid')
         GROUP BY a.payout_id HAVING count(*) > 1
    """,
    "I-9 no payment is paid or rejected without proof": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN account_payment pay ON pay.id = p.payment_id
         WHERE {scope} AND p.cancelled_at IS NULL AND p.paid_late IS NOT TRUE
           AND ((pay.state = 'paid' AND p.state NOT IN ('paid', 'exception'))
                OR (pay.state = 'rejected'
                    AND p.state NOT IN ('failed', 'reversed', 'exception')))
    """,
    # two voices, not both of them results; a kind of evidence of its own is a person's word or
    # the statement's, and stands for itself
    "I-11 what is not paid has two voices against it": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE {scope} AND a.state = 'not_paid' AND NOT EXISTS (
               SELECT FROM soko_mpesa_evidence e
                WHERE e.attempt_id = a.id AND e.verdict IN ('negative', 'absent')
               HAVING bool_or(e.verdict = 'negative') AND (
                      (count(DISTINCT (e.kind, e.callback_id)) > 1
                       AND bool_or(e.kind <> 'result'))
                      OR bool_or(e.kind NOT IN ('result', 'status')))
                   OR (bool_or(e.kind = 'statement')
                       AND count(DISTINCT e.callback_id) FILTER (WHERE e.kind = 'status') > 2))
    """,
    "I-11 a second attempt begins after the first is final": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
          JOIN soko_mpesa_attempt before ON before.payout_id = a.payout_id
                                        AND before.number < a.number
         WHERE {scope} AND a.number > 1
           AND (before.state NOT IN ('not_paid', 'cancelled', 'paid')
                OR (before.state <> 'cancelled' AND NOT EXISTS (
                    SELECT FROM soko_mpesa_evidence e
                     WHERE e.attempt_id = before.id AND e.verdict IN ('negative', 'absent')
                       AND e.received_at <= a.create_date + interval '1 second')))
    """,
    "I-13 two persons, and the approved content": """
        SELECT p.name FROM soko_mpesa_payout p
         WHERE {scope} AND (p.approver_id = p.maker_id OR (
               p.approved_at IS NOT NULL AND p.approved_hash IS DISTINCT FROM p.content_hash))
    """,
    "I-13 nothing is sent that nobody approved": """
        SELECT p.name FROM soko_mpesa_attempt a JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE {scope} AND a.state <> 'cancelled' AND p.approved_at IS NULL
    """,
    "I-14 what was sent has the digest of its request": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE {scope} AND a.state IN ('sending', 'accepted', 'unknown', 'paid', 'not_paid')
           AND (a.request_sha256 IS NULL OR a.send_count < 1 OR a.sent_at IS NULL)
    """,
    "I-16 whole shillings within the limits": """
        SELECT p.name FROM soko_mpesa_payout p
         WHERE {scope} AND p.amount NOT BETWEEN 10 AND 250000
         UNION ALL
        SELECT p.name FROM soko_mpesa_payout p JOIN account_payment pay ON pay.id = p.payment_id
         WHERE {scope} AND p.cancelled_at IS NULL AND pay.amount <> p.amount
    """,
    "I-17 every payment that was handed over has its payout": """
        SELECT pay.id FROM account_payment pay
          JOIN account_payment_method_line line ON line.id = pay.payment_method_line_id
          JOIN account_payment_method method ON method.id = line.payment_method_id
         WHERE {payment_scope} AND method.code = 'mpesa_b2c' AND pay.state IN ('in_process', 'paid')
           AND NOT EXISTS (SELECT FROM soko_mpesa_payout p
                            WHERE p.payment_id = pay.id AND p.cancelled_at IS NULL)
    """,
    "carried cents of a payee are never negative": """
        SELECT line.account_id, line.partner_id, -sum(line.amount_currency)
          FROM account_move_line line
         WHERE line.parent_state = 'posted' AND line.account_id IN (
               SELECT remainder_account_id FROM soko_mpesa_account)
           AND (line.partner_id IS NULL OR line.partner_id IN (
               SELECT p.partner_id FROM soko_mpesa_payout p WHERE {scope}))
         GROUP BY line.account_id, line.company_id, line.partner_id
        HAVING sum(line.amount_currency) > 0
    """,
    "I-9 what is paid has a receipt and the payment carries it": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN soko_mpesa_attempt a ON a.payout_id = p.id
          JOIN account_payment pay ON pay.id = p.payment_id
         WHERE {scope} AND a.state = 'paid' AND p.exception_reason IS NULL
           AND p.paid_late IS NOT TRUE
           AND (a.receipt IS NULL OR p.receipt IS DISTINCT FROM a.receipt
                OR pay.payment_reference IS DISTINCT FROM a.receipt OR pay.state <> 'paid')
    """,
    # a number of another length is a masked one, and its end must still agree
    "I-10 what is paid has positive evidence with its receipt, amount and payee": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE {scope} AND a.state = 'paid' AND NOT EXISTS (
               SELECT FROM soko_mpesa_evidence e, LATERAL (SELECT
                      regexp_replace(split_part(coalesce(e.party, ''), ' - ', 1), '\\D', '', 'g')
                      AS digits) shown
                WHERE e.attempt_id = a.id AND e.verdict = 'positive' AND e.receipt = a.receipt
                  AND CASE WHEN e.amount ~ '^[0-9.]+$' THEN e.amount::numeric = p.amount END
                  AND CASE length(shown.digits) WHEN 12 THEN shown.digits = p.msisdn
                      ELSE right(p.msisdn, 3) LIKE '%' || right(shown.digits, 3) END)
    """,
    # every shilling that a payee was credited with left by a payout, and none other
    "I-4 payee by payee, payments and payouts are equal": """
        SELECT coalesce(a.partner_id, b.partner_id) FROM (
            SELECT p.partner_id, sum(p.amount) AS total FROM soko_mpesa_payout p
              JOIN account_payment pay ON pay.id = p.payment_id
             WHERE {scope} AND p.cancelled_at IS NULL AND pay.state <> 'rejected'
             GROUP BY p.partner_id) a
          FULL JOIN (
            SELECT p.partner_id, sum(-l.amount_currency) AS total FROM soko_mpesa_payout p
              JOIN account_payment pay ON pay.id = p.payment_id
              JOIN account_move_line l ON l.move_id = pay.move_id
                                      AND l.account_id = pay.outstanding_account_id
             WHERE {scope} AND p.cancelled_at IS NULL AND pay.state <> 'rejected'
               AND l.parent_state = 'posted'
             GROUP BY p.partner_id) b ON a.partner_id = b.partner_id
         WHERE a.total IS DISTINCT FROM b.total
    """,
    # in flight: one line of just this amount; proven, either way: nothing is left in flight
    "I-5 the entry of each payout is whole, and settled when it is proven": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN account_payment pay ON pay.id = p.payment_id
          LEFT JOIN LATERAL (
            SELECT sum(l.balance) AS total,
                   sum(-l.amount_currency) FILTER (
                       WHERE l.account_id = pay.outstanding_account_id) AS in_flight,
                   sum(l.amount_residual_currency) FILTER (
                       WHERE l.account_id = pay.outstanding_account_id) AS open,
                   bool_and(l.parent_state = 'posted') AS posted
              FROM account_move_line l WHERE l.move_id = pay.move_id) entry ON TRUE
         WHERE {scope} AND p.cancelled_at IS NULL AND p.exception_reason IS NULL
           AND CASE p.state
               WHEN 'failed' THEN entry.posted AND (entry.total <> 0 OR entry.open <> 0)
               ELSE entry.posted IS NOT TRUE OR entry.total <> 0
                    OR entry.in_flight IS DISTINCT FROM p.amount
                    OR (p.state = 'paid' AND entry.open <> 0) END
    """,
    "I-15 evidence is as it was written": """
        SELECT e.id FROM soko_mpesa_evidence e
          LEFT JOIN LATERAL (SELECT before.chain FROM soko_mpesa_evidence before
                              WHERE before.attempt_id = e.attempt_id AND before.id < e.id
                              ORDER BY before.id DESC LIMIT 1) last ON TRUE
         WHERE {evidence_scope}
           AND (e.chain IS DISTINCT FROM soko_mpesa_evidence_chain(last.chain, e)
                AND (e.chain IS NOT NULL OR last.chain IS NOT NULL)
                OR (e.chain IS NOT NULL AND e.sha256 <> encode(sha256(
                    decode(convert_from(coalesce(e.raw, ''), 'UTF8'), 'base64')), 'hex')
                    -- the text may have been erased, but never before the law allows it
                    AND (e.raw IS NOT NULL OR e.received_at
                         >= (now() AT TIME ZONE 'UTC') - interval '{least_keep_years} years')))
    """,
    # the attempt knows its last link, so a missing tail is seen as well
    "I-15 no evidence is missing": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
          LEFT JOIN LATERAL (SELECT e.chain FROM soko_mpesa_evidence e
                              WHERE e.attempt_id = a.id ORDER BY e.id DESC LIMIT 1) last ON TRUE
         WHERE {scope} AND a.evidence_chain IS DISTINCT FROM last.chain
    """,
    # what the provider's balance lost is what our bank journal lost
    "I-19 what is paid left the bank journal, to the shilling": """
        SELECT p.name FROM soko_mpesa_payout p
          JOIN account_payment pay ON pay.id = p.payment_id
          LEFT JOIN LATERAL (
            SELECT sum(part.credit_amount_currency) AS total
              FROM account_move_line l
              JOIN account_partial_reconcile part ON part.credit_move_id = l.id
              JOIN account_move_line other ON other.id = part.debit_move_id
              JOIN account_move bank ON bank.id = other.move_id
             WHERE l.move_id = pay.move_id AND l.account_id = pay.outstanding_account_id
               -- or what carried it over from the account where it waited to be recognised
               AND (bank.statement_line_id IS NOT NULL OR EXISTS (
                    SELECT FROM account_move_line waited
                      JOIN soko_mpesa_account a ON a.clearing_account_id = waited.account_id
                     WHERE waited.move_id = bank.id AND waited.full_reconcile_id IS NOT NULL))
               AND bank.journal_id = pay.journal_id) matched ON TRUE
         WHERE {scope} AND p.cancelled_at IS NULL AND p.exception_reason IS NULL
           AND p.paid_late IS NOT TRUE
           AND p.state = 'paid' AND matched.total IS DISTINCT FROM p.amount
    """,
}

# Payouts by their combination of facts; the caller computes for one of each whether its state
# follows from them.
COMBINATIONS = """
    SELECT array_agg(p.id ORDER BY p.id)
      FROM soko_mpesa_payout p
      LEFT JOIN LATERAL (SELECT string_agg(state, ',') AS states
                           FROM soko_mpesa_attempt WHERE payout_id = p.id) a ON TRUE
     WHERE {scope}
     GROUP BY p.state, a.states, p.submitted_at IS NULL, p.approved_at IS NULL,
              coalesce(p.hold_reason, '') = '', p.cancelled_at IS NULL,
              coalesce(p.exception_reason, '') = ''
"""

# What a healed system has none of (I-18); no invariant, because it is normal for a while.
UNFINISHED = {
    "I-18 every attempt is final": """
        SELECT a.originator_id FROM soko_mpesa_attempt a
          JOIN soko_mpesa_payout p ON p.id = a.payout_id
         WHERE a.state IN ('sending', 'accepted', 'unknown')
            OR (a.state = 'prepared' AND p.state = 'approved')
    """,
    "I-18 every letter is applied": """
        SELECT id FROM soko_mpesa_inbox WHERE state IN ('new', 'failed')
    """,
}


def queries(thorough=False):
    """Return all invariants as {name: SQL}.

    :param bool thorough: whether to look at all books, however old
    :rtype: dict[str, str]
    """
    scopes = _get_scopes(thorough)
    return {**INVARIANTS,
            **{name: query.format(**scopes) for name, query in SCOPED.items()}}


def combinations(thorough=False):
    """Return the SQL that finds the payouts of each combination of facts, as arrays of ids.

    :param bool thorough: as in `queries`
    :rtype: str
    """
    return COMBINATIONS.format(**_get_scopes(thorough))


def _get_scopes(thorough):
    scopes = dict.fromkeys(SCOPES, "TRUE") if thorough else SCOPES
    return {**scopes, "least_keep_years": LEAST_KEEP_YEARS}
