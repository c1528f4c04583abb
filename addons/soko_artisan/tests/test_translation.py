import re

from odoo.tests import HttpCase, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestTranslation(ArtisanCase, HttpCase):
    """An artisan who reads Swahili is written to in Swahili, by text message and on her page."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("sw")
        module = cls.env["ir.module.module"]._get("soko_artisan")
        # As when a user adds the language in the settings; the database may have loaded it
        # before with older words.
        module._update_translations(["sw"], overwrite=True)
        cls.user = cls._create_user(
            "wanjiru", "base.group_portal", name="Wanjiru Mfano", lang="sw", phone="254700000003"
        )
        cls.wanjiru = cls.env["soko.artisan"].create(
            {"partner_id": cls.user.partner_id.id, "stage": "active"}
        )
        for artisan in cls.wanjiru | cls.amina:
            cls._create_agreement(artisan)
            cls._drop_off(artisan, 2)

    def _page(self):
        self.authenticate("soko_wanjiru", "soko_wanjiru")
        return self._text(self.url_open("/my/artisan"))

    def _text(self, response):
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text)).replace("\xa0", " ")

    def test_request(self):
        self._sell(4)
        request = self.env["soko.replenishment"].search([("artisan_id", "=", self.wanjiru.id)])
        request.due_date = "2027-03-08"
        self.assertEqual(
            request.with_context(lang="sw")._get_request_text(),
            "Soko: bidhaa yako Cuff, raw brass imeuzwa. Tafadhali leta nyingine 2 kufikia "
            f"tarehe 8 Machi. Jibu hapa: {request.get_base_url()}/my/artisan",
        )
        self.assertIn("Tafadhali leta nyingine 2", self._sms_to(self.wanjiru).body)
        self.assertIn("Please bring 2 more", self._sms_to(self.amina).body)

    def test_payment(self):
        settlement = self._settle_received(self._sell(2)).filtered(
            lambda s: s.payee_id == self.wanjiru.partner_id
        )
        self.env["sms.sms"].search([]).unlink()
        self._pay(settlement).payment_reference = "SKT1234567"
        self.env["soko.settlement"]._cron_notify_paid()
        self.assertEqual(
            self._sms_to(self.wanjiru).body,
            f"Soko imelipa {settlement.currency_id.name} 700 kwa Wanjiru Mfano. "
            f"Bidhaa zilizouzwa: 2. Risiti: SKT1234567. ({settlement.name})",
        )

    def test_page(self):
        self._sell(1)
        text = self._page()
        for words in ("Pesa zako", "Unatudai", "Tafadhali leta", "Bidhaa zako zilizo ofisini"):
            self.assertIn(words, text)
        for words in ("Your money", "Owed to you", "Please bring", "Your pieces in the office"):
            self.assertNotIn(words, text)

    def test_answer(self):
        self._sell(1)
        request = self.env["soko.replenishment"].search([("artisan_id", "=", self.wanjiru.id)])
        self.assertIn("Ndiyo, nitaleta", self._page())
        page = self.url_open("/my/artisan").text
        answered = self.url_open(
            f"/my/artisan/replenishment/{request.id}/accept",
            data={"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)},
        )
        self.assertIn("Asante, jibu lako limeandikwa.", self._text(answered))
        self.assertEqual(request.state, "accepted")
