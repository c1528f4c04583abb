from odoo.tests import freeze_time, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestToday(ArtisanCase):
    @freeze_time("2026-03-01 22:30:00")
    def test_it_is_the_companys_day_for_everybody(self):
        """Half past one at night in Nairobi, still yesterday in UTC."""
        self.company.country_id = self.env.ref("base.ke")
        self.company.partner_id.tz = False
        agreement = self._create_agreement(self.amina)
        for tz in ("UTC", "Africa/Nairobi", "America/New_York"):
            user = self._create_user(
                tz.rpartition("/")[2], "soko_artisan.soko_artisan_group_user", tz=tz
            )
            today = self.env(user=user).company._soko_today()
            self.assertEqual(str(today), "2026-03-02", tz)
        self.assertEqual(str(agreement.date_start), "2026-03-02")
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        self.assertEqual(str(lot.soko_drop_off_date), "2026-03-02")

    @freeze_time("2026-03-01 22:30:00")
    def test_the_companys_own_time_zone_comes_first(self):
        self.company.partner_id.tz = "America/New_York"
        self.assertEqual(str(self.company._soko_today()), "2026-03-01")
