from odoo.tests import BaseCase, tagged

from ..tools.watch import Job, digest_of, seconds_of, silent_after


@tagged("post_install", "-at_install", "mpesa")
class TestWatchTools(BaseCase):
    def job(self, **values):
        return Job(**{
            "name": "ir_cron_send", "cron_id": 1, "active": True, "user_active": True, "age": 30,
            "interval": 300, **values,
        })

    def test_when_a_job_is_silent(self):
        self.assertEqual(silent_after(60), 600)
        self.assertEqual(silent_after(300), 600)
        self.assertEqual(silent_after(86400), 2 * 86400)

    def test_what_is_wrong_with_a_job(self):
        for values, problem in (
            ({}, ""), ({"age": 600}, ""), ({"age": 601}, "silent"), ({"age": 0}, ""),
            ({"active": False}, "off"), ({"user_active": False}, "user"),
            ({"age": None}, "missing"), ({"interval": 86400, "age": 90000}, ""),
            ({"active": False, "age": 9999}, "off"),
        ):
            with self.subTest(values=values):
                self.assertEqual(self.job(**values).problem, problem)

    def test_intervals(self):
        self.assertEqual(seconds_of(5, "minutes"), 300)
        self.assertEqual(seconds_of(1, "days"), 86400)
        self.assertEqual(seconds_of(2, "fortnights"), 2 * 86400, "a unit nobody knows: days")

    def test_digest(self):
        self.assertEqual(digest_of(["a", "b"]), digest_of(["b", "a"]))
        self.assertNotEqual(digest_of(["a"]), digest_of(["a", "b"]))
        self.assertNotEqual(digest_of([]), digest_of([""]))
