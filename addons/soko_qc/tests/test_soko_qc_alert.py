from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from .common import QcCase


@tagged("post_install", "-at_install")
class TestAlert(QcCase):
    def _create_alert(self, user=None, **values):
        alerts = self.env["soko.qc.alert"].with_user(user or self.inspector)
        return alerts.create({"title": "Ear hooks break", **values})

    def _write_up(self, alert):
        alert.write(
            {
                "cause_category": "method",
                "cause": "<p>The flux was burnt</p>",
                "corrective_action": "<p>New flux, all hooks soldered anew</p>",
            }
        )

    def _refuse(self, lot_name, owner=None):
        inspection = self._receive(2, owner or self.amina, lot_name)
        inspection.action_start()
        inspection.piece_ids.defect_ids = self.defect
        inspection.action_done()
        return inspection

    def test_the_whole_way_takes_two_people(self):
        alert = self._create_alert()
        self.assertRegex(alert.name, r"^QA/\d{4}/\d+$")
        with self._refuses("cause", ValidationError):
            alert.action_next()
        alert.write({"cause_category": "method", "cause": "<p>The flux was burnt</p>"})
        alert.action_next()
        self.assertEqual(alert.stage, "cause")
        with self._refuses("corrective", ValidationError):
            alert.action_next()
        self._write_up(alert)
        alert.action_next()
        self.assertEqual((alert.stage, alert.action_user_id), ("action", self.inspector))
        with self._refuses("somebody else", ValidationError), mute_logger("odoo.sql_db"):
            alert.action_next()
        alert = alert.with_user(self.manager)
        alert.action_next()
        alert.action_next()
        self.assertEqual((alert.stage, alert.verified_user_id), ("closed", self.manager))
        self.assertTrue(alert.date_closed)
        self.assertFalse(alert.activity_ids)
        with self.assertRaises(UserError):
            alert.action_next()
        alert.action_reopen()
        self.assertFalse(alert.action_user_id or alert.verified_user_id or alert.date_closed)
        self.assertEqual(len(alert.activity_ids), 1)

    def test_no_stage_is_jumped_over(self):
        """The kanban lets people drag a card anywhere; so does RPC."""
        alert = self._create_alert()
        self._write_up(alert)
        for stage in ("verified", "closed"):
            with self.assertRaises(ValidationError):
                alert.with_user(self.manager).stage = stage
        with self.assertRaises(ValidationError):
            self._create_alert(stage="closed")
        alert.stage = "action"
        self.assertEqual(alert.action_user_id, self.inspector)

    def test_signatures_are_not_written_by_hand(self):
        alert = self._create_alert()
        for vals in ({"verified_user_id": self.manager.id}, {"action_user_id": self.manager.id}):
            with self.assertRaises(AccessError):
                alert.write(vals)
            with self.assertRaises(AccessError):
                self._create_alert(**vals)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            alert.sudo().write(
                {"verified_user_id": self.manager.id, "action_user_id": self.manager.id}
            )
            alert.flush_recordset()

    def test_activity_follows_responsible_and_due_date(self):
        alert = self._create_alert(user_id=self.inspector.id, date_deadline="2026-03-10")
        self.assertEqual(alert.activity_ids.user_id, self.inspector)
        alert.write({"user_id": self.manager.id, "date_deadline": "2026-03-20"})
        self.assertEqual(alert.activity_ids.user_id, self.manager)
        self.assertEqual(str(alert.activity_ids.date_deadline), "2026-03-20")

    def test_late_alerts_are_found(self):
        today = fields.Date.context_today(self.env["soko.qc.alert"])
        late = self._create_alert(date_deadline=today - timedelta(days=1))
        early = self._create_alert(date_deadline=today)
        alerts = self.env["soko.qc.alert"]
        found = alerts.search([("is_late", "=", True), ("id", "in", (late | early).ids)])
        self.assertEqual(found, late)
        self.assertEqual((late.is_late, early.is_late), (True, False))
        others = alerts.search([("is_late", "=", False), ("id", "in", (late | early).ids)])
        self.assertEqual(others, early)

    def test_button_of_the_inspection(self):
        inspection = self._receive(1).with_user(self.inspector)
        inspection.action_start()
        action = inspection.action_create_alert()
        alert = self.env["soko.qc.alert"].with_user(self.inspector)
        alert = alert.with_context(**action["context"]).create({"title": "Sharp"})
        self.assertEqual(alert.inspection_id, inspection)
        self.assertEqual((alert.lot_id, alert.partner_id), (inspection.lot_id, self.amina))
        self.assertEqual(inspection.alert_count, 1)
        self.assertEqual(inspection.action_view_alerts()["res_id"], alert.id)
        template, lot = self.raw.product_tmpl_id, inspection.lot_id
        self.assertEqual((template.soko_alert_count, lot.soko_alert_count), (1, 1))
        for record in (template, lot):
            domain = record.action_view_soko_alerts()["domain"]
            self.assertEqual(self.env["soko.qc.alert"].search(domain), alert)

    def test_plan_raises_alerts(self):
        plan = self._create_plan(alert_on_refused=True, alert_user_id=self.manager.id)
        refused = self._refuse("A").alert_ids
        self.assertEqual((refused.reason, refused.user_id), ("refused", self.manager))
        self.assertIn(self.defect.name, refused.description)
        self.assertFalse(self._accept(1, lot_name="GOOD").soko_inspection_ids.alert_ids)
        plan.alert_on_critical = True
        inspection = self._receive(2, lot_name="CRIT").with_user(self.inspector)
        inspection.action_start()
        inspection.piece_ids[0].result_ids[0].verdict = "fail"
        inspection.action_all_pass()
        inspection.action_done()
        self.assertEqual(inspection.alert_ids.reason, "critical")
        self.assertEqual(inspection.alert_ids.priority, "1")

    def test_nth_refused_lot_of_a_maker(self):
        self._create_plan(alert_refused_lots=2)
        lots = []
        for day, owner in enumerate((self.amina, self.juma, *[self.amina] * 3), start=1):
            with freeze_time(f"2026-03-0{day} 09:00:00"):
                lots.append(self._refuse(f"LOT-{day}", owner))
        reasons = [inspection.alert_ids.reason for inspection in lots]
        # After an alert the counting begins anew.
        self.assertEqual(reasons, [False, False, "repeated", False, "repeated"])

    def test_roles(self):
        alert = self._create_alert()
        clerk = alert.with_user(self.clerk)
        self.assertEqual(clerk.title, "Ear hooks break")
        employee = self._create_user("nobody", "base.group_user")
        for call in (
            lambda: clerk.write({"title": "Mine"}),
            lambda: self._create_alert(self.clerk),
            clerk.action_next,
            lambda: alert.with_user(employee).read(["title"]),
            alert.unlink,
        ):
            with self.assertRaises(AccessError):
                call()
        inspection = self._receive(1)
        with self.assertRaises(AccessError):
            inspection.with_user(self.clerk).action_create_alert()
        self._write_up(alert)
        alert.action_next()
        with self._refuses("not deleted"):
            alert.with_user(self.manager).unlink()
        self._create_alert().with_user(self.manager).unlink()

    def test_other_company_is_hidden(self):
        alert = self._create_alert()
        other = self.env["res.company"].create({"name": "Other workshop"})
        self.inspector.write(
            {"company_ids": [Command.set(other.ids)], "company_id": other.id}
        )
        alerts = self.env["soko.qc.alert"].with_user(self.inspector)
        self.assertFalse(alerts.search([("id", "=", alert.id)]))
