from odoo.tests import HttpCase, tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestTour(ArtisanCase, HttpCase):
    def test_clerk_takes_pieces_in(self):
        """From the menu to the receipt, with nothing but what a clerk sees on the screen."""
        artisan = self._create_artisan("Amina Mfano Tour")
        agreement = self._create_agreement(artisan)
        self.start_tour("/odoo", "soko_artisan_drop_off", login=self.officer.login)
        picking = self.env["stock.picking"].search([("soko_artisan_id", "=", artisan.id)])
        self.assertEqual((len(picking), picking.state), (1, "done"))
        self.assertEqual(picking.create_uid, self.officer)
        line = picking.move_line_ids
        self.assertEqual((len(line), len(line.lot_id)), (1, 1))
        self.assertEqual((line.product_id, line.quantity), (self.cuff, 5))
        self.assertEqual(line.owner_id, artisan.partner_id)
        self.assertEqual(line.lot_id.soko_agreement_line_id, agreement.line_ids)
        self.assertEqual(self._stock_of(artisan), 5)
