from unittest.mock import patch

from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestPaidNotice(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina, replenish_days=7)
        cls._drop_off(cls.amina, 2)
        cls.settlement = cls._settle_received(cls._sell(2))
        cls.env["sms.sms"].search([]).unlink()

    def _notify(self):
        self.env["soko.settlement"]._cron_notify_paid()
        return self._sms_to(self.amina)

    def test_not_before_it_is_paid(self):
        self.assertFalse(self._notify())
        self.assertFalse(self.settlement.paid_notice_date)

    def test_plain_manual_payment_tells_once(self):
        with self.capture_triggers("soko_artisan.ir_cron_notify_paid") as capture:
            payment = self._pay(self.settlement)
        self.assertTrue(capture.records)
        payment.payment_reference = "SKT1234567"
        self.assertEqual(self.settlement.state, "paid")
        self.assertEqual(self.settlement.payment_reference, "SKT1234567")
        sms = self._notify()
        self.assertEqual((len(sms), sms.number), (1, "+254700000001"))
        for part in ("700", "Pieces sold: 2", "SKT1234567", "Amina Mfano"):
            self.assertIn(part, sms.body)
        self.assertTrue(self.settlement.paid_notice_date)
        self.assertTrue(self.settlement.date_paid)
        self.assertEqual(self._notify(), sms)
        payment.payment_reference = "SKT7654321"
        self.assertEqual(self._notify(), sms)

    def test_payment_under_way_is_not_paid(self):
        """A method that waits for proof keeps the payment in process, and us quiet."""
        Move = type(self.env["account.move"])
        with patch.object(Move, "_get_invoice_in_payment_state", lambda self: "in_payment"):
            payment = self._pay(self.settlement)
            self.assertEqual(self.settlement.bill_id.payment_state, "in_payment")
            self.assertEqual(self.settlement.state, "in_payment")
            self.assertFalse(self._notify())
            self.assertEqual((self.amina.amount_owed, self.amina.amount_on_way), (700, 700))
        with self.capture_triggers("soko_artisan.ir_cron_notify_paid") as capture:
            payment.write({"state": "paid", "payment_reference": "SKT1"})
        self.assertTrue(capture.records)
        bill = self.settlement.bill_id
        self.env.add_to_compute(bill._fields["payment_state"], bill)
        self.assertEqual(self.settlement.state, "paid")
        self.assertIn("SKT1", self._notify().body)

    def test_failed_payment_opens_it_again(self):
        payment = self._pay(self.settlement)
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(self.settlement.state, "billed")
        self.assertFalse(self._notify())
        self.assertNotIn(
            self.settlement,
            self.env["soko.settlement"].search(self.settlement._get_retry_domain()),
            "a payment that was once handed over is tried again by people only",
        )

    def test_cancelled_bill_cancels_it(self):
        self.settlement.bill_id.button_cancel()
        self.assertEqual(self.settlement.state, "cancelled")
        self.assertFalse(self._notify())

    def test_text_in_her_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.amina.lang = "fr_FR"
        seen = []
        original = type(self.env["soko.settlement"])._get_paid_text

        def spy(settlement, lines):
            seen.append(settlement.env.context.get("lang"))
            return original(settlement, lines)

        self._pay(self.settlement)
        with patch.object(type(self.env["soko.settlement"]), "_get_paid_text", spy):
            self._notify()
        self.assertEqual(seen, ["fr_FR"])
