from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result


@tagged("post_install", "-at_install", "mpesa")
class TestArchivedAccount(MpesaCase):
    """An account is archived when nothing waits for it any more."""

    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    def assertStays(self, words):
        with self.assertRaisesRegex(ValidationError, words), self.env.cr.savepoint():
            self.archive()
        self.assertTrue(self.account.active)

    def archive(self):
        self.account.with_user(self.manager).action_archive()

    def find(self):
        findings = self.env["soko.mpesa.watch"].sudo()._find()
        return {finding.kind: finding for finding in findings
                if finding.subject == f"soko.mpesa.account,{self.account.id}"}

    def test_not_while_something_waits(self):
        approved = self.make_payout()[2]
        held = self.make_payout(300)[2]
        held.with_user(self.maker).action_hold()
        self.account.auto_approve_limit = 0
        submitted = self.make_payout(400)[2]
        self.assertEqual([one.state for one in (approved, held, submitted)],
                         ["approved", "held", "submitted"])
        self.assertStays("3 of its payouts .* 0 are in flight")
        held.with_user(self.maker).action_cancel()
        submitted.with_user(self.maker).action_cancel()
        self.send()
        self.assertStays("0 of its payouts .* 1 are in flight")
        approved._raise_exception("look")
        self.assertStays("1 are in flight")
        request = self.daraja.payments[-1]
        self.post(request["ResultURL"], payment_result(request))
        self.archive()
        self.assertFalse(self.account.active)

    def test_what_was_archived_before_is_told(self):
        _bill, _payment, payout = self.make_payout()
        self.archive_account()
        self.send()
        self.assertEqual((payout.state, self.daraja.payments), ("approved", []))
        found = self.find()["settings"]
        self.assertEqual((found.severity, found.calls), ("1", True))
        self.assertIn("archived", found.facts["reason"])
        payout.with_user(self.maker).action_cancel()
        self.assertEqual(self.find(), {})
