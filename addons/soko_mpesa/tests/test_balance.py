import base64
import json
from datetime import datetime, timedelta
from decimal import Decimal

from psycopg2 import DatabaseError, IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools.parse import parse_balance_result, parse_moment, parse_payment_result
from .common import MpesaCase
from .fake_daraja import answer, balance_result, payment_result, refuse
from .test_parse import RUBBISH

DOCUMENTED = (
    "Working Account|KES|700000.00|700000.00|0.00|0.00&Float Account|KES|0.00|0.00|0.00|0.00"
    "&Utility Account|KES|228037.00|228037.00|0.00|0.00&Charges Paid Account|KES|-1540.00|-1540.00"
    "|0.00|0.00&Organization Settlement Account|KES|0.00|0.00|0.00|0.00"
)


@tagged("post_install", "-at_install", "mpesa")
class TestBalanceResult(BaseCase):
    def test_documented(self):
        result = parse_balance_result(balance_result(DOCUMENTED))
        self.assertEqual((result.readable, result.code), (True, "0"))
        self.assertEqual(
            (result.utility, result.working, result.charges, result.merchant),
            (Decimal("228037.00"), Decimal("700000.00"), Decimal("-1540.00"), None))
        self.assertEqual(dict(result.others), {
            "Float Account": 0, "Organization Settlement Account": 0})
        self.assertEqual(parse_moment(result.completed), datetime(2024, 1, 9, 9, 57, 10))

    def test_shapes(self):
        for value, utility, others in (
            ("Utility Account|KES|5.00|5.00|0.00|0.00", 5, {}),
            ("utility account | KES | 1,005.50 | 1,005.50", Decimal("1005.50"), {}),
            ("Utility Account|KES|9.00|4.00|5.00|0.00", 4, {}),
            ("Utility Account|KES|9.00", 9, {}), ("Utility Account|USD|9.00|9.00", None, {}),
            ("Utility Account|KES|nothing", None, {}), ("Working Account|KES|481000.00", None, {}),
            ("Brand New Account|KES|7.00|7.00&Utility Account|KES|1.00|1.00", 1,
             {"Brand New Account": 7}),
            ("Utility Account|KES|1|1&Utility Account|KES|2|2", 1, {"Utility Account": 2}),
            ("&&|", None, {}), ("", None, {}), (None, None, {}), (5, None, {}), ([], None, {}),
        ):
            with self.subTest(value=value):
                result = parse_balance_result(balance_result(value))
                self.assertEqual((result.utility, dict(result.others)), (utility, others))

    def test_one_parameter_without_a_list(self):
        raw = json.dumps({"Result": {"ResultCode": "0", "ResultParameters": {"ResultParameter": {
            "Key": "AccountBalance", "Value": "Utility Account|KES|5|5"}}}}).encode()
        self.assertEqual(parse_balance_result(raw).utility, 5)

    def test_rubbish(self):
        for raw in RUBBISH:
            result = parse_balance_result(raw)
            self.assertIsNone(result.utility)

    def test_moments(self):
        for text, moment in (
            ("06.07.2024 22:48:52", datetime(2024, 7, 6, 19, 48, 52)),
            ("20180223054112", datetime(2018, 2, 23, 2, 41, 12)),
            ("2024-07-06 01:00:00", datetime(2024, 7, 5, 22, 0, 0)),
            ("", None), (None, None), ("20181323054112", None), ("1" * 500, None),
            ("00010101000000", None),
        ):
            with self.subTest(text=text):
                self.assertEqual(parse_moment(text), moment)

    def test_funds_in_a_payments_result(self):
        raw = payment_result({"OriginatorConversationID": "A", "Amount": "10", "PartyB": "2547"},
                             more={"B2CUtilityAccountAvailableFunds": 8959269.60,
                                   "B2CChargesPaidAccountAvailableFunds": "-1980.00"})
        result = parse_payment_result(raw)
        self.assertEqual((result.utility, result.charges), (Decimal("8959269.6"), -1980))


