from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import MpesaCase
from .fake_daraja import payment_result, status_result


class WaitCase(MpesaCase):
    """Payees whose numbers change; payments up to 1,000 go to a number that isn't proven."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.soko_mpesa_first_payment_limit = 1000
        cls.account.auto_approve_limit = 50000

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def prove(self, payout, receipt="SG632NMUAB", **changes):
        """Send a payout and let M-Pesa report it as paid."""
        self.send()
        request = self.daraja.payments[-1]
        self.assertEqual(request["OriginatorConversationID"], payout.attempt_ids.originator_id)
        self.post(request["ResultURL"], payment_result(request, receipt, **changes))
        self.assertTrue(payout.paid_at)

    def change_number(self, number="0711 000 099"):
        self.bank.with_user(self.maker).write({"acc_number": number})
        self.bank.with_user(self.approver).action_soko_mpesa_verify()

    def grow_older(self, hours):
        """Let `hours` pass since the number was verified, by the clock of the database."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner_bank SET soko_mpesa_cooling_from = "
            "soko_mpesa_cooling_from - %s WHERE id = %s", [timedelta(hours=hours), self.bank.id])
        self.bank.invalidate_recordset()

    def sweep(self):
        self.run_cron("soko.mpesa.attempt", "_cron_sweep")


