import logging
import os
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..tools import classify, parse, proof, states, verdict
from . import simulation
from .simulation import World

# Larger campaigns: how many bills a world has, and how many worlds.
DEBTS = int(os.environ.get("SOKO_MPESA_SIMULATED_DEBTS", "300"))
WORLDS = int(os.environ.get("SOKO_MPESA_SIMULATED_WORLDS", "40"))
BUG_DEBTS = 160
_logger = logging.getLogger(__name__)
BUG_WORLDS = 60  # until it is caught; most are in the first

# Allowed for the word of a statement or of a person; one voice of Safaricom's goes by unknown.
BY_OTHERS = {("sending", "not_paid"), ("accepted", "not_paid"), ("paid", "reversed")}


def resend(world, attempt, _outcome):
    """The classic: no answer is taken for no payment."""
    attempt.state = "prepared"
    world.later(1, world.send, attempt)


def new_id(world, attempt, _outcome):
    """The other classic: a new id for the same payment."""
    attempt.state = "not_paid"
    world.prepare(attempt.payout)
    world.later(1, world.send, attempt.payout.attempts[-1])


def sweep_to_prepared(world, attempt):
    """A dead sender is taken for one that never sent."""
    if attempt.state == "sending":
        resend(world, attempt, None)


def one_vote(facts, _settled_at=None):
    """A failure callback is believed alone."""
    facts = list(facts)
    if any(fact.verdict == proof.POSITIVE for fact in facts):
        return "paid"
    return "not_paid" if any(fact.verdict == proof.NEGATIVE for fact in facts) else None


def absence_is_failure(facts, _settled_at=None):
    """Not found is taken for not paid."""
    found = real_decide(facts, _settled_at)
    return found or ("not_paid" if any(f.verdict == proof.ABSENT for f in facts) else None)


def failure_first(facts, settled_at=None):
    """A failure goes before a success."""
    facts = [fact for fact in facts if fact.verdict != proof.POSITIVE]
    return real_decide(facts, settled_at)


def same_source_twice(facts, settled_at=None):
    """A repeated answer counts as two voices."""
    facts = list(facts)
    refused = [f for f in facts if f.kind == "result" and f.verdict == proof.NEGATIVE]
    return real_decide(facts, settled_at) or ("not_paid" if len(refused) >= 1 else None)


def any_success(result, expected):
    """Whatever says code 0 is believed."""
    if result.readable and result.code == "0" and result.receipt:
        return proof.POSITIVE
    return real_of_result(result, expected)


def without(name):
    """:return: a verdict of results that doesn't look at one of the facts"""
    def of_result(result, expected):
        values = {"amount": expected.amount, "originator_id": expected.originator_id,
                  "party": f"{expected.number} - X"}
        if name == "is_foreign":
            blind = verdict.Expected(
                expected.originator_id, expected.amount, expected.number, lambda receipt: False)
            return real_of_result(result, blind)
        if result.code != "0":
            return real_of_result(result, expected)
        changed = parse.PaymentResult(**{**vars(result), name: values[name]})
        return real_of_result(changed, expected)
    return of_result


def other_id(world, attempt, raw, letter):
    """A result is taken for ours because it came to our address."""
    result = parse.parse_payment_result(raw)
    found = without("originator_id")(result, world.expected(attempt))
    if world.keep(attempt, "result", found, raw, letter, result):
        world.conclude(attempt, found, result)


def query_code_decides(result, expected):
    """The code of the query is taken for the outcome of the payment."""
    if result.readable and result.code == "0":
        changed = parse.StatusResult(**{**vars(result), "status": "completed"})
        return real_of_status(changed, expected)
    return real_of_status(result, expected)


def query_error_is_failure(result, expected):
    """A query that failed is taken for a payment that failed."""
    if result.readable and result.code != "0":
        return proof.NEGATIVE
    return real_of_status(result, expected)


def unsure_is_not_sent(status, body, expected_id=""):
    """Any error of the server is taken for proof that nothing was taken."""
    outcome = real_classify(status, body, expected_id)
    if outcome.kind == classify.UNKNOWN and status >= 500:
        return classify.not_sent("5xx")
    return outcome


