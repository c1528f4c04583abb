import base64
import os
from datetime import timedelta
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import config, mute_logger

from ..tools import setup
from ..tools.watch import CORE_JOBS
from .common import MpesaCase
from .fake_daraja import balance_result, refuse
from .test_account import make_certificate


def make_elliptic_certificate():
    """:return: a certificate as DER whose key can't make a credential"""
    key = ec.generate_private_key(ec.SECP256R1())
    rsa_key, der = make_certificate()
    old = x509.load_der_x509_certificate(der)
    builder = x509.CertificateBuilder(
        issuer_name=old.issuer, subject_name=old.subject, public_key=key.public_key(),
        serial_number=1, not_valid_before=old.not_valid_before_utc,
        not_valid_after=old.not_valid_after_utc)
    return builder.sign(rsa_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@tagged("post_install", "-at_install", "mpesa")
class TestCheck(MpesaCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.key_file, 0o600)
        self.startPatcher(patch.dict(os.environ, {"SOKO_MPESA_CALLBACK_URL": self.daraja.url}))
        self.daraja.ping = lambda ask: (200, self.find_answer(ask))
        jobs = self.env["ir.cron"].search([("cron_name", "like", "M-Pesa:")])
        jobs.active = True
        for job in CORE_JOBS:
            self.env["soko.mpesa.heartbeat"]._beat(job)

    def find_answer(self, ask):
        """Say what the running check wants to hear, as our public address would."""
        return self.wanted.encode() if self.wanted else b""

    def check(self):
        """:return: the check of the account, carried out"""
        check = self.start()
        self.run_cron("soko.mpesa.check", "_cron_check")
        return check

    def start(self):
        action = self.account.with_user(self.manager).action_check_setup()
        check = self.env["soko.mpesa.check"].browse(action["res_id"])
        self.wanted = check.sudo().ping_answer
        return check

    def line(self, check, code):
        [line] = check.line_ids.filtered(lambda line: line.code == code)
        return line

    def look(self, code):
        """:return: (status, meaning, advice) of one point of a new check"""
        check = self.env["soko.mpesa.check"]._start(self.account).sudo()
        self.wanted = check.ping_answer
        status, _tried, meaning, advice = getattr(check, f"_look_at_{code}")()
        return status, meaning, advice

    def test_the_button_calls_nobody(self):
        check = self.start()
        self.assertEqual((check.state, check.result, check.line_ids.ids), ("queued", "waiting", []))
        self.assertEqual((self.daraja.tokens, self.daraja.balances), (0, []))
        for user in (self.maker, self.approver):
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_check_setup()

    def test_all_well(self):
        check = self.check()
        self.assertEqual(check.state, "waiting")
        self.assertEqual(self.line(check, "balance").status, "waiting")
        self.post(self.daraja.balances[0]["ResultURL"], balance_result(
            "Utility Account|KES|5000|5000"))
        self.assertEqual(check.state, "done")
        line = self.line(check, "balance")
        self.assertEqual(line.status, "ok")
        self.assertIn("5,000.00", line.meaning)
        states = {line.code: line.status for line in check.line_ids}
        self.assertEqual({code for code, status in states.items() if status == "problem"}, set())
        for code in ("key", "secrets", "fence", "durable", "claims", "token", "reach", "clock",
                     "journal", "tariff", "limits", "jobs", "persons"):
            self.assertEqual(states[code], "ok", code)
        codes = [*check._get_local_looks(), *check._get_outside_looks()]
        self.assertEqual(check.line_ids.mapped("code"), codes)
        self.assertEqual(set(codes), check._get_titles().keys())

    def test_no_answer(self):
        check = self.check()
        self.run_cron("soko.mpesa.check", "_cron_check")
        self.assertEqual(check.state, "waiting", "two minutes aren't over")
        check.sudo().waiting_until = fields.Datetime.now()
        self.run_cron("soko.mpesa.check", "_cron_check")
        line = self.line(check, "balance")
        self.assertEqual((check.state, check.result, line.status), ("done", "problem", "problem"))
        self.assertIn("No answer after 2 minutes", line.meaning)
        self.assertIn(self.daraja.url, line.meaning)
        self.post(self.daraja.balances[0]["ResultURL"], balance_result())
        self.assertEqual(line.status, "problem", "the record stays as it was")
        self.assertTrue(self.account.float_at, "but the balance counts")

    def test_refused_by_the_answer(self):
        check = self.check()
        self.post(self.daraja.balances[0]["ResultURL"], balance_result(
            code="8006", description="The security credential is locked."))
        line = self.line(check, "balance")
        self.assertEqual((line.status, check.state), ("problem", "done"))
        self.assertIn("answers reach this Odoo", line.meaning)
        self.assertIn("locked", line.meaning)
        self.assertIn("unlocks the operator", line.advice)

    def test_refused_at_once(self):
        self.daraja.balance_script = [refuse(400, "400.002.02", "Bad Request - Invalid Initiator")]
        check = self.check()
        line = self.line(check, "balance")
        self.assertEqual((line.status, check.state), ("problem", "done"))
        self.assertIn("Invalid Initiator", line.tried)

    def test_no_token(self):
        self.daraja.token_status = 401
        check = self.check()
        self.assertEqual(self.line(check, "token").status, "problem")
        self.assertIn("HTTP 401", self.line(check, "token").meaning)
        self.assertEqual((self.line(check, "balance").status, check.state), ("problem", "done"))
        self.assertEqual(self.daraja.balances, [])

    def test_nothing_set_up(self):
        with patch.dict(os.environ, {"SOKO_MPESA_KEY_FILE": ""}):
            check = self.check()
        self.assertEqual((check.state, check.result), ("done", "problem"))
        for code in ("key", "secrets", "fence", "token", "balance"):
            self.assertEqual(self.line(check, code).status, "problem", code)
        self.assertEqual(len(check.line_ids), len(check._get_titles()))
        self.assertEqual(self.daraja.tokens, 0)

    def test_a_fault_of_ours_is_a_finding(self):
        model = self.env.registry["soko.mpesa.check"]
        with patch.object(model, "_look_at_journal", side_effect=ZeroDivisionError), \
                mute_logger("odoo.addons.soko_mpesa.models.soko_mpesa_check"):
            check = self.check()
        self.assertEqual(self.line(check, "journal").status, "warning")
        self.assertEqual(self.line(check, "balance").status, "waiting")

    def test_history_is_kept(self):
        first, second = self.check(), self.check()
        self.assertNotEqual(first, second)
        self.assertEqual(len(first.line_ids), len(second.line_ids))

    def test_key_file(self):
        os.chmod(self.key_file, 0o644)
        status, meaning, advice = self.look("key")
        self.assertEqual(status, "warning")
        self.assertIn("Other users", meaning)
        self.assertIn("600", advice)

    def test_claims_file(self):
        with patch.dict(os.environ, {"SOKO_MPESA_CLAIMS_FILE": "/nonexistent/x"}):
            self.assertEqual(self.look("claims")[0], "problem")

    def test_server(self):
        self.assertEqual(self.look("server")[0], "ok")
        with patch.dict(config.options, {"dev_mode": ["all"]}):
            self.assertEqual(self.look("server")[0], "warning")
            self.account.environment = "production"
            self.assertEqual(self.look("server")[0], "problem")

    def test_addresses(self):
        with patch.dict(os.environ, {"SOKO_MPESA_BASE_URL": ""}):
            self.assertEqual(self.look("environment")[0], "ok")
            self.account.environment = "production"
            self.assertEqual(self.look("environment")[0], "ok")
            self.account.base_url = "https://proxy.example.com"
            self.assertEqual(self.look("environment")[0], "warning")

    def test_callback_address(self):
        account = self.account
        with patch.dict(os.environ, {"SOKO_MPESA_CALLBACK_URL": ""}):
            self.assertEqual(self.look("callback")[0], "problem")
            account.callback_url = "https://mpesa.example.co.ke"
            self.assertIn("mpesa", self.look("callback")[1])
            for is_public, environment, status in (
                (True, "production", "ok"), (False, "production", "problem"),
                (None, "production", "problem"), (False, "sandbox", "warning"),
            ):
                account.write({"callback_url": "https://erp.example.co.ke",
                               "environment": environment})
                with patch.object(setup, "is_public_host", lambda _host, it=is_public: it):
                    self.assertEqual(self.look("callback")[0], status)

    def test_certificate(self):
        self.assertEqual(self.look("certificate")[0], "ok", "a ready credential is stored")
        self.env["soko.mpesa.secret"]._put(self.account, "security_credential", "")
        self.assertEqual(self.look("certificate")[0], "problem")
        self.account.certificate = base64.b64encode(make_certificate()[1])
        status, meaning, advice = self.look("certificate")
        self.assertEqual(status, "warning")
        self.assertIn("CN=test.example", meaning)
        self.assertIn("fingerprint", advice)
        self.account.certificate = base64.b64encode(make_certificate(days=36500)[1])
        self.assertEqual(self.look("certificate")[0], "ok")
        self.account.certificate = base64.b64encode(make_elliptic_certificate())
        status, meaning, _advice = self.look("certificate")
        self.assertEqual(status, "problem")
        self.assertIn("RSA", meaning)

    def test_password_age(self):
        today = fields.Date.today()
        for days, status in ((0, "ok"), (79, "ok"), (81, "warning"), (89, "warning"),
                             (91, "problem")):
            self.account.password_set_on = today - timedelta(days=days)
            self.assertEqual(self.look("password")[0], status, days)
        self.account.password_set_on = False
        self.assertEqual(self.look("password")[0], "warning")

    def test_journal(self):
        self.method_line.payment_account_id.reconcile = False
        self.assertEqual(self.look("journal")[0], "problem")
        self.account.journal_id = False
        self.assertEqual(self.look("journal")[0], "problem")

    def test_tariff(self):
        self.account.tariff_id = False
        self.assertEqual(self.look("tariff")[0], "warning")

    def test_persons(self):
        self.assertIn(self.approver.name, self.look("persons")[1])
        self.approver.group_ids += self.env.ref("soko_mpesa.soko_mpesa_group_maker")
        self.assertEqual(self.look("persons")[0], "problem")

    def test_limits(self):
        self.assertEqual(self.look("limits")[0], "ok")
        self.account.auto_approve_limit = self.account.payment_limit
        self.assertEqual(self.look("limits")[0], "warning")

    def test_jobs(self):
        """F54, F55: a job that is off or doesn't run is seen."""
        job = self.env.ref("soko_mpesa.ir_cron_send")
        self.env.cr.execute(
            "UPDATE soko_mpesa_heartbeat SET last_pass = last_pass - interval '1 hour' "
            "WHERE job = 'ir_cron_send'")
        status, meaning, _advice = self.look("jobs")
        self.assertEqual(status, "problem")
        self.assertIn(job.name, meaning)
        self.env["soko.mpesa.heartbeat"]._beat("ir_cron_send")
        self.assertEqual(self.look("jobs")[0], "ok")
        job.active = False
        self.assertIn("Switched off", self.look("jobs")[1])
        job.write({"active": True, "user_id": self.manager.id})
        self.assertEqual(self.look("jobs")[0], "ok")
        self.manager.active = False
        self.assertIn("Switched off", self.look("jobs")[1])

    def test_watchdog(self):
        for cron, real, status in ((60, 120, "warning"), (600, 120, "ok"), (0, 120, "ok"),
                                   (-1, 70, "warning"), (-1, 120, "ok")):
            with patch.dict(config.options, {
                "limit_time_real_cron": cron, "limit_time_real": real,
            }):
                self.assertEqual(self.look("watchdog")[0], status, (cron, real))

    def test_reach(self):
        self.assertEqual(self.line(self.check(), "reach").status, "ok")
        for ping, status in (
            (lambda _ask: (200, b"a login page"), "problem"),
            (lambda _ask: (404, b""), "problem"),
            (lambda _ask: (302, self.wanted.encode()), "problem"),
        ):
            self.daraja.ping = ping
            self.assertEqual(self.line(self.check(), "reach").status, status)
        with patch.dict(os.environ, {"SOKO_MPESA_CALLBACK_URL": "http://127.0.0.1:9"}):
            self.assertEqual(self.line(self.check(), "reach").status, "warning")

    def test_no_probing_of_the_inside(self):
        """S18: in production no address of the own network is called."""
        asked = []
        self.daraja.ping = lambda ask: asked.append(ask) or (200, b"")
        self.account.environment = "production"
        self.assertEqual(self.look("reach")[0], "problem")
        with patch.dict(os.environ, {"SOKO_MPESA_CALLBACK_URL": "http://10.0.0.1"}):
            self.assertEqual(self.look("reach")[0], "problem")
        self.assertEqual(asked, [])

    def test_clock(self):
        self.account.write({"balance_asked_at": fields.Datetime.now(), "clock_difference": -61})
        self.assertIn("61", self.look("clock")[1])
        self.account.clock_difference = 5
        self.assertEqual(self.look("clock")[0], "ok")

    def test_float(self):
        account = self.account
        self.assertEqual(self.look("float")[0], "warning")
        account.write({"float_at": fields.Datetime.now(), "float_amount": 900})
        self.assertIn("Nobody would be warned", self.look("float")[1])
        account.float_threshold = 1000
        self.assertIn("low", self.look("float")[1])
        account.float_threshold = 500
        self.assertEqual(self.look("float")[0], "ok")

    def test_words(self):
        """Points are written for the office: no name of a field, a method or an exception."""
        check = self.check()
        for line in check.line_ids:
            for text in (line.name, line.tried, line.meaning, line.advice):
                for word in ("Traceback", "Error(", "self.", "_id", "None", "False"):
                    self.assertNotIn(word, text or "", line.code)

    def test_rights(self):
        check = self.check()
        for user in (self.maker, self.approver, self.manager):
            mine = check.with_user(user)
            self.assertTrue(mine.line_ids.mapped("meaning"))
            with self.assertRaises(AccessError):
                mine.write({"state": "queued"})
            with self.assertRaises(AccessError):
                mine.line_ids.write({"status": "ok"})
            with self.assertRaises(AccessError):
                mine.create({"account_id": self.account.id, "user_id": user.id})
            with self.assertRaises(AccessError):
                mine.unlink()


@tagged("post_install", "-at_install", "mpesa")
class TestPing(HttpCase, MpesaCase):
    def test_ping(self):
        check = self.env["soko.mpesa.check"]._start(self.account).sudo()
        answer = self.url_open(f"/soko/daraja/ping/{check.ping_ask}")
        self.assertEqual((answer.status_code, answer.text), (200, check.ping_answer))
        self.assertNotIn(check.ping_ask, answer.text)
        for ask in ("guess", check.ping_answer, "x" * 500):
            self.assertEqual(self.url_open(f"/soko/daraja/ping/{ask}").status_code, 404)
        check.state = "done"
        self.env.flush_all()
        self.assertEqual(
            self.url_open(f"/soko/daraja/ping/{check.ping_ask}").status_code, 404)
