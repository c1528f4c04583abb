"""Compares M-Pesa's books with Odoo's, line by line.

It knows nothing of the add-on's code: M-Pesa's side is what the simulator's ledger says, Odoo's
side are tables.  A difference is *explained* only when the simulator's own ledger or its list of
faults shows that the service itself did wrong, and only if Odoo has called a person for it.
"""

import base64
import collections
import dataclasses
import re

PAYOUTS = """
    SELECT p.id, p.name, p.payment_id, p.amount, p.msisdn, p.state, p.receipt,
           p.exception_reason IS NOT NULL, pay.state, pay.payment_reference, pay.amount::int,
           (SELECT string_agg(DISTINCT bill.payment_state, ',')
              FROM account_move__account_payment rel
              JOIN account_move bill ON bill.id = rel.invoice_id
             WHERE rel.payment_id = pay.id)
      FROM soko_mpesa_payout p JOIN account_payment pay ON pay.id = p.payment_id
"""
ATTEMPTS = """
    SELECT payout_id, originator_id, state, send_count, request_sha256, receipt, number
      FROM soko_mpesa_attempt
"""
LINES = """
    SELECT line.payment_ref, line.amount::numeric(16, 2)
      FROM account_bank_statement_line line
      JOIN account_move move ON move.id = line.move_id
      JOIN soko_mpesa_account account ON account.journal_id = move.journal_id
     WHERE move.state = 'posted'
"""
DIFFERENCES = "SELECT receipt FROM soko_mpesa_difference WHERE receipt IS NOT NULL"
RAW = """
    SELECT 'evidence ' || id, raw FROM soko_mpesa_evidence WHERE raw IS NOT NULL
     UNION ALL SELECT 'inbox ' || id, raw FROM soko_mpesa_inbox WHERE raw IS NOT NULL
"""
TEXTS = """
    SELECT 'message ' || id, body FROM mail_message WHERE body IS NOT NULL
     UNION ALL SELECT 'log ' || id, message FROM ir_logging
     UNION ALL SELECT 'evidence ' || id, coalesce(description, '') FROM soko_mpesa_evidence
"""
TOKEN = re.compile(r"/soko/daraja/[a-z-]+/[A-Za-z0-9_-]{20,}")
OPEN = ("prepared", "sending", "accepted", "unknown")

Payout = collections.namedtuple(
    "Payout", "id name payment amount msisdn state receipt exception payment_state reference "
              "payment_amount bill")
Attempt = collections.namedtuple(
    "Attempt", "payout originator state sends sha256 receipt number")


@dataclasses.dataclass
class Id:
    """What M-Pesa knows of one OriginatorConversationID."""

    accepted: list = dataclasses.field(default_factory=list)
    paid: list = dataclasses.field(default_factory=list)
    requests: int = 0
    faults: tuple = ()


@dataclasses.dataclass
class Verdict:
    """The outcome: what must be zero, and what was found besides."""

    payouts: int = 0
    requests: int = 0
    paid: int = 0
    not_paid: int = 0
    double: int = 0
    lost: int = 0
    unexplained: int = 0  # shillings
    waiting: int = 0  # open although the statement was imported
    explained: dict = dataclasses.field(default_factory=collections.Counter)
    findings: list = dataclasses.field(default_factory=list)

    def find(self, text):
        """Keep a difference that nothing explains."""
        self.findings.append(text)

    @property
    def clean(self):
        """Whether nothing is wrong."""
        return not (self.double or self.lost or self.unexplained or self.waiting
                    or self.findings)