def broken_is_not_sent(detail):
    """A cut line is taken for one that never was."""
    return classify.not_sent(detail)


def no_echo_check(status, body, expected_id=""):
    """Another's id in the answer is taken for ours, and the call for refused."""
    outcome = real_classify(status, body, expected_id)
    return classify.not_sent("echo") if outcome.reason == "echo" else outcome


def duplicate_is_failure(world, attempt, outcome):
    """The duplicate error is taken for a failed payment."""
    world.move(attempt, "not_paid" if outcome.reason in ("unlisted", "transport") else "unknown")
    world.later(5, world.open_payout, attempt.payout.debt)


def timeout_is_failure(world, attempt, _raw, _letter):
    """A time-out notice is taken for a failure."""
    if attempt.state in states.ATTEMPT_SENT:
        attempt.state = "not_paid"
        world.later(5, world.open_payout, attempt.payout.debt)


def token_of_anybody(world, key, kind, raw, letter):
    """The token isn't looked at; the id in the body is."""
    if key == "nobody":
        key = parse.parse_payment_result(raw).originator_id
    real_hear(world, key, kind, raw, letter)


def trusted_amount(world, attempt, result):
    """The payout is made equal to what the callback says."""
    real_become_paid(world, attempt, result)
    attempt.receipt = attempt.receipt or "NONE"


def always_sendable(world, attempt):
    """No guard before sending."""
    return True


def late_is_ignored(world, attempt, found, result):
    """Success after failure is dropped."""
    if attempt.state != "not_paid":
        real_conclude(world, attempt, found, result)


def contradiction_is_ignored(world, attempt, found, result):
    """What can't be true is dropped without a word."""
    if found != proof.CONTRADICTION:
        real_conclude(world, attempt, found, result)


def late_record_wins(world, attempt, outcome, _lease):
    """A sender that lost its lease writes all the same."""
    getattr(world, f"record_{outcome.kind}")(attempt, outcome)


def no_queries(world, attempt):
    """Nobody asks, and nobody is called."""


def no_alarm(world, attempt):
    """Asks for a while, then forgets it."""
    if attempt.sent_at + timedelta(minutes=200) > world.now:
        world.later(simulation.DELAYS[0] * 10, world.query, attempt)


def rounded_amount(world, attempt):
    """A shilling too much is asked for."""
    request = real_request_of(world, attempt)
    return {**request, "Amount": str(attempt.payout.amount + 1)}


def recomputed_id(world, attempt):
    """The id is made at each send instead of once."""
    request = real_request_of(world, attempt)
    return {**request, "OriginatorConversationID": f"{attempt.originator_id[1:]}{attempt.sends}"}


def bill_opened_early(world, attempt, outcome):
    """The bill is open while the outcome is unknown."""
    real_record_unknown(world, attempt, outcome)
    attempt.payout.cancelled = True
    payout = simulation.Payout(
        attempt.payout.debt, attempt.payout.debt.number, attempt.payout.debt.amount)
    attempt.payout.debt.payouts.append(payout)
    world.prepare(payout)
    world.later(5, world.send, payout.attempts[0])


real_decide, real_classify = proof.decide, classify.classify
real_of_result, real_of_status = verdict.of_result, verdict.of_status
real_hear, real_conclude, real_become_paid = World.hear, World.conclude, World.become_paid
real_request_of, real_record_unknown = World.request_of, World.record_unknown

