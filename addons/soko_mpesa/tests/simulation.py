"""Payouts without a database: the module's own rules against a provider that misbehaves.

One seed makes one world. A virtual clock runs days in milliseconds. What decides is the real code:
tools/states, proof, verdict, parse, classify. What stores is plain objects here, in the order of
models/soko_mpesa_attempt.py. At the end the provider's books are compared with ours.
"""

import heapq
import itertools
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..const import ABSENT_SETTLE_MINUTES, QUERY_DELAYS
from ..tools import classify, parse, proof, states, verdict

START = datetime(2026, 1, 1, 6)
DELAYS = [float(text) for text in QUERY_DELAYS.split(",")]
LEASE = 1.5
PATIENCE = 26 * 60  # minutes after which a person looks
DEAD_LETTER = json.dumps({"nonsense": True}).encode()

REQUEST_FAULTS = (
    "connect", "throttle", "token", "rejected", "system_error", "reset_before", "reset_after",
    "html_after", "executed_later", "wrong_echo", "response_code_1", "killed_before_send",
    "killed_after_send", "late_record",
)
RESULT_FAULTS = (
    "lost", "duplicated", "delayed", "first", "timeout_notice", "nameless", "masked",
    "forged_amount", "forged_failure", "forged_token", "malformed", "of_another", "as_status",
    "foreign_receipt",
)
OUTCOMES = ("pre_debit", "other_failure", "pending_first", "lie", "wrong_amount", "wrong_number")
QUERY_FAULTS = ("query_lost", "query_busy", "query_down", "query_not_found", "query_twice")


@dataclass
class Attempt:
    """As soko.mpesa.attempt."""

    payout: "Payout"
    originator_id: str
    state: str = "prepared"
    facts: list = field(default_factory=list)
    heard: set = field(default_factory=set)
    receipt: str = ""
    sent_at: datetime | None = None
    lease_until: datetime | None = None
    queries: int = 0
    sends: int = 0


@dataclass
class Payout:
    """As soko.mpesa.payout."""

    debt: "Debt"
    number: str
    amount: int
    attempts: list = field(default_factory=list)
    exception: str = ""
    held: str = ""
    cancelled: bool = False
    late: bool = False

    @property
    def state(self):
        """The state that the real rule gives."""
        return states.payout_state(
            [attempt.state for attempt in self.attempts], submitted=True, approved=True,
            held=self.held, cancelled=self.cancelled, exception=self.exception)


@dataclass
class Debt:
    """A bill: it may be paid again when, and only when, a payout is proven not paid."""

    amount: int
    number: str
    payouts: list = field(default_factory=list)


