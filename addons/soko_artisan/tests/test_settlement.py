from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ConcurrencyError, LockError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase


@tagged("post_install", "-at_install")
class TestSettlement(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(cls.amina)
        cls.Line = cls.env["soko.settlement.line"]
        cls.Settlement = cls.env["soko.settlement"]

    def _settlements(self, artisan=None):
        return self.Settlement.search([("payee_id", "=", (artisan or self.amina).partner_id.id)])

    def _run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("soko_artisan.ir_cron_settle_due").method_direct_trigger()

    # === FROM SHIPPING TO THE BILL === #

    def test_thread_until_posted_bill(self):
        self._drop_off(self.amina, 5)
        picking = self._sell(2)
        line = self._lines_of(picking)
        self.assertEqual((line.state, line.quantity, line.amount), ("awaiting_receipt", 2, 700))
        self.assertEqual((line.artisan_id, line.payee_id), (self.amina, self.amina.partner_id))
        self.assertEqual(line.sale_line_id.product_id, self.cuff)
        settlement = self._settle_received(picking)
        self.assertEqual((settlement.state, settlement.amount_total), ("billed", 700))
        self.assertEqual((line.state, line.settlement_id), ("settled", settlement))
        bill = settlement.bill_id
        self.assertEqual((bill.move_type, bill.state), ("in_invoice", "posted"))
        self.assertEqual((bill.ref, bill.payment_reference), (settlement.name, settlement.name))
        self.assertEqual((bill.amount_total, bill.partner_id), (700, self.amina.partner_id))
        accounts = self.cuff.product_tmpl_id.get_product_accounts()
        self.assertEqual(bill.invoice_line_ids.account_id, accounts["expense"])
        self.assertEqual(bill.invoice_date, self.env.company._soko_today())

    def test_nothing_is_due_before_the_shopper_has_it(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        self.assertFalse(self._lines_of(picking)._settle())
        self._run_cron()
        self.assertFalse(self._settlements())

    def test_hold_days(self):
        self.agreement.hold_days = 14
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        with self.capture_triggers("soko_artisan.ir_cron_settle_due") as capture:
            picking._soko_mark_received("carrier")
        line = self._lines_of(picking)
        due = self.env.company._soko_today() + timedelta(days=14)
        self.assertEqual((line.state, line.due_date), ("due", due))
        self.assertEqual(capture.records.call_at.date(), due)
        self.assertFalse(line._settle())
        line.due_date = self.env.company._soko_today()
        self.assertEqual(line._settle().amount_total, 350)

    def test_owed_when_shipped(self):
        self.agreement.debt_trigger = "shipped"
        self._drop_off(self.amina, 1)
        line = self._lines_of(self._sell(1))
        self.assertEqual(line.state, "due")
        self.assertEqual(line._settle().amount_total, 350)

    def test_price_change_does_not_touch_old_pieces(self):
        self._drop_off(self.amina, 1)
        self.agreement.line_ids.price_fixed = 500
        self._drop_off(self.amina, 1)
        picking = self._sell(2)
        self.assertEqual(sorted(self._lines_of(picking).mapped("amount")), [350, 500])

    def test_share_of_the_net_price(self):
        line = {"price_type": "split", "split_percent": 40}
        self._create_agreement(self.baraka, line=line)
        self._drop_off(self.baraka, 3)
        tax = self.env["account.tax"].create(
            {"name": "Test VAT", "amount": 16, "price_include_override": "tax_included"}
        )
        picking = self._sell(2, price=1160, discount=10, tax_ids=[Command.set(tax.ids)])
        self.assertEqual(self._lines_of(picking).price_unit, 360)
        self.assertEqual(self._lines_of(picking).amount, 720)

    def test_share_of_a_sale_in_dollars(self):
        usd = self.env.ref("base.USD" if self.company.currency_id.name != "USD" else "base.EUR")
        usd.active = True
        usd.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": usd.id, "name": "2020-01-01", "rate": 0.01}
        )
        pricelist = self.env["product.pricelist"].create({"name": "Usd", "currency_id": usd.id})
        self.shopper.property_product_pricelist = pricelist
        self._create_agreement(
            self.baraka, line={"price_type": "split", "split_percent": 50}
        )
        self._drop_off(self.baraka, 1)
        order = self._order(1, price=20)
        self.assertEqual(order.currency_id, usd)
        self.assertEqual(self._lines_of(self._ship(order)).price_unit, 1000)

    def test_group_is_paid(self):
        workshop = self.env["res.partner"].create({"name": "Workshop Mfano"})
        group = self.env["soko.artisan.group"].create({"name": "W", "partner_id": workshop.id})
        members = self.amina | self.baraka
        members.group_id = group
        self.agreement.payee = "group"
        self._create_agreement(self.baraka, payee="group")
        for artisan in members:
            self._drop_off(artisan, 1)
        settlement = self._settle_received(self._sell(2))
        self.assertEqual((settlement.payee_id, settlement.amount_total), (workshop, 700))
        self.assertEqual(settlement.artisan_ids, members)
        self.assertEqual(len(settlement.bill_id.invoice_line_ids), 2)

    # === EXACTLY ONCE === #

    def test_received_twice_is_one_effect(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        self.assertEqual(picking._soko_mark_received("shopper"), picking)
        first = picking.soko_received_date
        self.assertFalse(picking._soko_mark_received("carrier"))
        self.assertEqual(
            (picking.soko_received_via, picking.soko_received_date), ("shopper", first)
        )
        self.assertEqual(len(self._lines_of(picking)), 1)

    def test_two_taps_at_once(self):
        """The later one is run again by Odoo instead of showing the shopper an error."""
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        busy = patch.object(type(picking), "lock_for_update", side_effect=LockError("busy"))
        with busy, self.assertRaises(ConcurrencyError):
            picking._soko_mark_received("shopper")
        self.assertTrue(picking._soko_mark_received("shopper"))

    def test_only_done_deliveries_are_received(self):
        receipt = self._drop_off(self.amina, 2)
        waiting = self._order(1).picking_ids
        self.assertFalse((receipt | waiting)._soko_mark_received("staff"))
        self.assertFalse(waiting.soko_received_date)

    def test_cron_twice_is_one_bill(self):
        self._drop_off(self.amina, 2)
        self._sell(2)._soko_mark_received("shopper")
        self._run_cron()
        self._run_cron()
        settlement = self._settlements()
        self.assertEqual(len(settlement), 1)
        bills = self.env["account.move"].search(
            [("partner_id", "=", self.amina.partner_id.id), ("move_type", "=", "in_invoice")]
        )
        self.assertEqual(bills, settlement.bill_id)
        self.assertEqual((bills.state, bills.amount_total), ("posted", 700))

    def test_settling_the_same_lines_twice(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        picking._soko_mark_received("staff")
        lines = self._lines_of(picking)
        self.assertEqual(len(lines._settle()), 1)
        self.assertFalse(lines._settle())

    def test_one_line_a_move_line(self):
        self._drop_off(self.amina, 1)
        line = self._lines_of(self._sell(1))
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            line.copy()

    def test_processing_again_changes_nothing(self):
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1))
        bill = settlement.bill_id
        settlement._process()
        self.assertEqual(settlement.bill_id, bill)

    # === SEVERAL AT ONCE === #

    def test_several_deliveries_validated_together(self):
        self._create_agreement(self.baraka)
        self._drop_off(self.amina, 2)
        self._drop_off(self.baraka, 2)
        pickings = (self._order(1) | self._order(2) | self._order(1)).picking_ids
        pickings.move_ids.picked = True
        pickings._action_done()
        lines = self.Line.search([("picking_id", "in", pickings.ids)])
        self.assertEqual(sum(lines.mapped("quantity")), 4)
        self.assertEqual(lines.picking_id, pickings)
        settlements = self._settle_received(pickings[0]) | self._settle_received(pickings[1])
        self.assertTrue(all(s.bill_id.state == "posted" for s in settlements))

    def test_query_count_does_not_grow_with_lines(self):
        Move = type(self.env["stock.move"])
        counts = []
        for lots in (1, 2, 12):  # the first fills Odoo's own caches
            for _i in range(lots):
                self._drop_off(self.amina, 1)
            with patch.object(Move, "_soko_settle_consigned", lambda self: None):
                picking = self._sell(lots)
            self.assertEqual(len(picking.move_line_ids), lots)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            lines = self.Line._create_from_move_lines(picking.move_line_ids)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(lines), lots)
        self.assertLessEqual(counts[2], counts[1])

    # === RETURNS === #

    def test_return_before_receipt_cancels(self):
        self._drop_off(self.amina, 2)
        picking = self._sell(2)
        self._return(picking, 2)
        line = self._lines_of(picking)
        self.assertEqual((line.state, line.amount), ("cancelled", 0))
        self.assertEqual(self._stock_of(self.amina), 2)
        picking._soko_mark_received("shopper")
        self.assertEqual(line.state, "cancelled")

    def test_part_comes_back(self):
        self._drop_off(self.amina, 3)
        picking = self._sell(3)
        self._return(picking, 1)
        line = self._lines_of(picking)
        self.assertEqual(
            (line.state, line.quantity, line.amount), ("awaiting_receipt", 3, 700)
        )
        self.assertEqual(self._settle_received(picking).bill_id.amount_total, 700)

    def test_return_after_settlement_is_netted(self):
        self._drop_off(self.amina, 5)
        sold = self._sell(1)
        first = self._settle_received(sold)
        back = self._return(sold, 1)
        negative = self._lines_of(back)
        self.assertEqual((negative.kind, negative.amount), ("return", -350))
        self.assertEqual((negative.state, first.amount_total), ("due", 350))
        self.assertFalse(negative._settle(), "nobody is asked for money")
        self._sell(3)._soko_mark_received("shopper")
        self._run_cron()
        second = self._settlements() - first
        self.assertEqual((second.amount_total, second.bill_id.amount_total), (700, 700))
        self.assertEqual(second.bill_id.state, "posted")
        self.assertEqual(negative.settlement_id, second)

    def test_done_delivery_is_not_corrected(self):
        """Odoo lets staff change a done line: pieces would come or go past their owner."""
        self._drop_off(self.amina, 3)
        picking = self._sell(1)
        line = picking.move_line_ids
        clerk = self._create_user("clerk", "stock.group_stock_user")
        for vals in (
            {"quantity": 0},
            {"quantity": 3},
            {"owner_id": False},
            {"owner_id": self.baraka.partner_id.id},
        ):
            with self.subTest(vals), self.assertRaisesRegex(UserError, "make a return"):
                line.with_user(clerk).write(vals)
        with self.assertRaises(UserError):
            self.env["stock.move.line"].with_user(clerk).create(
                {
                    "move_id": line.move_id.id,
                    "picking_id": picking.id,
                    "product_id": self.cuff.id,
                    "lot_id": line.lot_id.id,
                    "owner_id": line.owner_id.id,
                    "quantity": 1,
                    "location_id": line.location_id.id,
                    "location_dest_id": line.location_dest_id.id,
                }
            )
        line.with_user(clerk).write({"quantity": 1, "owner_id": line.owner_id.id})
        self.assertEqual((self._stock_of(self.amina), self._lines_of(picking).quantity), (2, 1))

    def test_returned_twice_counts_once(self):
        self._drop_off(self.amina, 2)
        sold = self._sell(1)
        self._settle_received(sold)
        back = self._return(sold, 1)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._lines_of(back).copy()
        self.assertEqual(self.Line._return_one(back.move_line_ids), [])

    def test_returned_piece_is_sold_again(self):
        self._drop_off(self.amina, 1)
        sold = self._sell(1)
        self._return(sold, 1)
        self.assertEqual(self._lines_of(self._sell(1)).amount, 350)
        self.assertEqual(self.amina.qty_sold, 1)

    # === WHAT STANDS IN THE WAY === #

    @contextmanager
    def _broken_payee(self, artisan):
        original = type(self.Settlement)._prepare_bill_vals

        def broken(settlement):
            if settlement.payee_id == artisan.partner_id:
                raise UserError("The payee has no account")
            return original(settlement)

        with patch.object(type(self.Settlement), "_prepare_bill_vals", broken):
            yield

    def test_one_broken_payee_does_not_stop_the_others(self):
        self._create_agreement(self.baraka)
        for artisan in self.amina | self.baraka:
            self._drop_off(artisan, 1)
        self._sell(2)._soko_mark_received("shopper")
        with self._broken_payee(self.amina):
            self._run_cron()
            self._run_cron()
        broken, good = self._settlements(), self._settlements(self.baraka)
        self.assertEqual((broken.state, good.state), ("draft", "billed"))
        self.assertEqual(broken.failure, "The payee has no account")
        self.assertEqual(len(broken.activity_ids), 1)
        self.assertIn("no account", broken.message_ids[0].body)
        self._run_cron()
        self.assertEqual((broken.state, broken.failure), ("billed", False))
        self.assertEqual(len(self._settlements()), 1)

    def test_blocking_hook_holds_a_line(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        picking._soko_mark_received("shopper")
        line = self._lines_of(picking)
        with patch.object(type(self.Line), "_get_blocking_reasons", lambda self: ["Not yet"]):
            self.assertFalse(line._settle())
            self.assertEqual(line.blocking_reasons, "Not yet")
        self.assertEqual(line.state, "due")
        line.invalidate_recordset()
        self.assertFalse(line.blocking_reasons)
        self.assertEqual(len(line._settle()), 1)

    def test_piece_without_price_is_held(self):
        lot = self._drop_off(self.amina, 1).move_line_ids.lot_id
        lot.soko_price_type = False
        picking = self._sell(1)
        picking._soko_mark_received("shopper")
        line = self._lines_of(picking)
        self.assertIn("No price is agreed", line.blocking_reasons)
        self.assertFalse(line._settle())
        lot.with_user(self.manager).write({"soko_price_type": "fixed", "soko_unit_price": 360})
        self.assertEqual((line.amount, line.blocking_reasons), (360, False))
        lot.with_user(self.manager).soko_unit_price = 999
        self.assertEqual(line.amount, 360, "a priced line stays as it is")
        self.assertEqual(line._settle().amount_total, 360)

    def test_cancelled_bill_makes_due_again(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        settlement = self._settle_received(picking)
        with self.assertRaisesRegex(UserError, "Cancel the bill first"):
            settlement.with_user(self.manager).action_release_lines()
        settlement.bill_id.button_cancel()
        with self.assertRaises(AccessError):
            settlement.with_user(self.officer).action_release_lines()
        settlement.with_user(self.manager).action_release_lines()
        line = self._lines_of(picking)
        self.assertEqual((line.state, line.settlement_id), ("due", self.Settlement))
        self._run_cron()
        self.assertEqual((self._settlements() - settlement).bill_id.amount_total, 350)

    def test_one_raising_line_does_not_stop_the_others(self):
        self._create_agreement(self.baraka)
        for artisan in self.amina | self.baraka:
            self._drop_off(artisan, 1)
        self._sell(2)._soko_mark_received("shopper")
        original = type(self.Line)._get_blocking_reasons

        def raising(line):
            if line.artisan_id == self.amina:
                raise KeyError("broken")
            return original(line)

        with (
            patch.object(type(self.Line), "_get_blocking_reasons", raising),
            mute_logger("odoo.addons.soko_artisan.models.soko_settlement"),
        ):
            self._run_cron()
        self.assertFalse(self._settlements())
        self.assertEqual(self._settlements(self.baraka).state, "billed")

    # === PAYMENT === #

    def _set_method(self):
        self.company.soko_auto_pay = True
        journal = self.env["account.journal"].create(
            {"name": "Payouts", "type": "bank", "code": "PAYO"}
        )
        method_line = journal.outbound_payment_method_line_ids[:1]
        self.amina.partner_id.property_outbound_payment_method_line_id = method_line
        return method_line

    def _pay_over_the_counter(self, settlement):
        """Pay with a statement line that is matched with the bill by hand."""
        owed = settlement.bill_id.line_ids.filtered(
            lambda item: item.account_id.account_type == "liability_payable"
        )
        journal = self.env["account.journal"].create(
            {"name": "Till", "type": "bank", "code": "TILL"}
        )
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "payment_ref": "by hand",
                "amount": -settlement.amount_total,
                "counterpart_account_id": owed.account_id.id,
            }
        )
        paid = line.move_id.line_ids.filtered(lambda item: item.account_id == owed.account_id)
        (owed | paid).reconcile()

    def test_undone_match_is_not_paid_again(self):
        """Paid by hand, told, and the match undone: no machine pays once more."""
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1))
        self._pay_over_the_counter(settlement)
        self.assertEqual(settlement.state, "paid")
        settlement._notify_paid()
        self._set_method()
        settlement.bill_id.line_ids.remove_move_reconcile()
        self.assertEqual(settlement.state, "billed")
        self._run_cron()
        settlement.with_user(self.manager).action_process()
        self.assertFalse(settlement.payment_ids)
        settlement.bill_id.button_cancel()
        with self.assertRaisesRegex(UserError, "can't be paid once more"):
            settlement.with_user(self.manager).action_release_lines()

    def test_paid_lines_are_not_released(self):
        """Whoever cancels a paid bill doesn't get its lines paid a second time."""
        self._set_method()
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1))
        self.assertEqual(len(settlement.payment_ids), 1)
        settlement.bill_id.button_cancel()
        with self.assertRaisesRegex(UserError, "can't be paid once more"):
            settlement.with_user(self.manager).action_release_lines()

    def test_draft_of_a_person_is_left_alone(self):
        self._set_method()
        self.company.soko_auto_pay = False
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1))
        self.company.soko_auto_pay = True
        settlement.bill_id.button_draft()
        self._run_cron()
        self.assertEqual(settlement.bill_id.state, "draft")
        settlement.bill_id.invoice_line_ids.price_unit = 99999
        settlement.bill_id.action_post()
        self._run_cron()
        self.assertFalse(settlement.payment_ids)
        self.assertIn("was changed", settlement.failure)

    def test_nobody_writes_a_settlement(self):
        self._set_method()
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1)).with_user(self.manager)
        bill = settlement.bill_id
        for vals in (
            {"bill_id": False},
            {"payee_id": self.baraka.partner_id.id},
            {"paid_notice_date": False},
            {"state": "draft"},
        ):
            with self.subTest(vals), self.assertRaises(AccessError):
                settlement.write(vals)
        settlement.message_post(body="Called her")
        settlement.activity_schedule("mail.mail_activity_data_todo", user_id=self.manager.id)
        self.assertEqual(settlement.bill_id, bill)

    def test_paid_with_the_payees_own_method(self):
        method_line = self._set_method()
        self._drop_off(self.amina, 2)
        settlement = self._settle_received(self._sell(2))
        payment = settlement.payment_ids
        self.assertEqual((len(payment), payment.amount), (1, 700))
        self.assertEqual(payment.payment_method_line_id, method_line)
        self.assertEqual(payment.partner_id, self.amina.partner_id)
        self._run_cron()
        self.assertEqual(settlement.payment_ids, payment)

    def test_no_method_no_payment(self):
        self.company.soko_auto_pay = True
        self._drop_off(self.amina, 1)
        settlement = self._settle_received(self._sell(1))
        self.assertEqual((settlement.state, settlement.failure), ("billed", False))
        self.assertFalse(settlement.payment_ids)

    def test_a_payment_that_can_not_be_made_keeps_the_bill(self):
        self.company.soko_auto_pay = True
        journal = self.env["account.journal"].create(
            {"name": "Payouts", "type": "bank", "code": "PAYO"}
        )
        method_line = journal.outbound_payment_method_line_ids[:1]
        self.amina.partner_id.property_outbound_payment_method_line_id = method_line
        self._drop_off(self.amina, 1)

        def refuse(wizard):
            raise UserError("Float is empty")

        Register = type(self.env["account.payment.register"])
        with patch.object(Register, "_create_payments", refuse):
            settlement = self._settle_received(self._sell(1))
        self.assertEqual(settlement.bill_id.state, "posted")
        self.assertEqual((settlement.state, settlement.failure), ("billed", "Float is empty"))
        self._run_cron()
        self.assertEqual(len(settlement.payment_ids), 1)
        self.assertFalse(settlement.failure)

    # === RIGHTS === #

    def test_manager_settles_by_hand(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        picking._soko_mark_received("staff")
        line = self._lines_of(picking)
        with self.assertRaises(AccessError):
            line.with_user(self.officer).action_settle_now()
        line.with_user(self.manager).action_settle_now()
        self.assertEqual(line.settlement_id.bill_id.state, "posted")
        with self.assertRaisesRegex(UserError, "Nothing to settle"):
            line.with_user(self.manager).action_settle_now()
        with self.assertRaises(AccessError):
            line.settlement_id.with_user(self.officer).action_process()

    def test_ledger_is_never_deleted(self):
        self._drop_off(self.amina, 1)
        picking = self._sell(1)
        settlement = self._settle_received(picking)
        with self.assertRaisesRegex(UserError, "never deleted"):
            self._lines_of(picking).unlink()
        with self.assertRaisesRegex(UserError, "never deleted"):
            settlement.unlink()
