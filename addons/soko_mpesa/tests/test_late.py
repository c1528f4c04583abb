from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestLate(MpesaCase):
    """M-Pesa has paid what was proven not paid: nothing more leaves before a person looked."""

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def fail_payout(self):
        """:return: a payout that two voices say wasn't paid, and its request"""
        _bill, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request, code=1037))
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request, "Failed"))
        self.assertEqual(payout.state, "failed")
        return payout, request

    def add_number(self, number="0700 000 055", payee=None):
        bank = self.env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": (payee or self.payee).id, "acc_number": number, "acc_type": "mpesa"})
        bank.with_user(self.approver).action_soko_mpesa_verify()
        return bank.with_env(self.env)

    def arrive(self, request):
        """M-Pesa's success arrives after all."""
        self.post(request["ResultURL"], payment_result(request))

    def test_paid_again_to_another_number(self):
        payout, request = self.fail_payout()
        other = self.add_number()
        self.company.soko_mpesa_cooling_hours = 0
        self.bank.with_user(self.maker).action_archive()
        payout.with_user(self.maker).action_pay_again()
        again = payout.replaced_by_ids.soko_mpesa_payout_id
        self.assertEqual((again.state, again.msisdn), ("approved", "254700000055"))
        self.arrive(request)
        self.assertEqual((payout.state, payout.paid_late), ("exception", True))
        self.assertEqual((again.state, again.hold_code), ("held", False))
        self.assertIn(payout.name, again.hold_reason)
        self.assertTrue(again.activity_ids)
        self.assertFalse(other.allow_out_payment, "none of the payee's numbers is trusted")
        self.send()
        self.assertEqual((len(self.daraja.payments), again.state), (1, "held"))
        with self.assertRaisesRegex(UserError, "isn't verified"):
            again.with_user(self.approver).action_release()
        again.with_user(self.maker).action_cancel()
        self.assertEqual(again.state, "cancelled")
        self.assertFalse(payout.replaced_by, "what was taken back isn't named")

    def test_all_that_goes_to_the_payee(self):
        """To approve, to send, waiting to go by itself, to a person of a company: all is held."""
        person = self.env["res.partner"].create({
            "name": "Juma Mfano", "parent_id": self.payee.id, "type": "other"})
        number = self.add_number("0711 000 066", person)
        stranger = self.env["res.partner"].create({"name": "Ali Mfano"})
        self.add_number("0711 000 077", stranger)
        payout, request = self.fail_payout()
        approved, submitted = self.make_payout(100)[2], self.make_payout(3000)[2]
        waiting = self.make_payout(200)[2]
        waiting._hold("It waits for something.", "cooling")
        payments = self.env["account.payment"].with_user(self.maker).create([{
            "payment_type": "outbound", "partner_type": "supplier", "partner_id": partner.id,
            "amount": 300, "journal_id": self.account.journal_id.id,
            "payment_method_line_id": self.method_line.id,
        } for partner in (person, stranger)])
        payments.action_post()
        relative, foreign = (pay.with_env(self.env).soko_mpesa_payout_id for pay in payments)
        self.assertEqual((approved | submitted | waiting | relative | foreign).mapped("state"),
                         ["approved", "submitted", "held", "approved", "approved"])
        self.arrive(request)
        for one in (approved, submitted, waiting, relative):
            with self.subTest(amount=one.amount):
                self.assertEqual((one.state, one.hold_code), ("held", False))
                self.assertIn("declared not paid", one.hold_reason)
        self.assertFalse(number.allow_out_payment or self.bank.allow_out_payment)
        self.assertEqual(foreign.state, "approved", "somebody else's goes on")
        self.bank.with_user(self.approver).action_soko_mpesa_verify()
        submitted.with_user(self.approver).action_release()
        self.assertEqual(submitted.state, "submitted", "it is approved as any other")

    def test_what_is_on_its_way_stays(self):
        """What was handed over can't be stopped, and is told with the first."""
        payout, request = self.fail_payout()
        payout.with_user(self.maker).action_pay_again()
        again = payout.replaced_by_ids.soko_mpesa_payout_id
        self.send()
        self.arrive(request)
        self.assertEqual((again.state, again.hold_reason), ("in_flight", False))
        self.assertIn("paid twice", payout.exception_reason)

    def test_locks_of_what_it_may_stop(self):
        """Whoever sends one of them has it before, or sees it held: payouts first, by id."""
        payout, _request = self.fail_payout()
        again = self.make_payout(100)[2]
        attempt, taken, execute = payout.attempt_ids, [], self.env.cr.execute

        def spy(query, params=None, **options):
            if "FOR NO KEY UPDATE" in str(query):
                self.assertIn("soko_mpesa_attempt" if taken else "ORDER BY id", query)
                taken.append(params)
            return execute(query, params, **options)

        with patch.object(self.env.cr, "execute", spy):
            attempt._lock()
        self.assertEqual(taken, [[(payout.id, again.id)], [attempt.id]])
