import json
import os
from unittest.mock import patch

from psycopg2 import DatabaseError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools import client
from .common import MpesaCase
from .fake_daraja import payment_result, status_result

# Ways to smuggle script or markup through a text: tags, handlers, schemes, encodings, templates.
TAGS = (
    "<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>",
    "<script src=//evil.example></script>", "<img src=x onerror=alert(1)>",
    "<IMG SRC=javascript:alert(1)>", "<img src=//evil.example/x.png>", "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>", "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>", "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>", "<a href='//evil.example'>Safaricom</a>",
    "<form action=//evil.example><input name=pin></form>", "<input onfocus=alert(1) autofocus>",
    "<select onfocus=alert(1) autofocus>", "<textarea onfocus=alert(1) autofocus>",
    "<details open ontoggle=alert(1)>", "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>", "<marquee onstart=alert(1)>",
    "<math href=javascript:alert(1)>", "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example>", "<base href=//evil.example>",
    "<style>@import '//evil.example'</style>", "<div style=background:url(//evil.example)>",
    "<table background=//evil.example>", "<b onmouseover=alert(1)>x</b>",
    "<x onclick=alert(1)>x</x>", "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>", "--><script>alert(1)</script>", "<!--<img src=x>-->",
    "<![CDATA[<script>alert(1)</script>]]>", "<?xml version='1.0'?><x/>", "<scr\u200bipt>alert(1)",
    "<script\u2028>alert(1)</script>", "<img/src=x/onerror=alert(1)>",
    "<<script>alert(1)//<</script>",
)
TEXTS = (
    "\"><script>alert(1)</script>", "'><img src=x onerror=alert(1)>", "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='", "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)", "%3Cscript%3Ealert(1)", "\\u003cscript\\u003ealert(1)",
    "${alert(1)}", "{{constructor.constructor('alert(1)')()}}", "<t t-out=\"1\"/>",
    "<t t-raw=\"request\"/>", "#{7*7}", "<%= 7*7 %>", "%(name)s", "{0.__class__}", "\u202etxt.exe",
    "=cmd|' /C calc'!A0",
)
XSS = TAGS + TEXTS


@tagged("post_install", "-at_install", "mpesa")
class TestAddresses(BaseCase):
    INSIDE = (
        "https://127.0.0.1:22", "https://127.1", "https://0x7f.1", "https://2130706433",
        "https://017700000001", "https://0.0.0.0", "https://10.1.2.3", "https://172.16.0.1",
        "https://192.168.0.1", "https://100.64.0.1", "https://169.254.169.254/latest/meta-data",
        "https://224.0.0.1", "https://[::1]", "https://[::ffff:10.0.0.1]", "https://[fe80::1]",
        "https://[fd00:ec2::254]", "https://localhost", "https://LOCALHOST.",
        "https://metadata.google.internal", "https://printer.local", "https://erp.lan",
        "https://intranet",
    )
    NOWHERE = (
        "file:///etc/passwd", "gopher://127.0.0.1:22", "ftp://a.example", "dict://127.0.0.1:11211",
        "https://user:pass@api.safaricom.co.ke", "https://", "//api.safaricom.co.ke", "https://[::",
        "https://a:99999", "https://a.example\r\nHost: b", "https://a.example\\@b", "http://a.example",
        "https://a b", "", None,
    )

    def test_public(self):
        for url in ("https://api.safaricom.co.ke", "https://facade.com", "https://abc.de:8443/x",
                    "https://8.8.8.8", "https://[2001:4860:4860::8888]"):
            self.assertTrue(client.check_base_url(url, public=True), url)
        for url in (*self.INSIDE, *self.NOWHERE, "http://127.0.0.1", "http://localhost:1"):
            self.assertFalse(client.check_base_url(url, public=True), url)

    def test_never(self):
        for url in self.NOWHERE:
            self.assertFalse(client.check_base_url(url), url)

    def test_a_name_that_leads_home_gets_nothing(self):
        """What counts is who answers, not what the name was."""
        class Peer:
            closed = False

            def getpeername(self):
                return ("169.254.169.254", 443)

            def close(self):
                Peer.closed = True
        request = client.make_request("https://rebinds.example.com", "/b2c", "t", {}, public=True)
        with patch.object(client.socket, "create_connection", lambda *_a, **_k: Peer()):
            outcome = client.send(request)
        self.assertEqual((outcome.kind, outcome.description),
                         ("proven_not_sent", "refused address"))
        self.assertTrue(Peer.closed)


