from datetime import timedelta

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestAgreementReplenish(ArtisanCase):
    def setUp(self):
        super().setUp()
        self.today = self.env.company._soko_today()
        self._create_agreement(self.amina, user_id=self.officer.id)
        self._drop_off(self.amina, 10)
        self._sell(4)
        self.request = self.env["soko.replenishment"].search(
            [("artisan_id", "=", self.amina.id)]
        )

    def test_all(self):
        self.request._answer("accepted")
        self.assertEqual((self.request.quantity_promised, self.request.quantity_expected), (4, 4))

    def test_part_changes_what_is_expected(self):
        self.request._answer("accepted", 3)
        self.assertEqual(self.request.quantity_expected, 3)
        self.assertEqual(
            self.env["soko.replenishment"]._get_asked(self.amina)[self.amina, self.cuff], 3
        )
        self._drop_off(self.amina, 2)
        self.assertEqual((self.request.state, self.request.quantity_expected), ("accepted", 1))
        self._drop_off(self.amina, 1)
        self.assertEqual((self.request.state, self.request.quantity_done), ("done", 3))

    def test_another_date(self):
        asked, later = self.request.due_date, self.today + timedelta(days=40)
        self.request._answer("accepted", None, later)
        self.assertEqual((self.request.due_date, self.request.asked_date), (later, asked))

    def test_no(self):
        self.request._answer("declined")
        self.assertEqual(self.request.quantity_expected, 0)
        self._drop_off(self.amina, 4)
        self.assertEqual((self.request.state, self.request.quantity_done), ("declined", 0))

    def test_impossible_answers(self):
        for quantity in (0, -1, 5, 1.5):
            with self.subTest(quantity), self.assertRaisesRegex(UserError, "whole number"):
                self.request._answer("accepted", quantity)
        with self.assertRaisesRegex(UserError, "That day is over"):
            self.request._answer("accepted", 1, self.today - timedelta(days=1))
        self.assertEqual(self.request.state, "requested")

    def test_email_too(self):
        self.amina.email = "amina@example.com"
        self._sell(1)
        mail = self.env["mail.message"].search(
            [("model", "=", "soko.replenishment"), ("partner_ids", "=", self.amina.partner_id.id)]
        )
        self.assertEqual(len(mail), 1)
        self.assertIn("Please bring 1 more", mail.body)

    def _silent_for(self, days):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE soko_replenishment SET create_date = create_date - make_interval(days => %s), "
            "reminder_date = reminder_date - %s WHERE id = %s",
            (days, days, self.request.id),
        )
        self.request.invalidate_recordset()
        self.env["soko.replenishment"]._cron_remind()

    def test_silence(self):
        before = len(self._sms_to(self.amina))
        self.company.soko_reminder_days = 3
        self._silent_for(1)
        self.assertFalse(self.request.reminder_date)
        self._silent_for(3)
        self._silent_for(0)
        self.assertEqual(self.request.reminder_date, self.today)
        self.assertEqual(len(self._sms_to(self.amina)), before + 1)
        self.assertFalse(self.request.activity_ids)
        self._silent_for(3)
        self._silent_for(3)
        self.assertEqual(len(self._sms_to(self.amina)), before + 1)
        self.assertEqual(self.request.activity_ids.user_id, self.officer)
        self.request._answer("accepted")
        self.assertFalse(self.request.activity_ids)

    def test_answered_is_not_reminded(self):
        before = len(self._sms_to(self.amina))
        self.request._answer("accepted")
        self._silent_for(30)
        self.assertEqual(len(self._sms_to(self.amina)), before)

    def test_her_mail_waits_for_the_queue(self):
        self.amina.email = "amina@example.com"
        agreement = self.amina.agreement_ids[:1] or self._create_agreement(self.amina)
        with self.capture_triggers("mail.ir_cron_mail_scheduler_action") as triggers:
            self.amina._tell("Please bring two more.", agreement)
        mail = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.amina.partner_id.ids)], order="id desc", limit=1
        )
        self.assertEqual(mail.state, "outgoing")
        self.assertIn("Please bring two more.", mail.body_html)
        self.assertTrue(triggers.records, "it is sent soon")

    # === REORDER RULES === #

    def _rule(self, product, least=5):
        return self.env["stock.warehouse.orderpoint"].create(
            {
                "product_id": product.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "product_min_qty": least,
                "product_max_qty": least,
            }
        )

    def test_consigned_product_has_no_rule(self):
        with self.assertRaisesRegex(ValidationError, "never bought"):
            self._rule(self.cuff)

    def test_rule_from_before_buys_nothing(self):
        self.cuff.soko_consigned = False
        rule = self._rule(self.cuff, 50)
        self.assertGreater(rule.qty_to_order, 0)
        self.cuff.soko_consigned = True
        rule.invalidate_recordset()
        self.assertEqual(rule._get_qty_to_order(), 0)

    def test_no_rule_is_proposed(self):
        self._order(50)
        self.env["stock.warehouse.orderpoint"].action_open_orderpoints()
        self.assertFalse(
            self.env["stock.warehouse.orderpoint"].search([("product_id", "=", self.cuff.id)])
        )

    def test_pieces_of_others_are_not_ours(self):
        """Same set-up as plain Odoo, where five pieces of somebody else satisfied the rule."""
        box = self._create_product("Box", soko_consigned=False, tracking="none")
        place = self.warehouse.lot_stock_id
        Quant = self.env["stock.quant"]
        Quant._update_available_quantity(box, place, 5, owner_id=self.baraka.partner_id)
        Quant._update_available_quantity(box, place, 2)
        rule = self._rule(box)
        self.assertEqual(box.qty_available, 7)
        self.assertEqual((rule.qty_on_hand, rule.qty_forecast, rule.qty_to_order), (2, 2, 3))

    def test_what_others_pieces_serve_is_no_need_of_ours(self):
        box = self._create_product("Box", soko_consigned=False, tracking="none")
        place = self.warehouse.lot_stock_id
        Quant = self.env["stock.quant"]
        Quant._update_available_quantity(box, place, 5, owner_id=self.baraka.partner_id)
        self._order(5, product=box)
        self.assertEqual(self._rule(box, 0).qty_forecast, 0)
        receipt = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.in_type_id.id,
                "owner_id": self.baraka.partner_id.id,
                "move_ids": [Command.create({
                    "product_id": box.id, "product_uom_qty": 9,
                    "location_id": self.env.ref("stock.stock_location_suppliers").id,
                    "location_dest_id": place.id,
                })],
            }
        )
        receipt.action_confirm()
        rule = self.env["stock.warehouse.orderpoint"].search([("product_id", "=", box.id)])
        rule.invalidate_recordset()
        self.assertEqual(rule.qty_forecast, 0)
