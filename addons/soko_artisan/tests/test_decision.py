from contextlib import contextmanager

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestDecision(ArtisanCase):
    """Owned pieces leave the house unsold only with a document, and a debt or a reason."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_agreement(cls.amina)
        cls.stock = cls.warehouse.lot_stock_id
        cls.Decision = cls.env["soko.stock.decision"]
        cls.lot = cls._drop_off(cls.amina, 5).move_line_ids.lot_id

    @contextmanager
    def _refused(self, error, text):
        with self.assertRaisesRegex(error, text), self.env.cr.savepoint():
            yield

    def _decisions(self):
        return self.Decision.search([("owner_id", "=", self.amina.partner_id.id)])

    def _quant(self):
        return self.env["stock.quant"].search(
            [("lot_id", "=", self.lot.id), ("location_id", "=", self.stock.id)]
        )

    def _count(self, quantity, user=None, action="pay", reason="Counted twice"):
        """Count as a person does: the dialog, then its button."""
        user = user or self.manager
        quant = self._quant().with_user(user).with_context(inventory_mode=True)
        quant.inventory_quantity = quantity
        dialog = quant.action_apply_inventory()
        self.assertEqual(dialog["res_model"], "soko.stock.decide")
        wizard = self.env["soko.stock.decide"].with_user(user).with_context(**dialog["context"])
        wizard.create({"action": action, "reason": reason}).action_confirm()

    def _move_out(self, usage, quantity=1, **values):
        """Move pieces as a machine does, past every dialog."""
        target = self.env["stock.location"].search(
            [("usage", "=", usage), ("company_id", "in", (self.company.id, False))], limit=1
        )
        places = {"location_id": self.stock.id, "location_dest_id": target.id}
        line = {
            "product_id": self.cuff.id,
            "lot_id": self.lot.id,
            "owner_id": self.amina.partner_id.id,
            "quantity": quantity,
            **places,
        }
        move = self.env["stock.move"].create(
            {
                "product_id": self.cuff.id,
                "product_uom": self.cuff.uom_id.id,
                "product_uom_qty": quantity,
                "move_line_ids": [Command.create(line)],
                "picked": True,
                **places,
                **values,
            }
        )
        move._action_done()
        return move

    # === COUNTS === #

    def test_missing_pieces_are_paid(self):
        self._count(3)
        decision = self._decisions()
        self.assertEqual(
            (decision.cause, decision.action, decision.quantity, decision.reason),
            ("loss", "pay", 2, "Counted twice"),
        )
        self.assertEqual(decision.user_id, self.manager)
        self.assertEqual(decision.settlement_line_id.amount, 700)
        self.assertEqual(self._stock_of(self.amina), 3)

    def test_found_pieces_take_the_loss_back(self):
        self._count(3)
        self._count(4, reason="Was behind the shelf")
        lost, found = self._decisions().sorted("id")
        self.assertEqual((found.cause, found.action, found.quantity), ("found", "keep", 1))
        self.assertEqual(lost.settlement_line_id.amount, 350)

    def test_found_after_the_loss_was_settled(self):
        self._count(3)
        self._decisions().settlement_line_id._settle()
        self._count(5)
        back = self._decisions().filtered(lambda d: d.cause == "found").settlement_line_id
        self.assertEqual((back.kind, back.amount, back.state), ("return", -700, "due"))

    def test_only_a_manager_writes_off(self):
        clerk = self._create_user("clerk", "stock.group_stock_manager")
        with self._refused(AccessError, "Only an artisan manager"):
            self._count(4, user=clerk, action="write_off")
        self._count(4, action="write_off", reason="Never delivered")
        decision = self._decisions()
        self.assertEqual((decision.action, decision.value), ("write_off", 350))
        self.assertFalse(decision.settlement_line_id)

    def test_write_off_needs_a_reason(self):
        with self._refused(UserError, "Say what happened"):
            self._count(4, reason="  ")
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._count(4)
            self._decisions().write({"action": "write_off", "reason": False})
            self.env.flush_all()

    def test_count_that_agrees_asks_nothing(self):
        quant = self._quant().with_user(self.manager).with_context(inventory_mode=True)
        quant.inventory_quantity = 5
        self.assertFalse(quant.action_apply_inventory())
        self.assertFalse(self._decisions())

    def test_typed_into_the_stock_list(self):
        boss = self._create_user("boss", "stock.group_stock_manager")
        quant = self._quant().with_user(boss).with_context(inventory_mode=True)
        with self._refused(UserError, "Physical Inventory"):
            quant.inventory_quantity_auto_apply = 2
        self.assertEqual(self._stock_of(self.amina), 5)

    # === MACHINES === #

    def test_production_pays(self):
        move = self._move_out("production", 4)
        decision = self._decisions()
        self.assertEqual((decision.cause, decision.action), ("use", "pay"))
        line = decision.settlement_line_id
        self.assertEqual((line.kind, line.amount), ("use", 1400))
        self.assertEqual(line.move_line_id, move.move_line_ids)

    def test_machine_may_be_refused(self):
        self.company.soko_undecided_policy = "refuse"
        with self._refused(UserError, "would leave the house unsold"):
            self._move_out("production")
        self.assertFalse(self._decisions())

    def test_a_share_without_a_sale_is_one_of_the_list_price(self):
        self.lot.write(
            {"soko_price_type": "split", "soko_unit_price": 0, "soko_split_percent": 40}
        )
        self._move_out("inventory")
        self.assertEqual(self._decisions().settlement_line_id.amount, 600)

    def test_piece_without_price_is_held_not_forgotten(self):
        self.lot.soko_price_type = False
        self._move_out("inventory")
        line = self._decisions().settlement_line_id
        self.assertEqual((line.amount, line._settle()), (0, self.env["soko.settlement"]))
        self.lot.write({"soko_price_type": "fixed", "soko_unit_price": 320})
        self.assertEqual(line.amount, 320)

    def test_unpicked_moves_to_a_supplier(self):
        self._move_out("supplier")
        decision = self._decisions()
        self.assertEqual((decision.cause, decision.action), ("return", "return"))
        self.assertFalse(decision.settlement_line_id)

    def test_to_another_supplier_is_a_debt(self):
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "partner_id": self.baraka.partner_id.id,
                "location_id": self.stock.id,
                "location_dest_id": self.env.ref("stock.stock_location_suppliers").id,
            }
        )
        self._move_out("supplier", picking_id=picking.id)
        self.assertEqual(self._decisions().cause, "gone")
        self.assertEqual(self._decisions().settlement_line_id.amount, 350)

    def test_done_moves_are_not_corrected(self):
        move = self._move_out("inventory")
        with self._refused(UserError, "Don't correct it"):
            move.move_line_ids.quantity = 0
        with self._refused(UserError, "Don't correct it"):
            move.move_line_ids.owner_id = False

    # === JOURNAL === #

    def test_nobody_writes_or_deletes(self):
        self._move_out("inventory")
        decision = self._decisions()
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                decision.with_user(user).write({"reason": "x"})
        with self.assertRaises(UserError):
            decision.unlink()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            decision.copy()

    def test_roles(self):
        self._move_out("inventory")
        decision = self._decisions()
        self.assertTrue(decision.with_user(self.officer).read(["value", "user_id"]))
        clerk = self._create_user("clerk", "stock.group_stock_user")
        stranger = self._create_user("stranger", "base.group_user")
        portal = self._create_user("amina", "base.group_portal")
        other = self._create_user("baraka", "base.group_portal")
        self.amina.sudo().partner_id = portal.partner_id
        self.assertEqual(decision.with_user(portal).read(["value"])[0]["value"], 350)
        with self.assertRaises(AccessError):
            decision.with_user(portal).read(["user_id"])
        for user in (clerk, stranger, other):
            with self.subTest(user.login), self.assertRaises(AccessError):
                decision.with_user(user).read(["value"])
        with self.assertRaises(AccessError):
            self.Decision.with_user(self.manager).create({"name": "x"})

    # === CONTACTS === #

    def test_merging_two_artisans_is_refused(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        pair = self.amina.partner_id | self.baraka.partner_id
        with self._refused(UserError, "are 2 artisans"):
            wizard._merge(pair.ids, self.amina.partner_id)
        self.assertTrue((self.amina | self.baraka).exists())

    def test_merging_with_a_plain_contact_keeps_pieces_and_debts(self):
        double = self.env["res.partner"].create({"name": "Amina M."})
        picking = self._sell(1)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((double | self.amina.partner_id).ids, double)
        self.env.invalidate_all()
        self.assertEqual(self.amina.partner_id, double)
        self.assertEqual(self._stock_of(self.amina), 4)
        self.assertEqual(self._lines_of(picking).payee_id, double)
        self.assertEqual(self._settle_received(picking).bill_id.partner_id, double)