@tagged("post_install", "-at_install", "mpesa")
class TestThreats(MpesaCase):
    def tearDown(self):
        self.assertNoViolation()
        super().tearDown()

    # === S1 TO S4: LETTERS THAT LIE === #

    def test_perfect_body_with_another_token(self):
        """S1: the body alone proves nothing; the address must be this payment's own."""
        _bill, payout, request = self.fly()
        _bill, other, second = self.fly(700)
        good = payment_result(request)
        for url in ("/soko/daraja/payout/", "/soko/daraja/payout/x", "/soko/daraja/payout/%00",
                    f"/soko/daraja/payout/{payout.attempt_ids.originator_id}",
                    f"/soko/daraja/payout/{'A' * 43}", request["ResultURL"][:-1],
                    request["ResultURL"] + "A", request["ResultURL"].swapcase(),
                    request["QueueTimeOutURL"].replace("payout-late", "payout")):
            with self.subTest(url=url):
                self.assertFalse(self.post(url, good))
        self.post(second["ResultURL"], good)
        self.assertEqual((payout.state, other.state), ("in_flight", "in_flight"))
        self.assertFalse(payout.evidence_ids.filtered(lambda e: e.kind == "result"))

    def test_failure_callback_alone_never_opens_the_right_to_send(self):
        """S2: for each code, and however often it comes."""
        for code in (1, 2, 4, 2001, 2040, "SFC_IC0003", 99, 26):
            bill, payout, request = self.fly(100)
            seen = len(self.daraja.payments)
            for number in range(3):
                raw = payment_result(request, code=code).replace(b"The service", b"%d" % number)
                self.post(request["ResultURL"], raw)
            self.account.sudo().stopped_reason = False
            for _pass in range(2):
                self.send()
                self.run_cron("soko.mpesa.attempt", "_cron_sweep")
            self.assertEqual(len(self.daraja.payments), seen, code)
            self.assertEqual((payout.state, bill.payment_state), ("in_flight", "in_payment"), code)
            with self.assertRaises(UserError):
                payout.payment_id.action_cancel()

    def test_replayed_a_hundred_times(self):
        """S3, F35: one effect, one letter, one line of evidence."""
        _bill, payout, request = self.fly()
        word, token = request["ResultURL"].split("/")[-2:]
        for _time in range(100):
            self.env["soko.mpesa.inbox"]._store(word, token, payment_result(request), "127.0.0.1")
        self.apply()
        self.assertEqual(payout.state, "paid")
        self.assertEqual(len(payout.evidence_ids.filtered(lambda e: e.kind == "result")), 1)
        self.assertEqual(len(payout.payment_id.reconciled_statement_line_ids), 1)

    def test_ids_swapped_between_two_payouts(self):
        """S3: each result at the other's address."""
        _bill, one, first = self.fly()
        _bill, two, second = self.fly(1500)
        self.post(first["ResultURL"], payment_result(second, "SG00000002"))
        self.post(second["ResultURL"], payment_result(first, "SG00000001"))
        self.assertEqual({one.state, two.state}, {"in_flight"})
        self.assertFalse(one.attempt_ids.receipt or two.attempt_ids.receipt)
        self.post(first["ResultURL"], payment_result(first, "SG00000001"))
        self.assertEqual((one.state, one.receipt), ("paid", "SG00000001"))

    def test_status_body_at_the_payment_address_and_back(self):
        """S4: each kind of letter at the other's address proves nothing."""
        _bill, payout, request = self.fly()
        self.ask()
        self.post(request["ResultURL"], status_result(request))
        self.post(request["ResultURL"], status_result(request, "Declined"))
        self.post(self.daraja.queries[0]["ResultURL"], payment_result(request))
        self.post(self.daraja.queries[0]["ResultURL"], payment_result(request, code=1))
        self.post(self.daraja.queries[0]["QueueTimeOutURL"], status_result(request))
        self.post(request["QueueTimeOutURL"], payment_result(request))
        self.assertEqual(payout.state, "in_flight")
        self.assertLessEqual(set(payout.evidence_ids.mapped("verdict")), {"neutral", "negative"})

    # === S18 === #

    def test_real_money_goes_to_the_internet_only(self):
        account = self.account.with_user(self.manager)
        with patch.dict(os.environ):
            del os.environ["SOKO_MPESA_BASE_URL"], os.environ["SOKO_MPESA_CALLBACK_URL"]
            account.write({"environment": "production", "callback_url": "https://erp.example.com"})
            for name in ("base_url", "callback_url"):
                for url in TestAddresses.INSIDE:
                    with self.subTest(url=url), self.assertRaises(ValidationError):
                        account.write({name: url})
            self.account.sudo().flush_recordset()
            self.env.cr.execute(
                "UPDATE soko_mpesa_account SET base_url = 'https://10.0.0.1' WHERE id = %s",
                [self.account.id])
            self.account.invalidate_recordset()
            self.assertIn("network", self.account.blocking_reasons)
        self.account.invalidate_recordset()
        self.make_payout()
        self.send()
        self.assertEqual(self.daraja.payments, [], "nor to this machine, whoever names it")

    # === S22: TEXTS OF STRANGERS === #

    def test_the_list_of_payloads(self):
        self.assertGreaterEqual(len(set(XSS)), 60)

    def assertNotAlive(self, html, payload):
        """No tag of `payload` stands in `html` as a tag."""
        if payload in TAGS:
            self.assertNotIn(payload, str(html))
        self.assertNotRegex(str(html), r"(?i)<(script|img|svg|iframe|object|embed|form|a href=)")

    def test_markup_in_results(self):
        """Through description, receiver's name and receipt, into tasks, chatter and forms."""
        for payload in ("<scr\u0000ipt>", "\ud800", *XSS[::9]):
            _bill, payout, request = self.fly(10)
            body = json.loads(payment_result(request, amount=11, party=payload))
            body["Result"]["ResultDesc"] = payload
            body["Result"]["TransactionID"] = payload
            self.post(request["ResultURL"], json.dumps(body).encode())
            self.assertEqual(payout.state, "exception")
            notes = payout.activity_ids | self.account.activity_ids
            self.assertTrue(notes)
            for note in notes.mapped("note"):
                self.assertNotAlive(note, payload)
            self.env.flush_all()
            for message in payout.message_ids | self.account.message_ids:
                self.assertNotAlive(message.body, payload)
            self.assertTrue(self.account.stopped_reason)
            self.account.activity_ids.unlink()
            self.account.action_resume()

    def test_markup_in_tasks(self):
        """Every payload, in the two tasks that quote what strangers wrote."""
        _bill, payout, _request = self.fly()
        for payload in XSS:
            payout._alert(f"Not paid: {payload}")
            self.account.sudo().stopped_reason = False
            self.account._stop(f"Safaricom answered {payload}")
            tasks = payout.activity_ids | self.account.activity_ids
            self.assertEqual(len(tasks), 2)
            for note in tasks.mapped("note"):
                self.assertNotAlive(note, payload)
            tasks.unlink()
        self.account.sudo().stopped_reason = False

    def test_markup_in_names(self):
        """A payee's name reaches chatter, requests and the sentences that people read."""
        for clean in XSS[::9]:
            self.payee.name = clean
            _bill, payout, request = self.fly(10)
            self.assertRegex(request["Remarks"], r"^[A-Za-z0-9 _-]+$")
            payout.with_user(self.approver).message_post(body=payout.payee_name)
            for message in payout.message_ids:
                self.assertNotAlive(message.body, clean)
            self.post(request["ResultURL"], payment_result(
                request, f"SGN{request['Amount']}X{payout.id}",
                party=f"{request['PartyB']} - {clean}"))
            self.assertEqual(payout.state, "paid")

    def test_no_field_of_ours_is_html(self):
        """What strangers write is kept in plain texts, which the web client escapes.

        The preview of a statement is put together by Markup, which escapes what the file says.
        """
        for name in self.env.registry:
            if name.startswith("soko.mpesa."):
                for field in self.env[name]._fields.values():
                    if field._module == "soko_mpesa" and field.type == "html":
                        self.assertEqual(str(field), "soko.mpesa.statement.preview")
                        self.assertIs(field.sanitize, True)

    # === S20 === #

    def test_logs_at_debug_have_no_secret(self):
        secrets = ["canary-key", "canary-secret", "canary-credential"]
        with self.assertLogs(level="DEBUG") as logs:
            self.account.with_user(self.manager).write({"consumer_secret": "canary-secret"})
            self.account.with_user(self.manager).action_check_setup()
            _bill, _payout, request = self.fly()
            self.ask()
            self.post(request["ResultURL"], payment_result(request))
            with patch.dict(os.environ, {"SOKO_MPESA_BASE_URL": "http://127.0.0.1:9"}):
                self.env["soko.mpesa.secret"]._put(self.account, "token", "")
                self.fly(100)
        self.env.cr.execute("SELECT 1")
        text = "\n".join(logs.output)
        secrets += [request["_token"].removeprefix("Bearer ")]
        secrets += [request[name].rsplit("/", 1)[1] for name in ("ResultURL", "QueueTimeOutURL")]
        kept = [line for line in text.splitlines() if "soko_mpesa_secret" not in line]
        for secret in secrets:
            found = [line for line in kept if secret in line and "odoo.sql_db" not in line]
            self.assertFalse(found, secret)
        for secret in secrets[:3]:
            self.assertNotIn(secret, text, "not even in the statements of the database")

    # === S29, S30 === #

    def test_the_database_refuses_its_own_role(self):
        _bill, payout, _request = self.fly()
        for table in ("payout", "attempt", "evidence"):
            for statement in (
                f"DELETE FROM soko_mpesa_{table}", f"TRUNCATE soko_mpesa_{table} CASCADE",
            ):
                self.refused(statement)
        self.refused("TRUNCATE soko_mpesa_callback CASCADE")
        self.refused("TRUNCATE soko_mpesa_account CASCADE")
        self.refused("DELETE FROM soko_mpesa_account")
        self.refused("UPDATE soko_mpesa_evidence SET raw = NULL")
        self.refused("UPDATE soko_mpesa_evidence SET chain = NULL")
        self.refused(
            "INSERT INTO soko_mpesa_attempt (payout_id, number, originator_id, state) "
            f"VALUES ({payout.id}, 7, 'AAAAAAAAAAAAAAAAAAAA', 'not_paid')")
        self.refused("UPDATE soko_mpesa_attempt SET state = 'prepared'")
        self.assertEqual(payout.state, "in_flight")

    def refused(self, statement):
        with self.subTest(statement=statement), self.assertRaises(DatabaseError), \
                self.cr.savepoint(), mute_logger("odoo.sql_db"):
            self.cr.execute(statement)

    def test_automation_can_not_write_a_state(self):
        """S29: a server action of the administrator meets the trigger, too."""
        _bill, payout, _request = self.fly()
        action = self.env["ir.actions.server"].create({
            "name": "Pay", "state": "code", "model_id": self.env["ir.model"]._get_id(
                "soko.mpesa.attempt"),
            "code": "record.sudo().write({'state': 'prepared'})\nrecord.env.flush_all()",
        })
        with self.assertRaisesRegex(Exception, "is forbidden"), self.cr.savepoint(), mute_logger(
                "odoo.sql_db"):
            action.with_context(
                active_model="soko.mpesa.attempt", active_id=payout.attempt_ids.id,
                active_ids=payout.attempt_ids.ids).run()
        self.assertEqual(payout.attempt_ids.state, "accepted")

    def test_chatter_can_not_be_rewritten(self):
        """S30: what was tracked stays, whoever wrote the message."""
        _bill, payout, _request = self.fly()
        payout.with_user(self.maker).action_query_now()
        message = payout.message_ids[:1]
        for user in (self.maker, self.approver):
            for act in (lambda m: m.write({"body": "x"}), lambda m: m.unlink()):
                with self.assertRaises(AccessError), mute_logger("odoo.models"):
                    act(message.with_user(user))

    def test_evidence_is_chained(self):
        _bill, payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        rows = payout.evidence_ids.sorted("id")
        self.assertGreater(len(rows), 1)
        self.assertEqual(len(set(rows.mapped("chain"))), len(rows))
        for row in rows:
            self.assertRegex(row.chain, "^[0-9a-f]{64}$")
        payout.attempt_ids.invalidate_recordset(["evidence_chain"])
        self.assertEqual(payout.attempt_ids.evidence_chain, rows[-1].chain)
