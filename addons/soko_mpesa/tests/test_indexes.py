from odoo.tests import tagged

from .common import MpesaCase

MANY = 10_000
MANY_NUMBERS = 500


@tagged("post_install", "-at_install", "mpesa")
class TestIndexes(MpesaCase):
    """What is summed before each send reads the rows that it sums, not all that was ever sent."""

    def setUp(self):
        super().setUp()
        payout = self.make_payout()[2]
        self.env.flush_all()
        self.copy_rows("soko_mpesa_payout", payout.id, {
            "cancelled_at": "now()", "state": "'cancelled'",
            "msisdn": f"'2547' || lpad((nth %% {MANY_NUMBERS})::text, 8, '0')"})
        self.copy_rows("soko_mpesa_attempt", payout.attempt_ids.id, {
            "number": "nth + 1", "state": "'prepared'",
            "originator_id": "'T' || lpad(nth::text, 19, '0')",
            "payout_id": "payouts.id", "sent_at": "now() - nth * interval '5 minutes'"}, """
            JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM soko_mpesa_payout
                   WHERE cancelled_at IS NOT NULL) payouts ON payouts.place = nth""")
        for state in ("sending", "paid"):  # the database allows one step at a time
            self.env.cr.execute(
                "UPDATE soko_mpesa_attempt SET state = %s WHERE sent_at IS NOT NULL", [state])
        self.env.cr.execute("ANALYZE soko_mpesa_payout; ANALYZE soko_mpesa_attempt")

    def copy_rows(self, table, row_id, values, join=""):
        """Insert many copies of a row, with SQL expressions of `nth` for some columns."""
        self.env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
            "AND column_name <> 'id'", [table])
        names = [name for (name,) in self.env.cr.fetchall()]
        exprs = ", ".join(values.get(name, f'one."{name}"') for name in names)
        columns = ", ".join(f'"{name}"' for name in names)
        self.env.cr.execute(
            f'INSERT INTO "{table}" ({columns}) SELECT {exprs} FROM "{table}" one, '
            f"generate_series(1, %s) nth {join} WHERE one.id = %s", [MANY, row_id])

    def plan(self, query, *params):
        self.env.cr.execute("EXPLAIN " + query, params)
        return "\n".join(line for (line,) in self.env.cr.fetchall())

    def test_what_an_account_or_a_company_sent_lately(self):
        for column, value in (("account_id", self.account.id), ("company_id", self.company.id)):
            plan = self.plan(
                f"SELECT min(sent_at), count(*) FROM soko_mpesa_attempt WHERE {column} = %s "
                "AND sent_at >= now() - interval '1 hour' AND state IN ('sending', 'paid')", value)
            self.assertIn(f"soko_mpesa_attempt_{column[:-3]}_sent_idx", plan)
            self.assertNotIn("Seq Scan", plan)

    def test_what_a_number_got(self):
        plan = self.plan("""
            SELECT sum(payout.amount) FROM soko_mpesa_attempt attempt
              JOIN soko_mpesa_payout payout ON payout.id = attempt.payout_id
             WHERE payout.msisdn = %s AND attempt.sent_at >= now() - interval '1 day'
               AND attempt.state IN ('sending', 'accepted', 'unknown', 'paid')
        """, "254700000007")
        self.assertNotIn("Seq Scan", plan)

    def test_when_an_account_sent_last(self):
        plan = self.plan(
            "SELECT sent_at FROM soko_mpesa_attempt WHERE account_id = %s "
            "AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1", self.account.id)
        self.assertIn("soko_mpesa_attempt_account_sent_idx", plan)