class Auditor:
    """The comparison.

    :param dict ledger: ``/_sim/ledger`` of the simulator
    :param dict seen: ``/_sim/audit`` of the simulator
    :param query: a function that runs SQL on Odoo's database and returns rows
    :param crimes: names of faults that are the service's own misdeeds
    """

    def __init__(self, ledger, seen, query, crimes):
        self.ledger, self.query, self.crimes = ledger, query, set(crimes)
        self.verdict = Verdict()
        self.ids = collections.defaultdict(Id)
        for entry in ledger["entries"]:
            if entry["type"] in ("accepted", "paid") and entry["kind"] == "b2c":
                getattr(self.ids[entry["id"]], entry["type"]).append(entry)
        for key, facts in seen.items():
            self.ids[key].requests, self.ids[key].faults = facts["requests"], facts["faults"]
        self.payouts = {row[0]: Payout(*row) for row in query(PAYOUTS)}
        self.attempts = collections.defaultdict(list)
        self.claims = {}
        for row in query(ATTEMPTS):
            attempt = Attempt(*row)
            self.attempts[attempt.payout].append(attempt)
            self.claims[attempt.originator] = attempt
        self.listed = {receipt for (receipt,) in query(DIFFERENCES)}
        self.lines = collections.Counter()
        for reference, amount in query(LINES):
            self.lines[reference, int(amount)] += 1

    def compare(self):
        """Return the :class:`Verdict`."""
        verdict = self.verdict
        verdict.payouts = len(self.payouts)
        verdict.requests = sum(known.requests for known in self.ids.values())
        self.conserve()
        for key, known in self.ids.items():
            self.check_id(key, known)
        for payout in self.payouts.values():
            self.check_payout(payout)
        return verdict

    # ------------------------------------------------------------------ M-Pesa's own books
    def conserve(self):
        """I-19: what left the accounts is the sum of payments and fees, to the shilling."""
        entries = self.ledger["entries"]
        opening = sum(entry["utility"] for entry in entries if entry["type"] == "opening")
        put = sum(e["amount"] for e in entries if e["type"] in ("float_added", "foreign",
                                                                 "reversed"))
        paid = sum(entry["amount"] for entry in entries if entry["type"] == "paid")
        fees = sum(entry["fee"] for entry in entries if entry["type"] == "paid")
        accounts = self.ledger["accounts"]
        gap = abs(opening + put - paid - accounts["utility"]) + abs(fees + accounts["charges"])
        if gap:
            self.verdict.unexplained += gap
            self.verdict.find(f"I-19: {gap} KES are missing in M-Pesa's own books")

    def check_id(self, key, known):
        """I-7, I-8, I-14: each request was claimed, once, and with these very bytes."""
        verdict, claim = self.verdict, self.claims.get(key)
        if claim is None:
            verdict.double += len(known.paid)
            verdict.unexplained += sum(entry["amount"] for entry in known.paid)
            verdict.find(f"I-7: {key} was requested and nobody claimed it")
            return
        if known.requests > claim.sends:
            verdict.find(f"I-8: {key} was requested {known.requests} times, claimed "
                         f"{claim.sends} times")
        twice = len(known.accepted) - 1
        if twice > 0:
            verdict.double += twice
            extra = sum(entry["amount"] for entry in known.paid[1:])
            verdict.find(f"I-8: {key} was taken {twice + 1} times, {extra} KES too much")
        payout = self.payouts[claim.payout]
        for entry in known.accepted:
            if entry["sha256"] != claim.sha256:
                verdict.find(f"I-14: {key} was sent with other bytes than were claimed")
            if (entry["amount"], entry["msisdn"]) != (payout.amount, payout.msisdn):
                verdict.find(f"I-7: {key} asked for {entry['amount']} to {entry['msisdn']}, "
                             f"claimed were {payout.amount} to {payout.msisdn}")

    def wronged(self, known):
        """Return the misdeeds of the service that show in its own books or faults."""
        found = set(known.faults) & self.crimes
        amounts = {entry["amount"] for entry in known.accepted}
        numbers = {entry["msisdn"] for entry in known.accepted}
        if any(e["amount"] not in amounts for e in known.paid):
            found.add("wrong_amount")
        if any(e["msisdn"] not in numbers for e in known.paid):
            found.add("wrong_receiver")
        if len(known.paid) > len(known.accepted):
            found.add("double_payment")
        return found

    # ------------------------------------------------------------------ Odoo's books
    def check_payout(self, payout):
        """Compare one payout with all that M-Pesa executed for it."""
        attempts = self.attempts[payout.id]
        executed = [(attempt, entry) for attempt in attempts
                    for entry in self.ids[attempt.originator].paid]
        wrongs = set().union(*(self.wronged(self.ids[a.originator]) for a in attempts), set())
        if len({attempt.originator for attempt, _entry in executed}) > 1:
            self.verdict.double += 1
            self.verdict.find(f"{payout.name}: two references were paid")
        if payout.payment_amount != payout.amount:
            self.verdict.find(f"{payout.name}: the payment has another amount")
        if payout.exception:
            self.check_exception(payout, executed, wrongs)
        elif any(attempt.state in OPEN for attempt in attempts):
            self.check_open(payout, executed)
        elif executed:
            self.check_paid(payout, executed, wrongs)
        else:
            self.check_not_paid(payout)

    def check_exception(self, payout, executed, wrongs):
        """A person was called: right if the service did wrong, else nobody can explain it."""
        if wrongs:
            self.verdict.explained["+".join(sorted(wrongs))] += 1
            return
        self.verdict.find(f"{payout.name}: needs a person, and M-Pesa did nothing wrong")
        self.verdict.unexplained += abs(sum(e["amount"] for _a, e in executed) - payout.amount)

    def check_open(self, payout, executed):
        """Nothing may be open once the statement is there; of what was paid, no shilling."""
        if executed:
            self.verdict.lost += 1
            self.verdict.unexplained += sum(entry["amount"] for _attempt, entry in executed)
            self.verdict.find(f"{payout.name}: was paid, and Odoo still calls it {payout.state}")
        else:
            self.verdict.waiting += 1

    def check_paid(self, payout, executed, wrongs):
        """Money moved: state, receipt, payment, bill and statement line must say so."""
        verdict = self.verdict
        verdict.paid += 1
        if "double_payment" in wrongs:  # of which the service told only one
            self.check_listed(payout, executed)
            executed = [pair for pair in executed if pair[1]["receipt"] == payout.receipt]
        receipts = [entry["receipt"] for _attempt, entry in executed] or [""]
        total = sum(entry["amount"] for _attempt, entry in executed)
        if payout.state != "paid":
            verdict.lost += 1
            verdict.unexplained += total
            verdict.find(f"{payout.name}: was paid, Odoo says {payout.state}")
            return
        if len(executed) != 1 or total != payout.amount:
            verdict.unexplained += abs(total - payout.amount)
            verdict.find(f"{payout.name}: M-Pesa paid {total} in {len(executed)} payments, Odoo "
                         f"knows {payout.amount}")
        if payout.receipt in receipts:
            receipts.insert(0, payout.receipt)
        says = (payout.receipt, payout.reference, payout.payment_state)
        if says != (receipts[0], receipts[0], "paid"):
            verdict.find(f"{payout.name}: receipt {receipts[0]}, Odoo has {says}")
        if payout.bill != "paid":
            verdict.find(f"{payout.name}: paid, but its bill is {payout.bill}")
        if self.lines[receipts[0], -payout.amount] != 1:
            verdict.unexplained += payout.amount if len(executed) == 1 else 0
            verdict.find(f"{payout.name}: {self.lines[receipts[0], -payout.amount]} statement "
                         f"lines of {receipts[0]}")

    def check_listed(self, payout, executed):
        """What the service paid beside the payment that it told of is listed for a person."""
        others = {entry["receipt"] for _attempt, entry in executed} - {payout.receipt}
        if others <= self.listed:
            self.verdict.explained["double_payment, seen on the statement only"] += 1
            return
        self.verdict.unexplained += sum(
            entry["amount"] for _a, entry in executed if entry["receipt"] in others)
        self.verdict.find(f"{payout.name}: was paid again with {others}, and nobody was told")

    def check_not_paid(self, payout):
        """No money moved: Odoo must not believe it did, and the bill is open again."""
        verdict = self.verdict
        verdict.not_paid += 1
        if payout.state == "paid" or payout.payment_state == "paid":
            verdict.lost += 1
            verdict.unexplained += payout.amount
            verdict.find(f"{payout.name}: nothing was paid, and Odoo says it was")
        elif payout.state in ("failed", "cancelled") and payout.bill != "not_paid":
            verdict.find(f"{payout.name}: not paid, but its bill is {payout.bill}")

    # ------------------------------------------------------------------ secrets
    def look_for_secrets(self, secrets, logs):
        """I-20: no credential and no callback address in logs, letters or messages.

        :param secrets: texts that must be nowhere
        :param logs: paths of log files
        """
        for path in logs:
            with open(path, encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    self._look(f"{path.name}:{number}", line, secrets)
        for where, raw in self.query(RAW):
            text = base64.b64decode(bytes(raw)).decode("latin-1")
            self._look(where, text, secrets)
        for where, text in self.query(TEXTS):
            self._look(where, text, secrets)

    def _look(self, where, text, secrets):
        if any(secret in text for secret in secrets) or TOKEN.search(text):
            self.verdict.find(f"I-20: a secret stands in {where}")
