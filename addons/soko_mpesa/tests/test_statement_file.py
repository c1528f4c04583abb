import io
import random
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from ..tools import match, statement
from . import statement_samples as samples

DAY = datetime(2024, 7, 6, 19, 48, 52)


def three_rows():
    return [
        samples.payment("SG632NMUAB", 1500, 98_500),
        samples.fee("SG632NMUAB", 5, 98_495),
        samples.line("SG632TOPUP", 50_000, 148_495, **{
            "Reason Type": "Organization Settlement",
            "Details": "Transfer from Organization Settlement Account to Utility Account"}),
    ]


@tagged("post_install", "-at_install", "mpesa")
class TestStatementFile(BaseCase):
    def check_three(self, export):
        self.assertEqual(export.problems, [])
        self.assertEqual(
            [(row.receipt, row.kind, row.amount, row.completed) for row in export.rows],
            [("SG632NMUAB", "payment", Decimal(-1500), DAY),
             ("SG632NMUAB", "fee", Decimal(-5), DAY),
             ("SG632TOPUP", "top_up", Decimal(50_000), DAY)])
        self.assertEqual((export.opening, export.closing), (100_000, 148_495))
        self.assertTrue(export.sound)

    def test_portal(self):
        export = statement.parse(samples.make_csv(three_rows()))
        self.check_three(export)
        self.assertEqual(export.shortcode, "600992")
        self.assertEqual(export.rows[0].party, "254700000041 - Amina Mfano")

    def test_encodings_and_delimiters(self):
        rows = three_rows()
        for name, raw in {
            "bom": b"\xef\xbb\xbf" + samples.make_csv(rows),
            "semicolon": samples.make_csv(rows, delimiter=";"),
            "tab": samples.make_csv(rows, delimiter="\t"),
            "latin-1": samples.make_csv(
                [{**rows[0], "Other Party Info": "254700000041 - Zoë Mfano"}, *rows[1:]],
                encoding="latin-1"),
            "no preamble": samples.make_csv(rows, preamble=()),
            "long preamble": samples.make_csv(rows, preamble=[["", "x"]] * 40),
            "empty lines": samples.make_csv(rows).replace(b"\r\n", b"\r\n\r\n,,,\r\n"),
            "other order": samples.make_csv(rows, columns=samples.COLUMNS[::-1]),
            "newest first": samples.make_csv(rows[::-1]),
        }.items():
            with self.subTest(name):
                self.check_three(statement.parse(raw))

    def test_few_columns(self):
        columns = ("Completion Time", "Receipt No.", "Reason Type", "Withdrawn", "Paid In",
                   "Balance")
        self.check_three(statement.parse(samples.make_csv(three_rows(), columns, ())))
        export = statement.parse(samples.make_csv(three_rows(), columns[:-1], ()))
        self.assertEqual((export.problems, export.sound, len(export.rows)), ([], False, 3))

    def test_dates(self):
        for text in ("06-07-2024 22:48:52", "2024-07-06 22:48:52", "06/07/2024 22:48:52",
                     "06.07.2024 22:48:52", "2024-07-06T22:48:52", "06/07/2024 10:48:52 PM",
                     "20240706224852"):
            with self.subTest(text):
                rows = [samples.payment("SG632NMUAB", 1500, 98_500, at=text)]
                self.assertEqual(statement.parse(samples.make_csv(rows)).rows[0].completed, DAY)

    def test_money(self):
        for text, expected in (
            ("-33.00", -33), ("33.00", -33), ("KES 33.00", -33), ("Ksh 1,200.50", "-1200.5"),
            ("1,200.00", -1200), ("1.200,00", -1200), ("1200,5", "-1200.5"), ("(33.00)", -33),
            ("33.00-", -33), ("1,234,567.89", "-1234567.89"), ("1.234.567,89", "-1234567.89"),
            ("0.01", "-0.01"), ("1,200", -1200), ("33", -33),
        ):
            with self.subTest(text):
                rows = [{**samples.payment("SG632NMUAB", 1, 0), "Withdrawn": text}]
                export = statement.parse(samples.make_csv(rows))
                self.assertEqual(export.problems, [])
                self.assertEqual(export.rows[0].amount, Decimal(expected))
        for text in ("1.200", "12.345", "1,20.00", "abc", "1e5", "NaN", "0x10", "1_000",
                     "٣٣", "9" * 20):
            with self.subTest(text):
                rows = [{**samples.payment("SG632NMUAB", 1, 0), "Withdrawn": text}]
                export = statement.parse(samples.make_csv(rows))
                self.assertEqual(
                    [(problem.code, problem.row, problem.column) for problem in export.problems],
                    [("money", 6, "Withdrawn")])

    def test_problems_name_row_and_column(self):
        good = samples.payment("SG632NMUAB", 1500, 98_500)
        for change, expected in (
            ({"Completion Time": "yesterday"}, ("date", 6, "Completion Time")),
            ({"Completion Time": "31-02-2024"}, ("date", 6, "Completion Time")),
            ({"Receipt No.": "SG 63;"}, ("receipt", 6, "Receipt No.")),
            ({"Receipt No.": ""}, ("receipt", 6, "Receipt No.")),
            ({"Paid In": "5.00"}, ("both", 6, "Paid In")),
            ({"Transaction Status": "<b>?</b>"}, ("status", 6, "Transaction Status")),
            ({"Balance": "many"}, ("money", 6, "Balance")),
        ):
            with self.subTest(change):
                export = statement.parse(samples.make_csv([{**good, **change}]))
                found = export.problems[0]
                self.assertEqual((found.code, found.row, found.column), expected)
                self.assertEqual(export.rows, [])

    def test_formulas_are_refused(self):
        good = samples.payment("SG632NMUAB", 1500, 98_500)
        for text in ("=1+1", "@SUM(A1)", "\t=1", "+cmd|' /C calc'!A0", "-cmd()", " =1"):
            with self.subTest(text):
                export = statement.parse(samples.make_csv([{**good, "Details": text}]))
                self.assertIn("formula", [problem.code for problem in export.problems])
        export = statement.parse(samples.make_xlsx([{**good, "Paid In": "=1+1"}]))
        self.assertEqual([(p.code, p.row) for p in export.problems], [("formula", 6)])
        for text in ("+254700000041 - Amina", "-33.00", "- Amina"):
            export = statement.parse(samples.make_csv([{**good, "Other Party Info": text}]))
            self.assertEqual(export.problems, [], text)

    def test_xlsx(self):
        rows = three_rows()
        self.check_three(statement.parse(samples.make_xlsx(rows)))
        for row, amount, balance in zip(
            rows, (-1500, -5, 50_000.0), (98_500, 98_495.0, 148_495), strict=True,
        ):
            row.update({
                "Completion Time": datetime(2024, 7, 6, 22, 48, 52), "Balance": balance,
                "Paid In": amount if amount > 0 else None,
                "Withdrawn": amount if amount < 0 else None})
        self.check_three(statement.parse(samples.make_xlsx(rows)))

    def test_preamble(self):
        preamble = [
            ["Short Code: 600992"], ["Time Period:", "From 01-07-2024 00:00:00 To 31-07-2024"],
            ["Opening Balance:", "100,000.00", "Closing Balance:", "KES 148,495.00"]]
        export = statement.parse(samples.make_csv(three_rows(), preamble=preamble))
        self.check_three(export)
        self.assertEqual(export.begins, datetime(2024, 6, 30, 21))
        self.assertEqual(export.ends, DAY, "what came after the last row isn't known")

    def test_rows_that_do_not_add_up(self):
        rows = three_rows()
        export = statement.parse(samples.make_csv([rows[0], rows[2]]))
        self.assertEqual((export.sound, export.breaks), (False, [(7, Decimal(-5))]))
        preamble = [["Closing Balance:", "1.00"]]
        self.assertFalse(statement.parse(samples.make_csv(rows, preamble=preamble)).sound)

    def test_strange_files(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("xl/workbook.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
        for name, raw in {
            "empty": b"", "html": b"<html><body>Session expired</body></html>",
            "old excel": b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "zip": stream.getvalue(),
            "torn xlsx": samples.make_xlsx(three_rows())[:2000], "binary": bytes(range(256)) * 9,
            "one column": b"Receipt No.\nSG632NMUAB\n", "pdf": b"%PDF-1.7\n%\x00\x01",
        }.items():
            with self.subTest(name):
                export = statement.parse(raw)
                self.assertEqual((len(export.problems), export.rows), (1, []))
                self.assertIn(export.problems[0].code, ("format", "header"))
        export = statement.parse(b"x" * (statement.MAX_BYTES + 1))
        self.assertEqual(export.problems[0].code, "size")
        missing = statement.parse(b"Receipt No.,Details,Balance,Withdrawn\n")
        self.assertEqual([(p.code, p.column) for p in missing.problems],
                         [("column", "Completion Time"), ("column", "Paid In")])

    def test_damaged_files_raise_nothing(self):
        chance, seen = random.Random(7), {"rows": 0, "problems": 0}
        for raw in (samples.make_csv(three_rows()), samples.make_xlsx(three_rows())):
            for _try in range(150):
                broken = bytearray(raw)
                for _hit in range(chance.randrange(1, 6)):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                export = statement.parse(bytes(broken[:chance.randrange(1, len(broken) + 1)]))
                seen["rows"] += len(export.rows)
                seen["problems"] += len(export.problems)
                for row in export.rows:
                    self.assertTrue(row.receipt)
                    self.assertTrue(row.amount.is_finite())
        self.assertTrue(all(seen.values()), "some rows survive, and some damage is told")

    def test_kinds(self):
        for reason, details, amount, expected in (
            ("Salary Payment via API", "", -10, "payment"),
            ("Business Payment to Customer", "Business Payment to 254700000041 - Fee Charges",
             -10, "payment"),
            ("", "Promotion Payment to 254700000041 - A", -10, "payment"),
            ("", "Fee for Business Payment to 254700000041 - A", -10, "fee"),
            ("B2C Payment Charge", "Salary Payment", -10, "fee"),
            ("Transaction Reversal", "Reversal of SG632NMUAB", 10, "reversal"),
            ("Pay Bill Online", "Pay Bill from 254700000042 - B Acc. fees", 10, "money_in"),
            ("Organization Settlement", "Transfer to Utility Account", 10, "top_up"),
            ("Business Pay to Bulk", "", 10, "top_up"),
            ("Withdrawal of Funds", "", -10, "other"), ("", "", 10, "money_in"),
        ):
            with self.subTest(reason=reason, details=details):
                self.assertEqual(
                    statement.classify(reason, details, Decimal(amount)), expected)


@tagged("post_install", "-at_install", "mpesa")
class TestMatch(BaseCase):
    def payment(self, number=1, **changes):
        return match.Payment(**{
            "id": number, "originator_id": f"OURREFERENCE{number:08}", "receipt": "",
            "msisdn": "254700000041", "amount": 1500, "state": "unknown",
            "sent_at": DAY - timedelta(seconds=20), **changes})

    def row(self, receipt="SG632NMUAB", amount=-1500, **changes):
        return statement.Row(**{
            "line": 1, "receipt": receipt, "completed": DAY, "amount": Decimal(amount),
            "kind": "payment", "party": "254700000041 - Amina Mfano", **changes})

    def effects(self, payments, *rows):
        matcher = match.Matcher(payments, rows)
        plans = [matcher.plan(row) for row in rows]
        return [(plan.effect, *(payment.id for payment in plan.payments)) for plan in plans]

    def test_by_receipt(self):
        paid = self.payment(receipt="SG632NMUAB", state="paid")
        self.assertEqual(self.effects([paid], self.row()), [("confirm", 1)])
        self.assertEqual(self.effects([paid], self.row(amount=-1400)), [("contradiction", 1)])
        self.assertEqual(
            self.effects([paid], self.row(party="254711000000 - B")), [("contradiction", 1)])

    def test_by_reference(self):
        details = "Business Payment. Original conversation ID is OURREFERENCE00000001."
        for state, expected in (
            ("sending", "proof"), ("accepted", "proof"), ("unknown", "proof"),
            ("not_paid", "late"), ("prepared", "contradiction"), ("cancelled", "contradiction"),
        ):
            with self.subTest(state):
                self.assertEqual(self.effects(
                    [self.payment(state=state)], self.row(details=details, party="")),
                    [(expected, 1)])
        self.assertEqual(self.effects(
            [self.payment()], self.row(details=details, amount=-1400)), [("contradiction", 1)])
        paid = self.payment(state="paid", receipt="SG632FIRST")
        self.assertEqual(self.effects([paid], self.row(details=details)), [("twice", 1)])

    def test_by_number_amount_and_time(self):
        self.assertEqual(self.effects([self.payment()], self.row()), [("proof", 1)])
        self.assertEqual(
            self.effects([self.payment(state="not_paid")], self.row()), [("late", 1)])
        for payment in (
            self.payment(amount=1400), self.payment(msisdn="254700000042"),
            self.payment(state="cancelled"), self.payment(state="paid", receipt="SG632OTHER"),
            self.payment(sent_at=None), self.payment(sent_at=DAY + timedelta(minutes=6)),
            self.payment(sent_at=DAY - timedelta(hours=73)),
        ):
            self.assertEqual(self.effects([payment], self.row()), [("stranger",)])

    def test_ambiguous(self):
        two = [self.payment(1), self.payment(2)]
        self.assertEqual(self.effects(two, self.row()), [("several", 1, 2)])
        other = self.row("SG632OTHER", completed=DAY + timedelta(minutes=1))
        self.assertEqual(
            self.effects([self.payment()], self.row(), other), [("several", 1), ("several", 1)])
        apart = self.row("SG632OTHER", completed=DAY + timedelta(days=9))
        self.assertEqual(
            self.effects([self.payment()], self.row(), apart), [("proof", 1), ("stranger",)])

    def test_fees_and_reversals(self):
        fee = self.row(amount=-5, kind="fee")
        linked = self.row("SG632FEE00", amount=-5, kind="fee", linked="SG632NMUAB")
        back = self.row("SG633BACK0", 1500, kind="reversal", details="Reversal of SG632NMUAB")
        self.assertEqual(
            self.effects([self.payment()], self.row(), fee, linked, back, back),
            [("proof", 1), ("fee", 1), ("fee", 1), ("reversal", 1), ("reversed", 1)])
        self.assertEqual(self.effects([], fee, back), [("other_fee",), ("stranger",)])
        part = self.row("SG633BACK0", 100, kind="reversal", linked="SG632NMUAB")
        self.assertEqual(
            self.effects([self.payment()], self.row(), part), [("proof", 1), ("contradiction", 1)])

    def test_nothing_moved(self):
        failed = self.row(status="failed")
        self.assertEqual(self.effects([self.payment()], failed), [("failure", 1)])
        self.assertEqual(
            self.effects([self.payment(1), self.payment(2)], failed), [("ignored",)])
        self.assertEqual(
            self.effects([self.payment()], self.row(status="unfinished")), [("ignored",)])
        self.assertEqual(
            self.effects([self.payment(state="paid", receipt="SG632OTHER")], failed),
            [("ignored",)])