@tagged("post_install", "-at_install", "mpesa")
class TestFirstPayment(WaitCase):
    def test_capped_until_proven(self):
        large = self.make_payout(3000)[2]
        self.assertEqual((large.state, large.hold_code), ("held", "first"))
        self.assertIn("1,000", large.hold_reason)
        self.assertNotIn("254700000041", large.hold_reason)
        self.assertTrue(large.activity_ids, "somebody must pay a part first")
        small = self.make_payout(1000)[2]
        self.assertEqual(small.state, "approved")
        self.sweep()
        self.assertEqual(large.state, "held")
        self.prove(small)
        self.sweep()
        self.assertEqual((large.state, large.hold_reason, large.hold_code), (
            "approved", False, False))
        self.send()
        self.assertEqual([p["Amount"] for p in self.daraja.payments], ["1000", "3000"])

    def test_parts_do_not_get_round_it(self):
        first, second, third = (self.make_payout(400)[2] for _time in range(3))
        self.assertEqual((first.state, second.state), ("approved", "approved"))
        self.assertEqual((third.state, third.hold_code), ("held", "first"))
        self.assertFalse(third.activity_ids, "it goes by itself when the others have arrived")
        self.send()
        self.assertEqual(len(self.daraja.payments), 2)
        self.sweep()
        self.assertEqual(third.state, "held", "on the way isn't proven")

    def test_checked_again_when_it_is_sent(self):
        """What was approved before a rule existed doesn't slip through."""
        self.company.soko_mpesa_first_payment_limit = 0
        payout = self.make_payout(3000)[2]
        self.assertEqual(payout.state, "approved")
        self.company.soko_mpesa_first_payment_limit = 1000
        self.send()
        self.assertEqual((payout.state, payout.hold_code, self.daraja.payments), (
            "held", "first", []))
        self.company.soko_mpesa_first_payment_limit = 3000
        self.sweep()
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)

    def test_a_failure_proves_nothing(self):
        small = self.make_payout(900)[2]
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request, code=2040))
        self.ask()
        query = self.daraja.queries[0]
        self.post(query["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(small.state, "failed")
        self.assertEqual(self.make_payout(3000)[2].hold_code, "first")
        self.assertEqual(self.make_payout(1000)[2].state, "approved", "what failed doesn't count")

    def test_persons_can_stop_it_but_not_hurry_it(self):
        payout = self.make_payout(3000)[2]
        with self.assertRaisesRegex(UserError, "pay a part"):
            payout.with_user(self.approver).action_release()
        payout.with_user(self.maker).action_hold()
        self.assertEqual((payout.state, payout.hold_code), ("held", False))
        self.company.soko_mpesa_first_payment_limit = 0
        self.sweep()
        self.assertEqual(payout.state, "held", "a person stopped it, a person releases it")
        payout.with_user(self.approver).action_release()
        self.assertEqual(payout.state, "approved")

    def test_racing_claims_conflict(self):
        """A claim to an unproven number writes to the row, so that a second one must look again."""
        payout = self.make_payout(900)[2]
        with patch.object(self.registry["res.partner.bank"], "_soko_mpesa_touch") as touch:
            self.send()
            self.assertEqual(touch.call_count, 1)
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(payout.state, "paid")
        self.make_payout(3000)
        with patch.object(self.registry["res.partner.bank"], "_soko_mpesa_touch") as touch:
            self.send()
            self.assertEqual(touch.call_count, 0, "a proven number isn't written to")
        self.assertEqual(len(self.daraja.payments), 2)

    def test_touch(self):
        before = self.bank.write_date
        self.env.cr.execute("UPDATE res_partner_bank SET write_date = '2020-01-01' WHERE id = %s",
                            [self.bank.id])
        self.bank._soko_mpesa_touch()
        self.bank.invalidate_recordset()
        self.assertGreaterEqual(self.bank.write_date, before)


@tagged("post_install", "-at_install", "mpesa")
class TestCooling(WaitCase):
    def setUp(self):
        super().setUp()
        self.prove(self.make_payout(500)[2])

    def test_large_payment_waits_and_goes_by_itself(self):
        self.change_number()
        self.assertTrue(self.bank.soko_mpesa_is_cooling)
        payout = self.make_payout(3000)[2]
        self.assertEqual((payout.state, payout.hold_code), ("held", "cooling"))
        self.assertIn("replaced", payout.hold_reason)
        self.assertFalse(payout.activity_ids, "nobody has to do anything")
        with self.assertRaisesRegex(UserError, "replaced"):
            payout.with_user(self.approver).action_release()
        self.grow_older(71)
        self.sweep()
        self.assertEqual(payout.state, "held")
        self.grow_older(1)
        self.sweep()
        self.assertEqual(payout.state, "approved")
        self.assertFalse(self.bank.soko_mpesa_is_cooling)
        self.send()
        self.assertEqual(self.daraja.payments[-1]["PartyB"], "254711000099")

    def test_an_approver_may_release_when_it_is_over(self):
        self.change_number()
        payout = self.make_payout(3000)[2]
        self.grow_older(72)
        payout.with_user(self.approver).action_release()
        self.assertEqual(payout.state, "approved")

    def test_small_first_payment_goes_and_uses_the_cap_up(self):
        self.change_number()
        small = self.make_payout(700)[2]
        self.assertEqual(small.state, "approved")
        self.prove(small, "SG632NMUAC")
        more = self.make_payout(301)[2]
        self.assertEqual(more.hold_code, "cooling", "proven or not: 1,000 in all")
        self.assertEqual(self.make_payout(300)[2].state, "approved")

    def test_approval_by_a_person_holds_it_too(self):
        self.account.auto_approve_limit = 0
        self.change_number()
        payout = self.make_payout(3000)[2]
        self.assertEqual(payout.state, "submitted")
        payout.with_user(self.approver).action_approve()
        self.assertEqual((payout.state, payout.hold_code, payout.approver_id), (
            "held", "cooling", self.approver))

    def test_number_changed_again_while_waiting(self):
        self.change_number()
        payout = self.make_payout(3000)[2]
        self.change_number("0711 000 098")
        self.grow_older(100)
        self.sweep()
        self.assertEqual((payout.state, payout.hold_code), ("held", False))
        self.assertIn("changed", payout.hold_reason)
        self.send()
        self.assertEqual(len(self.daraja.payments), 1)

    def test_the_hosts_clock_does_not_end_it(self):
        self.change_number()
        payout = self.make_payout(3000)[2]
        for jump in (timedelta(days=10), timedelta(days=-10)):
            with freeze_time(fields.Datetime.now() + jump):
                self.bank.invalidate_recordset()
                self.assertTrue(self.bank.soko_mpesa_is_cooling)
                payout._recheck()  # on the real cursor: that of a test's cron has the host's clock
            self.assertEqual(payout.state, "held")
        with freeze_time(fields.Datetime.now() - timedelta(days=10)):
            self.change_number("0711 000 097")
        self.assertTrue(self.bank.soko_mpesa_is_cooling, "a slow clock doesn't date it back")
        self.assertEqual(self.bank.soko_mpesa_cooling_from,
                         self.env.cr.now().replace(microsecond=0))

    def test_switched_off(self):
        self.company.soko_mpesa_cooling_hours = 0
        self.change_number()
        self.assertFalse(self.bank.soko_mpesa_is_cooling)
        self.assertEqual(self.make_payout(900)[2].state, "approved")
        self.assertEqual(self.make_payout(3000)[2].hold_code, "first", "the cap is another rule")
        self.company.soko_mpesa_first_payment_limit = 0
        self.assertEqual(self.make_payout(3000)[2].state, "approved")

    def test_without_a_cap_nothing_goes(self):
        self.company.soko_mpesa_first_payment_limit = 0
        self.change_number()
        self.assertEqual(self.make_payout(10)[2].hold_code, "cooling")

    def test_another_account_is_a_change_too(self):
        """A second M-Pesa number of the same payee replaces the verified one, archived or not."""
        self.bank.with_user(self.maker).action_archive()
        self.bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.payee.id, "acc_number": "0711000055", "acc_type": "mpesa",
        }).with_env(self.env)
        self.assertEqual(self.bank.soko_mpesa_old_number, "254700000041")
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertEqual(self.make_payout(3000)[2].hold_code, "cooling")

    def test_taken_from_the_archive(self):
        """The old number of a payee who has a new one: one person alone can't go back to it."""
        old = self.bank
        self.bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.payee.id, "acc_number": "0711000055", "acc_type": "mpesa",
        }).with_env(self.env)
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        old.with_user(self.maker).action_archive()
        self.assertFalse(old._soko_mpesa_is_verified())
        self.env.flush_all()
        old.with_user(self.maker).action_unarchive()
        self.assertFalse(old._soko_mpesa_is_verified() or old.allow_out_payment)
        self.assertEqual((old.soko_mpesa_edited_by, old.soko_mpesa_edited_at), (
            self.maker, self.env.cr.now().replace(microsecond=0)))
        self.assertEqual(old.soko_mpesa_old_number, "254711000055")
        self.assertEqual(
            old.soko_mpesa_change_ids.sorted("id").mapped("event")[-3:],
            ["distrusted", "archived", "restored"])
        old.with_user(self.approver).action_soko_mpesa_verify()
        self.assertTrue(old.soko_mpesa_is_cooling)
        self.bank.with_user(self.maker).action_archive()
        self.assertEqual(self.make_payout(3000)[2].hold_code, "cooling")

    def test_who_restores_a_number_does_not_verify_it(self):
        self.bank.with_user(self.maker).action_archive()
        self.bank.with_user(self.approver).action_unarchive()
        with self.assertRaisesRegex(AccessError, "somebody else"):
            self.bank.with_user(self.approver).action_soko_mpesa_verify()
        second = new_test_user(
            self.env, "mpesa_second_approver", groups="soko_mpesa.soko_mpesa_group_approver",
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        self.bank.with_user(second).action_soko_mpesa_verify()
        self.assertFalse(self.bank.soko_mpesa_is_cooling, "it is the number that was paid before")
        self.assertEqual(self.make_payout(3000)[2].state, "approved")

    def test_archive_in_one_go_with_something_else(self):
        self.bank.with_user(self.maker).write({"active": False, "note": "lost her phone"})
        self.bank.sudo().write({"active": True})
        self.assertFalse(self.bank._soko_mpesa_is_verified())
        with self.assertRaises(UserError):
            self.make_payout(100)

    def test_moved_to_another_payee(self):
        """The number of one contact given to another who had one."""
        other = self.env["res.partner"].create({"name": "Juma Mfano"})
        self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": other.id, "acc_number": "0711000066", "acc_type": "mpesa",
        }).with_user(self.approver).action_soko_mpesa_verify()
        self.bank.with_user(self.maker).write({"partner_id": other.id})
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertEqual(self.bank.soko_mpesa_old_number, "254711000066")
        self.assertTrue(self.bank.soko_mpesa_is_cooling)

    def test_back_to_the_known_number(self):
        self.bank.with_user(self.maker).write({"acc_number": "0711 000 099"})
        self.assertEqual(self.bank.soko_mpesa_old_number, "254700000041")
        self.change_number("0700 000 041")
        self.assertFalse(self.bank.soko_mpesa_old_number or self.bank.soko_mpesa_is_cooling)
        self.assertEqual(self.make_payout(3000)[2].state, "approved", "nothing has changed")

    def test_verifying_again_is_no_short_cut(self):
        self.change_number()
        self.grow_older(50)
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.grow_older(0)
        self.assertTrue(self.bank.soko_mpesa_is_cooling)
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.grow_older(71)
        self.assertTrue(self.bank.soko_mpesa_is_cooling, "it began anew")
        self.grow_older(1)
        self.assertFalse(self.bank.soko_mpesa_is_cooling)
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertFalse(self.bank.soko_mpesa_is_cooling, "once is enough")

    def test_found_in_the_list(self):
        cooling = [("soko_mpesa_is_cooling", "=", True), ("partner_id", "=", self.payee.id)]
        rest = [("soko_mpesa_is_cooling", "=", False), ("partner_id", "=", self.payee.id)]
        banks = self.env["res.partner.bank"]
        self.assertEqual((banks.search(cooling), banks.search(rest)), (banks, self.bank))
        self.change_number()
        self.assertEqual((banks.search(cooling), banks.search(rest)), (self.bank, banks))
        self.grow_older(72)
        self.assertEqual((banks.search(cooling), banks.search(rest)), (banks, self.bank))

    def test_said_in_words(self):
        status = self.bank.with_user(self.maker).soko_mpesa_status
        self.assertIn(f"Verified by {self.approver.name}", status)
        self.bank.with_user(self.maker).write({"acc_number": "0711000099"})
        self.assertIn(f"somebody else than {self.maker.name}", self.bank.soko_mpesa_status)
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertIn("larger payments wait", self.bank.soko_mpesa_status)
        self.bank.active = False
        self.assertIn("Archived", self.bank.soko_mpesa_status)
        plain = self.env["res.partner.bank"].create({
            "partner_id": self.payee.id, "acc_number": "12345678901"})
        self.assertFalse(plain.soko_mpesa_status)

    def test_settings(self):
        settings = self.env["res.config.settings"].create({
            "soko_mpesa_cooling_hours": 24, "soko_mpesa_first_payment_limit": 5})
        settings.execute()
        self.assertEqual((self.company.soko_mpesa_cooling_hours,
                          self.company.soko_mpesa_first_payment_limit), (24, 5))
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation), self.cr.savepoint():
            self.company.soko_mpesa_cooling_hours = -1
            self.env.flush_all()
        with self.assertRaises(AccessError):
            self.company.with_user(self.maker).soko_mpesa_cooling_hours = 0
