from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MpesaCase
from .fake_daraja import payment_result

PAYOUT_REPORT = "soko_mpesa.soko_mpesa_payout_report_action"
PAYMENT_REPORT = "soko_mpesa.account_payment_report_action"


@tagged("post_install", "-at_install", "mpesa")
class TestReceipt(MpesaCase):
    def paid(self, amount=1500, receipt="SG632NMUAB"):
        bill, payment, payout = self.make_payout(amount)
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, receipt))
        self.assertEqual(payout.state, "paid")
        return bill, payment, payout

    def html(self, report, records, user):
        reports = self.env["ir.actions.report"].with_user(user)
        content, _kind = reports._render_qweb_html(report, records.ids)
        return " ".join(content.decode().split())

    # === PAPER === #

    def test_what_it_says(self):
        bill, _payment, payout = self.paid()
        payout.paid_at = datetime(2026, 3, 1, 20, 30)
        html = self.html(PAYOUT_REPORT, payout, self.maker)
        for word in ("M-Pesa receipt", "SG632NMUAB", "Mfano Jewels", "Amina Mfano",
                     "+254700000041", "KES 1,500",
                     "Five Hundred Kenyan shillings", bill.name, payout.name,
                     "1 March 2026, 23:30 EAT"):
            self.assertIn(word, html)

    def test_number_is_masked_for_who_has_no_role(self):
        _bill, payment, payout = self.paid()
        html = self.html(PAYMENT_REPORT, payment, self.accountant)
        self.assertIn("*********041", html)
        self.assertNotIn("254700000041", html)
        self.assertIn("+254700000041", self.html(PAYMENT_REPORT, payment, self.maker))
        self.assertIn("+254700000041", self.html(PAYOUT_REPORT, payout, self.approver))

    def test_many_at_once(self):
        first, second = self.paid()[2], self.paid(300, "SG632NMUAC")[2]
        html = self.html(PAYOUT_REPORT, first | second, self.maker)
        self.assertEqual(html.count('class="article'), 2)
        self.assertIn("SG632NMUAC", html)

    def test_only_what_is_proven(self):
        _bill, payment, payout = self.make_payout()
        for report, records in ((PAYOUT_REPORT, payout), (PAYMENT_REPORT, payment)):
            with self.assertRaisesRegex(UserError, "isn't paid"):
                self.html(report, records, self.maker)
        other = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "amount": 5,
            "partner_id": self.payee.id,
        })
        with self.assertRaisesRegex(UserError, "have an M-Pesa receipt"):
            self.html(PAYMENT_REPORT, other, self.maker)

    def test_strangers_print_nothing(self):
        _bill, payment, payout = self.paid()
        payee = new_test_user(
            self.env, "mpesa_payee", groups="base.group_portal", partner_id=self.payee.id)
        others = [new_test_user(self.env, "mpesa_portal", groups="base.group_portal"),
                  new_test_user(self.env, "mpesa_staff", groups="base.group_user")]
        for user in (payee, *others):
            for report, records in ((PAYOUT_REPORT, payout), (PAYMENT_REPORT, payment)):
                with self.subTest(user=user.login, report=report), self.assertRaises(AccessError):
                    self.html(report, records, user)
        with self.assertRaises(AccessError):
            self.html(PAYOUT_REPORT, payout, self.accountant)

    def test_button(self):
        _bill, _payment, payout = self.paid()
        action = payout.with_user(self.maker).action_print_receipt()
        self.assertEqual(action["report_name"], "soko_mpesa.report_receipt")
        bills = payout.with_user(self.maker).action_open_bills()
        self.assertEqual(bills["res_id"], _bill.id)

    # === SMS === #

    def messages(self, payout):
        return self.env["sms.sms"].search([("mail_message_id", "in", payout.message_ids.ids)])

    def test_no_sms_by_default(self):
        self.assertFalse(self.account.send_receipt_sms)
        self.assertFalse(self.messages(self.paid()[2]))

    def test_one_sms_in_the_queue(self):
        self.account.send_receipt_sms = True
        _bill, _payment, payout = self.paid()
        sms = self.messages(payout)
        self.assertEqual((len(sms), sms.number, sms.state), (1, "+254700000041", "outgoing"))
        for word in ("Mfano Jewels", "1,500", "SG632NMUAB", payout.name):
            self.assertIn(word, sms.body)
        self.assertTrue(payout.receipt_sms_at)
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request) + b" ")
        payout._text_receipt()
        self.assertEqual(self.messages(payout), sms, "never twice")

    def test_sms_in_the_language_of_the_payee(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.payee.lang = "fr_FR"
        self.env.ref("soko_mpesa.sms_template_receipt").with_context(
            lang="fr_FR").body = "Payé: {{ object.receipt }}"
        self.account.send_receipt_sms = True
        self.assertEqual(self.messages(self.paid()[2]).body, "Payé: SG632NMUAB")

    def test_a_fault_in_the_text_does_not_undo_the_proof(self):
        self.account.send_receipt_sms = True
        self.env.ref("soko_mpesa.sms_template_receipt").body = "{{ object.no_such_field }}"
        with self.assertLogs("odoo", "WARNING"):
            payout = self.paid()[2]
        self.assertEqual(payout.receipt, "SG632NMUAB")
        self.assertFalse(payout.receipt_sms_at)
        self.assertFalse(self.messages(payout))
        self.assertIn("SMS", payout.activity_ids.note)

    def test_no_sms_for_what_a_person_must_look_at(self):
        self.account.send_receipt_sms = True
        _bill, _payment, payout = self.make_payout()
        self.send()
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request, amount=15))
        self.assertEqual(payout.state, "exception")
        self.assertFalse(self.messages(payout))

    def test_no_sms_when_the_template_was_deleted(self):
        self.account.send_receipt_sms = True
        self.env.ref("soko_mpesa.sms_template_receipt").unlink()
        self.assertFalse(self.messages(self.paid()[2]))
