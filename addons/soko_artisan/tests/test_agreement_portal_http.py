import re

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged

from .common import ArtisanCase

TERM_MODELS = ("soko.agreement.version", "soko.agreement.tier")
OFFICE_MODELS = ("soko.markdown", "soko.markdown.schedule", "soko.markdown.step")


@tagged("post_install", "-at_install")
class TestAgreementPortal(ArtisanCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.soko_allow_unsigned = False
        cls.user = cls._create_user("wanjiru", "base.group_portal", name="Wanjiru Mfano")
        cls.wanjiru = cls.env["soko.artisan"].create(
            {"partner_id": cls.user.partner_id.id, "stage": "active"}
        )
        tiers = {"price_type": "split", "split_percent": 50, "tier_basis": "month",
                 "tier_ids": [(0, 0, {"threshold": 20, "percent": 55})]}
        cls.agreement = cls._create_agreement(cls.wanjiru, active=False, line=tiers)
        cls.other = cls._create_agreement(cls.baraka, active=False, line=tiers)
        (cls.agreement | cls.other).action_send()

    def setUp(self):
        super().setUp()
        self.authenticate("soko_wanjiru", "soko_wanjiru")
        self.url = f"/my/artisan/agreement/{self.agreement.id}"

    def _text(self, response):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text)).replace("\xa0", " ")

    def _field(self, page, name):
        return re.search(rf'name="{name}" value="([^"]+)"', page.text).group(1)

    def _sign(self, page=None, **values):
        page = page or self.url_open(self.url)
        data = {
            "csrf_token": self._field(page, "csrf_token"),
            "fingerprint": self._field(page, "fingerprint"),
            "name": "Wanjiru Mfano",
            "agree": "1",
        }
        return self.url_open(f"{self.url}/sign", data={**data, **values})

    def test_read_and_sign(self):
        home = self._text(self.url_open("/my/artisan"))
        self.assertIn("Please read and sign", home)
        text = self._text(self.url_open(self.url))
        for part in ("Cuff, raw brass", "50 % of the sale price", "55 % after 20 pieces a month",
                     "Version 1", "Type your full name"):
            self.assertIn(part, text)
        self.assertIn("you have signed", self._text(self._sign()))
        version = self.agreement.version_id
        self.assertEqual((self.agreement.state, version.signed_by), ("active", "Wanjiru Mfano"))
        self.assertEqual((version.signed_via, version.signed_user_id), ("portal", self.user))
        self.assertTrue(version.signed_ip and version.signed_on)
        self.assertNotIn("Type your full name", self._text(self.url_open(self.url)))

    def test_not_signed_without_name_tick_or_token(self):
        page = self.url_open(self.url)
        self.assertIn("type the name", self._text(self._sign(page, name=" ")))
        self.assertIn("Tick that you agree", self._text(self._sign(page, agree="")))
        self.assertIn("too long", self._text(self._sign(page, name="x" * 101)))
        self.assertFalse(self.agreement.version_id.signed_on)

    def test_terms_that_changed_meanwhile(self):
        page = self.url_open(self.url)
        self.agreement.line_ids.split_percent = 40
        self.env.flush_all()
        self.assertIn("terms have changed", self._text(self._sign(page)))
        self.assertFalse(self.agreement.version_ids.filtered("signed_on"))
        old = self._text(self.url_open(f"{self.url}?version=1"))
        self.assertIn("This is an old version", old)
        self.assertNotIn("Type your full name", old)

    def test_somebody_elses_is_not_found(self):
        page = self.url_open(self.url)
        theirs = f"/my/artisan/agreement/{self.other.id}"
        for path in (theirs, f"{theirs}/pdf"):
            self.assertEqual(self.url_open(path).status_code, 404)
        token = self._field(page, "csrf_token")
        data = {"csrf_token": token, "fingerprint": self.other.version_id.content_hash,
                "name": "Wanjiru Mfano", "agree": "1"}
        self.assertEqual(self.url_open(f"{theirs}/sign", data=data).status_code, 404)
        self.assertFalse(self.other.version_id.signed_on)

    def test_rights_on_the_portal(self):
        for model in TERM_MODELS:
            with self.subTest(model):
                Model = self.env[model].with_user(self.user)
                seen = Model.search([])
                self.assertTrue(seen)
                path = "line_id.agreement_id" if model.endswith("tier") else "agreement_id"
                self.assertEqual(seen.sudo().mapped(path), self.agreement)
                with self.assertRaises(AccessError):
                    seen.write({"company_id": self.company.id})
                with self.assertRaises(AccessError):
                    seen.unlink()
        for model in OFFICE_MODELS:
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(self.user).search([])
        version = self.agreement.version_id.with_user(self.user)
        with self.assertRaises(AccessError):
            version.read(["signed_ip"])
        for button in ("action_activate", "action_send", "action_sign_on_paper"):
            with self.assertRaises(AccessError):
                getattr(self.agreement.with_user(self.user), button)()

    def test_employee_without_role(self):
        stranger = self._create_user("stranger", "base.group_user")
        for model in (*TERM_MODELS, *OFFICE_MODELS, "soko.agreement.sign"):
            with self.subTest(model), self.assertRaises(AccessError):
                self.env[model].with_user(stranger).search([])

    def test_schedules_are_for_managers(self):
        Schedule = self.env["soko.markdown.schedule"]
        with self.assertRaises(AccessError):
            Schedule.with_user(self.officer).create({"name": "Mine"})
        schedule = Schedule.with_user(self.manager).create({"name": "Slow"})
        self.assertEqual(schedule.with_user(self.officer).name, "Slow")

    def test_answer_in_part_on_another_day(self):
        self.agreement.version_id._sign("Wanjiru Mfano", "portal")
        request = self.env["soko.replenishment"].create(
            {"artisan_id": self.wanjiru.id, "product_id": self.cuff.id, "quantity": 5}
        )
        url = f"/my/artisan/replenishment/{request.id}/accept"
        token = self._field(self.url_open("/my/artisan"), "csrf_token")
        wrong = {"csrf_token": token, "quantity": "9", "date": "2040-01-15"}
        for value in ("9", "nan", "inf", "many"):
            answered = self.url_open(url, data={**wrong, "quantity": value})
            self.assertIn("not more than we ask for", self._text(answered))
        self.assertEqual(request.state, "requested")
        self.url_open(url, data={**wrong, "quantity": "2"})
        self.assertEqual((request.state, request.quantity_expected), ("accepted", 2))
        self.assertEqual(str(request.due_date), "2040-01-15")
