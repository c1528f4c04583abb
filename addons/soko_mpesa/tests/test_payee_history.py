import base64
from pathlib import Path

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.modules.migration import load_script
from odoo.modules.module import get_module_path
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.res_partner_bank import Confirmation
from .common import MpesaCase


class HistoryCase(MpesaCase):
    def events(self, bank=None):
        """:return: [(event, old number, number)] of a number, the oldest first"""
        changes = (bank or self.bank).sudo().soko_mpesa_change_ids.sorted("id")
        return [(c.event, c.old_number, c.number) for c in changes]

    def make_merge(self, *partners, into):
        """Merge contacts with Odoo's own wizard, as an administrator does it."""
        admin = self.env.ref("base.user_admin")
        admin.company_ids += self.company
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(admin)
        ids = [partner.id for partner in (*partners, into)]
        wizard._merge(ids, into.with_env(wizard.env))
        self.env.invalidate_all()


@tagged("post_install", "-at_install", "mpesa")
class TestPayeeHistory(HistoryCase):
    def test_life_of_a_number(self):
        self.bank.with_user(self.maker).write({"acc_number": "0711 000 099"})
        self.bank.with_user(self.approver)._soko_mpesa_verify(Confirmation(how="old_number"))
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        self.bank.with_user(self.maker).action_archive()
        self.bank.with_user(self.maker).action_unarchive()
        old, new = "254700000041", "254711000099"
        self.assertEqual(self.events(), [
            ("entered", False, old), ("verified", False, old), ("changed", old, new),
            ("verified", old, new), ("distrusted", False, new), ("archived", False, new),
            ("restored", False, new),
        ])
        changes = self.bank.soko_mpesa_change_ids
        self.assertEqual(changes.sorted("id").mapped("user_id"), self.maker | self.approver)
        self.assertEqual(changes[3].how, "old_number")
        self.assertEqual(set(changes.mapped("partner_name")), {"Amina Mfano"})
        self.assertEqual(changes[0].changed_at, self.env.cr.now())

    def test_what_changes_nothing_leaves_no_line(self):
        before = self.events()
        self.bank.with_user(self.maker).write({"acc_number": "+254 700 000 041", "note": "x"})
        self.bank.with_user(self.maker).write({"active": True})
        self.bank.with_user(self.approver).write({"allow_out_payment": True})
        self.assertEqual(self.events(), before)
        self.assertEqual(self.bank.soko_mpesa_verified_by, self.approver)

    def test_sudo_and_many_at_once_leave_lines_too(self):
        others = self.env["res.partner"].create([{"name": "Juma Mfano"}, {"name": "Ali Mfano"}])
        banks = self.env["res.partner.bank"].sudo().create([
            {"partner_id": partner.id, "acc_number": f"071100008{number}", "acc_type": "mpesa"}
            for number, partner in enumerate(others)
        ] + [{"partner_id": others[0].id, "acc_number": "12345678901"}])
        self.assertEqual([len(self.events(bank)) for bank in banks], [1, 1, 0])
        banks.with_user(self.approver)[:2].sudo(False).action_soko_mpesa_verify()
        self.assertEqual([self.events(bank)[-1][0] for bank in banks[:2]], ["verified"] * 2)
        (banks + self.bank).sudo().write({"active": False})
        self.assertEqual([self.events(bank)[-1][0] for bank in banks[:2] + self.bank],
                         ["archived"] * 3)

    def test_import(self):
        """A spreadsheet is no way around."""
        result = self.env["res.partner.bank"].with_user(self.maker).load(
            ["id", "partner_id/.id", "acc_number", "acc_type", "allow_out_payment"],
            [["__test__.juma", str(self.env["res.partner"].create({"name": "Juma"}).id),
              "0711 000 077", "mpesa", "True"]])
        self.assertFalse(result["messages"])
        bank = self.env["res.partner.bank"].browse(result["ids"])
        self.assertFalse(bank.allow_out_payment)
        self.assertEqual(self.events(bank), [("entered", False, "254711000077")])
        bank.with_user(self.approver).action_soko_mpesa_verify()
        self.env["res.partner.bank"].with_user(self.maker).load(
            ["id", "acc_number"], [["__test__.juma", "0711 000 078"]])
        self.assertEqual(self.events(bank)[-1], ("changed", "254711000077", "254711000078"))
        self.assertFalse(bank._soko_mpesa_is_verified())

    def test_a_bank_account_that_becomes_a_number_and_back(self):
        bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.payee.id, "acc_number": "0711000088"})
        self.assertEqual(self.events(bank), [])
        bank.write({"acc_type": "mpesa"})
        self.assertEqual(self.events(bank), [("entered", False, "254711000088")])
        self.assertEqual(bank.soko_mpesa_old_number, "254700000041")
        self.assertEqual(bank.soko_mpesa_edited_by, self.maker)
        bank.write({"acc_type": "bank"})
        self.assertEqual(self.events(bank)[-1], ("changed", "254711000088", False))

    def test_deleted_is_archived(self):
        before = self.payee.message_ids
        self.bank.with_user(self.maker).unlink()
        self.assertFalse(self.bank.active)
        self.assertEqual(self.events()[-1][0], "archived")
        said = " ".join((self.payee.message_ids - before).mapped("body"))
        self.assertNotIn("254700000041", said)

    def test_nobody_writes_it(self):
        change = self.bank.soko_mpesa_change_ids[:1]
        for user in (self.maker, self.approver, self.manager):
            with self.subTest(user=user.login):
                self.assertTrue(change.with_user(user).read(["number"]))
                for name in ("number", "event", "user_id", "partner_id", "note"):
                    with self.assertRaises(AccessError):
                        change.with_user(user).write({name: False})
                with self.assertRaises(AccessError):
                    change.with_user(user).unlink()
                with self.assertRaises(AccessError):
                    change.with_user(user).create({
                        "partner_id": self.payee.id, "partner_name": "x", "event": "verified",
                        "user_id": user.id, "changed_at": "2026-01-01",
                    })

    def test_the_database_refuses(self):
        ids = self.bank.soko_mpesa_change_ids.ids
        other = self.env["res.partner"].create({"name": "Juma Mfano"})
        for query, values in (
            ("UPDATE soko_mpesa_payee_change SET number = '254711111111' WHERE id = ANY(%s)", []),
            ("UPDATE soko_mpesa_payee_change SET partner_id = %s WHERE id = ANY(%s)", [other.id]),
            ("UPDATE soko_mpesa_payee_change SET partner_bank_id = NULL WHERE id = ANY(%s)", []),
            ("DELETE FROM soko_mpesa_payee_change WHERE id = ANY(%s)", []),
            ("TRUNCATE soko_mpesa_payee_change /* %s */", []),
        ):
            with self.subTest(query=query), mute_logger("odoo.sql_db"), self.assertRaisesRegex(
                    psycopg2.errors.RaiseException, "append-only"), self.cr.savepoint():
                self.cr.execute(query, [*values, ids])
        change = self.bank.soko_mpesa_change_ids[:1].sudo()
        with mute_logger("odoo.sql_db"), self.assertRaises(
                psycopg2.errors.RaiseException), self.cr.savepoint():
            change.write({"note": "nothing happened"})
            self.env.flush_all()

    def test_others_do_not_read_it(self):
        portal = new_test_user(self.env, "mpesa_history_portal", groups="base.group_portal")
        staff = new_test_user(self.env, "mpesa_history_staff", groups="base.group_user")
        for user in (self.accountant, staff, portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["soko.mpesa.payee.change"].with_user(user).search([])
        with self.assertRaises(AccessError):
            self.bank.with_user(self.accountant).read(["soko_mpesa_change_ids"])

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_history_elsewhere", company_id=other.id,
            company_ids=[Command.set(other.ids)], groups="soko_mpesa.soko_mpesa_group_approver")
        ours = self.env["res.partner"].create({"name": "Ours", "company_id": self.company.id})
        bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": ours.id, "acc_number": "0711000033", "acc_type": "mpesa"})
        model = self.env["soko.mpesa.payee.change"].with_user(stranger).with_context(
            allowed_company_ids=other.ids)
        self.assertFalse(model.search([("partner_bank_id", "=", bank.id)]))
        self.assertTrue(model.search([("partner_bank_id", "=", self.bank.id)]), "it is shared")

    def test_document(self):
        """A copy of somebody's ID is seen by those who need it only, and can't be removed."""
        self.bank.with_user(self.approver)._soko_mpesa_verify(Confirmation(
            how="in_person", document=base64.b64encode(b"ID card"), document_name="id.txt"))
        document = self.bank.soko_mpesa_change_ids[0].document_id
        self.assertEqual((document.raw, document.name), (b"ID card", "id.txt"))
        self.assertEqual(document.with_user(self.maker).raw, b"ID card")
        with self.assertRaises(AccessError):
            document.with_user(self.accountant).read(["raw"])
        with self.assertRaises(AccessError):
            document.with_user(self.approver).unlink()
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.Error), self.cr.savepoint():
            document.unlink()

    def test_confirmation_does_not_come_by_rpc(self):
        self.bank.with_user(self.maker).action_soko_mpesa_unverify()
        self.bank.with_user(self.approver).with_context(soko_mpesa_confirmation={
            "how": "in_person", "registered_name": "X"}).write({"allow_out_payment": True})
        self.assertFalse(self.bank.soko_mpesa_verified_how or self.bank.soko_mpesa_registered_name)

    def test_opened_from_number_and_payee(self):
        for record in (self.bank, self.payee):
            action = record.with_user(self.maker).action_open_soko_mpesa_history()
            found = self.env[action["res_model"]].with_user(self.maker).search(action["domain"])
            self.assertEqual(found, self.bank.soko_mpesa_change_ids)
        self.assertEqual(self.payee.with_user(self.maker).soko_mpesa_change_count, 2)

    def test_contact_with_a_history_is_not_deleted(self):
        with self.assertRaisesRegex(UserError, "Archive the contact"):
            self.payee.unlink()
        self.env["res.partner"].create({"name": "Without"}).unlink()

    def test_views_open_for_every_role(self):
        kinds = [(False, kind) for kind in ("form", "list", "search")]
        for user in (self.maker, self.approver, self.manager):
            for model in ("soko.mpesa.payee.change", "res.partner.bank", "res.partner"):
                views = self.env[model].with_user(user).get_views(kinds)["views"]
                self.assertEqual(len(views), 3)
        form = self.env["res.partner.bank"].with_user(self.maker).get_view(
            self.env.ref("account.view_partner_bank_form_inherit_account").id, "form")["arch"]
        self.assertNotIn('<button name="action_soko_mpesa_open', form, "for approvers only")
        self.assertIn("soko_mpesa_change_ids", form)
        action = self.env.ref("soko_mpesa.res_partner_bank_action")
        search = self.env["res.partner.bank"].with_user(self.approver).get_view(
            action.search_view_id.id, "search")["arch"]
        for name in ("to_verify", "cooling", "name_warning", "recent"):
            self.assertIn(f'name="{name}"', search)


