from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, tagged

from ..tools.counties import county_key
from ..tools.weeks import free_capacity, week_of
from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestArtisanNetworkTools(BaseCase):
    def test_week(self):
        monday, sunday = date(2026, 11, 23), date(2026, 11, 29)
        self.assertEqual(week_of(date(2026, 11, 25)), (monday, sunday))
        self.assertEqual(week_of(sunday), (monday, sunday))
        self.assertEqual(week_of(monday, 1), (date(2026, 11, 30), date(2026, 12, 6)))

    def test_free_is_never_negative(self):
        self.assertEqual((free_capacity(5, 7), free_capacity(5, 1.5)), (0, 3.5))

    def test_county_as_people_write_it(self):
        for ways in (
            ("Nairobi", "NAIROBI COUNTY", "Nairobi City (KE)"),
            ("Murang'a", "Muranga", "murang’a county"),
            ("Taita/Taveta", "Taita-Taveta", "Taita Taveta"),
        ):
            self.assertEqual(len({county_key(way) for way in ways}), 1, ways)
        self.assertNotEqual(county_key("Kisii"), county_key("Kisumu"))


@tagged("post_install", "-at_install")
class TestArtisanNetwork(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.solder = cls.env.ref("soko_artisan.soko_craft_silver_soldering")
        cls.silver = cls.env.ref("soko_artisan.soko_material_silver")
        cls.today = cls.company._soko_today()
        cls.next_week = week_of(cls.today, 1)

    def _ask(self, artisan, quantity, due_date, **values):
        return self.env["soko.replenishment"].create(
            {
                "artisan_id": artisan.id,
                "product_id": self.cuff.id,
                "quantity": quantity,
                "due_date": due_date,
                **values,
            }
        )

    def _find(self, *domain):
        return self.env["soko.artisan"].with_user(self.officer).search(
            [("id", "in", (self.amina | self.baraka).ids), *domain]
        )

    def test_who_can_solder_silver_in_kibera_next_week(self):
        skill = {"craft_id": self.solder.id, "level": "3"}
        for artisan in self.amina | self.baraka:
            artisan.write(
                {"place": "Kibera", "capacity_per_week": 10, "skill_ids": [Command.create(skill)]}
            )
        self._ask(self.baraka, 10, self.next_week[0])
        found = self._find(
            ("craft_ids", "child_of", self.solder.id),
            ("skill_ids", "any", [("craft_id", "=", self.solder.id), ("level", ">=", "3")]),
            ("place", "ilike", "kibera"),
            ("free_next_week", ">", 0),
        )
        self.assertEqual(found, self.amina)

    def test_free_capacity_searches_as_it_computes(self):
        self.amina.capacity_per_week = 10
        self._ask(self.amina, 4, self.next_week[1])
        self.assertEqual((self.amina.free_next_week, self.baraka.free_next_week), (6, 0))
        for operator, value, found in (
            (">", 0, self.amina),
            (">=", 6, self.amina),
            (">", 6, self.amina.browse()),
            ("=", 6, self.amina),
            ("<", 1, self.baraka),
            ("<=", 6, self.amina | self.baraka),
            ("!=", 6, self.baraka),
            ("=", 0, self.baraka),
        ):
            with self.subTest(f"{operator} {value}"):
                self.assertEqual(self._find(("free_next_week", operator, value)), found)

    def test_what_books_a_week(self):
        self.amina.capacity_per_week = 20
        self._ask(self.amina, 3, self.next_week[0])
        self._ask(self.amina, 5, self.next_week[1] + timedelta(days=1))
        done = self._ask(self.amina, 4, self.next_week[0])
        done.state = "declined"
        booked = self.amina._get_booked_capacity(*self.next_week)
        self.assertEqual(booked, {self.amina: 3})
        late = self._ask(self.amina, 6, self.today - timedelta(days=1), quantity_done=4)
        self.assertEqual(self.amina._get_booked_capacity(*self.next_week), {self.amina: 5})
        past = week_of(self.today, -2)
        self.assertFalse(self.amina._get_booked_capacity(*past))
        late.state = "done"
        self.amina.write({"capacity_unit": "hour", "hours_per_piece": 2.5})
        self.assertEqual(self.amina.free_next_week, 20 - 3 * 2.5)

    def test_who_may_not_deliver_has_no_free_week(self):
        self.amina.write({"capacity_per_week": 10, "stage": "left"})
        self.assertEqual(self.amina.free_next_week, 0)
        self.assertFalse(self._find(("free_next_week", ">", 0)))

    def test_capacity_of_many_takes_no_more_queries(self):
        both = self.amina | self.baraka
        for artisan in both:
            self._ask(artisan, 1, self.next_week[0])

        def count(artisans):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            artisans._get_booked_capacity(*self.next_week)
            return self.cr.sql_log_count - before

        self.assertEqual(count(both), count(self.amina))

    def test_skill_makes_her_found_by_the_craft(self):
        skill = self.env["soko.artisan.skill"].with_user(self.officer).create(
            {"artisan_id": self.amina.id, "craft_id": self.solder.id}
        )
        self.assertIn(self.solder, self.amina.craft_ids)
        with self.assertRaisesRegex(ValidationError, "Delete that line"):
            self.amina.craft_ids = [Command.unlink(self.solder.id)]
        skill.unlink()
        self.amina.craft_ids = [Command.unlink(self.solder.id)]
        self.assertFalse(self.amina.craft_ids)

    def test_craft_is_no_technique_of_itself(self):
        technique = self.env["soko.craft"].create({"name": "Test", "parent_id": self.solder.id})
        with self.assertRaisesRegex(ValidationError, "of itself"):
            self.solder.parent_id = technique

    def test_source_and_its_evidence(self):
        source = self.env["soko.material.source"].with_user(self.officer).create(
            {"artisan_id": self.amina.id, "material_id": self.silver.id, "source": "Old spoons"}
        )
        self.assertEqual(source.state, "missing")
        self.assertIn(self.silver, self.amina.material_ids)
        source.write({"evidence": "receipt", "date": "2020-01-01", "date_expiry": self.today})
        self.assertEqual(source.state, "valid")
        source.date_expiry = self.today - timedelta(days=1)
        self.assertEqual(source.state, "expired")

    def test_consent_is_dated_and_signed(self):
        amina = self.amina.with_user(self.officer)
        amina.consent_publish = True
        self.assertEqual((amina.consent_date, amina.consent_user_id), (self.today, self.officer))
        amina.consent_publish = False
        self.assertEqual(amina.consent_withdrawn_date, self.today)
        self.assertEqual(amina.consent_date, self.today, "that she had agreed stays known")
        amina.write({"consent_publish": True, "consent_date": "2026-01-02"})
        self.assertEqual(amina.consent_date, date(2026, 1, 2))
        self.assertFalse(amina.consent_withdrawn_date)

    def test_phone_is_kept_as_it_is_dialled(self):
        for written in ("0700 000 011", "254700000011", "+254 700 000011", "254700000011.0"):
            self.amina.phone = written
            self.assertEqual(self.amina.phone, "+254700000011", written)
        for wrong in ("07000", "0700 000 01x", "call me"):
            with self.assertRaisesRegex(UserError, "not a phone number"):
                self.amina.phone = wrong

    def test_doubles_are_told(self):
        other = self._create_artisan("amina mfano")
        self.assertEqual(other.with_user(self.officer).double_ids, self.amina)
        other.double_checked = True
        self.assertFalse(other.double_ids)
        self.amina.national_id = " 0000 0001"
        with self.assertRaisesRegex(UserError, "belongs to Amina Mfano"):
            other.national_id = "00000001"

    def test_household_is_for_staff_only(self):
        portal = self._create_user("amina_net", "base.group_portal")
        self.amina.partner_id = portal.partner_id
        self.env["soko.artisan.skill"].create(
            [{"artisan_id": a.id, "craft_id": self.solder.id} for a in self.amina | self.baraka]
        )
        hers = self.amina.with_user(portal)
        self.assertTrue(hers.read(["name", "stage", "place"]))
        for name in (
            "household_size", "dependants", "people_employed", "women_employed", "women_led",
            "national_id", "birth_year", "recruitment_channel", "stage_change_ids", "source_ids",
            "attendance_ids",
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                hers.read([name])
        skills = self.env["soko.artisan.skill"].with_user(portal)
        self.assertEqual(skills.search([]).artisan_id, self.amina)
        with self.assertRaises(AccessError):
            skills.search([]).level = "4"
        for model in (
            "soko.artisan.stage.change", "soko.material.source", "soko.training",
            "soko.training.attendance",
        ):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])

    def test_settlement_officer(self):
        settler = self._create_user("settler", "soko_artisan.soko_artisan_group_settler")
        self._create_agreement(self.amina)
        lot = self._drop_off(self.amina, 2).move_line_ids.lot_id
        picking = self._sell(1)
        picking._soko_mark_received("shopper")
        lines = self._lines_of(picking)
        with self.assertRaises(AccessError):
            lines.with_user(self.officer).action_settle_now()
        lines.with_user(settler).action_settle_now()
        bill = lines.settlement_id.bill_id
        self.assertEqual(bill.with_user(settler).state, "posted")
        with self.assertRaises(AccessError):
            lot.with_user(settler).soko_unit_price = 999
        self.assertTrue(self.manager.has_group("soko_artisan.soko_artisan_group_settler"))

    def test_merge_of_contacts(self):
        Merge = self.env["base.partner.merge.automatic.wizard"]
        amina = self.amina.partner_id
        with self.assertRaisesRegex(UserError, "are 2 artisans"):
            Merge._merge((amina | self.baraka.partner_id).ids, amina)
        double = self.env["res.partner"].create({"name": "Amina M. Mfano"})
        self._create_agreement(self.amina)
        self._drop_off(self.amina, 2)
        Merge._merge((amina | double).ids, double)
        self.assertFalse(amina.exists())
        self.assertEqual(self.amina.partner_id, double)
        self.assertEqual(self.amina.name, double.name)
        self.env.invalidate_all()
        self.assertEqual(self.amina.qty_in_stock, 2, "the pieces follow")
