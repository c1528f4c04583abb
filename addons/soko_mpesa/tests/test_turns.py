from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged

from ..models import soko_mpesa_attempt
from ..tools import client
from .test_payee_waits import WaitCase


class Clock:
    """A monotonic clock that goes on when somebody says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def patch(self, module):
        return patch.object(module, "time", SimpleNamespace(monotonic=self))


@tagged("post_install", "-at_install", "mpesa")
class TestTurns(WaitCase):
    """One account's slow queue holds up no other account."""

    def setUp(self):
        super().setUp()
        self.clock, real = Clock(), client.send
        self.company.soko_mpesa_first_payment_limit = 0

        def slow(request, *args):
            self.clock.now += self.seconds
            return real(request, *args)

        self.startPatcher(self.clock.patch(soko_mpesa_attempt))
        self.startPatcher(patch.object(soko_mpesa_attempt.client, "send", slow))
        self.seconds = 15

    def add_account(self, number):
        other = self.env["soko.mpesa.account"].with_user(self.manager).create({
            "name": f"Paybill {number}", "shortcode": f"{number}", "company_id": self.company.id,
            "initiator_name": "testapi", "consumer_key": "k", "consumer_secret": "s",
            "security_credential": "c", "auto_approve_limit": 2000, "send_spacing_ms": 0,
            "responsible_id": self.manager.id})
        other.sudo().trial_since = False
        other.action_set_up_journal()
        self.account = other.with_env(self.env)
        self.method_line = self.account.journal_id.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c")

    def payers(self, requests):
        return [request["PartyA"] for request in requests]

    def test_both_send_in_one_pass(self):
        for _number in range(3):
            self.make_payout(100)
        self.add_account(600994)
        self.make_payout(100)
        self.send()
        self.assertEqual(self.payers(self.daraja.payments), ["600992", "600994"])

    def test_who_sent_longest_ago_begins(self):
        for number in (None, 600994, 600995):
            if number:
                self.add_account(number)
            for _number in range(2):
                self.make_payout(100)
        self.seconds = 26  # one payment takes all the time of a pass
        for _pass in range(3):
            self.send()
        self.assertEqual(self.payers(self.daraja.payments), ["600992", "600994", "600995"])

    def test_one_alone_has_all_the_time(self):
        """25 seconds to begin in, as before."""
        for _number in range(4):
            self.make_payout(100)
        self.add_account(600994)
        self.seconds = 10
        self.send()
        self.assertEqual(len(self.daraja.payments), 3)

    def test_what_one_leaves_the_next_has(self):
        self.make_payout(100)
        self.add_account(600994)
        for _number in range(9):
            self.make_payout(100)
        self.seconds = 5
        self.send()
        self.assertEqual(self.payers(self.daraja.payments), ["600992"] + ["600994"] * 5)

    def test_questions_take_turns_too(self):
        for _number in range(3):
            self.make_payout(100)
        self.add_account(600994)
        self.make_payout(100)
        self.seconds = 0
        self.send()
        self.assertEqual(len(self.daraja.payments), 4)
        self.seconds = 15
        self.ask()
        self.assertEqual(set(self.payers(self.daraja.queries)), {"600992", "600994"})
