import base64

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common import ArtisanCase

PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
        "rkJggg=="
    )
)


@tagged("post_install", "-at_install")
class TestDropOff(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(cls.amina)

    def test_two_taps(self):
        """Artisan chosen, one product agreed: only the count is typed."""
        form = Form(
            self.env["soko.drop.off"]
            .with_user(self.officer)
            .with_context(default_artisan_id=self.amina.id)
        )
        with form.line_ids.edit(0) as line:
            self.assertEqual(line.product_id, self.cuff)
            line.quantity = 5
        action = form.save().action_confirm()
        picking = self.env["stock.picking"].browse(action["res_id"])
        self.assertEqual((picking.state, picking.soko_artisan_id), ("done", self.amina))
        self.assertEqual(picking.owner_id, self.amina.partner_id)
        self.assertTrue(picking.picking_type_id.soko_is_drop_off)
        self.assertEqual(picking.picking_type_id, self.warehouse.soko_drop_off_type_id)
        self.assertEqual(self._stock_of(self.amina), 5)

    def test_confirmed_twice_is_received_once(self):
        """A request sent again on a bad line must not put pieces there that don't exist."""
        wizard = self.env["soko.drop.off"].with_user(self.officer).create(
            {
                "artisan_id": self.amina.id,
                "line_ids": [
                    Command.clear(),
                    Command.create({"product_id": self.cuff.id, "quantity": 3}),
                ],
            }
        )
        first = wizard.action_confirm()
        self.assertEqual(wizard.action_confirm()["res_id"], first["res_id"])
        self.assertEqual(self._stock_of(self.amina), 3)

    def test_lot_keeps_maker_and_price(self):
        lot = self._drop_off(self.amina, 5).move_line_ids.lot_id
        self.assertEqual(lot.soko_artisan_id, self.amina)
        self.assertEqual((lot.soko_price_type, lot.soko_unit_price), ("fixed", 350))
        self.assertEqual(lot.soko_agreement_line_id, self.agreement.line_ids)
        self.agreement.line_ids.price_fixed = 400
        self.assertEqual(lot.soko_unit_price, 350)
        copy = lot._soko_prepare_snapshot_vals()
        self.assertEqual(copy["soko_unit_price"], 350)
        self.assertEqual(copy["soko_artisan_id"], self.amina.id)

    def test_one_lot_a_line(self):
        ring = self._create_product("Ring, raw brass")
        self._create_agreement(self.amina, product=ring)
        picking = self._drop_off(
            self.amina, 0, lines=[(self.cuff, 2), (self.cuff, 3), (ring, 4)]
        )
        quantities = {
            (ml.product_id, ml.quantity): ml.lot_id.name for ml in picking.move_line_ids
        }
        self.assertEqual(set(quantities), {(self.cuff, 2), (self.cuff, 3), (ring, 4)})
        self.assertEqual(len(set(quantities.values())), 3)
        self.assertEqual(picking.move_line_ids.owner_id, self.amina.partner_id)

    def test_bad_input(self):
        for quantity in (0, -3, 1.5):
            with self.subTest(quantity), self.assertRaisesRegex(ValidationError, "whole pieces"):
                self._drop_off(self.amina, quantity)
        with self.assertRaisesRegex(UserError, "at least one product"):
            self.env["soko.drop.off"].create({"artisan_id": self.baraka.id}).action_confirm()
        ring = self._create_product("Ring, raw brass")
        with self.assertRaisesRegex(UserError, "no agreement in force on Ring"):
            self._drop_off(self.amina, 1, product=ring)
        self.assertEqual(self._stock_of(self.amina), 0)

    def test_photo_stays_with_the_receipt(self):
        wizard = self.env["soko.drop.off"].create({"artisan_id": self.amina.id, "photo": PIXEL})
        picking = self.env["stock.picking"].browse(wizard.action_confirm()["res_id"])
        self.assertEqual(picking.message_ids.attachment_ids.mapped("name"), ["drop-off.jpg"])

    def test_snapshot_is_for_managers(self):
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        with self.assertRaisesRegex(AccessError, "day of drop-off"):
            lot.with_user(self.officer).soko_unit_price = 1000
        lot.with_user(self.manager).soko_unit_price = 360
        self.assertEqual(lot.soko_unit_price, 360)

    def test_new_warehouse_has_the_type(self):
        warehouse = self.env["stock.warehouse"].create({"name": "Mombasa", "code": "MBS"})
        self.assertTrue(warehouse.soko_drop_off_type_id.soko_is_drop_off)
        self.assertEqual(
            warehouse.soko_drop_off_type_id.default_location_dest_id, warehouse.lot_stock_id
        )

    def test_labels_of_many_lots_in_one_document(self):
        pickings = self._drop_off(self.amina, 2) | self._drop_off(self.amina, 3)
        lots = pickings.move_line_ids.lot_id
        self.assertEqual(len(lots), 2)
        action = pickings.action_soko_print_labels()
        self.assertEqual(action["report_name"], "soko_artisan.report_drop_off_label")
        html = self.env["ir.actions.report"]._render_qweb_html(action["report_name"], lots.ids)[0]
        text = html.decode()
        for lot in lots:
            self.assertEqual(text.count(f'alt="Barcode {lot.name}" src="data:image/png'), 1)
        self.assertEqual(text.count('class="article"'), 1, "each article is printed anew")
        self.assertEqual(text.count("Amina Mfano"), 2)
        self.assertEqual(text.count("Cuff, raw brass"), 2)
