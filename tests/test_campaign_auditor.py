"""The auditor of the campaign, on books that are wrong on purpose: each difference is found."""

import base64
import dataclasses

import pytest
from campaign import auditor, script


@dataclasses.dataclass
class Books:
    """One payment of 1,200 that is right on both sides, until a test spoils it."""

    payout: dict = dataclasses.field(default_factory=lambda: {
        "id": 1, "name": "MPO/1", "payment": 1, "amount": 1200, "msisdn": "254700000001",
        "state": "paid", "receipt": "SG632NMUAB", "exception": False, "payment_state": "paid",
        "reference": "SG632NMUAB", "payment_amount": 1200, "bill": "paid"})
    attempts: list = dataclasses.field(default_factory=lambda: [{
        "payout": 1, "originator": "A", "state": "paid", "sends": 1, "sha256": "d1",
        "receipt": "SG632NMUAB", "number": 1}])
    lines: list = dataclasses.field(default_factory=lambda: [("SG632NMUAB", -1200)])
    accepted: list = dataclasses.field(default_factory=lambda: [
        {"id": "A", "amount": 1200, "msisdn": "254700000001", "sha256": "d1"}])
    paid: list = dataclasses.field(default_factory=lambda: [
        {"id": "A", "amount": 1200, "fee": 5, "msisdn": "254700000001",
         "receipt": "SG632NMUAB"}])
    seen: dict = dataclasses.field(default_factory=lambda: {"A": {"requests": 1, "faults": []}})
    differences: list = dataclasses.field(default_factory=list)
    raw: bytes = b'{"Result": {}}'
    utility: int = 0

    def ledger(self):
        entries = [{"type": "opening", "utility": 10_000}]
        entries += [{"type": "accepted", "kind": "b2c", **entry} for entry in self.accepted]
        entries += [{"type": "paid", "kind": "b2c", **entry} for entry in self.paid]
        left = 10_000 - sum(entry["amount"] for entry in self.paid)
        charges = -sum(entry["fee"] for entry in self.paid)
        return {"entries": entries, "accounts": {
            "utility": self.utility or left, "charges": charges}}

    def query(self, text):
        return {
            auditor.PAYOUTS: [tuple(self.payout.values())],
            auditor.ATTEMPTS: [tuple(attempt.values()) for attempt in self.attempts],
            auditor.LINES: self.lines,
            auditor.DIFFERENCES: self.differences,
            auditor.RAW: [("inbox 1", base64.b64encode(self.raw))],
            auditor.TEXTS: [],
        }[text]

    def verdict(self, logs=()):
        found = auditor.Auditor(self.ledger(), self.seen, self.query, script.CRIMES)
        found.compare()
        found.look_for_secrets(["hidden-secret"], logs)
        return found.verdict


def spoil(books, **changes):
    """Change books in place; a dict updates a dict, anything else replaces."""
    for name, value in changes.items():
        if isinstance(value, dict) and name == "payout":
            books.payout.update(value)
        else:
            setattr(books, name, value)
    return books


def test_right_books_are_clean():
    verdict = Books().verdict()
    assert verdict.clean
    assert (verdict.payouts, verdict.paid, verdict.requests) == (1, 1, 1)


TWICE = [{"id": "A", "amount": 1200, "msisdn": "254700000001", "sha256": "d1"}] * 2
PAID = {"id": "A", "amount": 1200, "fee": 5, "msisdn": "254700000001", "receipt": "SG632NMUAB"}


