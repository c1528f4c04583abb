import json
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result, status_result


@tagged("post_install", "-at_install", "mpesa")
class TestPayoutViews(MpesaCase):
    def spec(self, kind, user):
        arch = self.env["soko.mpesa.payout"].with_user(user).get_view(view_type=kind)["arch"]
        fields_of = {}
        for node in etree.fromstring(arch).iter("field"):
            field = self.env["soko.mpesa.payout"]._fields[node.get("name")]
            fields_of[node.get("name")] = (
                {"fields": {"display_name": {}}} if field.relational else {})
        return fields_of

    def count_sql(self, payouts, spec):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        payouts.with_user(self.maker).web_read(spec)
        return self.env.cr.sql_log_count - before

    def test_reading_a_list_costs_the_same_for_one_and_many(self):
        payouts = self.env["soko.mpesa.payout"].union(*(self.make_payout()[2] for _n in range(8)))
        self.send()
        for kind in ("list", "kanban"):
            spec = self.spec(kind, self.maker)
            self.count_sql(payouts, spec)  # what is cached for good
            one, many = self.count_sql(payouts[0], spec), self.count_sql(payouts, spec)
            with self.subTest(kind=kind):
                self.assertLessEqual(many, one + 2)
                self.assertLessEqual(many, 25)

    def test_time_line(self):
        _bill, _payment, payout = self.make_payout()
        self.assertIn("Waits", payout.attempt_ids.story)
        self.send()
        request = self.daraja.payments[-1]
        self.assertIn("its result is awaited", payout.attempt_ids.story)
        self.post(request["ResultURL"], payment_result(request, party=""))
        self.assertIn("nobody knows", payout.attempt_ids.story)
        self.ask()
        self.post(self.daraja.queries[-1]["ResultURL"], status_result(request))
        stories = payout.evidence_ids.sorted("id").mapped("story")
        for story, words in zip(stories, (
            "answer to our request", "proves neither way", "We asked",
            "it has paid 1500 KES to 254700000041 - Amina Mfano. This proves the payment.",
        ), strict=True):
            self.assertIn(words, story)
        self.assertIn("SG632NMUAB", payout.attempt_ids.story)

    def test_every_kind_and_verdict_has_a_sentence(self):
        payout = self.make_payout()[2]
        evidence = self.env["soko.mpesa.evidence"]
        for kind, _label in evidence._fields["kind"].selection:
            for verdict, _word in evidence._fields["verdict"].selection:
                row = evidence._add(payout.attempt_ids, kind, "system", verdict, code="7")
                with self.subTest(kind=kind, verdict=verdict):
                    self.assertTrue(row.story)
                    if verdict == "contradiction":
                        self.assertIn("doesn't fit", row.story)
        attempt = self.env["soko.mpesa.attempt"].new({"originator_id": "X"})
        for state, _label in attempt._fields["state"].selection:
            attempt.state = state
            self.assertTrue(attempt.story, state)

    def test_raw_text_is_for_approvers_and_managers(self):
        payout = self.make_payout()[2]
        self.send()
        row = payout.evidence_ids
        for user in (self.approver, self.manager):
            self.assertEqual(row.with_user(user).action_show_raw()["res_id"], row.id)
            self.assertIn("ConversationID", row.with_user(user).body)
        with self.assertRaises(AccessError):
            row.with_user(self.maker).action_show_raw()
        for name in ("body", "raw"):
            with self.assertRaises(AccessError):
                row.with_user(self.maker).read([name])

    def test_age(self):
        payout = self.make_payout()[2]
        for delta, age in (({"minutes": 5}, "5 min"), ({"hours": 5}, "5 h"), ({"days": 3}, "3 d")):
            payout.submitted_at = fields.Datetime.now() - timedelta(**delta)
            payout.invalidate_recordset(["age"])
            self.assertEqual(payout.age, age)

    def test_bills(self):
        bill, _payment, payout = self.make_payout()
        bill.ref = "AM-7"
        payout.invalidate_recordset(["bill_refs"])
        self.assertEqual(payout.with_user(self.approver).bill_refs, f"{bill.name} (AM-7)")

    def test_kanban_columns(self):
        self.make_payout()
        groups = self.env["soko.mpesa.payout"].with_user(self.maker).with_context(
            read_group_expand=True).web_read_group(
                [("company_id", "=", self.company.id)], ["state"], ["amount:sum"])["groups"]
        self.assertEqual(
            [group["state"] for group in groups], ["submitted", "approved", "in_flight", "paid"])

    def test_colours_are_json(self):
        """Otherwise the browser, and nobody before, says that something went wrong."""
        arch = self.env["soko.mpesa.payout"].get_view(view_type="kanban")["arch"]
        [bar] = etree.fromstring(arch).iter("progressbar")
        self.assertIn("overdue", json.loads(bar.get("colors")))

    def test_figures(self):
        _bill, _payment, payout = self.make_payout()
        payout.fee = 9
        for user in (self.maker, self.approver):
            views = self.env["soko.mpesa.payout"].with_user(user).get_views(
                [(False, "graph"), (False, "pivot")])["views"]
            self.assertEqual(set(views), {"graph", "pivot"})
        [(amount, fee)] = self.env["soko.mpesa.payout"].with_user(self.maker)._read_group(
            [("id", "=", payout.id)], aggregates=["amount:sum", "fee:sum"])
        self.assertEqual((amount, fee), (1500, 9))