@tagged("post_install", "-at_install", "mpesa")
class TestBalance(MpesaCase):
    def ask_balance(self):
        self.account.with_user(self.manager).action_ask_balance()
        self.run_cron("soko.mpesa.account", "_cron_balance")
        return self.daraja.balances[-1]

    def tell(self, *args, **kwargs):
        self.post(self.ask_balance()["ResultURL"], balance_result(*args, **kwargs))

    def pay(self, utility, completed, amount=100, receipt="SG632NMUAB"):
        self.make_payout(amount)
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(
            request, receipt, completed=completed, more={
                "B2CUtilityAccountAvailableFunds": utility,
                "B2CChargesPaidAccountAvailableFunds": -18}))

    def test_request(self):
        self.account.with_user(self.manager).action_ask_balance()
        self.assertEqual(self.daraja.balances, [], "the button only asks for it")
        request = self.ask_balance()
        self.assertEqual(
            (request["CommandID"], request["PartyA"], request["IdentifierType"]),
            ("AccountBalance", "600992", "4"))
        self.assertEqual(request["SecurityCredential"], "canary-credential")
        for name in ("ResultURL", "QueueTimeOutURL"):
            path = request[name].removeprefix("https://erp.example.co.ke").rsplit("/", 1)[0]
            for word in ("mpesa", "safaricom", "query", "cmd", "sql", "exe"):
                self.assertNotIn(word, path)
        self.assertFalse(self.account.balance_wanted)

    def test_answer_fills_the_account(self):
        self.tell(DOCUMENTED)
        account = self.account
        self.assertEqual(
            (account.float_amount, account.charges_amount, account.float_at),
            (228037, -1540, datetime(2024, 1, 9, 9, 57, 10)))
        [row] = self.env["soko.mpesa.balance"].search([])
        self.assertEqual((row.utility, row.working, row.source), (228037, 700000, "query"))
        self.assertIn("Organization Settlement", row.others)
        self.assertIn("AccountBalance", row.body)
        self.assertEqual(len(row.sha256), 64)

    def test_repeated_answer_counts_once(self):
        request = self.ask_balance()
        for _time in range(3):
            self.post(request["ResultURL"], balance_result())
        self.assertEqual(self.env["soko.mpesa.balance"].search_count([]), 1)

    def test_older_answer_does_not_hide_a_newer_one(self):
        self.tell("Utility Account|KES|50|50", completed="20240109125710")
        self.tell("Utility Account|KES|70|70", completed="20240108125710")
        self.assertEqual(self.account.float_amount, 50)
        self.assertEqual(self.env["soko.mpesa.balance"].search_count([]), 2)

    def test_clock_ahead_does_not_freeze_the_float(self):
        self.tell("Utility Account|KES|50|50", completed="20990109125710")
        self.assertLessEqual(self.account.float_at, fields.Datetime.now())

    def test_results_of_payments_tell_the_float(self):
        self.tell("Utility Account|KES|1000|1000", completed="20240706120000")
        self.pay(900, "06.07.2024 22:48:52")
        self.assertEqual((self.account.float_amount, self.account.charges_amount), (900, -18))
        self.pay(950, "06.07.2024 22:48:51", 200, "SG632NMUAC")
        self.assertEqual(self.account.float_amount, 900, "that one was older")
        newest = self.env["soko.mpesa.balance"].search([], limit=1)
        self.assertEqual((newest.source, newest.raw), ("payment", False))
        self.assertEqual(self.env["soko.mpesa.balance"].search_count([]), 2)

    def test_many_results_make_one_row(self):
        for amount in (100, 200, 300):
            self.make_payout(amount)
        self.send()
        inbox = self.env["soko.mpesa.inbox"]
        for number, request in enumerate(self.daraja.payments):
            word, token = request["ResultURL"].split("/")[-2:]
            inbox._store(word, token, payment_result(
                request, f"SG632NMUA{number}", completed=f"06.07.2024 22:48:5{number}",
                more={"B2CUtilityAccountAvailableFunds": 500 - number}), "127.0.0.1")
        self.apply()
        self.assertEqual(self.account.float_amount, 498)
        self.assertEqual(self.env["soko.mpesa.balance"].search_count([]), 1)

    def test_failure_and_strangers_tell_nothing(self):
        self.make_payout()
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(
            request, originator="SOMEBODYELSES", more={"B2CUtilityAccountAvailableFunds": 1}))
        self.assertFalse(self.account.float_at)

    def test_refused_query_is_explained(self):
        self.tell(code=21, description="The initiator is not allowed to initiate this request.")
        self.assertIn("isn't allowed to do this", self.account.balance_error)
        self.assertFalse(self.account.stopped_reason, "it may pay, only not ask")
        self.tell()
        self.assertFalse(self.account.balance_error)

    def test_wrong_password_stops_the_line(self):
        """F28, S31: asking on would lock the operator."""
        self.tell(code="2001", description="The initiator information is invalid.")
        self.assertIn("user name or password", self.account.stopped_reason)
        asked = len(self.daraja.balances)
        for _time in range(3):
            self.account.balance_asked_at = False
            self.run_cron("soko.mpesa.account", "_cron_balance")
        self.assertEqual(len(self.daraja.balances), asked)
        self.ask_balance()
        self.assertEqual(len(self.daraja.balances), asked + 1, "a person may try once")

    def test_hourly_and_not_more_often(self):
        for _time in range(3):
            self.run_cron("soko.mpesa.account", "_cron_balance")
        self.assertEqual(len(self.daraja.balances), 1)
        self.account.balance_asked_at = fields.Datetime.now() - timedelta(minutes=51)
        self.run_cron("soko.mpesa.account", "_cron_balance")
        self.assertEqual(len(self.daraja.balances), 2)

    def test_sync_refusals(self):
        self.daraja.balance_script = [refuse(400, "400.002.02", "Bad Request - Invalid PartyA")]
        self.ask_balance()
        self.assertIn("Invalid PartyA", self.account.balance_error)
        self.daraja.balance_script = [refuse(401, "401.002.01", "Invalid Access Token - abc")]
        self.ask_balance()
        self.assertTrue(self.account.balance_wanted)
        tokens = self.daraja.tokens
        self.run_cron("soko.mpesa.account", "_cron_balance")
        self.assertEqual(self.daraja.tokens, tokens + 1)
        self.assertFalse(self.account.balance_wanted)
        self.daraja.balance_script = [answer(503, b"<html>")]
        self.ask_balance()
        self.assertTrue(self.account.balance_error)

    def test_timeout_notice(self):
        self.post(self.ask_balance()["QueueTimeOutURL"], json.dumps(
            {"SecurityCredential": "canary-credential", "CommandID": "AccountBalance"}).encode())
        self.assertIn("too busy", self.account.balance_error)
        letter = self.env["soko.mpesa.inbox"].search([], limit=1)
        self.assertNotIn(b"canary", base64.b64decode(letter.with_context(bin_size=False).raw))

    def test_low_float_is_told_once(self):
        self.account.float_threshold = 1000
        for second, amount, is_low in ((0, 999, True), (1, 998, True), (2, 1000, False),
                                       (3, 1, True)):
            self.tell(f"Utility Account|KES|{amount}|{amount}",
                      completed=f"2024010912000{second}")
            self.assertEqual(self.account.float_is_low, is_low)
            for _pass in range(2):
                self.run_cron("soko.mpesa.watch", "_cron_watch")
            found = self.env["soko.mpesa.attention"].search([
                ("kind", "=", "float"), ("company_id", "=", self.company.id)])
            self.assertEqual(len(found), int(is_low), amount)

    def test_low_float_follows_the_threshold(self):
        accounts = self.env["soko.mpesa.account"]
        low = [("float_is_low", "=", True), ("id", "=", self.account.id)]
        self.tell("Utility Account|KES|900|900", completed="20240109120000")
        self.assertFalse(accounts.search(low))
        self.account.float_threshold = 1000
        self.assertEqual(accounts.search(low), self.account)
        self.account.float_threshold = 900
        self.assertFalse(accounts.search(low))

    def test_more_float_wakes_the_sender(self):
        self.account.waiting_reason = "too little"
        trigger = self.env["ir.cron.trigger"]
        mine = [("cron_id", "=", self.env.ref("soko_mpesa.ir_cron_send").id)]
        before = trigger.search_count(mine)
        self.tell()
        self.assertGreater(trigger.search_count(mine), before)

    def test_rows_are_append_only(self):
        self.tell()
        row = self.env["soko.mpesa.balance"].search([])
        for query in ("UPDATE soko_mpesa_balance SET utility = 1",
                      "DELETE FROM soko_mpesa_balance"):
            with self.assertRaisesRegex(DatabaseError, "append-only"), self.cr.savepoint(), \
                    mute_logger("odoo.sql_db"):
                self.cr.execute(query)
        self.assertEqual(row.utility, 228037)

    def test_an_address_has_one_owner(self):
        for values in ({}, {"account_id": self.account.id, "attempt_id": 1}):
            with self.assertRaises(IntegrityError), self.cr.savepoint(), \
                    mute_logger("odoo.sql_db"):
                self.env["soko.mpesa.callback"].create({
                    "kind": "balance", "token_sha256": "x", **values})

    def test_rights(self):
        self.tell()
        for user in (self.maker, self.approver, self.manager):
            row = self.env["soko.mpesa.balance"].with_user(user).search([])
            self.assertEqual(row.utility, 228037)
            with self.assertRaises(AccessError):
                row.write({"utility": 1})
            with self.assertRaises(AccessError):
                row.unlink()
            with self.assertRaises(AccessError):
                row.create({})
        for user in (self.maker, self.approver):
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_ask_balance()
        for name in ("float_amount", "charges_amount", "float_at", "balance_wanted",
                     "balance_asked_at", "paused_until", "last_error", "golive_is_complete"):
            with self.assertRaises(AccessError):
                self.account.with_user(self.manager).write({name: self.account[name]})
        views = row.get_views([(False, kind) for kind in ("list", "form", "graph", "search")])
        self.assertEqual(len(views["views"]), 4)

    def test_button_needs_a_set_up(self):
        self.account.with_user(self.manager).initiator_name = False
        with self.assertRaisesRegex(UserError, "user name"):
            self.account.with_user(self.manager).action_ask_balance()
        self.assertEqual(self.account.with_user(self.maker).action_open_balances()["domain"],
                         [("account_id", "=", self.account.id)])