class Provider:
    """Safaricom's side: books of its own, and every request that it ever saw."""

    def __init__(self, rng):
        self.rng = rng
        self.requests = Counter()
        self.asked = {}
        self.paid = {}
        self.failed = {}
        self.receipts = itertools.count(1)

    def take(self, request):
        """:return: whether this id is new here"""
        key = request["OriginatorConversationID"]
        self.requests[key] += 1
        self.asked.setdefault(key, request)
        return self.requests[key] == 1

    def pay(self, key, amount=None, number=None):
        """Execute a payment that was asked for."""
        request = self.asked[key]
        self.failed.pop(key, None)
        self.paid.setdefault(key, []).append({
            "receipt": f"SIM{next(self.receipts):07}", "amount": amount or int(request["Amount"]),
            "number": number or request["PartyB"]})

    def result(self, key, **changes):
        """:return: the body of the payment's result"""
        paid = self.paid.get(key)
        values = {"code": 0 if paid else self.failed.get(key, 99)}
        if paid:
            values.update(paid[-1], party=f"{paid[-1]['number']} - AMINA MFANO")
        values.update(changes)
        result = {"ResultCode": values["code"], "ResultDesc": "x", "ConversationID": "AG",
                  "OriginatorConversationID": values.get("originator", key)}
        if values["code"] == 0:
            result["ResultParameters"] = {"ResultParameter": [
                {"Key": "TransactionAmount", "Value": values["amount"]},
                {"Key": "TransactionReceipt", "Value": values["receipt"]},
                {"Key": "ReceiverPartyPublicName", "Value": values["party"]}]}
        return json.dumps({"Result": result}).encode()

    def status(self, key, word="", code=0):
        """:return: the body of the answer to a status query"""
        paid, known = self.paid.get(key), key in self.asked
        text = "done"
        if not word and not code:
            word = "Completed" if paid else "Declined" if key in self.failed else "Authorized"
            if not known:
                code, text = 25, "The transaction does not exist."
        if code == 25:
            text = "The transaction does not exist."
        result = {"ResultCode": code, "ResultDesc": text, "OriginatorConversationID": "query"}
        if not code:
            request = self.asked[key]
            fact = paid[-1] if paid else {
                "receipt": "SG00000000", "amount": request["Amount"],
                "number": request["PartyB"]}
            result["ResultParameters"] = {"ResultParameter": [
                {"Key": "TransactionStatus", "Value": word},
                {"Key": "ReceiptNo", "Value": fact["receipt"]},
                {"Key": "Amount", "Value": str(fact["amount"])},
                {"Key": "CreditPartyName", "Value": f"{fact['number']} - AMINA MFANO"},
                {"Key": "OriginatorConversationID", "Value": key}]}
        return json.dumps({"Result": result}).encode()


