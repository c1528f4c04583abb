from psycopg2 import DatabaseError
from psycopg2.errors import RaiseException

from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools import states
from .common import MpesaCase
from .fake_daraja import payment_result

STATES = tuple(states.ATTEMPT_TRANSITIONS)
FACTS = {"submitted": True, "approved": True, "held": False, "cancelled": False,
         "exception": False}


@tagged("post_install", "-at_install", "mpesa")
class TestStatesPure(BaseCase):
    def test_forbidden(self):
        for old, new in (
            ("unknown", "prepared"), ("unknown", "sending"), ("unknown", "cancelled"),
            ("sending", "cancelled"), ("accepted", "prepared"), ("accepted", "sending"),
            ("paid", "not_paid"), ("paid", "unknown"), ("paid", "prepared"),
            ("not_paid", "prepared"), ("cancelled", "sending"), ("prepared", "paid"),
            ("unknown", "reversed"), ("reversed", "paid"), ("reversed", "prepared"),
        ):
            with self.subTest(old=old, new=new):
                self.assertFalse(states.may_move(old, new))

    def test_every_state_is_known(self):
        for news in states.ATTEMPT_TRANSITIONS.values():
            self.assertLessEqual(news, set(STATES))
        for state in STATES:
            self.assertTrue(states.may_move(state, state))

    def test_payout_state(self):
        for attempts, changes, expected in (
            ([], {"submitted": False, "approved": False}, "draft"),
            ([], {"approved": False}, "submitted"),
            (["prepared"], {}, "approved"),
            (["prepared"], {"held": True}, "held"),
            (["cancelled"], {"cancelled": True}, "cancelled"),
            (["sending"], {"held": True}, "in_flight"),
            (["accepted"], {}, "in_flight"),
            (["unknown"], {"cancelled": True}, "in_flight"),
            (["not_paid"], {}, "failed"),
            (["not_paid", "prepared"], {}, "approved"),
            (["not_paid", "unknown"], {}, "in_flight"),
            (["not_paid", "paid"], {}, "paid"),
            (["paid"], {"held": True}, "paid"),
            (["paid", "paid"], {}, "exception"),
            (["reversed"], {}, "reversed"),
            (["reversed", "prepared"], {}, "approved"),
            (["reversed", "paid"], {}, "paid"),
            (["accepted"], {"exception": True}, "exception"),
        ):
            with self.subTest(attempts=attempts, changes=changes):
                self.assertEqual(
                    states.payout_state(attempts, **{**FACTS, **changes}), expected)

    def test_what_a_payment_may_become(self):
        for attempts, paid, rejected in (
            ((), False, False), (("prepared",), False, False), (("sending",), False, False),
            (("accepted",), False, False), (("unknown",), False, False),
            (("cancelled",), False, False), (("paid",), True, False),
            (("not_paid",), False, True), (("reversed",), False, True),
            (("not_paid", "cancelled"), False, True), (("not_paid", "accepted"), False, False),
            (("not_paid", "prepared"), False, False), (("reversed", "paid"), True, False),
        ):
            with self.subTest(attempts=attempts):
                may = {state: states.payment_may_become(state, attempts)
                       for state in ("paid", "rejected", "draft", "canceled")}
                self.assertEqual(may, {
                    "paid": paid, "rejected": rejected, "draft": False, "canceled": False})


@tagged("post_install", "-at_install", "mpesa")
class TestStatesInTheDatabase(MpesaCase):
    def in_state(self, state):
        """:return: an attempt that came to `state` on an allowed way"""
        ways = {
            "prepared": (), "sending": ("sending",), "accepted": ("sending", "accepted"),
            "unknown": ("sending", "unknown"), "paid": ("sending", "paid"),
            "not_paid": ("sending", "not_paid"), "cancelled": ("cancelled",),
            "reversed": ("sending", "paid", "reversed"),
        }
        _bill, _payment, payout = self.make_payout(100)
        attempt = payout.attempt_ids
        for step in ways[state]:
            attempt._set_state(step)
            attempt.flush_recordset()
        return attempt

    def test_every_move(self):
        for old in STATES:
            attempt = self.in_state(old)
            for new in STATES:
                if states.may_move(old, new):
                    continue
                with self.subTest(old=old, new=new):
                    with self.assertRaises(UserError):
                        attempt._set_state(new)
                    with self.assertRaises(RaiseException), self.cr.savepoint(), mute_logger(
                            "odoo.sql_db"):
                        self.cr.execute("UPDATE soko_mpesa_attempt SET state = %s WHERE id = %s",
                                        [new, attempt.id])

    def refused(self, query, *parameters):
        with self.assertRaises(DatabaseError), self.cr.savepoint(), mute_logger("odoo.sql_db"):
            self.cr.execute(query, parameters)

    def test_database_refuses(self):
        _bill, payment, payout = self.make_payout()
        attempt = payout.attempt_ids
        self.send()
        self.assertTrue(payout.evidence_ids)
        for query in (
            "UPDATE soko_mpesa_evidence SET verdict = 'positive' WHERE payout_id = %s",
            "DELETE FROM soko_mpesa_evidence WHERE payout_id = %s",
            "UPDATE soko_mpesa_payout SET msisdn = '254711111111' WHERE id = %s",
            "UPDATE soko_mpesa_payout SET amount = amount + 1 WHERE id = %s",
            "UPDATE soko_mpesa_payout SET approver_id = maker_id WHERE id = %s",
            "DELETE FROM soko_mpesa_attempt WHERE payout_id = %s",
            "UPDATE soko_mpesa_attempt SET originator_id = 'A' WHERE payout_id = %s",
            "DELETE FROM soko_mpesa_payout WHERE id = %s",
            "INSERT INTO soko_mpesa_attempt (payout_id, number, originator_id, state) "
            "VALUES (%s, 2, 'AAAAAAAAAAAAAAAAAAAA', 'prepared')",
        ):
            with self.subTest(query=query):
                self.refused(query, payout.id)
        self.assertEqual((payment.state, attempt.state), ("in_process", "accepted"))

    def test_receipt_is_unique_in_the_database(self):
        _bill, _payment, _payout = self.make_payout()
        self.send()
        request = self.daraja.payments[0]
        self.post(request["ResultURL"], payment_result(request))
        _bill, _payment, second = self.make_payout(50)
        self.refused("UPDATE soko_mpesa_attempt SET receipt = 'SG632NMUAB' WHERE payout_id = %s",
                     second.id)

    def test_invariants_find_a_fault(self):
        _bill, payment, payout = self.make_payout()
        self.assertNoViolation()
        payment.flush_recordset()
        self.cr.execute("UPDATE account_payment SET state = 'paid' WHERE id = %s", [payment.id])
        self.cr.execute("UPDATE soko_mpesa_payout SET state = 'failed' WHERE id = %s", [payout.id])
        self.env.invalidate_all(flush=False)
        found = payout._invariant_violations()
        self.assertIn("I-9 no payment is paid or rejected without proof", found)
        self.assertIn("I-9 payout state follows from its facts", found)

    def test_ids_are_random_and_fit(self):
        ids = {self.env["soko.mpesa.attempt"]._make_originator_id() for _time in range(500)}
        self.assertEqual(len(ids), 500)
        for originator_id in ids:
            self.assertRegex(originator_id, r"^[A-Z0-9]{20}$")
