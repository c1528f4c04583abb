"""What must never be in the books beside M-Pesa's statement, as SQL that must find nothing."""

# Rows and lines that are looked at each time; all of them when asked thoroughly.
NEWEST = 1000
RECENT = {
    "rows": f"r.id > (SELECT max(id) - {NEWEST} FROM soko_mpesa_statement_row)",
    "lines": f"l.id > (SELECT max(id) - {NEWEST} FROM account_bank_statement_line)",
}

SCOPED = {
    "I-6 what is booked of a row of the statement is its amount": """
        SELECT r.key FROM soko_mpesa_statement_row r
          LEFT JOIN account_bank_statement_line l ON l.soko_mpesa_row_id = r.id
         WHERE {rows} AND r.state IN ('booked', 'unmatched')
         GROUP BY r.id HAVING r.amount IS DISTINCT FROM coalesce(sum(l.amount), 0)
    """,
    "I-6 a movement of M-Pesa's is booked as it is, and stays posted": """
        SELECT l.soko_mpesa_key FROM account_bank_statement_line l
          JOIN account_move m ON m.id = l.move_id
         WHERE {lines} AND l.soko_mpesa_key IS NOT NULL AND m.state <> 'posted'
    """,
    "I-6 a confirmed payment has the statement's receipt and amount": """
        SELECT p.name FROM soko_mpesa_statement_row r
          JOIN soko_mpesa_payout p ON p.statement_row_id = r.id
         WHERE {rows} AND (p.receipt IS DISTINCT FROM r.receipt OR r.amount <> -p.amount)
    """,
}

BOOKS = {
    "I-6 what isn't booked of the statement is listed": """
        SELECT r.key FROM soko_mpesa_statement_row r
          JOIN soko_mpesa_statement s ON s.id = r.statement_id
         WHERE s.state = 'imported' AND r.state = 'new'
    """,
    "I-13 two persons declared, and neither made the payment": """
        SELECT d.id FROM soko_mpesa_declaration d JOIN soko_mpesa_payout p ON p.id = d.payout_id
         WHERE d.confirmed_by = d.declared_by OR p.maker_id IN (d.declared_by, d.confirmed_by)
            OR (d.state = 'confirmed' AND d.confirmed_by IS NULL)
    """,
    "I-15 rows of the statement are guarded": """
        SELECT name FROM (VALUES ('soko_mpesa_statement_row_guard'),
                                 ('soko_mpesa_statement_row_whole')) AS guard(name)
         WHERE NOT EXISTS (SELECT FROM pg_trigger
                            WHERE tgname = guard.name AND tgenabled IN ('O', 'A'))
    """,
    "I-19 a sound statement adds up": """
        SELECT id FROM soko_mpesa_statement
         WHERE sound AND opening_balance + total <> closing_balance
    """,
}


def queries(thorough=False):
    """Return the invariants as {name: SQL}.

    :param bool thorough: whether to look at all books, however old
    :rtype: dict[str, str]
    """
    scope = dict.fromkeys(RECENT, "TRUE") if thorough else RECENT
    return {**BOOKS, **{name: query.format(**scope) for name, query in SCOPED.items()}}
