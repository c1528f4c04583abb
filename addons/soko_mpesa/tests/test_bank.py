from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestBank(MpesaCase):
    def add(self, number, user=None, **values):
        return self.env["res.partner.bank"].with_user(user or self.maker).create({
            "partner_id": self.env["res.partner"].create({"name": "Juma Mfano"}).id,
            "acc_number": number, **values,
        })

    def test_normalised(self):
        for number in ("0711 000 042", "+254 711 000042", "254711000042", "711000042"):
            bank = self.add(number, acc_type="mpesa")
            self.assertEqual((bank.acc_number, bank.acc_type), ("254711000042", "mpesa"))

    def test_recognised_in_international_form_only(self):
        self.assertEqual(self.add("+254 711 000 042").acc_type, "mpesa")
        self.assertEqual(self.add("0711000042").acc_type, "bank", "a bank has such numbers")
        self.assertEqual(self.add("+255712345678").acc_type, "bank")

    def test_refused_clearly(self):
        for number, words in (
            ("+255712345678", "Kenya"), ("020 2222222", "mobile"), ("07110000422", "digits"),
            ("KE-071100", "characters"),
        ):
            with self.subTest(number=number), self.assertRaisesRegex(ValidationError, words):
                self.add(number, acc_type="mpesa")
        with self.assertRaisesRegex(ValidationError, "Kenya"):
            self.bank.with_user(self.maker).write({"acc_number": "+255712345678"})

    def test_many_at_once(self):
        partners = self.env["res.partner"].create([{"name": "A Mfano"}, {"name": "B Mfano"}])
        banks = self.env["res.partner.bank"].with_user(self.maker).create([
            {"partner_id": partners[0].id, "acc_number": "0711000042", "acc_type": "mpesa"},
            {"partner_id": partners[1].id, "acc_number": "12345678901"},
        ])
        self.assertEqual(banks.mapped("acc_type"), ["mpesa", "bank"])
        banks.write({"note": "checked"})
        self.assertEqual(banks.mapped("acc_type"), ["mpesa", "bank"])

    def test_trust_is_no_gift_at_creation(self):
        bank = self.add("0711000042", self.approver, acc_type="mpesa", allow_out_payment=True)
        self.assertFalse(bank.allow_out_payment)

    def test_second_person_verifies(self):
        bank = self.add("0711000042", acc_type="mpesa")
        with self.assertRaises(AccessError):
            bank.with_user(self.maker).action_soko_mpesa_verify()
        with self.assertRaises(AccessError):
            bank.with_user(self.manager).sudo().write({"allow_out_payment": True})
        own = self.add("0711000043", self.approver, acc_type="mpesa")
        with self.assertRaisesRegex(AccessError, "somebody else"):
            own.action_soko_mpesa_verify()
        bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertEqual(bank.soko_mpesa_verified_by, self.approver)
        self.assertTrue(bank.soko_mpesa_verified_at and bank.allow_out_payment)

    def test_approver_needs_no_right_to_edit_contacts(self):
        bank = self.add("0711000042", acc_type="mpesa")
        approver = new_test_user(
            self.env, "mpesa_only_approver", groups="soko_mpesa.soko_mpesa_group_approver",
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            bank.with_user(approver).write({"acc_number": "0711000099"})
        bank.with_user(approver).action_soko_mpesa_verify()
        self.assertEqual(bank.soko_mpesa_verified_by, approver)

    def test_administrator_is_no_approver(self):
        bank = self.add("0711000042", acc_type="mpesa")
        with self.assertRaises(AccessError):
            bank.with_user(self.env.ref("base.user_admin")).write({"allow_out_payment": True})
        with self.assertRaises(AccessError):
            bank.with_user(self.env.ref("base.user_root")).write({"allow_out_payment": True})

    def test_raw_write_is_the_same_act(self):
        bank = self.add("0711000042", acc_type="mpesa").with_user(self.approver)
        bank.write({"allow_out_payment": True})
        self.assertEqual(bank.soko_mpesa_verified_by, self.approver)

    def test_stamps_are_not_writable(self):
        for values in ({"soko_mpesa_verified_by": self.maker.id},
                       {"soko_mpesa_edited_by": False}, {"soko_mpesa_verified_at": "2026-01-01"}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                self.bank.with_user(self.approver).write(values)
            with self.assertRaises(AccessError):
                self.add("0711000042", **values)

    def test_change_takes_the_trust_away(self):
        other = self.env["res.partner"].create({"name": "Juma Mfano"})
        for values in ({"acc_number": "0711000099"}, {"partner_id": other.id}):
            with self.subTest(values=values):
                self.bank.with_user(self.approver).browse(self.bank.id)
                self.bank.with_user(self.maker).write(values)
                self.assertFalse(self.bank.allow_out_payment or self.bank.soko_mpesa_verified_by)
                self.assertEqual(self.bank.soko_mpesa_edited_by, self.maker)
                self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.bank.with_user(self.maker).write({"note": "called her"})
        self.assertTrue(self.bank.allow_out_payment)
        self.bank.with_user(self.maker).write({"acc_number": "+254 711 000 099"})
        self.assertTrue(self.bank.allow_out_payment, "the same number in another dress")

    def test_history_in_the_partners_chatter(self):
        before = self.payee.message_ids
        self.bank.with_user(self.maker).write({"acc_number": "0711000099"})
        new = (self.payee.message_ids - before).tracking_value_ids
        self.assertIn("2547*****099", new.mapped("new_value_char"))
        self.assertIn("2547*****041", new.mapped("old_value_char"))
        self.assertNotIn("254711000099", str(new.mapped("new_value_char")))

    def test_unverify(self):
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        self.assertFalse(self.bank.allow_out_payment or self.bank.soko_mpesa_verified_by)
        with self.assertRaises(UserError):
            self.add("12345678901").with_user(self.approver).action_soko_mpesa_verify()