@pytest.mark.parametrize("changes, figure, words", [
    ({"accepted": TWICE, "paid": [PAID, {**PAID, "receipt": "SG632NMUAC"}]}, "double", "I-8"),
    ({"seen": {"A": {"requests": 2, "faults": []}}}, None, "I-8"),
    ({"seen": {"B": {"requests": 1, "faults": []}, "A": {"requests": 1, "faults": []}}}, None,
     "I-7"),
    ({"accepted": [{**TWICE[0], "sha256": "other"}]}, None, "I-14"),
    ({"accepted": [{**TWICE[0], "amount": 1300}]}, None, "I-7"),
    ({"utility": 8_000}, "unexplained", "I-19"),
    ({"payout": {"state": "failed", "payment_state": "rejected"}}, "lost", "was paid"),
    ({"payout": {"state": "in_flight"}, "attempts": [{
        "payout": 1, "originator": "A", "state": "unknown", "sends": 1, "sha256": "d1",
        "receipt": None, "number": 1}]}, "lost", "still calls it"),
    ({"paid": []}, "lost", "nothing was paid"),
    ({"payout": {"reference": "OTHER"}}, None, "receipt"),
    ({"payout": {"bill": "in_payment"}}, None, "its bill"),
    ({"lines": []}, "unexplained", "0 statement lines"),
    ({"lines": [("SG632NMUAB", -1200)] * 2}, "unexplained", "2 statement lines"),
    ({"payout": {"exception": True, "state": "exception"}}, None, "did nothing wrong"),
    ({"payout": {"payment_amount": 1500}}, None, "another amount"),
    ({"raw": b"our hidden-secret"}, None, "I-20"),
    ({"raw": b"/soko/daraja/payout/0123456789abcdefghijklmnop"}, None, "I-20"),
])
def test_each_difference_is_found(changes, figure, words):
    verdict = spoil(Books(), **changes).verdict()
    assert not verdict.clean
    assert any(words in text for text in verdict.findings), verdict.findings
    if figure:
        assert getattr(verdict, figure) > 0


def test_a_new_reference_for_a_paid_payout_is_a_double_payment():
    books = Books()
    second = {**books.attempts[0], "originator": "B", "number": 2, "receipt": "SG632NMUAC"}
    books.attempts.append(second)
    books.accepted.append({**books.accepted[0], "id": "B"})
    books.paid.append({**PAID, "id": "B", "receipt": "SG632NMUAC"})
    books.seen["B"] = {"requests": 1, "faults": []}
    assert books.verdict().double == 1


@pytest.mark.parametrize("paid", [
    [{**PAID, "amount": 1300}], [{**PAID, "msisdn": "254700000099"}],
    [PAID, {**PAID, "receipt": "SG632NMUAC"}],
])
def test_misdeeds_of_the_service_are_explained_if_a_person_was_called(paid):
    books = spoil(Books(), paid=paid, payout={"exception": True, "state": "exception"})
    verdict = books.verdict()
    assert verdict.clean, verdict.findings
    assert sum(verdict.explained.values()) == 1


def test_a_wrong_amount_that_nobody_was_called_for_is_found():
    verdict = spoil(Books(), paid=[{**PAID, "amount": 1300}]).verdict()
    assert verdict.unexplained == 100


def test_what_is_open_after_the_statement_is_no_end():
    books = spoil(Books(), paid=[], accepted=[], payout={"state": "in_flight"})
    books.attempts[0]["state"] = "unknown"
    verdict = books.verdict()
    assert verdict.waiting == 1
    assert not verdict.clean


@pytest.mark.parametrize("listed, shillings", [(["SG632NMUAC"], 0), (["SG632NMUAD"], 1200)])
def test_a_payment_that_the_service_repeated_unasked_is_on_the_list_of_differences(
        listed, shillings):
    again = {**PAID, "receipt": "SG632NMUAC"}
    verdict = spoil(Books(), paid=[PAID, again], differences=[(r,) for r in listed]).verdict()
    assert verdict.unexplained == shillings
    assert verdict.clean == (not shillings)


def test_secrets_in_logs(tmp_path):
    log = tmp_path / "odoo.log"
    log.write_text("all is well\nthe key is hidden-secret\n")
    [finding] = Books().verdict([log]).findings
    assert finding == "I-20: a secret stands in odoo.log:2"


def test_plans_are_seeded_and_complete():
    assert script.kills(26, 1) == script.kills(26, 1) != script.kills(26, 2)
    first, second = script.kills(26, 1)[:13], script.kills(26, 1)[13:]
    assert {point for point, _kind in first} == {p for p, _kind in second} == set(script.POINTS)
    assert {kind for _point, kind in first} == {"kill -9"}
    assert {kind for _point, kind in second} == {"SIGTERM", "pg immediate"}
    assert len({kind for _point, kind in script.kills(13, 5)}) > 1
