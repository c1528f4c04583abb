from odoo.tests import tagged

from ..models import soko_mpesa_payout
from .test_payee_waits import WaitCase
from .test_turns import Clock


@tagged("post_install", "-at_install", "mpesa")
class TestRecheck(WaitCase):
    """Held payouts are looked at within the time of a pass; the next one goes on there."""

    def test_bounded_and_goes_on(self):
        self.prove(self.make_payout(500)[2])
        self.change_number()
        payouts = [self.make_payout(3000 + number)[2] for number in range(5)]
        self.assertEqual({payout.state for payout in payouts}, {"held"})
        seen, clock = [], Clock()
        real = type(payouts[0])._recheck

        def recheck(payout):
            clock.now += 20
            seen.append(payout.id)
            return real(payout)

        self.patch(type(payouts[0]), "_recheck", recheck)
        with clock.patch(soko_mpesa_payout):
            self.sweep()
            self.assertEqual(seen, [payout.id for payout in payouts[:3]])
            self.sweep()
            self.assertEqual(seen, [payout.id for payout in payouts])
            self.sweep()
            self.assertEqual(seen[5:], [payout.id for payout in payouts[:3]])

    def test_all_go_on_in_the_end(self):
        self.prove(self.make_payout(500)[2])
        self.change_number()
        payouts = [self.make_payout(3000)[2] for _number in range(3)]
        self.grow_older(80)
        clock, real = Clock(), type(payouts[0])._recheck

        def recheck(payout):
            clock.now += 50
            return real(payout)

        self.patch(type(payouts[0]), "_recheck", recheck)
        with clock.patch(soko_mpesa_payout):
            for _pass in range(3):
                self.sweep()
        self.assertEqual([payout.state for payout in payouts], ["approved"] * 3)
