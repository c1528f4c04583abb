from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestStatement(ArtisanCase, HttpCase):
    """Opening + earned - deducted - paid = closing, and each payment has its receipt."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls._create_user("wanjiru", "base.group_portal", name="Wanjiru Mfano")
        cls.wanjiru = cls.env["soko.artisan"].create(
            {"partner_id": cls.user.partner_id.id, "stage": "active"}
        )
        for artisan in cls.wanjiru | cls.baraka:
            cls._create_agreement(artisan)
            cls._drop_off(artisan, 10)
        cls.today = cls.company._soko_today()

    def _pay_out(self, settlement, receipt):
        payment = self._pay(settlement)
        payment.payment_reference = receipt
        if payment.state == "in_process":
            payment.action_validate()
        settlement._notify_paid()
        self.assertEqual(settlement.state, "paid")

    def _statement(self, start=None):
        report = self.env["report.soko_artisan.report_statement"]
        start = start or self.today - timedelta(days=30)
        return report._get_statement(self.wanjiru, start, self.today)

    def _figures(self, statement):
        return tuple(
            statement[name] for name in ("opening", "earned", "deducted", "paid", "closing")
        )

    def test_sums(self):
        advance = self.env["soko.advance"].create(
            {"artisan_id": self.wanjiru.id, "amount": 300, "repay_percent": 50}
        )
        advance.action_grant()
        self._pay(advance).filtered(lambda p: p.state == "in_process").action_validate()
        self._pay_out(self._settle_received(self._sell(2)), "SKT0000001")
        self._sell(1)
        statement = self._statement()
        self.assertEqual(self._figures(statement), (0, 1050, 300, 400, 350))
        self.assertEqual([p["receipt"] for p in statement["payouts"]], ["SKT0000001"])
        later = self._statement(self.today + timedelta(days=1))
        self.assertEqual(self._figures(later), (350, 0, 0, 0, 350))

    def test_print_and_page(self):
        self._pay_out(self._settle_received(self._sell(2)), "SKT0000002")
        html = (
            self.env["ir.actions.report"]
            .with_user(self.officer)
            ._render_qweb_html("soko_artisan.report_statement", self.wanjiru.ids)[0]
            .decode()
        )
        self.authenticate("soko_wanjiru", "soko_wanjiru")
        page = self.url_open("/my/artisan/statement").text
        for text in (html, page):
            for part in ("Wanjiru Mfano", "SKT0000002", "Cuff, raw brass", "Still yours"):
                self.assertIn(part, text)
        self._create_user("nobody", "base.group_portal")
        self.authenticate("soko_nobody", "soko_nobody")
        self.assertEqual(self.url_open("/my/artisan/statement").status_code, 404)
