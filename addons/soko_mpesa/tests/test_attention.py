from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestAttention(MpesaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.attention = cls.env["soko.mpesa.attention"]
        cls.env["soko.mpesa.account"].search([("id", "!=", cls.account.id)]).active = False
        # all of them: on a slow machine the installation is long ago
        hearts = cls.env["soko.mpesa.heartbeat"]
        for job in hearts._get_jobs():
            hearts._beat(job.name)

    def watch(self):
        """Let the watch look, whenever it looked last."""
        self.env["soko.mpesa.heartbeat"].search([("job", "=", "guard")]).unlink()
        self.run_cron("soko.mpesa.watch", "_cron_watch")

    def rows(self, kind):
        return self.attention.search([("kind", "=", kind)])

    def check(self, kind, severity, words):
        """:return: the one row of `kind` after the watch looked"""
        self.watch()
        row = self.rows(kind)
        self.assertEqual(len(row), 1, kind)
        self.assertEqual(row.severity, severity)
        self.assertRegex(row.name, words)
        self.assertTrue(row.meaning and row.advice)
        self.assertEqual(row.with_user(self.maker).name, row.name, "makers read it")
        return row

    def check_gone(self, kind):
        self.watch()
        self.assertFalse(self.rows(kind))

    def later(self, record, field, **delta):
        """Make it longer ago that something happened, below the guards."""
        moment = fields.Datetime.now() - timedelta(**delta)
        self.env.flush_all()
        self.env.cr.execute(
            f'UPDATE "{record._table}" SET "{field}" = %s WHERE id = %s', [moment, record.id])
        self.env.invalidate_all()

    # === ONE TEST A KIND === #

    def test_all_is_well(self):
        self.watch()
        self.assertFalse(self.attention.search([]))
        text = self.attention.with_user(self.maker).get_empty_list_help("")
        self.assertIn("All is well", text)
        self.assertRegex(text, r"Checked at .*\d:\d\d")

    def test_unknown_for_an_hour(self):
        payout = self.make_payout()[2]
        self.send()
        self.watch()
        self.assertFalse(self.rows("unknown"), "a minute is nothing")
        payout.attempt_ids.sent_at = fields.Datetime.now() - timedelta(minutes=61)
        row = self.check("unknown", "2", "MPO/.* to Amina Mfano .*1,500")
        self.assertEqual(row.action_open()["res_id"], payout.id)
        payout._raise_exception("look")
        self.check_gone("unknown")
        self.check("exception", "1", "look")

    def test_exception(self):
        payout = self.make_payout()[2]
        payout._raise_exception("two receipts")
        row = self.check("exception", "1", "two receipts")
        self.assertEqual(len(payout.activity_ids), 1)
        self.assertFalse(row.activity_ids, "the payout has called somebody already")

    def test_held(self):
        payout = self.make_payout()[2]
        payout.with_user(self.maker).action_hold()
        self.check("held", "2", "on hold: Stopped by")
        payout.with_user(self.approver).action_release()
        self.check_gone("held")
        payout._hold("the number cools off", "cooling")
        row = self.check("held", "3", "cools off")
        self.assertIn("by itself", row.advice)

    def test_another_name(self):
        self.bank._soko_mpesa_warn_of_name("M-Pesa named somebody else")
        row = self.check("name", "2", "Amina Mfano: M-Pesa named somebody else")
        self.assertEqual(row.action_open()["res_id"], self.bank.id)

    def test_waits_for_approval(self):
        self.account.auto_approve_limit = 0
        payout, other = self.make_payout()[2], self.make_payout(300)[2]
        self.watch()
        self.assertFalse(self.rows("approval"))
        for one in (payout, other):
            self.later(one, "submitted_at", hours=25)
        row = self.check("approval", "2", "a day: 2, together KES 1,800")
        found = self.env["soko.mpesa.payout"].search(row.action_open()["domain"])
        self.assertEqual(found, payout | other)

    def test_low_float(self):
        self.account.write({"float_threshold": 5000})
        self.watch()
        self.assertFalse(self.rows("float"), "nobody knows the float yet")
        self.account.write({"float_amount": 4999, "float_at": fields.Datetime.now()})
        row = self.check("float", "1", "low: KES 4,999, less than KES 5,000")
        self.assertEqual(row.activity_ids.user_id, self.manager)
        self.account.float_amount = 5000
        self.check_gone("float")

    def test_stopped_and_not_reached(self):
        self.account._stop("wrong password")
        self.check("stopped", "1", "stopped: wrong password")
        self.account.with_user(self.manager).action_resume()
        self.check_gone("stopped")
        self.account.last_error = "no route"
        self.check("token", "2", "no route")

    def test_incomplete_account(self):
        self.account.initiator_name = False
        row = self.check("settings", "3", "user name is missing")
        self.assertFalse(row.activity_ids)
        self.make_payout()
        self.check("settings", "1", "user name is missing")
        self.assertTrue(row.activity_ids, "now somebody waits")

    def test_nobody_sends(self):
        payout = self.make_payout()[2]
        self.watch()
        self.assertFalse(self.rows("stuck"))
        self.later(payout.attempt_ids, "write_date", minutes=16)
        self.check("stuck", "1", "of Test paybill that are due .*: 1")
        self.company.soko_mpesa_frozen = True
        self.watch()
        self.assertFalse(self.rows("stuck"), "that it isn't sent has a reason")
        row = self.check("frozen", "2", "frozen for Mfano Jewels: somebody")
        self.assertEqual(
            self.env["soko.mpesa.payout"].search(row.action_open()["domain"]), payout)

    def test_old_password(self):
        self.account.password_set_on = fields.Date.today() - timedelta(days=80)
        self.watch()
        self.assertFalse(self.rows("password"))
        self.account.password_set_on = fields.Date.today() - timedelta(days=81)
        self.check("password", "1", "81 days old")

    def test_password_of_unknown_age(self):
        self.account.password_set_on = False
        self.watch()
        self.assertFalse(self.rows("password"))
        self.account.environment = "production"
        self.check("password", "3", "Nobody has entered when")

    def test_first_password_is_dated(self):
        self.assertEqual(self.account.password_set_on, fields.Date.today())
        day = fields.Date.today() - timedelta(days=30)
        account = self.account.with_user(self.manager)
        account.write({"initiator_password": "another", "password_set_on": day})
        self.assertEqual(self.account.password_set_on, day)

    def test_inbox(self):
        inbox = self.env["soko.mpesa.inbox"]
        for number, state in ((1, "failed"), (2, "quarantined"), (3, "quarantined")):
            inbox.create({"word": "payout", "sha256": str(number), "state": state,
                          "company_id": state == "failed" and self.company.id})
        self.check("inbox_failed", "2", "used: 1")
        row = self.check("inbox_quarantined", "3", "given: 2")
        self.assertFalse(row.company_id)
        self.assertEqual(inbox.search_count(row.with_user(self.manager).action_open()["domain"]), 2)
        with self.assertRaisesRegex(UserError, "may not open"):
            row.with_user(self.approver).action_open()

    # === JOBS === #

    def test_jobs(self):
        cron = self.env.ref("soko_mpesa.ir_cron_query")
        cron.active = False
        row = self.check("job", "1", "ask for unreported outcomes.*switched off")
        cron.active = True
        self.check_gone("job")
        ghost = new_test_user(self.env, "mpesa_ghost")
        cron.user_id = ghost
        ghost.active = False
        self.check("job", "1", "archived")
        cron.unlink()
        self.check("job", "1", "doesn't exist")
        self.assertFalse(row.active)

    def test_silent_job(self):
        heart = self.env["soko.mpesa.heartbeat"].search([("job", "=", "ir_cron_send")])
        self.later(heart, "last_pass", minutes=9)
        self.check_gone("job")
        self.later(heart, "last_pass", minutes=25)
        row = self.check("job", "1", "send approved payouts.* 25 minutes")
        self.assertIn("aren't sent", row.meaning)
        self.assertEqual(row.activity_ids.user_id, self.manager)
        self.watch()
        self.assertEqual(len(row.activity_ids), 1, "one task, however often it is looked at")
        self.send()
        self.check_gone("job")
        self.assertFalse(row.activity_ids)
        done = row.with_context(active_test=False).activity_ids
        self.assertTrue(done.date_done, "the task is done, not gone")

    def test_it_is_noticed_when_all_jobs_stand_still(self):
        self.env.cr.execute(
            "UPDATE soko_mpesa_heartbeat SET last_pass = last_pass - interval '1 hour'")
        self.env.invalidate_all()
        banner = self.attention.with_user(self.maker).get_banner()
        self.assertEqual(len(banner["alarms"]), 6)  # all of every few minutes
        self.attention.with_user(self.maker).action_open_page()
        self.assertEqual(len(self.rows("job")), 6, "the page found it without the watch")

    def test_a_pass_that_fails_leaves_no_stamp(self):
        self.env["soko.mpesa.heartbeat"].search([]).unlink()
        self.account.query_delays = "1"
        self.send()
        self.assertEqual(
            set(self.env["soko.mpesa.heartbeat"].search([]).mapped("job")),
            {"ir_cron_send", "guard", "audit"})
        with self.assertRaises(ZeroDivisionError), self.other_cursor() as env:
            self.patch(type(env["soko.mpesa.attempt"]), "_raise_alarms", lambda self: 1 / 0)
            env["soko.mpesa.attempt"]._cron_sweep()
        self.assertFalse(
            self.env["soko.mpesa.heartbeat"].search([("job", "=", "ir_cron_sweep")]))

    # === INVARIANTS === #

    def break_books(self):
        payout = self.make_payout()[2]
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE soko_mpesa_payout SET state = 'in_flight' WHERE id = %s", [payout.id])
        self.env.invalidate_all()
        return payout

    def test_broken_invariant_freezes_its_company(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        payout = self.break_books()
        row = self.check("invariant", "1", payout.name)
        self.assertTrue(self.company.soko_mpesa_frozen)
        self.assertFalse(other.soko_mpesa_frozen)
        self.assertIn("I-9", self.company.soko_mpesa_frozen_reason)
        self.assertEqual((row.company_id, row.activity_ids.user_id), (self.company, self.manager))
        self.send()
        self.assertFalse(self.daraja.payments)
        self.assertEqual(
            self.env["soko.mpesa.payout"].search(row.action_open()["domain"]), payout)

    def test_sender_looks_at_the_books_before_money_leaves(self):
        self.break_books()
        self.make_payout(300)
        self.send()
        self.assertEqual((self.daraja.payments, self.company.soko_mpesa_frozen), ([], True))
        self.assertTrue(self.rows("invariant"))

    def test_sender_does_not_look_twice_in_a_moment(self):
        self.env["soko.mpesa.watch"]._guard_if_old()
        calls = []
        self.patch(type(self.env["soko.mpesa.payout"]), "_invariant_violations",
                   lambda self, thorough=False: calls.append(thorough) or {})
        self.make_payout()
        self.send()
        self.assertEqual((calls, len(self.daraja.payments)), ([], 1))

    def test_a_long_look_is_taken_less_often(self):
        guard = self.env["soko.mpesa.heartbeat"]
        looks = []
        self.patch(type(self.env["soko.mpesa.payout"]), "_invariant_violations",
                   lambda self, thorough=False: looks.append(thorough) or {})
        for length, age, expected in ((1, 45, 1), (1, 5, 0), (9, 90, 0), (9, 190, 1)):
            looks.clear()
            guard._beat("guard", length)
            self.later(guard.search([("job", "=", "guard")]), "last_pass", seconds=age)
            self.env["soko.mpesa.watch"]._guard_if_old()
            with self.subTest(length=length, age=age):
                self.assertEqual(len(looks), expected)

    def test_once_a_day_and_while_something_is_wrong_all_books_are_looked_at(self):
        looks, found = [], {}
        self.patch(type(self.env["soko.mpesa.payout"]), "_invariant_violations",
                   lambda self, thorough=False: looks.append(thorough) or found)
        hearts = self.env["soko.mpesa.heartbeat"]
        hearts.search([("job", "=", "audit")]).unlink()
        self.watch()
        self.watch()
        self.assertEqual(looks, [True, False])
        self.later(hearts.search([("job", "=", "audit")]), "last_pass", hours=25)
        self.watch()
        self.watch()
        self.assertEqual(looks[2:], [True, False])
        found["I-4 payee by payee"] = [(1, 2)]
        self.watch()
        self.watch()
        self.assertEqual(looks[4:], [False, True], "it would be found by the long look alone")

    def test_a_freeze_holds_until_it_is_understood(self):
        self.break_books()
        self.watch()
        self.company.soko_mpesa_frozen = False
        self.assertFalse(self.company.soko_mpesa_frozen_reason)
        row = self.check("invariant", "1", "I-9")
        self.assertTrue(self.company.soko_mpesa_frozen, "it is broken still")
        with self.assertRaises(AccessError):
            row.with_user(self.manager).action_accept()
        row.with_user(self.approver).action_accept()
        self.company.soko_mpesa_frozen = False
        self.watch()
        self.assertFalse(self.company.soko_mpesa_frozen)
        self.assertEqual(row.accepted_by, self.approver)
        self.break_books()
        self.watch()
        self.assertTrue(self.company.soko_mpesa_frozen, "another one is another matter")

    def test_when_it_is_not_known_whom_it_concerns_all_are_frozen(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.env["soko.mpesa.account"].create({
            "name": "Theirs", "shortcode": "600111", "company_id": other.id, "tariff_id": False})
        found = {"I-15 the guards of the database are there": [("soko_mpesa_payout_guard",)]}
        self.patch(type(self.env["soko.mpesa.payout"]), "_invariant_violations",
                   lambda self, thorough=False: found)
        self.watch()
        self.assertEqual((self.company | other).mapped("soko_mpesa_frozen"), [True, True])
        self.assertFalse(self.rows("invariant").company_id)
        found.clear()
        self.check_gone("invariant")
        self.assertTrue(self.company.soko_mpesa_frozen, "a person thaws it")

    # === RIGHTS AND READING === #

    def test_rights(self):
        self.account._stop("wrong password")
        self.watch()
        row = self.rows("stopped")
        for user in (self.maker, self.approver, self.manager):
            mine = row.with_user(user)
            self.assertTrue(mine.read(["name", "meaning", "advice", "severity"]))
            with self.assertRaises(AccessError):
                mine.write({"severity": "3"})
            with self.assertRaises(AccessError):
                mine.unlink()
            with self.assertRaises(AccessError):
                mine.create({"kind": "held", "subject": "x"})
        with self.assertRaises(AccessError):
            row.with_user(self.maker).action_accept()
        for login, groups in (("mpesa_portal", "base.group_portal"),
                              ("mpesa_staff", "base.group_user")):
            user = new_test_user(self.env, login, groups=groups)
            for act in (row.with_user(user).action_open, row.with_user(user).action_accept,
                        self.attention.with_user(user).action_open_page,
                        lambda user=user: self.attention.with_user(user).search([])):
                with self.assertRaises(AccessError):
                    act()
            self.assertEqual(self.attention.with_user(user).get_banner(), {})
            with self.assertRaises(AccessError):
                self.env["soko.mpesa.heartbeat"].with_user(user).search([])

    def test_other_company(self):
        self.account._stop("wrong password")
        self.watch()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = new_test_user(
            self.env, "mpesa_elsewhere", company_id=other.id, company_ids=[(6, 0, other.ids)],
            groups="soko_mpesa.soko_mpesa_group_approver")
        theirs = self.attention.with_user(stranger).with_context(allowed_company_ids=other.ids)
        self.assertFalse(theirs.search([("kind", "=", "stopped")]))

    def test_nobody_is_called_who_could_not_open_it(self):
        self.account.responsible_id = self.accountant
        self.account.write({
            "float_threshold": 5000, "float_amount": 1, "float_at": fields.Datetime.now()})
        row = self.check("float", "1", "low")
        called = row.activity_ids.user_id
        self.assertIn(self.manager, called)
        self.assertNotIn(self.accountant, called)

    def test_search_that_fits_nothing(self):
        self.account._stop("wrong password")
        self.watch()
        text = self.attention.with_user(self.maker).get_empty_list_help("")
        self.assertIn("Nothing fits", text)

    def test_menu_opens_for_every_role(self):
        for user in (self.maker, self.approver, self.manager):
            action = self.env.ref("soko_mpesa.soko_mpesa_attention_server_action")
            got = action.with_user(user).run()
            self.assertEqual(got["res_model"], "soko.mpesa.attention")
            views = [(False, kind) for kind in ("list", "kanban", "form", "search")]
            self.assertEqual(len(self.attention.with_user(user).get_views(views)["views"]), 4)

    def test_looking_again_writes_nothing_new(self):
        self.account._stop("wrong password")
        self.watch()
        row = self.rows("stopped")
        before = row.write_date
        self.later(row, "write_date", hours=1)
        self.watch()
        self.assertEqual(self.rows("stopped"), row)
        self.assertLess(row.write_date, before)

    def test_a_fault_of_the_watch_does_not_close_the_page(self):
        self.patch(type(self.env["soko.mpesa.watch"]), "_find", lambda self: 1 / 0)
        with self.assertLogs("odoo.addons.soko_mpesa", "WARNING"):
            action = self.attention.with_user(self.maker).action_open_page()
        self.assertEqual(action["res_model"], "soko.mpesa.attention")

    def test_solved_rows_are_forgotten_after_three_months(self):
        self.account._stop("wrong password")
        self.watch()
        row = self.rows("stopped")
        self.account.with_user(self.manager).action_resume()
        self.watch()
        self.assertTrue(row.solved_at)
        self.attention._gc_solved()
        self.assertTrue(row.exists())
        row.solved_at = fields.Datetime.now() - timedelta(days=91)
        self.attention._gc_solved()
        self.assertFalse(row.exists())