BUGS = {
    "resend when unknown": (World, "record_unknown", resend),
    "new id when unknown": (World, "record_unknown", new_id),
    "bill opened while unknown": (World, "record_unknown", bill_opened_early),
    "unknown is a failure": (World, "record_unknown", duplicate_is_failure),
    "dead sender sends again": (World, "sweep", sweep_to_prepared),
    "no sweep": (World, "sweep", no_queries),
    "one vote against": (proof, "decide", one_vote),
    "not found is a failure": (proof, "decide", absence_is_failure),
    "failure before success": (proof, "decide", failure_first),
    "a failure callback opens the bill": (proof, "decide", same_source_twice),
    "callback is trusted": (verdict, "of_result", any_success),
    "amount isn't compared": (verdict, "of_result", without("amount")),
    "payee isn't compared": (verdict, "of_result", without("party")),
    "id isn't compared": (World, "hear_result", other_id),
    "receipt isn't compared": (verdict, "of_result", without("is_foreign")),
    "the query's code decides": (verdict, "of_status", query_code_decides),
    "a failed query is a failure": (verdict, "of_status", query_error_is_failure),
    "5xx is not sent": (classify, "classify", unsure_is_not_sent),
    "reset is not sent": (classify, "broken", broken_is_not_sent),
    "wrong echo is not sent": (classify, "classify", no_echo_check),
    "time-out notice is a failure": (World, "hear_timeout", timeout_is_failure),
    "token isn't looked at": (World, "hear", token_of_anybody),
    "no guard before sending": (World, "may_send", always_sendable),
    "late success is dropped": (World, "conclude", late_is_ignored),
    "contradictions are dropped": (World, "conclude", contradiction_is_ignored),
    "late sender overrules": (World, "record", late_record_wins),
    "nobody asks": (World, "plan_query", no_queries),
    "nobody is called": (World, "plan_query", no_alarm),
    "another amount": (World, "request_of", rounded_amount),
    "id made at each send": (World, "request_of", recomputed_id),
}


@tagged("post_install", "-at_install", "mpesa")
class TestSimulation(BaseCase):
    """Thousands of payouts and faults on a virtual clock; the seed of a failure is printed."""

    def test_no_shilling_twice_lost_or_unexplained(self):
        worlds = [World(seed).run(DEBTS) for seed in range(WORLDS)]
        for seed, world in enumerate(worlds):
            self.assertEqual(world.audit(), [], f"seed {seed}")
        faults = sum((world.injected for world in worlds), start=worlds[0].injected.copy())
        wanted = {*simulation.REQUEST_FAULTS, *simulation.RESULT_FAULTS, *simulation.OUTCOMES,
                  *simulation.QUERY_FAULTS}
        self.assertLessEqual(wanted, set(faults), "every fault has happened")
        self.assertGreater(sum(faults.values()), DEBTS * WORLDS)
        _logger.info("simulated: %d bills, %d faults, %d forbidden moves tried", DEBTS * WORLDS,
                     sum(faults.values()), sum(sum(w.forbidden.values()) for w in worlds))
        self.check_moves(worlds)

    def check_moves(self, worlds):
        moves = {move for world in worlds for move in world.moves}
        allowed = {(old, new) for old, news in states.ATTEMPT_TRANSITIONS.items() for new in news}
        self.assertEqual(moves, allowed - BY_OTHERS, "every transition has happened")
        tried = {move for world in worlds for move in world.forbidden}
        every = {(old, new) for old in states.ATTEMPT_TRANSITIONS
                 for new in states.ATTEMPT_TRANSITIONS if old != new}
        ended = {move for move in every if move[0] in ("paid", "cancelled", "reversed")}
        for old, new in every - allowed:
            self.assertFalse(states.may_move(old, new))
        self.assertLessEqual(every - allowed - ended, tried, "each forbidden one was tried")

    def test_without_faults_all_are_paid(self):
        world = World(1, faults=0).run(200)
        self.assertEqual(world.audit(), [])
        self.assertEqual({p.state for debt in world.debts for p in debt.payouts}, {"paid"})
        self.assertEqual(len(world.provider.paid), 200)

    def test_same_seed_same_world(self):
        first, second = (World(7).run(60) for _time in range(2))
        self.assertEqual(first.moves, second.moves)
        self.assertEqual(first.provider.paid, second.provider.paid)

    def caught(self, owner, name, bug):
        """:return: whether one of some worlds with this bug shows it"""
        with patch.object(owner, name, bug):
            for seed in range(BUG_WORLDS):
                try:
                    if World(seed).run(BUG_DEBTS).audit():
                        return True
                except AssertionError:
                    return True  # a forbidden move
        return False

    def test_every_seeded_bug_is_caught(self):
        self.assertGreaterEqual(len(BUGS), 25)
        missed = [name for name, bug in BUGS.items() if not self.caught(*bug)]
        self.assertEqual(missed, [])