@tagged("post_install", "-at_install", "mpesa")
class TestPayeeMerge(HistoryCase):
    def setUp(self):
        super().setUp()
        self.double = self.env["res.partner"].create({"name": "Amina M."})

    def add_number(self, number):
        bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.double.id, "acc_number": number, "acc_type": "mpesa"})
        bank.with_user(self.approver).action_soko_mpesa_verify()
        return bank.with_env(self.env)

    def test_what_is_approved_is_held(self):
        """The payee that stays is held as well: its contact isn't what was approved."""
        number = self.add_number("0711000044")
        payout = self.make_payout()[2]
        self.assertEqual(payout.state, "approved")
        self.make_merge(self.double, into=self.payee)
        self.assertFalse(self.double.exists())
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))
        self.assertEqual((payout.msisdn, payout.payee_name), ("254700000041", "Amina Mfano"))
        for bank in (self.bank, number):
            self.assertEqual(bank.partner_id, self.payee)
            self.assertFalse(bank._soko_mpesa_is_verified())
            self.assertEqual(self.events(bank)[-1][0], "merged")
            self.assertEqual(bank.soko_mpesa_edited_by, self.env.ref("base.user_admin"))
        note = self.bank.soko_mpesa_change_ids[0].note
        self.assertIn("Amina M.", note)

    def test_payee_that_disappears(self):
        self.add_number("0711000044")
        payout = self.make_payout()[2]
        self.make_merge(self.payee, into=self.double)
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        with self.assertRaisesRegex(UserError, "changed since"):
            payout.with_user(self.approver).action_release()
        self.assertEqual(self.bank.partner_id, self.double)
        names = self.bank.soko_mpesa_change_ids.mapped("partner_name")
        self.assertIn("Amina Mfano", names, "what was written stays")
        self.assertEqual(self.bank.soko_mpesa_change_ids.partner_id, self.double)

    def test_the_same_number_twice(self):
        """Odoo drops the double; its history goes to the one that is left."""
        twin = self.add_number("0700000041")
        lines = len(self.bank.soko_mpesa_change_ids) + len(twin.soko_mpesa_change_ids)
        payout = self.make_payout()[2]
        self.make_merge(self.double, into=self.payee)
        self.assertFalse(twin.exists())
        self.assertGreater(len(self.env["soko.mpesa.payee.change"].search(
            [("partner_id", "=", self.payee.id)])), lines)
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("held", []))
        with self.assertRaises(UserError):
            self.make_payout()
        self.assertNoViolation()

    def test_history_is_closed_again_after_a_merge(self):
        self.add_number("0711000044")
        self.make_merge(self.double, into=self.payee)
        with mute_logger("odoo.sql_db"), self.assertRaises(
                psycopg2.errors.RaiseException), self.cr.savepoint():
            self.cr.execute("UPDATE soko_mpesa_payee_change SET partner_id = partner_id + 1")

    def test_contacts_without_numbers(self):
        one, two = self.env["res.partner"].create([{"name": "A"}, {"name": "B"}])
        self.make_merge(one, into=two)
        self.assertFalse(one.exists())


