import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.modules import get_module_path
from odoo.modules.migration import load_script
from odoo.tests import tagged

from ..models import res_users
from .common import MpesaCase
from .fake_daraja import payment_result, refuse, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestSeams(MpesaCase):
    """Ways to a second payment, or around a second person, that lead between two parts."""

    def open_dialog(self, bill):
        return self.env["account.payment.register"].with_user(self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id,
            })

    def test_two_open_dialogs_pay_once(self):
        bill = self.make_bill(1000)
        first, second = self.open_dialog(bill), self.open_dialog(bill)
        self.assertEqual((first.amount, second.amount), (1000, 1000))
        first._create_payments()
        with self.assertRaisesRegex(UserError, "being paid by M-Pesa already"):
            second._create_payments()
        self.assertEqual(len(self.env["soko.mpesa.payout"].search(
            [("partner_id", "=", self.payee.id)])), 1)

    def test_dialog_without_a_journal(self):
        """Whoever may pay from no journal reads what Odoo says, not an error of ours."""
        dialog = self.open_dialog(self.make_bill(1000))
        dialog.journal_id = False
        self.assertFalse(dialog._init_payments([]))

    def test_dialog_from_before_a_part_was_paid(self):
        bill = self.make_bill(1000)
        part, stale = self.open_dialog(bill), self.open_dialog(bill)
        part.amount = 600
        part._create_payments()
        with self.assertRaisesRegex(UserError, "only 400.00 KES are open"):
            stale._create_payments()
        self.open_dialog(bill)._create_payments()
        self.assertEqual(bill.amount_residual, 0)

    def test_reported_before_it_goes_again(self):
        """It seemed refused, M-Pesa reports it as paid, a person says go on: nothing is sent."""
        _bill, _payment, payout = self.make_payout()
        self.daraja.script = [refuse(500, "500.003.02", "Spike arrest")]
        self.send()
        request, attempt = self.daraja.payments[-1], payout.attempt_ids
        self.assertEqual(attempt.state, "prepared")
        self.post(request["ResultURL"], payment_result(request))
        self.assertEqual(payout.state, "exception")
        payout.with_user(self.approver).action_resolve()
        self.account.with_user(self.manager).action_resume()
        attempt.not_before = False
        self.send()
        self.assertEqual((len(self.daraja.payments), attempt.state), (1, "unknown"))
        # whichever letter comes next, the receipt is the one that was proven
        self.post(request["QueueTimeOutURL"], b"{}")
        self.assertEqual((attempt.state, payout.receipt), ("paid", "SG632NMUAB"))
        self.assertNoViolation()

    def test_defaults_of_the_context_are_no_way_in(self):
        banks = self.env["res.partner.bank"].with_user(self.maker)
        payee = self.env["res.partner"].create({"name": "Juma Mfano"})
        with self.assertRaises(AccessError):
            banks.with_context(default_soko_mpesa_cooling_from="2000-01-01 00:00:00").create({
                "partner_id": payee.id, "acc_number": "0700000055", "acc_type": "mpesa"})
        accounts = self.env["soko.mpesa.account"].with_user(self.manager)
        with self.assertRaises(AccessError):
            accounts.with_context(default_golive_is_complete=True).create({
                "name": "B", "shortcode": "600001", "company_id": self.company.id})
        run = self.env["soko.mpesa.run"].with_user(self.maker).with_context(
            default_state="done", default_account_id=self.account.id).create({})
        self.assertEqual((run.state, run.account_id), ("draft", self.account))
        with self.assertRaises(AccessError):
            self.env["account.bank.statement.line"].with_user(self.accountant).with_context(
                default_soko_mpesa_key="SG/payment").create({
                    "journal_id": self.account.journal_id.id, "date": fields.Date.today(),
                    "payment_ref": "x", "amount": -1})

    def test_session_of_somebody_else_is_no_identity(self):
        users = self.env["res.users"].with_user(self.approver)
        session = {"identity-check-last": time.time()}
        for uid, expected in ((self.approver.id, "fresh"), (self.maker.id, "foreign")):
            fake = SimpleNamespace(session=_Session(uid, session))
            with self.subTest(uid=uid), patch.object(res_users, "request", fake):
                self.assertEqual(users._soko_mpesa_identity(), expected)

    def test_refused_credential_is_not_tried_again(self):
        """F28, S31: asking goes on after other stops, but not with a refused password."""
        _bill, _payment, payout = self.make_payout()
        self.send()
        self.ask()
        request, query = self.daraja.payments[-1], self.daraja.queries[-1]
        self.post(query["ResultURL"], status_result(
            request, status="", code=2001, description="The initiator information is invalid."))
        self.assertTrue(self.account.credential_refused)
        self.assertTrue(self.account.stopped_reason)
        asked = len(self.daraja.queries)
        self.ask()
        self.assertEqual(len(self.daraja.queries), asked)
        self.account.with_user(self.manager).action_resume()
        self.ask()
        self.assertEqual(len(self.daraja.queries), asked + 1)

    def test_migration_of_accounts(self):
        path = Path(get_module_path("soko_mpesa")) / "migrations/19.0.1.1.0/post-accounts.py"
        migrate = load_script(str(path), "soko_mpesa_accounts").migrate
        self.account.tariff_id = False
        self.env.flush_all()
        for _time in range(2):
            migrate(self.cr, "19.0.1.0.0")
            self.env.invalidate_all()
            self.assertEqual(
                self.account.tariff_id, self.env.ref("soko_mpesa.soko_mpesa_tariff_standard"))

    def test_every_kind_of_evidence_has_a_sentence(self):
        evidence = self.env["soko.mpesa.evidence"]
        for kind, _label in evidence._fields["kind"].selection:
            self.assertTrue(hasattr(evidence, f"_tell_{kind}"), kind)


class _Session(dict):
    def __init__(self, uid, values):
        super().__init__(values)
        self.uid = uid
