from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ArtisanQcCase


@tagged("post_install", "-at_install")
class TestAccessRights(ArtisanQcCase):
    def test_inspector_sees_no_artisan(self):
        inspection = self._inspect(self._drop_off(self.amina, 1))
        self.assertEqual(inspection.state, "done")
        with self.assertRaises(AccessError):
            inspection.read(["artisan_id"])
        with self.assertRaises(AccessError):
            self.amina.with_user(self.inspector).read(["qc_pass_rate"])

    def test_officer_sees_quality_and_decides_nothing(self):
        picking = self._drop_off(self.amina, 1, user=self.officer)
        inspection = picking.soko_inspection_ids.with_user(self.officer)
        self.assertEqual(inspection.artisan_id, self.amina)
        self.assertEqual(self.amina.with_user(self.officer).qc_piece_count, 0)
        with self.assertRaises(AccessError):
            inspection.action_start()

    def test_only_a_manager_waives_the_inspection(self):
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        for user in (self.officer, self.inspector):
            with self.assertRaises(AccessError):
                lot.with_user(user).soko_qc_waived = True
        lot.with_user(self.manager).soko_qc_waived = True
        self.assertTrue(lot.soko_qc_cleared)
