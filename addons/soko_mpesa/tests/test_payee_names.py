from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .fake_daraja import payment_result, status_result
from .test_payee_waits import WaitCase


@tagged("post_install", "-at_install", "mpesa")
class TestPayeeNames(WaitCase):
    def paid(self, name, receipt="SG632NMUAB", amount=500):
        payout = self.make_payout(amount)[2]
        self.prove(payout, receipt, party=f"254700000041 - {name}")
        return payout

    def warn(self):
        return self.paid("JOHN  DOE")

    def test_the_same_name(self):
        payout = self.paid("AMINA  MFANO")
        self.assertEqual((payout.state, payout.name_check), ("paid", "match"))
        self.assertFalse(payout.name_mismatch or self.bank.soko_mpesa_name_warning)
        self.assertEqual(self.paid("A**** M****", "SG632NMUAC").name_check, "similar")
        self.assertFalse(self.bank.soko_mpesa_name_warning)

    def test_no_name(self):
        payout = self.paid("")
        self.assertEqual((payout.state, payout.name_check), ("paid", "absent"))
        self.assertFalse(self.bank.soko_mpesa_name_warning)

    def test_another_name(self):
        payout = self.warn()
        bill = payout.payment_id.reconciled_bill_ids
        self.assertEqual((payout.state, payout.name_check, bill.payment_state), (
            "paid", "mismatch", "paid"), "what is paid is paid")
        self.assertIn("JOHN DOE", payout.name_mismatch)
        self.assertIn("JOHN DOE", self.bank.soko_mpesa_name_warning)
        task = payout.activity_ids
        self.assertEqual(task.user_id, self.account.responsible_id)
        self.assertIn("stays paid", task.note)
        following = self.make_payout(100)[2]
        self.assertEqual((following.state, following.hold_code), ("held", "name"))
        self.assertIn("JOHN DOE", following.hold_reason)
        self.send()
        self.sweep()
        self.assertEqual((len(self.daraja.payments), following.state), (1, "held"))
        with self.assertRaisesRegex(UserError, "clears the warning"):
            following.with_user(self.approver).action_release()

    def test_what_is_approved_already_is_held_when_it_is_sent(self):
        first, second = self.make_payout(500)[2], self.make_payout(400)[2]
        second.with_user(self.maker).action_hold()
        self.prove(first, party="254700000041 - JOHN DOE")
        with self.assertRaises(UserError):
            second.with_user(self.approver).action_release()
        second.hold_reason = False
        self.assertEqual(second.state, "approved")
        self.send()
        self.assertEqual((second.hold_code, len(self.daraja.payments)), ("name", 1))

    def test_strange_names_stay_texts(self):
        payout = self.paid("<img src=x onerror=alert(1)>\x00 \ud800 %(name)s", amount=100)
        self.assertEqual((payout.state, payout.name_check), ("paid", "mismatch"))
        self.assertIn("<img", payout.name_mismatch)
        self.assertNotIn("<img", payout.activity_ids.note)
        following = self.make_payout(100)[2]
        for message in payout.message_ids | following.message_ids | self.bank.message_ids:
            self.assertNotIn("<img", message.body)

    def test_name_from_a_status_query(self):
        payout = self.make_payout(500)[2]
        self.send()
        self.ask()
        request = self.daraja.payments[0]
        self.post(self.daraja.queries[0]["ResultURL"], status_result(
            request, party="254700000041 - JOHN DOE"))
        self.assertEqual((payout.state, payout.name_check), ("paid", "mismatch"))

    def test_another_number_of_the_payee_waits_too(self):
        self.warn()
        self.bank.with_user(self.maker).action_archive()
        self.bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": self.payee.id, "acc_number": "0711000055", "acc_type": "mpesa",
        }).with_env(self.env)
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        self.assertEqual(self.make_payout(100)[2].hold_code, "name")

    def clear(self, user, reason="She uses her brother's phone", **values):
        bank = self.bank.with_user(user)
        action = bank.action_soko_mpesa_open_clear()
        wizard = self.env[action["res_model"]].with_user(user).with_context(
            **action["context"]).create({"reason": reason, **values})
        wizard.action_confirm()

    def test_a_second_person_clears_it_with_a_reason(self):
        self.warn()
        following = self.make_payout(100)[2]
        for user in (self.maker, self.manager, self.accountant):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.bank.with_user(user).action_soko_mpesa_open_clear()
            with self.assertRaises(AccessError):
                self.bank.with_user(user)._soko_mpesa_clear_name_warning("it is fine")
        with self.assertRaises(UserError):
            self.clear(self.approver, "  ")
        self.clear(self.approver, registered_name="JOHN  DOE")
        self.assertFalse(self.bank.soko_mpesa_name_warning)
        change = self.bank.soko_mpesa_change_ids[0]
        self.assertEqual((change.event, change.user_id, change.registered_name), (
            "cleared", self.approver, "JOHN DOE"))
        self.assertIn("brother", change.note)
        self.sweep()
        self.assertEqual(following.state, "approved", "it goes by itself")
        with self.assertRaisesRegex(UserError, "no name warning"):
            self.bank.with_user(self.approver)._soko_mpesa_clear_name_warning("again")
        self.prove(following, "SG632NMUAC", party="254700000041 - JOHN DOE")
        self.assertEqual(following.name_check, "match", "the name is known now")

    def test_who_entered_the_number_does_not_clear(self):
        self.warn()
        self.bank.sudo().soko_mpesa_edited_by = self.approver
        with self.assertRaisesRegex(AccessError, "somebody else"):
            self.bank.with_user(self.approver)._soko_mpesa_clear_name_warning("it is fine")

    def test_registered_name_goes_before_the_contacts_name(self):
        self.bank.sudo().soko_mpesa_registered_name = "WANJIRU OTIENO"
        payout = self.paid("AMINA MFANO")
        self.assertEqual((payout.registered_name, payout.name_check), (
            "WANJIRU OTIENO", "mismatch"))
        self.assertIn("WANJIRU OTIENO", payout.name_mismatch)

    def test_number_changed_while_in_flight(self):
        """The name that was registered for the number that was paid is compared."""
        self.bank.sudo().soko_mpesa_registered_name = "JOHN DOE"
        payout = self.make_payout(500)[2]
        self.send()
        self.bank.with_user(self.maker).write({"acc_number": "0711000099"})
        self.assertFalse(self.bank.soko_mpesa_registered_name)
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(
            request, party="254700000041 - JOHN DOE"))
        self.assertEqual((payout.state, payout.name_check), ("paid", "match"))

    def test_history_of_the_warning(self):
        self.warn()
        change = self.bank.soko_mpesa_change_ids[0]
        self.assertEqual((change.event, change.number), ("warned", "254700000041"))
        self.assertIn("JOHN DOE", change.note)

    def test_hidden_from_those_without_a_role(self):
        self.warn()
        for name in ("soko_mpesa_name_warning", "soko_mpesa_registered_name"):
            with self.assertRaises(AccessError):
                self.bank.with_user(self.accountant).read([name])
        self.assertNotIn("JOHN", self.bank.with_user(self.accountant).soko_mpesa_status)
