from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install", "mpesa")
class TestHealthHttp(HttpCase):
    def setUp(self):
        super().setUp()
        for name in ("send", "apply", "query", "sweep", "watch"):
            self.env["soko.mpesa.heartbeat"]._beat(f"ir_cron_{name}")
        self.env["soko.mpesa.attention"].search([]).active = False

    def ask(self):
        self.env.flush_all()
        return self.url_open("/soko/mpesa/health")

    def test_well(self):
        answer = self.ask()
        self.assertEqual(answer.status_code, 200)
        said = answer.json()
        self.assertEqual((said["ok"], said["attention"]), (True, 0))
        self.assertEqual(set(said["sending"]), {"send", "apply", "query", "sweep", "watch"})
        self.assertTrue(all(0 <= age < 600 for age in said["sending"].values()), said)
        self.assertEqual(set(said), {"ok", "sending", "attention"}, "nothing else is told")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_silent_job(self):
        self.env.cr.execute("""
            UPDATE soko_mpesa_heartbeat SET last_pass = last_pass - interval '11 minutes'
             WHERE job = 'ir_cron_send'
        """)
        answer = self.ask()
        self.assertEqual((answer.status_code, answer.json()["ok"]), (503, False))
        self.assertGreaterEqual(answer.json()["sending"]["send"], 660)

    def test_job_switched_off_or_gone(self):
        cron = self.env.ref("soko_mpesa.ir_cron_apply")
        cron.active = False
        self.assertEqual(self.ask().status_code, 503)
        cron.unlink()
        answer = self.ask()
        self.assertEqual((answer.status_code, answer.json()["sending"]["apply"]), (503, None))

    def test_broken_invariant_until_it_is_understood(self):
        row = self.env["soko.mpesa.attention"].create({
            "kind": "invariant", "subject": "I-0", "severity": "1", "since": "2026-01-01",
            "facts": {"rule": "I-0", "digest": "abc", "rows": ["MPO/1"], "companies": []},
        })
        answer = self.ask()
        self.assertEqual((answer.status_code, answer.json()["attention"]), (503, 1))
        self.assertNotIn("MPO", answer.text)
        row.accepted_digest = "abc"
        self.assertEqual(self.ask().status_code, 200)

    def test_it_costs_three_queries_at_most(self):
        watch = self.env["soko.mpesa.watch"]
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        watch._get_health()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 3)

    def test_post_is_refused(self):
        self.assertEqual(self.url_open("/soko/mpesa/health", data={"a": "b"}).status_code, 405)
