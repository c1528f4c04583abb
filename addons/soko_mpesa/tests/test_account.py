import base64
import datetime
import os
import tempfile
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..tools import credential
from .common import MpesaCase

SECRETS = ("consumer_key", "consumer_secret", "initiator_password", "security_credential")


def make_certificate(days=1):
    """:return: (private key, certificate as DER)"""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test.example")])
    start = datetime.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1).not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days)).sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.DER)


@tagged("post_install", "-at_install", "mpesa")
class TestAccount(MpesaCase):
    def test_credentials_do_not_follow_to_another_address(self):
        """Who may set up the account must not learn its secrets by receiving them."""
        account = self.account.with_user(self.manager)
        account.write({"base_url": "https://proxy.example.co.ke"})
        self.assertFalse(account.stored_secrets)
        self.assertIn("consumer key", account.blocking_reasons)
        account.write({"base_url": False, "consumer_key": "k", "consumer_secret": "s"})
        account.invalidate_recordset(["stored_secrets"])
        self.assertIn("Consumer key", account.stored_secrets)

    def test_secrets_go_in_and_never_out(self):
        for user in (self.manager, self.env.ref("base.user_admin"), self.env.user):
            account = self.account.with_user(user).with_context(
                allowed_company_ids=self.company.ids)
            if user == self.env.ref("base.user_admin"):
                user.sudo().company_ids += self.company
            account.invalidate_recordset()
            for values in (account.read(list(SECRETS))[0],
                           account.web_read({name: {} for name in SECRETS})[0]):
                self.assertFalse(any(values[name] for name in SECRETS), values)
            if user.has_group("base.group_allow_export"):
                exported = account.export_data(list(SECRETS))["datas"]
                self.assertNotIn("canary", str(exported))
            self.assertNotIn("canary", str(account.copy_data()))
            for name in SECRETS:
                with self.assertRaises(ValueError), \
                        mute_logger("odoo.domains", "odoo.fields"):
                    account.search([(name, "=", "canary-key")])
        self.assertEqual(
            self.env["soko.mpesa.secret"]._get(self.account, "consumer_key"), "canary-key")

    def test_nobody_reads_the_store(self):
        for user in (self.manager, self.maker, self.approver, self.env.ref("base.user_admin")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["soko.mpesa.secret"].with_user(user).search_read([])
        self.assertFalse(self.account.with_user(self.maker).fields_get(SECRETS))

    def test_nothing_clear_in_the_database(self):
        self.env.flush_all()
        self.cr.execute("SELECT string_agg(t::text, ' ') FROM soko_mpesa_secret t")
        self.assertNotIn("canary", self.cr.fetchone()[0])
        self.cr.execute("SELECT string_agg(t::text, ' ') FROM soko_mpesa_account t")
        self.assertNotIn("canary", self.cr.fetchone()[0])
        bodies = " ".join(self.account.message_ids.mapped(lambda m: str(m.body)))
        self.assertNotIn("canary", bodies)

    def test_no_key_is_said_clearly(self):
        with patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": ""}):
            with self.assertRaisesRegex(UserError, "SOKO_MPESA_KEY_FILE"):
                self.account.with_user(self.manager).consumer_key = "new"
            self.assertIn("SOKO_MPESA_KEY_FILE", self.account._get_blocking_reasons()[0])

    def test_key_file_from_the_configuration(self):
        from odoo.tools import config
        with patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": ""}), patch.dict(
                config.options, {"soko_mpesa_key_file": self.key_file}):
            self.assertEqual(
                self.env["soko.mpesa.secret"]._get(self.account, "consumer_key"), "canary-key")

    def test_another_key_can_not_send(self):
        with tempfile.NamedTemporaryFile("w") as other:
            other.write("another long random text, of another machine")
            other.flush()
            with patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": other.name}):
                self.assertTrue(self.account._get_blocking_reasons())
        self.assertEqual(self.account._get_blocking_reasons(), [])

    def test_durability_is_asked_of_postgresql(self):
        self.durable.stop()
        try:
            self.cr.execute("SELECT current_setting('fsync') = 'on' AND "
                            "current_setting('full_page_writes') = 'on'")
            safe = self.cr.fetchone()[0]
            self.cr.execute("SET LOCAL synchronous_commit TO on")
            self.assertIs(self.account._database_is_durable(), safe)
            self.cr.execute("SET LOCAL synchronous_commit TO off")
            self.assertFalse(self.account._database_is_durable())
        finally:
            self.durable.start()

    def test_stop_can_not_be_written_by_hand(self):
        account = self.account.with_user(self.manager)
        with self.assertRaises(AccessError):
            account.write({"stopped_reason": False})
        account._stop("a test")
        self.assertEqual((account.stopped_reason, len(account.activity_ids)), ("a test", 1))
        with self.assertRaises(AccessError):
            self.account.with_user(self.approver).action_resume()
        account.action_resume()
        self.assertFalse(account.stopped_reason)

    def test_bad_settings(self):
        for values in (
            {"shortcode": "12"}, {"shortcode": "60099A"}, {"base_url": "http://10.0.0.1"},
            {"base_url": "https://api.safaricom.co.ke"}, {"callback_url": "http://example.com"},
            {"query_delays": "1,x"}, {"query_delays": ""}, {"query_delays": "-1"},
            {"certificate": base64.b64encode(b"rubbish")},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.account.with_user(self.manager).write(values)
        for values in ({"payment_limit": 250_001}, {"payment_limit": 9},
                       {"auto_approve_limit": -1}):
            with self.subTest(values=values), self.assertRaises(IntegrityError), \
                    self.cr.savepoint(), mute_logger("odoo.sql_db"):
                self.account.with_user(self.manager).write(values)
                self.account.flush_recordset()

    def test_certificate_makes_the_credential(self):
        key, der = make_certificate()
        account = self.account.with_user(self.manager)
        self.env["soko.mpesa.secret"]._put(self.account, "security_credential", "")
        account.write({"certificate": base64.b64encode(der), "initiator_password": "canary-pw"})
        self.assertIn("CN=test.example", account.certificate_info)
        self.assertIn("past its date", account.certificate_info)
        made = base64.b64decode(account._get_security_credential())
        self.assertEqual(key.decrypt(made, padding.PKCS1v15()), b"canary-pw")
        pem = x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)
        self.assertEqual(
            credential.describe_certificate(pem), credential.describe_certificate(der))

    def test_journal_is_set_up_once(self):
        journal, line = self.account.journal_id, self.method_line
        self.assertEqual((journal.type, line.payment_account_id.reconcile), ("bank", True))
        self.account.with_user(self.manager).action_set_up_journal()
        self.assertEqual(self.account.journal_id, journal)
        self.assertEqual(journal.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c"), line)

    def test_other_banks_are_left_alone(self):
        others = self.env["account.journal"].search([
            ("type", "=", "bank"), ("id", "!=", self.account.journal_id.id)])
        codes = others.outbound_payment_method_line_ids.mapped("code")
        self.assertNotIn("mpesa_b2c", codes)
