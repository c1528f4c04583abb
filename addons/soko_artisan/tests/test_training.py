from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestArtisanTraining(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.craft = cls.env.ref("soko_artisan.soko_craft_casting")
        cls.today = cls.company._soko_today()
        cls.hope = cls._create_artisan("Chebet Mfano", stage="applicant")
        cls.training = (
            cls.env["soko.training"]
            .with_user(cls.officer)
            .create(
                {
                    "name": "Casting",
                    "method": "bench",
                    "craft_id": cls.craft.id,
                    "date_start": cls.today - timedelta(days=2),
                    "attendance_ids": [
                        Command.create({"artisan_id": a.id}) for a in cls.amina | cls.hope
                    ],
                }
            )
        )
        cls.hers, cls.hopes = (
            cls.training.attendance_ids.filtered(lambda li, a=a: li.artisan_id == a)
            for a in (cls.amina, cls.hope)
        )

    def _close(self):
        self.hers.write({"status": "attended", "result": "passed", "level": "3"})
        self.hopes.write({"status": "attended", "result": "passed", "level": "1"})
        self.training.action_done()

    def test_level_is_written_to_her_skills(self):
        self._close()
        skill = self.amina.skill_ids
        self.assertEqual((skill.craft_id, skill.level, skill.proof), (self.craft, "3", "training"))
        self.assertEqual((skill.date, skill.attendance_id), (self.training.date_end, self.hers))
        self.assertEqual(self.hope.stage, "trained")
        self.assertEqual(self.amina.stage, "active")
        self.assertEqual(self.amina.training_count, 1)

    def test_higher_level_stays(self):
        skill = self.env["soko.artisan.skill"].create(
            {"artisan_id": self.amina.id, "craft_id": self.craft.id, "level": "4", "proof": "work"}
        )
        self._close()
        self.assertEqual((skill.level, skill.proof), ("4", "work"))

    def test_closing_needs_every_answer(self):
        with self.assertRaisesRegex(UserError, "Open: .*Chebet Mfano"):
            self.training.action_done()
        self.training.date_start = self.today + timedelta(days=1)
        with self.assertRaisesRegex(UserError, "begins on"):
            self.training.action_done()

    def test_held_training_stands(self):
        self._close()
        for change in (
            lambda: self.training.write({"method": "online"}),
            lambda: self.training.write({"date_start": self.today}),
            lambda: self.hers.write({"result": "failed", "level": False}),
            lambda: self.hers.unlink(),
            lambda: self.training.action_cancel(),
            lambda: self.training.with_user(self.manager).unlink(),
        ):
            with self.assertRaisesRegex(UserError, "has been held"):
                change()
        with self.assertRaisesRegex(UserError, "Only a manager"):
            self.training.action_reopen()
        self.training.with_user(self.manager).action_reopen()
        self.training.method = "online"
        self.assertEqual(self.hers.method, "online")

    def test_result_only_of_who_came(self):
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.hers.write({"status": "absent", "result": "passed"})
            self.env.flush_all()
        with self.assertRaisesRegex(ValidationError, "by passing"):
            self.hers.write({"status": "attended", "result": "failed", "level": "2"})

    def test_places_are_counted(self):
        self.training.capacity = 2
        with self.assertRaisesRegex(ValidationError, "2 places and 3"):
            self.training.attendance_ids = [Command.create({"artisan_id": self.baraka.id})]

    def test_who_left_is_not_invited(self):
        self.baraka.stage = "left"
        with self.assertRaisesRegex(UserError, "stage Left"):
            self.training.attendance_ids = [Command.create({"artisan_id": self.baraka.id})]
