from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools import eat
from .common import MpesaCase
from .fake_daraja import balance_result, payment_result, refuse, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestCaps(MpesaCase):
    """S27: what leaves in an hour, and in a day; each cap is driven above by one shilling."""

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def test_hour(self):
        self.account.hour_limit = 1000
        first, second, third = (self.make_payout(amount)[2] for amount in (600, 400, 10))
        self.send()
        self.assertEqual([payout.state for payout in (first, second, third)],
                         ["in_flight", "in_flight", "approved"])
        self.assertIn("1,000 of at most 1,000 KES within an hour", third.waiting_reason)
        self.assertEqual(third.attempt_ids.not_before,
                         first.attempt_ids.sent_at + timedelta(hours=1))
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)
        first.attempt_ids.sent_at -= timedelta(minutes=61)
        third.attempt_ids.not_before = False
        self.send()
        self.assertEqual((third.state, third.waiting_reason), ("in_flight", False))

    def test_one_shilling_above_the_hour(self):
        self.account.hour_limit = 1000
        self.make_payout(500)
        above = self.make_payout(501)[2]
        self.send()
        self.assertEqual((len(self.daraja.payments), above.state), (1, "approved"))

    def test_many_small_payments_to_many_payees(self):
        self.account.hour_limit = 100
        for number in range(5):
            self.payee = self.env["res.partner"].create({"name": f"Mfano {number}"})
            self.env["res.partner.bank"].with_user(self.maker).create({
                "partner_id": self.payee.id, "acc_number": f"25470000005{number}",
                "acc_type": "mpesa",
            }).with_user(self.approver).action_soko_mpesa_verify()
            self.make_payout(30)
        self.send()
        self.assertEqual(sum(int(sent["Amount"]) for sent in self.daraja.payments), 90)

    def test_company_s_day_over_all_accounts(self):
        self.company.soko_mpesa_day_limit = 1000
        first = self.make_payout(600)[2]
        self.send()
        other = self.account.with_user(self.manager).create({
            "name": "Second", "shortcode": "600993", "company_id": self.company.id,
            "initiator_name": "testapi", "consumer_key": "k", "consumer_secret": "s",
            "security_credential": "c", "auto_approve_limit": 2000, "send_spacing_ms": 0,
            "responsible_id": self.manager.id,
        })
        other.action_set_up_journal()
        self.account = other.with_env(self.env)
        self.method_line = self.account.journal_id.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c")
        above, fits = self.make_payout(401)[2], self.make_payout(400)[2]
        for _pass in range(2):
            self.send()
        self.assertEqual([payout.state for payout in (first, above, fits)],
                         ["in_flight", "approved", "in_flight"])
        self.assertEqual(above.attempt_ids.not_before, eat.next_day(fields.Datetime.now()))
        self.assertIn("Your company sent", above.waiting_reason)

    def test_more_than_a_cap_alone_is_held(self):
        for record, name in ((self.account, "hour_limit"), (self.company, "soko_mpesa_day_limit")):
            with self.subTest(name):
                record[name] = 100
                payout = self.make_payout(101)[2]
                self.send()
                self.assertEqual((payout.state, self.daraja.payments), ("held", []))
                self.assertIn("alone is more", payout.hold_reason)
                record[name] = 0

    def test_caps_are_not_negative(self):
        for record, name in ((self.account, "hour_limit"), (self.company, "soko_mpesa_day_limit")):
            with self.subTest(name), mute_logger("odoo.sql_db"), \
                    self.assertRaises(CheckViolation), self.env.cr.savepoint():
                record[name] = -1
                record.flush_recordset()

    def test_only_a_manager_sets_the_cap(self):
        for user in (self.maker, self.approver):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.account.with_user(user).hour_limit = 5
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.company.with_user(user).soko_mpesa_day_limit = 5


@tagged("post_install", "-at_install", "mpesa")
class TestTrial(MpesaCase):
    """S31: one payment tries new credentials, so a wrong password doesn't lock the operator."""

    def setUp(self):
        super().setUp()
        self.account.with_user(self.manager).security_credential = "canary-credential"
        for _number in range(4):
            self.make_payout(100)

    def test_one_payment_tries_them(self):
        self.assertTrue(self.account.trial_since)
        for _pass in range(3):
            self.send()
        self.assertEqual(len(self.daraja.payments), 1)
        self.assertIn("one payment tries them", self.account.waiting_reason)
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        self.assertFalse(self.account.trial_since)
        self.send()
        self.assertEqual(len(self.daraja.payments), 4)
        self.assertFalse(self.account.waiting_reason)
        self.assertNoViolation()

    def test_wrong_password(self):
        """Two requests with it leave: the payment and the question about it that was due before."""
        self.send()
        request = self.daraja.payments[0]
        self.ask()
        self.post(request["ResultURL"], payment_result(request, code=2001))
        for _pass in range(3):
            self.send()
            self.ask()
        self.assertLessEqual(len(self.daraja.payments) + len(self.daraja.queries), 2)
        self.assertEqual(len(self.daraja.payments), 1)
        self.assertTrue(self.account.stopped_reason)
        self.assertTrue(self.account.trial_since, "they were never taken")

    def test_other_answers_end_it_too(self):
        self.send()
        request = self.daraja.payments[0]
        self.ask()
        self.post(self.daraja.queries[0]["ResultURL"], status_result(request))
        self.assertFalse(self.account.trial_since)

    def test_a_told_balance_ends_it(self):
        self.account._hear_balance(balance_result())
        self.assertFalse(self.account.trial_since)

    def test_what_did_not_leave_is_tried_again(self):
        self.daraja.script = [refuse(500, "500.003.02")]
        self.send()
        self.env["soko.mpesa.attempt"].search([("state", "=", "prepared")]).not_before = False
        self.account.sudo().paused_until = False
        self.send()
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)
        self.assertTrue(self.account.trial_since)

    def test_a_manager_may_end_it_and_nobody_else(self):
        self.send()
        with self.assertRaises(AccessError):
            self.account.with_user(self.manager).trial_since = False
        self.account.with_user(self.manager).action_resume()
        self.send()
        self.assertEqual(len(self.daraja.payments), 4)

    def test_an_older_payment_s_result_says_nothing_of_them(self):
        self.send()
        request = self.daraja.payments[0]
        self.env["soko.mpesa.attempt"].search([("state", "=", "accepted")]).sent_at = (
            fields.Datetime.subtract(self.account.trial_since, minutes=5))
        self.post(request["ResultURL"], payment_result(request))
        self.assertTrue(self.account.trial_since)
