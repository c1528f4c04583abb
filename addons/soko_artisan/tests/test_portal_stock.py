from odoo.tests import HttpCase, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestPortalStock(ArtisanCase, HttpCase):
    """The artisan's page tells what left unsold and what she owes, and only to her."""

    def test_unsold_pieces_and_advances(self):
        user = self._create_user("wanjiru", "base.group_portal", name="Wanjiru Mfano")
        wanjiru = self.env["soko.artisan"].create(
            {"partner_id": user.partner_id.id, "stage": "active"}
        )
        for artisan, reason in ((wanjiru, "Clasp broke"), (self.baraka, "Not for her eyes")):
            self._create_agreement(artisan)
            lot = self._drop_off(artisan, 2).move_line_ids.lot_id
            self.env["stock.scrap"].create(
                {
                    "product_id": self.cuff.id,
                    "lot_id": lot.id,
                    "owner_id": artisan.partner_id.id,
                    "scrap_qty": 1,
                    "soko_decision": "write_off",
                    "soko_decision_reason": reason,
                }
            ).action_validate()
            advance = self.env["soko.advance"].create(
                {"artisan_id": artisan.id, "amount": 1000, "note": f"Brass for {artisan.name}"}
            )
            advance.action_grant()
            self._pay(advance).filtered(lambda p: p.state == "in_process").action_validate()
            self.assertEqual(advance.state, "paid_out")
        self.authenticate("soko_wanjiru", "soko_wanjiru")
        page = self.url_open("/my/artisan").text
        for text in ("Clasp broke", "Write off against the owner", "Brass for Wanjiru Mfano"):
            self.assertIn(text, page)
        self.assertNotIn("Not for her eyes", page)
        self.assertNotIn("Brass for Baraka", page)