class World:
    """Everything of one seed. Methods without underscore are what a seeded bug may replace."""

    def __init__(self, seed, faults=1.0):
        self.rng = random.Random(seed)
        self.faults = faults
        self.now = START
        self.order = itertools.count()
        self.events = []
        self.provider = Provider(self.rng)
        self.debts = []
        self.attempts = {}
        self.injected = Counter()
        self.moves = Counter()
        self.forbidden = Counter()
        self.ids = itertools.count(1)
        self.lies = set()
        self.letters = itertools.count(1)

    # --- clock and chance ---

    def later(self, minutes, call, *arguments):
        """Call something on the virtual clock."""
        moment = self.now + timedelta(minutes=minutes)
        heapq.heappush(self.events, (moment, next(self.order), call, arguments))

    def chance(self, faults, odds):
        """:return: one of the faults, counted, or nothing"""
        if self.rng.random() >= odds * self.faults:
            return ""
        name = self.rng.choice(faults)
        self.injected[name] += 1
        return name

    def run(self, debts):
        """Make that many bills, pay them, and let time pass until nothing moves any more."""
        for _number in range(debts):
            amount = self.rng.choice((10, 70, 1500, 250_000))
            debt = Debt(amount, f"2547000000{self.rng.randrange(41, 45)}")
            self.debts.append(debt)
            self.later(self.rng.random() * 60, self.open_payout, debt)
        while self.events:
            self.now, _order, call, arguments = heapq.heappop(self.events)
            call(*arguments)
        return self

    # --- our side: making and sending ---

    def open_payout(self, debt):
        """A person pays a bill that is open."""
        if any(payout.state not in ("failed", "cancelled") for payout in debt.payouts):
            return
        payout = Payout(debt, debt.number, debt.amount)
        debt.payouts.append(payout)
        self.prepare(payout)
        self.later(1, self.send, payout.attempts[0])
        if self.chance(("withdrawn",), 0.02):
            self.move(payout.attempts[0], "cancelled")
            payout.cancelled = True
            self.later(5, self.open_payout, debt)
        elif self.chance(("run_twice",), 0.05):
            self.later(self.rng.choice((1, 1.1, 3)), self.send, payout.attempts[0])

    def prepare(self, payout):
        """Give a payout its next attempt."""
        attempt = Attempt(payout, f"{next(self.ids):020}")
        payout.attempts.append(attempt)
        self.attempts[attempt.originator_id] = attempt

    def move(self, attempt, state):
        """Change a state by the real rule; and try a forbidden move each time."""
        wrong = self.rng.choice(list(states.ATTEMPT_TRANSITIONS))
        if wrong != attempt.state and wrong not in states.ATTEMPT_TRANSITIONS[attempt.state]:
            self.forbidden[attempt.state, wrong] += 1
            assert not states.may_move(attempt.state, wrong), (attempt.state, wrong)
        assert states.may_move(attempt.state, state), (attempt.state, state)
        if state != attempt.state:
            self.moves[attempt.state, state] += 1
        attempt.state = state

    def may_send(self, attempt):
        """The guards under the lock."""
        return attempt.state == "prepared" and attempt.payout.state == "approved"

    def request_of(self, attempt):
        """:return: the request, as the sender builds it"""
        return {"OriginatorConversationID": attempt.originator_id,
                "Amount": str(attempt.payout.amount), "PartyB": attempt.payout.number}

    def send(self, attempt):
        """Claim, commit, send, record."""
        if not self.may_send(attempt):
            return
        request = self.request_of(attempt)
        self.move(attempt, "sending")
        attempt.sends += 1
        attempt.sent_at = self.now
        attempt.lease_until = self.now + timedelta(minutes=LEASE)
        self.later(LEASE + 1, self.sweep, attempt)
        fault = self.chance(REQUEST_FAULTS, 0.35)
        if fault == "killed_before_send":
            return
        outcome = self.exchange(request, fault)
        if fault == "killed_after_send":
            return
        if fault == "late_record":
            self.later(LEASE + 2, self.record, attempt, outcome, attempt.lease_until)
        else:
            self.record(attempt, outcome, attempt.lease_until)

    def record(self, attempt, outcome, lease):
        """Write down what the call proved, if the claim is still ours."""
        if attempt.state != "sending" or attempt.lease_until != lease:
            return
        getattr(self, f"record_{outcome.kind}")(attempt, outcome)

    def record_accepted(self, attempt, _outcome):
        """It was taken."""
        self.move(attempt, "accepted")
        self.plan_query(attempt)

    def record_unknown(self, attempt, _outcome):
        """Nobody knows."""
        self.move(attempt, "unknown")
        self.plan_query(attempt)

    def record_proven_not_sent(self, attempt, _outcome):
        """Nothing left: the same id again."""
        self.move(attempt, "prepared")
        self.later(1, self.send, attempt)

    def record_rejected(self, attempt, _outcome):
        """A person mends the cause and releases it."""
        self.move(attempt, "prepared")
        attempt.payout.held = "rejected"
        self.later(30, self.release, attempt)

    def release(self, attempt):
        """The person has done it."""
        attempt.payout.held = ""
        self.send(attempt)

    def sweep(self, attempt):
        """A claim whose lease is over has an unknown outcome."""
        if attempt.state == "sending" and attempt.lease_until < self.now:
            self.move(attempt, "unknown")
            self.plan_query(attempt)

    # --- our side: asking and hearing ---

    def plan_query(self, attempt):
        """Ask later, as the account's delays say, until a person has to."""
        minutes = DELAYS[min(attempt.queries, len(DELAYS) - 1)]
        if attempt.sent_at + timedelta(minutes=PATIENCE) > self.now:
            self.later(minutes, self.query, attempt)
        elif attempt.state in states.ATTEMPT_SENT:
            attempt.payout.exception += " silent"

    def query(self, attempt):
        """Ask once."""
        if attempt.state not in ("accepted", "unknown"):
            return
        attempt.queries += 1
        self.plan_query(attempt)
        self.ask(attempt)

    def hear_result(self, attempt, raw, letter):
        """Take in what was posted to the address of the payment's result."""
        result = parse.parse_payment_result(raw)
        found = verdict.of_result(result, self.expected(attempt))
        if not self.keep(attempt, "result", found, raw, letter, result):
            return
        if result.readable and result.originator_id != attempt.originator_id:
            return
        self.conclude(attempt, found, result)

    def hear_status(self, attempt, raw, letter):
        """Take in the answer to a query."""
        result = parse.parse_status_result(raw)
        found = verdict.of_status(result, self.expected(attempt))
        if self.keep(attempt, "status", found, raw, letter, result):
            self.conclude(attempt, found, result)

    def hear_timeout(self, attempt, raw, letter):
        """A time-out notice is no failure."""
        if self.keep(attempt, "timeout", proof.NEUTRAL, raw, letter, parse.PaymentResult()):
            self.conclude(attempt, proof.NEUTRAL, None)

    def expected(self, attempt):
        """:return: what an answer must say"""
        def is_foreign(receipt):
            return any(other.receipt == receipt for other in self.attempts.values()
                       if other is not attempt and other.receipt) or (
                attempt.receipt not in ("", receipt))
        payout = attempt.payout
        return verdict.Expected(attempt.originator_id, payout.amount, payout.number, is_foreign)

    def keep(self, attempt, kind, found, raw, letter, result):
        """Store a fact once. :return: whether it is new"""
        if (letter, raw) in attempt.heard:
            return False
        attempt.heard.add((letter, raw))
        attempt.facts.append(proof.Fact(kind, found, letter, result.code, self.now))
        return True

    def conclude(self, attempt, found, result):
        """Move to what all evidence proves together."""
        decision = self.decide(attempt)
        payout = attempt.payout
        if found == proof.CONTRADICTION:
            payout.exception += " contradiction"
            if attempt.state in ("sending", "accepted"):
                self.move(attempt, "unknown")
                self.plan_query(attempt)
        elif attempt.state == "paid":
            if found == proof.NEGATIVE:
                payout.exception += " failure after success"
        elif attempt.state in ("prepared", "cancelled"):
            if found in (proof.POSITIVE, proof.NEGATIVE):
                payout.exception += " never sent"
        elif decision == "paid":
            self.become_paid(attempt, result)
        elif attempt.state == "not_paid":
            return
        elif decision == "not_paid":
            self.move(attempt, "not_paid")
            self.later(20, self.open_payout, payout.debt)
        elif attempt.state in ("sending", "accepted"):
            self.move(attempt, "unknown")
            self.plan_query(attempt)

    def decide(self, attempt):
        """Ask the real rule."""
        settled = attempt.sent_at and attempt.sent_at + timedelta(minutes=ABSENT_SETTLE_MINUTES)
        return proof.decide(attempt.facts, settled)

    def become_paid(self, attempt, result):
        """It is proven."""
        if attempt.state == "not_paid":
            attempt.payout.late = True
            attempt.payout.exception += " late"
        self.move(attempt, "paid")
        attempt.receipt = result.receipt

    # --- the provider's side and the line between ---

    def exchange(self, request, fault):
        """:return: what the real classifier makes of the provider's answer"""
        key = request["OriginatorConversationID"]
        refusals = {
            "throttle": (500, "500.003.02"), "token": (404, "404.001.03"),
            "rejected": (400, "400.002.02"), "system_error": (500, "500.002.1001"),
        }
        if fault == "connect":
            return classify.not_sent("refused")
        if fault in refusals:
            status, code = refusals[fault]
            body = {"requestId": "1", "errorCode": code, "errorMessage": "System internal error."}
            return classify.classify(status, json.dumps(body).encode(), key)
        if fault == "reset_before":
            return classify.broken("reset")
        if not self.provider.take(request):
            body = {"errorCode": "500.002.1001",
                    "errorMessage": "Duplicate OriginatorConversationID."}
            return classify.classify(500, json.dumps(body).encode(), key)
        if fault == "response_code_1":
            self.provider.failed[key] = 99
            return self.answer(key, code="1")
        return self.executed(key, fault)

    def executed(self, key, fault):
        """The provider took it: execute now or later, and answer as the fault wants."""
        if fault == "executed_later":
            self.later(45, self.execute, key)
        else:
            self.execute(key)
        if fault in ("reset_after", "executed_later"):
            return classify.broken("TimeoutError")
        if fault == "html_after":
            return classify.classify(503, b"<html>", key)
        return self.answer("other" if fault == "wrong_echo" else key, expected=key)

    def answer(self, echo, code="0", expected=None):
        """:return: an answer of the usual form, classified"""
        body = {"ResponseCode": code, "ConversationID": "AG_1", "OriginatorConversationID": echo}
        return classify.classify(200, json.dumps(body).encode(), expected or echo)

    def execute(self, key):
        """Move the money, or don't, and report it."""
        outcome = self.chance(OUTCOMES, 0.2)
        if outcome in ("pre_debit", "other_failure"):
            self.provider.failed[key] = {"pre_debit": 2040, "other_failure": 99}[outcome]
        elif outcome == "lie":
            self.provider.failed[key] = 99
            self.lies.add(key)
            self.later(600, self.pay_after_all, key)
        elif outcome == "wrong_amount":
            self.provider.pay(key, amount=int(self.provider.asked[key]["Amount"]) + 5)
        elif outcome == "wrong_number":
            self.provider.pay(key, number="254711111111")
        else:
            if outcome == "pending_first":
                self.post(key, self.provider.result(key, code=26))
            self.provider.pay(key)
        self.report(key)

    def pay_after_all(self, key):
        """The provider paid what it had declared failed."""
        self.provider.pay(key)
        self.post(key, self.provider.result(key), delay=1)

    def report(self, key):
        """Post the result, well or badly."""
        fault = self.chance(RESULT_FAULTS, 0.5)
        raw = self.provider.result(key)
        if fault == "lost":
            return
        self.spoil(fault, key)
        if fault in ("nameless", "masked"):
            paid = self.provider.paid.get(key) or [{"number": "254700000000"}]
            party = f"2547*****{paid[-1]['number'][-3:]}" if fault == "masked" else ""
            raw = self.provider.result(key, party=party)
        delay = {"delayed": 300, "first": 0}.get(fault, 0.2)
        for _copy in range(5 if fault == "duplicated" else 1):
            self.post(key, raw, delay)

    def spoil(self, fault, key):
        """Post something that nobody should believe, before the true result."""
        request = self.provider.asked[key]
        other = self.rng.choice(list(self.provider.asked))
        false = {"code": 0, "receipt": "FORGED0001", "party": f"{request['PartyB']} - X",
                 "amount": int(request["Amount"])}
        if fault == "forged_amount":
            self.post(key, self.provider.result(key, **{**false, "amount": 1}))
        elif fault == "forged_failure":
            self.post(key, self.provider.result(key, code=99))
        elif fault == "forged_token":
            self.later(0.1, self.hear, "nobody", "result", self.provider.result(key, **false), 0)
        elif fault == "malformed":
            self.post(key, self.rng.choice((DEAD_LETTER, b"\xff[", b"[" * 5000, b"")))
        elif fault == "of_another":
            # the worst one: the same amount to the same number, not heard of yet
            twins = [twin for twin in self.provider.paid if twin != key and all(
                self.provider.asked[twin][name] == request[name] for name in ("Amount", "PartyB"))
                and twin in self.attempts and not self.attempts[twin].receipt]
            self.post(key, self.provider.result(self.rng.choice(twins or [other])))
        elif fault == "as_status" and key in self.provider.paid:
            self.post(key, self.provider.status(key))
        elif fault == "foreign_receipt" and self.provider.paid.get(other) and other != key:
            receipt = self.provider.paid[other][-1]["receipt"]
            if other in self.attempts and self.attempts[other].receipt == receipt:
                self.post(key, self.provider.result(key, **{**false, "receipt": receipt}))
        elif fault == "timeout_notice":
            self.later(0.1, self.hear, key, "timeout", json.dumps(request).encode(), f"t{key}")

    def post(self, key, raw, delay=0.1):
        """Post to the result's address, which has one token an attempt."""
        self.later(delay, self.hear, key, "result", raw, f"r{key}")

    def hear(self, key, kind, raw, letter):
        """The inbox: an address that nobody was given has no effect."""
        attempt = self.attempts.get(key)
        if attempt:
            getattr(self, f"hear_{kind}")(attempt, raw, letter)

    def ask(self, attempt):
        """Carry a query over and its answer back."""
        key = attempt.originator_id
        fault = self.chance(QUERY_FAULTS, 0.3)
        letter = f"q{next(self.letters)}"
        if fault in ("query_lost", "query_down"):
            return
        raw = self.provider.status(key)
        if fault == "query_busy":
            raw = self.provider.status(key, code=26)
        if fault == "query_not_found" and self.now - attempt.sent_at < timedelta(minutes=50):
            raw = self.provider.status(key, code=25)
        for _copy in range(2 if fault == "query_twice" else 1):
            self.later(0.3, self.hear, key, "status", raw, letter)

    # --- the auditor ---

    def audit(self):
        """Compare both sides' books. :return: list of what must never be, as texts"""
        wrong = []
        for debt in self.debts:
            wrong += self.audit_debt(debt)
        for key, count in self.provider.requests.items():
            attempt = self.attempts.get(key)
            if count > 1:
                wrong.append(f"{key}: {count} requests reached the provider")
            if attempt is None or attempt.sends == 0:
                wrong.append(f"{key}: paid for what was never claimed")
                continue
            request = self.provider.asked[key]
            if (int(request["Amount"]), request["PartyB"]) != (
                    attempt.payout.debt.amount, attempt.payout.debt.number):
                wrong.append(f"{key}: another amount or number was asked for")
        return wrong

    def audit_debt(self, debt):
        """One bill: paid once at most, and as its payouts say."""
        wrong = []
        keys = [attempt.originator_id for payout in debt.payouts for attempt in payout.attempts]
        executed = [(key, paid) for key in keys for paid in self.provider.paid.get(key, [])]
        if len(executed) > 1 and not any(payout.exception for payout in debt.payouts):
            wrong.append(f"{keys}: paid {len(executed)} times and nobody knows")
        if len(executed) > 1 and not self.lies & set(keys):
            wrong.append(f"{keys}: paid {len(executed)} times")
        for payout in debt.payouts:
            for attempt in payout.attempts:
                wrong += self.audit_attempt(payout, attempt)
        return wrong

    def audit_attempt(self, payout, attempt):
        """One attempt: what it says is what happened."""
        wrong, key = [], attempt.originator_id
        paid = self.provider.paid.get(key, [])
        said = {"receipt": attempt.receipt, "amount": payout.debt.amount,
                "number": payout.debt.number}
        if attempt.state == "paid" and said not in paid:
            wrong.append(f"{key}: paid in our books, the provider has {paid}")
        if attempt.state == "not_paid" and paid:
            wrong.append(f"{key}: not paid in our books, the provider has {paid}")
        if attempt.state in ("sending", "accepted", "unknown") and not payout.exception:
            wrong.append(f"{key}: still {attempt.state}, and nobody was called")
        if paid and {**said, "receipt": paid[-1]["receipt"]} != paid[-1] and (
                "contradiction" not in payout.exception):
            wrong.append(f"{key}: paid in another way, and nobody was called: {paid}")
        if attempt.state == "prepared" and payout.state == "approved":
            wrong.append(f"{key}: never sent")
        if attempt.state == "unknown" and said in [
                {**fact, "receipt": ""} for fact in paid] and "contradiction" not in (
                payout.exception):
            wrong.append(f"{key}: executed as asked, and never found out")
        return wrong
