from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestReturnOwner(ArtisanCase):
    """Unsold pieces go back to their maker: a transfer, a decision for each lot, no debt."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for artisan in cls.amina | cls.baraka:
            cls._create_agreement(artisan)
            cls._drop_off(artisan, 3)

    def _wizard(self, artisan=None, user=None, **context):
        wizard = self.env["soko.return.owner"].with_user(user or self.officer)
        return wizard.with_context(**context).create(
            {"artisan_id": (artisan or self.amina).id, "reason": "Not sold in 90 days"}
        )

    def test_all_free_pieces_are_proposed_and_given_back(self):
        wizard = self._wizard()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [3])
        picking = self.env["stock.picking"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual((picking.state, picking.location_dest_id.usage), ("done", "supplier"))
        self.assertEqual(picking.move_line_ids.owner_id, self.amina.partner_id)
        self.assertEqual((self._stock_of(self.amina), self._stock_of(self.baraka)), (0, 3))
        decision = self.env["soko.stock.decision"].search(
            [("move_line_id", "in", picking.move_line_ids.ids)]
        )
        self.assertEqual(
            (decision.cause, decision.action, decision.quantity, decision.reason),
            ("return", "return", 3, "Not sold in 90 days"),
        )
        self.assertEqual(decision.user_id, self.officer)
        self.assertFalse(decision.settlement_line_id)
        self.assertFalse(self._lines_of(picking))

    def test_confirmed_twice_is_one_return(self):
        wizard = self._wizard()
        wizard.line_ids.quantity = 1
        first = wizard.action_confirm()["res_id"]
        self.assertEqual(wizard.action_confirm()["res_id"], first)
        self.assertEqual(self._stock_of(self.amina), 2)

    def test_promised_pieces_stay(self):
        self._order(2)
        wizard = self._wizard()
        self.assertEqual(wizard.line_ids.quantity, 1)
        wizard.line_ids.quantity = 2
        with self.assertRaisesRegex(UserError, "1 pieces of"):
            wizard.action_confirm()

    def test_pieces_of_somebody_else(self):
        wizard = self._wizard()
        wizard.line_ids.quant_id = self._wizard(self.baraka).line_ids.quant_id
        with self.assertRaisesRegex(UserError, "not theirs"):
            wizard.action_confirm()

    def test_from_a_lot(self):
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        context = lot.with_user(self.officer).action_soko_return()["context"]
        self.assertEqual(context["default_artisan_id"], self.amina.id)
        wizard = self._wizard(soko_lot_ids=context["soko_lot_ids"])
        self.assertEqual(wizard.line_ids.lot_id, lot)

    def test_receipt_to_sign(self):
        picking = self.env["stock.picking"].browse(self._wizard().action_confirm()["res_id"])
        html = self.env["ir.actions.report"]._render_qweb_html(
            "soko_artisan.report_return_receipt", picking.ids
        )[0].decode()
        for text in ("Amina Mfano", "Not sold in 90 days", picking.move_line_ids.lot_id.name):
            self.assertIn(text, html)

    def test_only_officers(self):
        clerk = self._create_user("clerk", "stock.group_stock_user")
        with self.assertRaises(AccessError):
            self._wizard(user=clerk)
