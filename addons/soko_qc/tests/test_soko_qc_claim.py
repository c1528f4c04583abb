import base64
from datetime import date, timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.soko_qc.tools import compliance

from .common import QcCase

FILE = base64.b64encode(b"%PDF-1.4 report")


@tagged("post_install", "-at_install")
class TestClaim(QcCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.context_today(cls.env["soko.qc.claim"])
        cls.template = cls.plated.product_tmpl_id
        cls.laboratory = cls.env["res.partner"].create({"name": "Maabara Mfano"})
        cls.lead = cls.env.ref("soko_qc.soko_qc_limit_lead")

    def _create_report(self, value=0.01, approve=True, **values):
        report = self.env["soko.qc.test.report"].with_user(self.inspector).create(
            {
                "name": "KE-17",
                "laboratory_id": self.laboratory.id,
                "product_tmpl_id": self.template.id,
                "file": FILE,
                "line_ids": [Command.create({"limit_id": self.lead.id, "value": value})],
                **values,
            }
        )
        if approve:
            report.with_user(self.manager).action_approve()
        return report

    def _create_claim(self, kind, approve=True, **values):
        claim = self.env["soko.qc.claim"].with_user(self.inspector).create(
            {"kind": kind, "product_tmpl_id": self.template.id, **values}
        )
        if approve:
            claim.with_user(self.manager).action_approve()
        return claim

    def _kinds(self, lot=None):
        return [claim["kind"] for claim in self.plated._soko_qc_get_claims(lot)]

    def test_state_and_limits_are_plain_rules(self):
        day = date(2026, 3, 10)
        for expected, args in (
            ("draft", (False, False, None, None)),
            ("valid", (True, False, day, day)),
            ("expired", (True, False, None, date(2026, 3, 9))),
            ("coming", (True, False, date(2026, 3, 11), None)),
            ("withdrawn", (True, True, None, None)),
        ):
            self.assertEqual(compliance.state_on(day, *args), expected)
        self.assertFalse(compliance.keeps(0.05, "below", 0.05))
        self.assertTrue(compliance.keeps(0.5, "at_most", 0.5))
        self.assertTrue(compliance.keeps(2.5, "at_least", 2.5))
        for value in (-0.1, float("nan")):
            with self.assertRaises(ValueError):
                compliance.keeps(value, "below", 1)

    def test_a_tested_claim_lives_as_long_as_its_report(self):
        with self._refuses("laboratory report"):
            self._create_claim("lead")
        report = self._create_report(date_expiry=self.today + timedelta(days=10))
        claim = self._create_claim("lead", report_ids=[Command.link(report.id)])
        proof = self.plated._soko_qc_get_claims()
        self.assertEqual([p["kind"] for p in proof], ["lead"])
        self.assertEqual(proof[0]["valid_until"], report.date_expiry)
        test = proof[0]["tests"][0]
        self.assertEqual((test["value"], test["limit"], test["report"]), (0.01, 0.05, "KE-17"))
        self.assertIn("REACH", test["source"])
        report = report.with_user(self.manager)
        with self._refuses("Say why"):
            report.action_withdraw()
        report.withdrawn_reason = "Wrong sample"
        report.action_withdraw()
        self.assertEqual((report.state, claim.state), ("withdrawn", "valid"))
        self.assertFalse(self._kinds())
        self.assertTrue(claim.problem)

    def test_a_failing_result_proves_nothing(self):
        report = self._create_report(value=0.05)
        self.assertEqual(report.line_ids.verdict, "fail")
        with self._refuses("does not keep the limit"):
            self._create_claim("lead", report_ids=[Command.link(report.id)])

    def test_vermeil(self):
        sound = {"karat": 14, "thickness_um": 2.5, "base_metal": "silver_925"}
        for change, regex in (
            ({"base_metal": "brass"}, "sterling"),
            ({"base_metal": False}, "sterling"),
            ({"thickness_um": 0}, "how thick"),
            ({"thickness_um": 2.4}, "does not keep the rule"),
            ({"karat": 0}, "how many karat"),
            ({"karat": 9}, "does not keep the rule"),
        ):
            with self.subTest(change), self._refuses(regex):
                self._create_claim("vermeil", **{**sound, **change})
        self._create_claim("vermeil", **sound)
        self.assertEqual(self._kinds(), ["vermeil"])

    def test_nonsense_is_refused(self):
        for vals in ({"karat": 24.1}, {"karat": -1}, {"thickness_um": -0.1}):
            with (
                self.subTest(vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
            ):
                self._create_claim("plated", approve=False, **vals)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._create_report(value=-1, approve=False)
        with self.assertRaises(ValidationError):
            self._create_claim(
                "karat", approve=False, date="2026-03-10", date_expiry="2026-03-09"
            )
        lot = self.env["stock.lot"].create({"name": "RAW", "product_id": self.raw.id})
        with self.assertRaises(ValidationError):
            self._create_claim("karat", approve=False, lot_id=lot.id)

    def test_dates_decide_each_day(self):
        yesterday, tomorrow = self.today - timedelta(days=1), self.today + timedelta(days=1)
        values = {"karat": 18}
        past = self._create_claim("karat", date=yesterday, date_expiry=yesterday, **values)
        coming = self._create_claim("karat", date=tomorrow, **values)
        draft = self._create_claim("karat", approve=False, **values)
        self.assertEqual(
            [past.state, coming.state, draft.state], ["expired", "coming", "draft"]
        )
        claims = self.env["soko.qc.claim"]
        both = ("id", "in", (past | coming | draft).ids)
        for state, found in (("expired", past), ("coming", coming), ("draft", draft)):
            self.assertEqual(claims.search([both, ("state", "=", state)]), found)
        self.assertEqual(claims.search([both, ("state", "!=", "draft")]), past | coming)
        self.assertFalse(self._kinds())

    def test_claims_of_a_lot_and_of_its_raw_lot(self):
        raw_lot = self.env["stock.lot"].create({"name": "HORN-1", "product_id": self.raw.id})
        lot, other = self.env["stock.lot"].create(
            [
                {"name": name, "product_id": self.plated.id, "soko_origin_lot_id": origin}
                for name, origin in (("P1", raw_lot.id), ("P2", False))
            ]
        )
        self._create_claim("plated", karat=24, thickness_um=0.5)
        self._create_claim("heavy", karat=24, thickness_um=2.5, lot_id=lot.id)
        raw = {"product_tmpl_id": self.raw.product_tmpl_id.id, "lot_id": raw_lot.id}
        self._create_claim("horn", origin="Ankole cattle, Kajiado", **raw)
        self._create_claim("karat", karat=9, **raw)
        self.assertEqual(sorted(self._kinds()), ["plated"])
        self.assertEqual(sorted(self._kinds(other)), ["plated"])
        self.assertEqual(sorted(self._kinds(lot)), ["heavy", "horn", "plated"])

    def test_warned_once_before_the_end(self):
        end = self.today + timedelta(days=20)
        claim = self._create_claim("karat", karat=18, date_expiry=end, user_id=self.manager.id)
        later = self._create_claim("karat", karat=18, date_expiry=end + timedelta(days=20))
        claims = self.env["soko.qc.claim"]
        ending = claims._cron_warn_expiry()
        self.assertIn(claim, ending)
        self.assertNotIn(later, ending)
        self.assertEqual(claim.activity_ids.user_id, self.manager)
        self.assertEqual(claim.activity_ids.date_deadline, end)
        self.assertNotIn(claim, claims._cron_warn_expiry())

    def test_approved_is_fixed(self):
        report = self._create_report()
        claim = self._create_claim("karat", karat=18)
        for change in (
            lambda: claim.write({"karat": 24}),
            lambda: claim.with_user(self.manager).unlink(),
            lambda: report.write({"date_expiry": False}),
            lambda: report.line_ids.write({"value": 0}),
            lambda: report.write({"line_ids": [Command.clear()]}),
            claim.with_user(self.manager).action_approve,
        ):
            with self.assertRaises(UserError):
                change()

    def test_roles(self):
        """Inspectors draft, managers vouch, inventory users read, visitors get plain values."""
        claim = self._create_claim("karat", approve=False, karat=18)
        for call in (
            claim.action_approve,
            claim.action_withdraw,
            lambda: claim.write({"approved_user_id": self.inspector.id}),
            lambda: claim.with_user(self.clerk).write({"karat": 9}),
            lambda: self.lead.with_user(self.inspector).write({"value": 1}),
            claim.unlink,
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertEqual(claim.with_user(self.clerk).karat, 18)
        claim.with_user(self.manager).action_approve()
        visitor = self._create_user("visitor", "base.group_public")
        with self.assertRaises(AccessError):
            claim.with_user(visitor).read(["karat"])
        shown = self.plated.with_user(visitor)._soko_qc_get_claims()
        self.assertEqual([c["karat"] for c in shown], [18])

    def test_other_company_is_hidden(self):
        claim = self._create_claim("karat", karat=18)
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        claims = self.env["soko.qc.claim"].with_user(self.inspector)
        self.assertFalse(claims.search([("id", "=", claim.id)]))
        self.assertFalse(self.plated.with_company(other)._soko_qc_get_claims())
