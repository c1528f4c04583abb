from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import ACCOUNTING, MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestPayeePersons(MpesaCase):
    """Who may do what to a payee's number: rules S9, S10 and S13."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.auto_approve_limit = 0

    def new_user(self, login, groups, **values):
        return new_test_user(
            self.env, login, groups=groups, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)], **values)

    # === THE DIALOG === #

    def open_dialog(self, user=None):
        user = user or self.approver
        action = self.bank.with_user(user).action_soko_mpesa_open_verify()
        return Form(self.env[action["res_model"]].with_user(user).with_context(
            **action["context"]))

    def test_dialog(self):
        self.bank.with_user(self.maker).write({"acc_number": "0711 000 099"})
        dialog = self.open_dialog()
        self.assertEqual((dialog.old_number, dialog.number), ("254700000041", "254711000099"))
        dialog.how = "old_number"
        dialog.registered_name = " AMINA   WANJIKU MFANO "
        dialog.note = "She answered herself."
        dialog.save().action_confirm()
        self.assertTrue(self.bank._soko_mpesa_is_verified())
        self.assertEqual(self.bank.soko_mpesa_registered_name, "AMINA WANJIKU MFANO")
        self.assertEqual(self.bank.soko_mpesa_verified_how, "old_number")
        change = self.bank.soko_mpesa_change_ids[0]
        self.assertEqual((change.event, change.how, change.note, change.registered_name), (
            "verified", "old_number", "She answered herself.", "AMINA WANJIKU MFANO"))

    def test_dialog_asks_how(self):
        dialog = self.open_dialog()
        with self.assertRaises(AssertionError):
            dialog.save()
        dialog = self.open_dialog()
        dialog.how = "other"
        with self.assertRaises(AssertionError):
            dialog.save()
        dialog.note = "  "
        with self.assertRaisesRegex(UserError, "Say in the note"):
            dialog.save().action_confirm()

    def test_confirmed_again_with_a_name(self):
        """A number that was verified before names were kept gets one, without a pause."""
        dialog = self.open_dialog()
        dialog.how = "in_person"
        dialog.registered_name = "AMINA MFANO"
        dialog.save().action_confirm()
        self.assertTrue(self.bank._soko_mpesa_is_verified())
        self.assertEqual(self.bank.soko_mpesa_registered_name, "AMINA MFANO")
        self.assertEqual(self.bank.soko_mpesa_change_ids[0].event, "verified")

    def test_dialog_is_for_second_persons(self):
        for user in (self.maker, self.manager, self.accountant):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.open_dialog(user)
            with self.assertRaises(AccessError):
                self.env["soko.mpesa.payee.verify"].with_user(user).create({
                    "partner_bank_id": self.bank.id, "how": "in_person"})
        self.bank.with_user(self.approver).write({"acc_number": "0711000099"})
        self.assertFalse(self.bank.with_user(self.approver).soko_mpesa_may_verify)
        with self.assertRaisesRegex(AccessError, "somebody else"):
            self.open_dialog()
        wizard = self.env["soko.mpesa.payee.verify"].with_user(self.approver).create({
            "partner_bank_id": self.bank.id, "how": "in_person"})
        with self.assertRaisesRegex(AccessError, "somebody else"):
            wizard.action_confirm()
        self.assertFalse(self.bank.allow_out_payment)

    def test_an_approver_stops_payments_without_a_right_to_edit(self):
        approver = self.new_user("mpesa_stopper", "soko_mpesa.soko_mpesa_group_approver")
        self.bank.with_user(approver).action_soko_mpesa_unverify()
        self.assertFalse(self.bank._soko_mpesa_is_verified())
        with self.assertRaises(AccessError):
            self.bank.with_user(self.manager).action_soko_mpesa_unverify()

    # === ONE PERSON, TWO ACCOUNTS === #

    def second_account(self, user):
        """Another login of the person of `user`, with all roles."""
        return self.new_user(
            f"second_{user.login}", "soko_mpesa.soko_mpesa_group_maker,"
            f"soko_mpesa.soko_mpesa_group_approver,{ACCOUNTING}", partner_id=user.partner_id.id)

    def test_two_accounts_of_one_person_do_not_verify(self):
        twin = self.second_account(self.maker)
        self.bank.with_user(self.maker).write({"acc_number": "0711000099"})
        for act in ("action_soko_mpesa_verify", "action_soko_mpesa_open_verify"):
            with self.assertRaisesRegex(AccessError, "somebody else"):
                getattr(self.bank.with_user(twin), act)()
        with self.assertRaisesRegex(AccessError, "somebody else"):
            self.bank.with_user(twin).write({"allow_out_payment": True})

    def test_two_accounts_of_one_person_do_not_approve(self):
        payout = self.make_payout()[2]
        twin = self.second_account(self.maker)
        with self.assertRaisesRegex(AccessError, "You made"):
            payout.with_user(twin).action_approve()
        with self.assertRaisesRegex(AccessError, "You made"):
            payout.with_user(twin).sudo()._approve(twin)
        self.assertEqual((payout.state, payout.attempt_ids.ids), ("submitted", []))

    def test_the_account_that_entered_the_number_does_not_approve(self):
        twin = self.second_account(self.approver)
        self.bank.with_user(self.approver).write({"acc_number": "0711000099"})
        other = self.new_user("mpesa_other", "soko_mpesa.soko_mpesa_group_approver")
        self.bank.with_user(other).action_soko_mpesa_verify()
        payout = self.make_payout()[2]
        with self.assertRaisesRegex(AccessError, "You entered"):
            payout.with_user(twin).action_approve()
        payout.with_user(other).action_approve()

    def test_nobody_approves_a_payment_to_herself(self):
        user = self.new_user("mpesa_payee", "soko_mpesa.soko_mpesa_group_approver",
                             partner_id=self.payee.id)
        with self.assertRaisesRegex(AccessError, "pays you"):
            self.make_payout()[2].with_user(user).action_approve()
        self.bank.with_user(self.maker).write({"acc_number": "0711000099"})
        with self.assertRaisesRegex(AccessError, "your own number"):
            self.bank.with_user(user).action_soko_mpesa_verify()

    def test_the_database_refuses_one_approver_and_maker(self):
        payout = self.make_payout()[2]
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught, (
                self.cr.savepoint()):
            payout.write({"approver_id": self.maker.id, "approved_hash": payout.content_hash})
            self.env.flush_all()
        self.assertIn("two_persons", str(caught.exception))
        with self.assertRaises(AccessError):
            payout.with_user(self.approver).write({"approver_id": self.approver.id})

    def test_type_by_default_hides_no_editor(self):
        """Who enters a number is known even when its type comes from the context."""
        bank = self.env["res.partner.bank"].with_user(self.approver).with_context(
            default_acc_type="mpesa").create({
                "partner_id": self.payee.id, "acc_number": "0711000031",
                "allow_out_payment": True,
            })
        self.assertEqual((bank.acc_number, bank.acc_type), ("254711000031", "mpesa"))
        self.assertFalse(bank.allow_out_payment)
        with self.assertRaisesRegex(AccessError, "somebody else"):
            bank.action_soko_mpesa_verify()
        bank.sudo().soko_mpesa_edited_by = False
        with self.assertRaisesRegex(AccessError, "somebody else"):
            bank.action_soko_mpesa_verify()

    # === REDIRECTION === #

    def test_stolen_login_of_the_payee(self):
        """What an artisan's portal login can write doesn't move money (S9)."""
        portal = self.new_user("mpesa_artisan", "base.group_portal", partner_id=self.payee.id)
        own = portal.with_user(portal)
        own.write({"phone": "+254 711 111 111"})
        self.assertEqual(self.payee.phone, "+254 711 111 111", "Odoo lets her do that")
        stolen = [{"acc_number": "0711111111"}, {"acc_type": "bank"}, {"active": False},
                  {"partner_id": self.env.user.partner_id.id}, {"allow_out_payment": True},
                  {"soko_mpesa_registered_name": "JOHN DOE"}, {"soko_mpesa_verified_by": portal.id}]
        for values in stolen:
            with self.subTest(values=values), self.assertRaises(AccessError):
                self.bank.with_user(portal).write(values)
        with self.assertRaises(AccessError):
            self.env["res.partner.bank"].with_user(portal).create({
                "partner_id": self.payee.id, "acc_number": "+254711111111", "sequence": 1})
        for record in (own, self.payee.with_user(portal)):
            with self.assertRaises(AccessError):
                record.write({"bank_ids": [Command.create({"acc_number": "+254711111111"})]})
            with self.assertRaises(AccessError):
                record.write({"bank_ids": [Command.update(
                    self.bank.id, {"acc_number": "+254711111111"})]})
        for act in ("verify", "unverify", "open_verify", "open_clear", "open_history"):
            name = f"action_soko_mpesa_{act}" if act != "open_history" else (
                "action_open_soko_mpesa_history")
            with self.subTest(act=act), self.assertRaises(AccessError):
                getattr(self.bank.with_user(portal), name)()
        payout = self.make_payout()[2]
        payout.with_user(self.approver).action_approve()
        self.send()
        self.assertEqual(payout.msisdn, "254700000041")
        self.assertEqual(self.daraja.payments[0]["PartyB"], "254700000041")

    def approved(self):
        payout = self.make_payout()[2]
        payout.with_user(self.approver).action_approve()
        self.assertEqual(payout.state, "approved")
        return payout

    def test_changed_between_approval_and_sending(self):
        """Whatever is done to the number, nothing is sent under the old approval (S10)."""
        juma = self.env["res.partner"].create({"name": "Juma Mfano"})
        steps = (
            {"acc_number": "0711111111"}, {"partner_id": juma.id}, {"active": False},
            {"acc_type": "bank"}, {"allow_out_payment": False},
        )
        for values in steps:
            with self.subTest(values=values):
                payout = self.approved()
                before = self.bank.read([*values, "acc_number", "partner_id", "acc_type"])[0]
                self.bank.with_user(self.maker).write(values)
                self.send()
                self.assertEqual((payout.state, self.daraja.payments), ("held", []))
                self.assertEqual(payout.hold_code, False, "it doesn't go on by itself")
                self.run_cron("soko.mpesa.attempt", "_cron_sweep")
                self.assertEqual(payout.state, "held")
                with self.assertRaises(UserError):
                    payout.with_user(self.approver).action_release()
                self.bank.with_user(self.maker).write({
                    "acc_type": before["acc_type"], "acc_number": before["acc_number"],
                    "partner_id": before["partner_id"][0], "active": True,
                })
                self.bank.with_user(self.approver).action_soko_mpesa_verify()
                payout.with_user(self.approver).action_release()
                payout.with_user(self.maker).action_cancel()

    def test_changed_by_superuser_code(self):
        payout = self.approved()
        self.bank.sudo().write({"acc_number": "0711111111"})
        self.assertFalse(self.bank._soko_mpesa_is_verified())
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))

    def test_changed_by_sql(self):
        """Even when nothing of this module saw the change."""
        payout = self.approved()
        self.env.cr.execute("UPDATE res_partner_bank SET acc_number = '254711111111', "
                            "sanitized_acc_number = '254711111111' WHERE id = %s", [self.bank.id])
        self.bank.invalidate_recordset()
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))

    def test_bad_numbers_are_refused(self):
        for number, words in (
            ("+255 712 345 678", "Kenya"), ("+256712345678", "Kenya"), ("+44 7700 900123", "Kenya"),
            ("+1 202 555 0100", "Kenya"), ("020 222 2222", "mobile"),
            ("+254 20 222 2222", "mobile"),
            ("0800 723 253", "mobile"), ("0712 345 67", "digits"), ("0712 345 6789", "digits"),
            ("07l2 345 678", "characters"), ("", "empty"),
        ):
            with self.subTest(number=number), self.assertRaisesRegex(ValidationError, words):
                self.bank.with_user(self.maker).write({"acc_number": number})
        for number in ("0112 345 678", "+254 112 345 678", "254112345678", "00254 112 345678"):
            self.bank.with_user(self.maker).write({"acc_number": number})
            self.assertEqual(self.bank.acc_number, "254112345678")
