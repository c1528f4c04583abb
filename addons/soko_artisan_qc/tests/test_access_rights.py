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

    def test_nobody_writes_that_pieces_are_cleared(self):
        """Cleared pieces are paid; `readonly` keeps no RPC call away."""
        raw = self._drop_off(self.amina, 1).move_line_ids.lot_id
        clerk = self._create_user("clerk", "stock.group_stock_user")
        values = {"name": "FORGED", "product_id": self.cuff.id}
        for user in (clerk, self.inspector, self.officer, self.manager):
            lots = self.env["stock.lot"].with_user(user)
            for call in (
                lambda lots=lots: lots.browse(raw.id).write({"soko_qc_cleared": True}),
                lambda lots=lots: lots.create({**values, "soko_qc_cleared": True}),
            ):
                with self.assertRaises(AccessError), self.cr.savepoint():
                    call()
        self.assertFalse(raw.soko_qc_cleared)
        # No default opens it either: of the context, or of the user's own in a sudoed create.
        lots = self.env["stock.lot"].with_user(clerk)
        for name in ("soko_qc_cleared", "soko_qc_waived"):
            for default in ({f"default_{name}": True}, {}):
                if not default:
                    self.env["ir.default"].with_user(clerk).set(
                        "stock.lot", name, True, user_id=True
                    )
                made = lots.with_context(**default).sudo().create(
                    {**values, "name": f"{name} {len(default)}"}
                )
                self.env.flush_all()
                made.invalidate_recordset()
                self.assertFalse(made.soko_qc_cleared, (name, default))

    def test_raw_lot_that_is_forged_clears_nothing(self):
        good = self._inspect(self._drop_off(self.amina, 1)).lot_id
        self.assertTrue(good.soko_qc_cleared)
        bad = self._drop_off(self.amina, 1).move_line_ids.lot_id
        for user in (self.officer, self.inspector):
            with self.assertRaises(AccessError), self.cr.savepoint():
                bad.with_user(user).write({"soko_origin_lot_id": good.id})
        self.assertFalse(bad.soko_qc_cleared)
