"""The simulator's statement: what the organisation portal would export of its ledger."""

import csv
import datetime
import io
import urllib.request

import pytest
import test_daraja
from test_daraja import B2C, b2c

listener, program, sim = test_daraja.listener, test_daraja.program, test_daraja.sim
STYLES = ("portal", "plain", "slash", "semicolon", "linked")


@pytest.fixture
def books(sim, listener):
    """Two payments (one with a fee), one refused, a top-up, a foreign row and a reversal."""
    sim.people({"254700000001": "WANJIRU MFANO", "254700000002": {"registered": False}})
    for values in ({"Amount": "1200"}, {"Amount": "50"}, {"PartyB": "254700000002"}):
        sim.post(B2C, b2c(listener, **values))
        listener.next()
    sim.call("/_sim/float", {"amount": 5000})
    sim.call("/_sim/foreign", {"amount": -700, "details": "Transfer to 600111 - OTHER"})
    receipt = sim.ledger()["payments"][1]["receipt"]
    assert sim.call("/_sim/reverse", {"receipt": receipt})[1]["original"] == receipt
    assert sim.call("/_sim/reverse", {"receipt": receipt})[0] == 404
    return sim


def fetch(sim, kind, style, since=""):
    address = f"{sim.url}/_sim/statement.{kind}?style={style}&since={since}"
    with test_daraja.OPENER.open(urllib.request.Request(address), timeout=10) as answer:
        assert "attachment" in answer.headers["Content-Disposition"]
        return answer.read()


def table(lines, style):
    """Return the rows under the header, oldest first, as dicts."""
    at = next(n for n, line in enumerate(lines) if "Receipt No." in line)
    rows = [dict(zip(lines[at], line, strict=True)) for line in lines[at + 1:]]
    return rows if style == "plain" else rows[::-1]


def number(text):
    if isinstance(text, (int, float)) or not text:
        return int(text or 0)
    if "," in text and text.rindex(",") > text.rfind("."):
        text = text.replace(".", "").replace(",", ".")
    return int(float(text.replace(",", "")))


def read_csv(sim, style, since=""):
    text = fetch(sim, "csv", style, since).decode("utf-8-sig")
    delimiter = ";" if style == "semicolon" else ","
    return table(list(csv.reader(io.StringIO(text), delimiter=delimiter)), style)


@pytest.mark.parametrize("style", STYLES)
def test_statement_carries_every_shilling(books, style):
    rows = read_csv(books, style)
    accounts = books.ledger()["accounts"]
    assert number(rows[-1]["Balance"]) == accounts["utility"] + accounts["charges"] == 103_095
    balance = 100_000
    for row in rows:
        if row["Transaction Status"] == "Completed":
            balance += number(row["Paid In"]) - abs(number(row["Withdrawn"]))
        assert number(row["Balance"]) == balance
    assert [row["Transaction Status"] for row in rows].count("Failed") == 1
    assert len(rows) == 7


def test_fee_rows_share_the_receipt_or_are_linked(books):
    [payment, fee] = read_csv(books, "portal")[:2]
    assert payment["Receipt No."] == fee["Receipt No."] == fee["Linked Transaction ID"]
    assert (payment["Withdrawn"], fee["Withdrawn"]) == ("-1,200.00", "-5.00")
    assert payment["Other Party Info"] == "254700000001 - WANJIRU MFANO"
    assert datetime.datetime.strptime(payment["Completion Time"], "%d-%m-%Y %H:%M:%S")
    [payment, fee] = read_csv(books, "linked")[:2]
    assert payment["Receipt No."] != fee["Receipt No."]
    assert payment["Receipt No."] == fee["Linked Transaction ID"]
    assert read_csv(books, "semicolon")[0]["Withdrawn"] == "1.200,00"


def test_preamble_since_and_unknown_style(books):
    lines = fetch(books, "csv", "portal").decode().splitlines()
    assert lines[0].startswith("Organization:,Soko Mfano")
    assert lines[5] == 'Opening Balance:,"100,000.00",Closing Balance:,"103,095.00"'
    seq = next(e["seq"] for e in books.ledger()["entries"] if e["type"] == "float_added")
    rows = read_csv(books, "plain", seq - 1)
    assert [number(row["Paid In"]) for row in rows] == [5000, 0, 50]
    assert fetch(books, "csv", "portal", "2999-01-01").decode().splitlines()[-1].startswith(
        "Receipt No.")
    assert books.call("/_sim/statement.csv?style=odd")[0] == 400


@pytest.mark.parametrize("style", STYLES)
def test_xlsx_says_the_same(books, style):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(fetch(books, "xlsx", style)))
    lines = [list(line) for line in book.active.iter_rows(values_only=True)]
    rows, twin = table(lines, style), read_csv(books, style)
    assert [row["Receipt No."] for row in rows] == [row["Receipt No."] for row in twin]
    assert [number(row["Balance"]) for row in rows] == [number(row["Balance"]) for row in twin]
    typed = style in ("plain", "linked")
    assert isinstance(rows[0]["Completion Time"], datetime.datetime) is typed
