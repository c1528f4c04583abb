from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import MpesaCheckoutCommon


@tagged("post_install", "-at_install")
class TestProvider(MpesaCheckoutCommon):
    def _offered(self, amount, currency):
        return self.env["payment.provider"]._get_compatible_providers(
            self.company.id, self.partner.id, amount, currency_id=currency.id,
        )

    def test_only_shillings_whole_and_within_the_limits(self):
        self.assertIn(self.provider, self._offered(1500.0, self.currency))
        self.assertNotIn(self.provider, self._offered(1500.5, self.currency))
        self.assertNotIn(self.provider, self._offered(250_001.0, self.currency))
        self.assertNotIn(self.provider, self._offered(15.0, self.currency_usd))

    def test_not_offered_without_account(self):
        self.provider.soko_mpesa_account_id = False
        self.assertNotIn(self.provider, self._offered(1500.0, self.currency))

    def test_uses_odoos_own_method(self):
        self.assertEqual(self.provider.payment_method_ids, self.payment_method)
        self.assertTrue(self.payment_method.active)
        self.assertEqual(self.provider.available_currency_ids.mapped("name"), ["KES"])

    def test_passkey_goes_in_and_never_out(self):
        self.provider.invalidate_recordset()
        self.assertFalse(self.provider.soko_mpesa_passkey)
        row = self.env["soko.mpesa.secret"].search([
            ("account_id", "=", self.account.id), ("kind", "=", "stk_passkey"),
        ])
        self.assertNotIn("passkey", row.cipher)
        self.assertEqual(self.env["soko.mpesa.secret"]._get(self.account, "stk_passkey"), "passkey")

    def test_passkey_needs_an_account(self):
        self.provider.soko_mpesa_account_id = False
        with self.assertRaisesRegex(ValidationError, "Choose the M-Pesa account first"):
            self.provider.soko_mpesa_passkey = "other"

    def test_says_what_is_missing(self):
        self.assertFalse(self.provider.soko_mpesa_missing)
        self.account.callback_url = False
        self.env["soko.mpesa.secret"]._put(self.account, "stk_passkey", "")
        self.provider.invalidate_recordset()
        self.assertIn("The passkey is missing.", self.provider.soko_mpesa_missing)
        self.assertIn("no https address", self.provider.soko_mpesa_missing)

    def test_trial_orders_never_move_real_money(self):
        with self.assertRaisesRegex(ValidationError, "sandbox"):
            self.provider.state = "enabled"

    def test_till_number(self):
        with self.assertRaisesRegex(ValidationError, "five to seven digits"):
            self.provider.soko_mpesa_till = "12"

    def test_administrators_choose_accounts_but_do_not_change_them(self):
        user = new_test_user(self.env, "checkout_admin", groups="base.group_system")
        account = self.account.with_user(user)
        self.assertEqual(account.name, "Paybill")
        with self.assertRaises(AccessError):
            account.name = "Other"

    def test_others_see_neither_passkey_nor_callback_secret(self):
        user = new_test_user(
            self.env, "checkout_clerk", groups="account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.provider.with_user(user).read(["soko_mpesa_passkey"])
        transaction = self._make().with_user(user)
        with self.assertRaises(AccessError):
            transaction.read(["soko_mpesa_token_sha256"])
