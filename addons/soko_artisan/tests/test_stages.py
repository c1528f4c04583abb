from datetime import date, timedelta
from pathlib import Path

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError
from odoo.modules.migration import load_script
from odoo.modules.module import get_module_path
from odoo.tests import BaseCase, tagged

from ..tools.stages import ALLOWED, allows, stage_after_drop_off, stages_that_allow
from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestArtisanStageRules(BaseCase):
    def test_who_may_what(self):
        self.assertEqual(stages_that_allow("drop_off"), ["trained", "active", "dormant"])
        self.assertEqual(stages_that_allow("training"), list(ALLOWED)[:-1])
        self.assertFalse(allows("left", "training"))
        with self.assertRaises(KeyError):
            allows("unknown", "training")

    def test_pieces_wake_up(self):
        after = [stage_after_drop_off(stage) for stage in ("trained", "active", "dormant")]
        self.assertEqual(after, ["active"] * 3)
        self.assertEqual(stage_after_drop_off("left"), "left")


@tagged("post_install", "-at_install")
class TestArtisanStages(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.company._soko_today()
        cls.company.soko_dormant_months = 6
        cls.old = cls.today - relativedelta(months=7)

    def _history(self, artisan):
        changes = artisan.stage_change_ids.sorted("id")
        return [(change.stage_from, change.stage) for change in changes]

    def test_each_change_is_dated(self):
        artisan = self._create_artisan("Chebet Mfano", stage="applicant", stage_date=self.old)
        artisan.with_user(self.officer).stage = "trained"
        self.assertEqual(
            self._history(artisan), [(False, "applicant"), ("applicant", "trained")]
        )
        changes = artisan.stage_change_ids.sorted("id")
        self.assertEqual(changes.mapped("date"), [self.old, self.today])
        self.assertEqual(changes[-1].user_id, self.officer)
        artisan.stage = "trained"
        self.assertEqual(len(artisan.stage_change_ids), 2, "no change, no line")

    def test_nobody_writes_the_history(self):
        change = self.amina.stage_change_ids.with_user(self.manager)
        with self.assertRaises(AccessError):
            change.write({"date": date(2020, 1, 1)})
        with self.assertRaises(AccessError):
            change.unlink()

    def test_applicant_and_left_get_nothing(self):
        for stage in ("applicant", "left"):
            artisan = self._create_artisan(f"{stage} Mfano", stage=stage)
            with self.subTest(stage):
                with self.assertRaisesRegex(UserError, "set her stage to Trained"):
                    self._create_agreement(artisan)
                with self.assertRaisesRegex(UserError, artisan.name):
                    self._drop_off(artisan, 1)
                with self.assertRaisesRegex(UserError, "request for pieces"):
                    self.env["soko.replenishment"].create(
                        {"artisan_id": artisan.id, "product_id": self.cuff.id, "quantity": 1}
                    )
                draft = self._create_agreement(artisan, active=False)
                self.assertEqual(draft.state, "draft", "a draft may wait")
                with self.assertRaisesRegex(UserError, "set her stage to Trained"):
                    draft.action_send()

    def test_staff_override_is_the_stage(self):
        artisan = self._create_artisan("Chebet Mfano", stage="applicant")
        artisan.with_user(self.officer).stage = "active"
        self._create_agreement(artisan)
        self.assertEqual(self._drop_off(artisan, 1, user=self.officer).state, "done")

    def test_drop_off_makes_active(self):
        for stage in ("trained", "dormant"):
            artisan = self._create_artisan(f"{stage} Mfano", stage=stage)
            self._create_agreement(artisan)
            self._drop_off(artisan, 1, user=self.officer)
            self.assertEqual(artisan.stage, "active")
            self.assertEqual(artisan.stage_change_ids.sorted("id")[-1].reason, "Dropped pieces off")

    def test_leaving_ends_what_runs_and_says_what_is_open(self):
        agreement = self._create_agreement(self.amina)
        self._drop_off(self.amina, 3)
        request = self.env["soko.replenishment"].create(
            {"artisan_id": self.amina.id, "product_id": self.cuff.id, "quantity": 2}
        )
        unsigned = self._create_agreement(
            self.amina, product=self._create_product("Ring, raw brass"), active=False
        )
        unsigned.action_send()
        self.amina.with_user(self.officer).stage = "left"
        self.assertEqual((agreement.state, request.state), ("expired", "declined"))
        self.assertEqual(unsigned.state, "draft", "there is nothing left to sign")
        activity = self.amina.activity_ids
        self.assertIn("3 pieces are still in the house", activity.note)
        self.assertEqual(activity.user_id, self.officer)
        self.baraka.stage = "left"
        self.assertFalse(self.baraka.activity_ids, "nothing is open with him")

    def test_dormant_is_said_aloud(self):
        self.amina.write({"user_id": self.officer.id, "stage_date": self.old})
        self.env["soko.artisan"]._cron_set_dormant()
        self.assertEqual((self.amina.stage, self.baraka.stage), ("dormant", "active"))
        self.assertEqual(self.amina.activity_ids.user_id, self.officer)
        self.assertIn("No pieces so far", self.amina.activity_ids.note)
        self.env["soko.artisan"]._cron_set_dormant()
        self.assertEqual(len(self.amina.activity_ids), 1)

    def test_pieces_keep_her_active(self):
        self._create_agreement(self.amina)
        lot = self._drop_off(self.amina, 2).move_line_ids.lot_id
        self.amina.stage_date = self.old
        lot.soko_drop_off_date = self.old
        self.env["soko.artisan"]._cron_set_dormant()
        self.assertEqual(self.amina.stage, "active", "two pieces of hers are for sale")
        self._sell(2)
        self.amina.invalidate_recordset()
        self.env["soko.artisan"]._cron_set_dormant()
        self.assertEqual(self.amina.stage, "dormant")
        self.assertIn(str(self.old), self.amina.stage_change_ids.sorted("id")[-1].reason)

    def test_dormant_never(self):
        self.company.soko_dormant_months = 0
        self.amina.stage_date = self.old
        self.env["soko.artisan"]._cron_set_dormant()
        self.assertEqual(self.amina.stage, "active")

    def test_update_of_the_first_version(self):
        self._create_agreement(self.amina)
        self.env.flush_all()
        self.cr.execute("DELETE FROM soko_artisan_stage_change")
        self.cr.execute("UPDATE soko_artisan SET stage = 'applicant', stage_date = NULL")
        folder = Path(get_module_path("soko_artisan")) / "migrations/19.0.1.1.0"
        path = folder / "post-artisan_stages.py"
        migrate = load_script(str(path), "soko_artisan_stages").migrate
        for _again in range(2):
            migrate(self.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertEqual((self.amina.stage, self.baraka.stage), ("active", "applicant"))
        self.assertEqual(self._history(self.amina), [(False, "active")])
        self.assertEqual(self.baraka.stage_date, self.baraka.create_date.date())

    def test_stage_query_count(self):
        """The nightly look at all active artisans asks the same questions for two and for ten."""
        self.env["soko.artisan"]._set_dormant(self.company)

        def count():
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env["soko.artisan"]._set_dormant(self.company)
            return self.cr.sql_log_count - before

        self._create_agreement(self.amina)
        self._drop_off(self.amina, 1)
        self.amina.stage_date = self.today - timedelta(days=400)
        few = count()
        for number in range(8):
            artisan = self._create_artisan(f"Artisan {number} Mfano")
            self._create_agreement(artisan)
            self._drop_off(artisan, 1)
            artisan.stage_date = self.today - timedelta(days=400)
        self.assertLessEqual(count(), few)