@tagged("post_install", "-at_install", "mpesa")
class TestPayeeHistoryMigration(HistoryCase):
    def test_numbers_that_were_there_before(self):
        """Their next change is a change, not a first number. Running it twice writes nothing."""
        path = Path(get_module_path("soko_mpesa")) / "migrations/19.0.1.1.0/post-payee_history.py"
        migrate = load_script(str(path), "soko_mpesa_payee_history").migrate
        unverified = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.env["res.partner"].create({"name": "Juma Mfano"}).id,
            "acc_number": "0711000044", "acc_type": "mpesa",
        })
        self.env.flush_all()
        self.cr.execute("ALTER TABLE soko_mpesa_payee_change DISABLE TRIGGER USER")
        self.cr.execute("DELETE FROM soko_mpesa_payee_change")
        self.cr.execute("ALTER TABLE soko_mpesa_payee_change ENABLE TRIGGER USER")
        self.env.invalidate_all()
        for _time in range(2):
            migrate(self.cr, "19.0.1.0.0")
            self.env.invalidate_all()
            self.assertEqual([event for event, *_numbers in self.events()],
                             ["entered", "verified"])
            self.assertEqual([event for event, *_numbers in self.events(unverified)], ["entered"])
        changes = self.bank.soko_mpesa_change_ids.sorted("id")
        self.assertEqual(changes.user_id, self.maker | self.approver)
        self.bank.with_user(self.maker).write({"acc_number": "0711 000 099"})
        self.assertEqual(self.bank.soko_mpesa_old_number, "254700000041")
