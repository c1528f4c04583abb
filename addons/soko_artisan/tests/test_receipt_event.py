from datetime import datetime, timedelta
from importlib import util
from pathlib import Path

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ArtisanCase

SCRIPT = Path(__file__).parents[1] / "migrations/19.0.1.1.0/post-receipt_events.py"


@tagged("post_install", "-at_install")
class TestReceiptEvent(ArtisanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agreement = cls._create_agreement(cls.amina)
        cls._drop_off(cls.amina, 5)
        cls.picking = cls._sell(2)

    def _events(self, picking=None):
        return (picking or self.picking).soko_receipt_event_ids.sorted("id")

    def _note(self, picking=None, user=None, **values):
        """Press the button and fill in the dialog, as staff do."""
        picking = (picking or self.picking).with_user(user or self.officer)
        action = picking.action_soko_mark_received()
        Note = self.env[action["res_model"]].with_user(user or self.officer)
        note = Note.with_context(**action["context"]).create({"note": "She called.", **values})
        return note.action_confirm()

    # === THE FIRST COUNTS === #

    def test_first_counts_and_others_are_evidence(self):
        told = fields.Datetime.now()
        self.picking._soko_mark_received("carrier", date=told, reference="E1", evidence="{}")
        self.picking._soko_mark_received("shopper", evidence="a phone")
        self._lines_of(self.picking)._settle()
        self.picking._soko_mark_received("carrier", reference="E2")
        self.assertEqual(
            self._events().mapped(lambda e: (e.source, e.outcome)),
            [("carrier", "counted"), ("shopper", "known"), ("carrier", "known")],
        )
        self.assertEqual(self.picking.soko_received_via, "carrier")
        self.assertEqual(self.picking.soko_received_date, told)
        self.assertEqual(len(self._lines_of(self.picking).settlement_id), 1)
        self.assertEqual(self.picking.soko_receipt_event_count, 3)

    def test_a_source_may_repeat_itself(self):
        for _time in range(3):
            self.picking._soko_mark_received("carrier", reference="E1")
            self.picking._soko_mark_received("shopper")
        self.assertEqual(len(self._events()), 2)

    def test_the_database_keeps_one(self):
        self.picking._soko_mark_received("shopper")
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._events().copy()

    def test_chatter_says_it_once(self):
        before = self.picking.message_ids
        self.picking._soko_mark_received("staff")
        self.picking._soko_mark_received("shopper")
        [message] = self.picking.message_ids - before
        self.assertIn("The shopper has the parcel. Known from: Staff", message.body)

    def test_hold_days_count_from_the_receipt(self):
        self.picking.move_line_ids.lot_id.soko_hold_days = 10
        self.picking.date_done -= timedelta(days=5)
        received = fields.Datetime.now() - timedelta(days=3)
        self.picking._soko_mark_received("carrier", date=received)
        due = self.company._soko_day_of(received) + timedelta(days=10)
        self.assertEqual(self._lines_of(self.picking).due_date, due)

    def test_day_where_the_company_is(self):
        self.company.partner_id.tz = "Africa/Nairobi"
        late = datetime(2026, 3, 1, 22, 30)
        self.assertEqual(self.company._soko_day_of(late).isoformat(), "2026-03-02")

    def test_cost_of_many_deliveries(self):
        """One more delivery costs its chatter line and its write, and nothing that grows."""
        counts = []
        for number in (1, 4, 7):
            self._drop_off(self.amina, number)
            pickings = self.env["stock.picking"].union(*(self._sell(1) for _i in range(number)))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            pickings._soko_mark_received("staff")
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2] - counts[0], 6, "at most one for each delivery more")

    # === WHAT CAN'T BE TRUE === #

    def _refused(self, via="carrier", **values):
        self.assertFalse(self.picking._soko_mark_received(via, **values))
        self.assertFalse(self.picking.soko_received_date)
        self.assertEqual(self._lines_of(self.picking).state in ("awaiting_receipt", "cancelled"), 1)
        event = self._events()[-1]
        self.assertEqual(event.outcome, "refused")
        self.assertIn("Not noted as received", self.picking.message_ids[0].body)
        return event.refusal

    def test_in_the_future(self):
        late = fields.Datetime.now() + timedelta(hours=1)
        self.assertEqual(self._refused(date=late), "future")

    def test_clocks_differ_a_little(self):
        soon = fields.Datetime.now() + timedelta(minutes=10)
        self.assertTrue(self.picking._soko_mark_received("carrier", date=soon))

    def test_before_it_was_sent(self):
        early = self.picking.date_done - timedelta(days=2)
        self.assertEqual(self._refused(date=early), "before_shipped")

    def test_validated_in_the_evening(self):
        self.company.partner_id.tz = "Africa/Nairobi"
        self.picking.date_done = datetime(2026, 3, 2, 16, 0)
        noon = datetime(2026, 3, 2, 9, 0)
        self.assertTrue(self.picking._soko_mark_received("carrier", date=noon))

    def test_moves_finished_one_by_one(self):
        """Another app may finish the moves without the delivery's own button."""
        self.picking.date_done = False
        early = fields.Datetime.now() - timedelta(days=2)
        self.assertEqual(self._refused(date=early), "before_shipped")
        self.assertTrue(self.picking._soko_mark_received("staff"))

    def test_order_was_cancelled(self):
        self.picking.sale_id._action_cancel()
        self.assertEqual(self._refused(), "cancelled")
        self.assertEqual(self._refused("timeout"), "cancelled")
        self.assertTrue(self.picking._soko_mark_received("shopper"), "she has it all the same")

    def test_cancelled_delivery(self):
        waiting = self._order(1).picking_ids
        waiting.action_cancel()
        self.assertFalse(waiting._soko_mark_received("carrier", reference="E1"))
        self.assertEqual(self._events(waiting).refusal, "cancelled")
        self.assertFalse(waiting._soko_mark_received("shopper"))
        self.assertEqual(len(self._events(waiting)), 1)

    def test_all_came_back(self):
        self._return(self.picking, 2)
        self.assertEqual(self._refused(), "returned")

    def test_part_came_back(self):
        self._return(self.picking, 1)
        self.assertTrue(self.picking._soko_mark_received("carrier"))
        self.assertEqual(self._lines_of(self.picking).amount, 350)

    def test_a_return_is_no_delivery(self):
        back = self._return(self.picking, 1)
        self.assertFalse(back._soko_mark_received("carrier"))
        self.assertFalse(self._events(back))

    # === STAFF === #

    def test_staff(self):
        self._note(note="Called at noon")
        event = self._events()
        self.assertEqual((event.source, event.outcome), ("staff", "counted"))
        self.assertEqual((event.user_id, event.evidence), (self.officer, "Called at noon"))
        self.assertEqual(self._lines_of(self.picking).state, "due")

    def test_staff_twice(self):
        self._note()
        with self.assertRaisesRegex(UserError, "received on .* already. Known from: Staff"):
            self._note()
        self.assertEqual(len(self._events()), 1)

    def test_dialog_was_open_while_the_shopper_tapped(self):
        action = self.picking.with_user(self.officer).action_soko_mark_received()
        note = self.env["soko.receipt.note"].with_user(self.officer).with_context(
            **action["context"]
        ).create({"note": "She called."})
        self.picking._soko_mark_received("shopper")
        with self.assertRaisesRegex(UserError, "already. Known from: The shopper"):
            note.action_confirm()

    def test_staff_on_another_paper(self):
        receipt = self.env["stock.picking"].search([("soko_artisan_id", "=", self.amina.id)])[:1]
        for wrong in (receipt, self._order(1).picking_ids):
            with self.assertRaisesRegex(UserError, "not a delivery that was sent to a shopper"):
                self._note(wrong)
            self.assertFalse(self._events(wrong))

    def test_staff_say_a_day_that_can_not_be(self):
        for days, words in ((-3, "before the day"), (3, "in the future")):
            with self.assertRaisesRegex(UserError, words):
                self._note(date=fields.Datetime.now() + timedelta(days=days))
        self.assertFalse(self._events())

    def test_staff_say_how_they_know(self):
        with self.assertRaisesRegex(UserError, "how you know"):
            self._note(note="  ")

    # === RIGHTS === #

    def test_nobody_changes_what_was_said(self):
        self.picking._soko_mark_received("shopper")
        event = self._events()
        for user in (self.officer, self.manager, self.env.user):
            with self.assertRaises(AccessError):
                event.with_user(user).write({"outcome": "known"})
        with self.assertRaises(AccessError):
            event.sudo().evidence = "other"
        with self.assertRaises(UserError):
            event.unlink()
        with self.assertRaises(AccessError):
            event.with_user(self.manager).create({"picking_id": self.picking.id})

    def test_who_reads(self):
        self.picking._soko_mark_received("shopper", address="192.0.2.1")
        event = self._events()
        self.assertTrue(event.with_user(self.officer).read(["evidence", "outcome"]))
        with self.assertRaises(AccessError):
            event.with_user(self.officer).read(["address"])
        self.assertEqual(event.with_user(self.manager).address, "192.0.2.1")
        for groups in ("base.group_user", "stock.group_stock_user", "base.group_portal"):
            stranger = self._create_user(groups.replace(".", "_"), groups)
            with self.subTest(groups), self.assertRaises(AccessError):
                event.with_user(stranger).read(["outcome"])

    def test_stock_user_opens_the_delivery(self):
        clerk = self._create_user("clerk", "stock.group_stock_user")
        picking = self.picking.with_user(clerk)
        self.assertNotIn("soko_receipt_event_count", picking.fields_get())
        with self.assertRaises(AccessError):
            picking.action_soko_mark_received()
        with self.assertRaises(AccessError):
            self.env["soko.receipt.note"].with_user(clerk).create({"note": "x"})

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.picking._soko_mark_received("shopper")
        stranger = self._create_user("other", "soko_artisan.soko_artisan_group_manager")
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        Event = self.env["soko.receipt.event"].with_user(stranger)
        self.assertFalse(Event.search([("picking_id", "=", self.picking.id)]))

    # === UPDATE === #

    def test_update_writes_an_event_for_old_receipts(self):
        self.picking.write(
            {"soko_received_date": "2026-01-02 10:00:00", "soko_received_via": "shopper"}
        )
        spec = util.spec_from_file_location("soko_migration", SCRIPT)
        script = util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for version in (None, "19.0.1.0.0", "19.0.1.0.0"):
            self.env.flush_all()
            script.migrate(self.env.cr, version)
            self.env.invalidate_all()
            self.assertEqual(len(self._events()), bool(version))
        event = self._events()
        self.assertEqual((event.source, event.outcome), ("shopper", "counted"))
        self.assertEqual(event.date, datetime(2026, 1, 2, 10))
        self.assertEqual(event.company_id, self.company)
