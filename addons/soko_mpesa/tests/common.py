import os
import tempfile
from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user

from .fake_daraja import FakeDaraja

ACCOUNTING = "account.group_account_invoice,base.group_partner_manager"


class MpesaCase(TransactionCase):
    """A Kenyan company of its own, an account, people, a payee, and a Daraja that answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_key_file()
        cls.daraja = FakeDaraja()
        cls.addClassCleanup(cls.daraja.stop)
        cls.claims_file = f"{cls.key_file}.claims"
        cls.startClassPatcher(patch.dict(os.environ, {
            "SOKO_MPESA_CLAIMS_FILE": cls.claims_file,
            "SOKO_MPESA_KEY_FILE": cls.key_file, "SOKO_MPESA_BASE_URL": cls.daraja.url,
            "SOKO_MPESA_CALLBACK_URL": "https://erp.example.co.ke",
        }))
        # the cluster that tests run on may be set to forget; tests of this check undo it
        cls.durable = patch.object(
            cls.env.registry["soko.mpesa.account"], "_database_is_durable", lambda self: True)
        cls.startClassPatcher(cls.durable)
        cls._make_company()
        cls._make_people()
        cls._make_account()
        cls._make_payee()

    @classmethod
    def _make_key_file(cls):
        handle, cls.key_file = tempfile.mkstemp()
        cls.addClassCleanup(os.unlink, cls.key_file)
        with os.fdopen(handle, "w") as stream:
            stream.write("a long random text that only this test knows\n")

    @classmethod
    def _make_company(cls):
        kes = cls.env.ref("base.KES")
        kes.active = True
        cls.company = cls.env["res.company"].create({
            "name": "Mfano Jewels", "country_id": cls.env.ref("base.ke").id,
            "currency_id": kes.id,
        })
        cls.env.user.company_ids += cls.company
        cls.env["account.chart.template"].try_loading("generic_coa", cls.company, False)
        cls.company.currency_id = kes
        cls.company.soko_mpesa_first_payment_limit = 0  # tests of first payments set it
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})

    @classmethod
    def _make_people(cls):
        def user(login, groups):
            return new_test_user(
                cls.env, login, context={"no_reset_password": True}, groups=groups,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
        cls.maker = user("mpesa_maker", f"soko_mpesa.soko_mpesa_group_maker,{ACCOUNTING}")
        cls.approver = user("mpesa_approver", "soko_mpesa.soko_mpesa_group_approver,"
                            "base.group_partner_manager")
        cls.manager = user("mpesa_manager", "soko_mpesa.soko_mpesa_group_manager")
        cls.accountant = user("mpesa_accountant", ACCOUNTING)

    @classmethod
    def _make_account(cls):
        cls.account = cls.env["soko.mpesa.account"].with_user(cls.manager).create({
            "name": "Test paybill", "shortcode": "600992", "company_id": cls.company.id,
            "initiator_name": "testapi", "consumer_key": "canary-key",
            "consumer_secret": "canary-secret", "security_credential": "canary-credential",
            "auto_approve_limit": 2000, "responsible_id": cls.manager.id,
            "send_spacing_ms": 0,
        })
        cls.account.sudo().trial_since = False  # tests of new credentials begin a trial
        cls.account.action_set_up_journal()
        cls.account = cls.account.with_env(cls.env)
        cls.method_line = cls.account.journal_id.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c")

    @classmethod
    def _make_payee(cls):
        cls.payee = cls.env["res.partner"].create({"name": "Amina Mfano"})
        cls.bank = cls.env["res.partner.bank"].with_user(cls.maker).create({
            "partner_id": cls.payee.id, "acc_number": "0700 000 041", "acc_type": "mpesa",
        })
        cls.bank.with_user(cls.approver).action_soko_mpesa_verify()
        cls.bank = cls.bank.with_env(cls.env)

    def setUp(self):
        super().setUp()
        fake = self.daraja
        fake.payments, fake.queries, fake.script = [], [], []
        fake.balances, fake.balance_script, fake.ping = [], [], None
        fake.tokens, fake.token_status = 0, 200
        # the database forgets what a test has sent; the list of it must do the same
        self.addCleanup(self.forget_claims)

    # === HELPERS === #

    def forget_claims(self):
        if os.path.exists(self.claims_file):
            os.unlink(self.claims_file)

    def make_bill(self, amount=1500):
        """:return: a posted vendor bill of `amount` shillings"""
        bill = self.env["account.move"].create({
            "move_type": "in_invoice", "partner_id": self.payee.id,
            "invoice_date": fields.Date.today(), "journal_id": self.env["account.journal"].search(
                [("type", "=", "purchase"), ("company_id", "=", self.company.id)], limit=1).id,
            "invoice_line_ids": [Command.create({
                "name": "Two cuffs", "quantity": 1, "price_unit": amount, "tax_ids": [],
            })],
        })
        bill.action_post()
        return bill

    def pay_bill(self, bill, user=None):
        """Pay `bill` with Odoo's own wizard, by M-Pesa. :return: the account.payment"""
        wizard = self.env["account.payment.register"].with_user(user or self.maker).with_context(
            active_model="account.move", active_ids=bill.ids).create({
                "journal_id": self.account.journal_id.id,
                "payment_method_line_id": self.method_line.id,
            })
        return wizard._create_payments().with_env(self.env)

    def make_payout(self, amount=1500):
        """:return: (bill, payment, payout)"""
        bill = self.make_bill(amount)
        payment = self.pay_bill(bill)
        return bill, payment, payment.soko_mpesa_payout_id

    def fly(self, amount=1500):
        """Send a payment. :return: (bill, payout, the request that Daraja got)"""
        bill, _payment, payout = self.make_payout(amount)
        self.send()
        return bill, payout, self.daraja.payments[-1]

    def archive_account(self):
        """Let the account be one that was archived before Odoo refused it with open payouts."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE soko_mpesa_account SET active = FALSE WHERE id = %s", [self.account.id])
        self.env.invalidate_all()

    @contextmanager
    def other_cursor(self):
        """An environment whose commits are harmless, as a cron has one."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            yield self.env(cr=cr, user=self.env.ref("base.user_root"), context={})

    def run_cron(self, model, method):
        with self.other_cursor() as env:
            getattr(env[model], method)()

    def send(self):
        self.run_cron("soko.mpesa.attempt", "_cron_send")

    def ask(self):
        self.env["soko.mpesa.attempt"].search([("next_query_at", "!=", False)]).write(
            {"next_query_at": fields.Datetime.now()})
        self.run_cron("soko.mpesa.attempt", "_cron_query")

    def apply(self):
        self.run_cron("soko.mpesa.inbox", "_cron_apply")

    def post(self, url, raw):
        """Put `raw` into the inbox as if it was posted to `url`, and apply it."""
        word, token = url.split("/")[-2:]
        known = self.env["soko.mpesa.inbox"]._store(word, token, raw, "127.0.0.1")
        self.apply()
        return known

    def assertNoViolation(self):
        """No invariant is broken, in the quick audit nor in the thorough one."""
        payouts = self.env["soko.mpesa.payout"]
        for thorough in (False, True):
            self.assertEqual(payouts._invariant_violations(thorough), {})
