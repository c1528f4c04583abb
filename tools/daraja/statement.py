"""The statement of the organisation's account, as the organisation portal exports it.

The export's exact columns are published nowhere; what is known of them (columns in any order,
three forms of dates, several of money, a preamble, fee rows with the payment's receipt) is played
by the styles.  The balance is utility account and charges account together, so that every row
with money moves it.
"""

import csv
import dataclasses
import datetime
import hashlib
import io

from . import wire, xlsx

RECEIPT, COMPLETED, INITIATED = "Receipt No.", "Completion Time", "Initiation Time"
DETAILS, STATUS = "Details", "Transaction Status"
PAID_IN, WITHDRAWN, BALANCE = "Paid In", "Withdrawn", "Balance"
CONFIRMED, REASON, PARTY = "Balance Confirmed", "Reason Type", "Other Party Info"
LINKED, ACCOUNT = "Linked Transaction ID", "A/C No."
COLUMNS = (RECEIPT, COMPLETED, INITIATED, DETAILS, STATUS, PAID_IN, WITHDRAWN, BALANCE, CONFIRMED,
           REASON, PARTY, LINKED, ACCOUNT)
SHORT = (COMPLETED, RECEIPT, STATUS, PARTY, REASON, DETAILS, WITHDRAWN, PAID_IN, BALANCE)
REASONS = {
    "SalaryPayment": "Salary Payment",
    "BusinessPayment": "Business Payment to Customer",
    "PromotionPayment": "Promotion Payment",
}
TITLES = {"b2c": " via API", "fee": "B2C Payment Charge", "reversal": "Transaction Reversal"}


@dataclasses.dataclass(frozen=True)
class Style:
    """How an export writes what it has to say."""

    columns: tuple = COLUMNS
    preamble: bool = True
    dates: str = "%d-%m-%Y %H:%M:%S"
    money: str = "thousands"  # or plain, comma (1.200,00)
    negative: bool = False  # money that went out is written with a minus
    newest_first: bool = True
    delimiter: str = ","
    mark: str = ""  # before the first line, such as a byte order mark
    typed: bool = False  # XLSX: numbers and dates instead of texts
    fee_receipt: bool = False  # the fee has a receipt of its own, linked to the payment's
    says_id: bool = True  # the details name the request's id


STYLES = {
    "portal": Style(negative=True),
    "plain": Style(preamble=False, dates="%Y-%m-%d %H:%M:%S", money="plain", newest_first=False,
                   typed=True),
    "slash": Style(columns=SHORT, dates="%d/%m/%Y %H:%M:%S", says_id=False),
    "semicolon": Style(dates="%d/%m/%Y %H:%M:%S", money="comma", delimiter=";", mark="\ufeff"),
    "linked": Style(dates="%Y-%m-%d %H:%M:%S", negative=True, fee_receipt=True, typed=True),
}


@dataclasses.dataclass
class Row:
    """One line: whole shillings in and out, and what is in the account after it."""

    seq: int
    at: str
    receipt: str
    details: str
    reason: str
    paid_in: int = 0
    withdrawn: int = 0
    status: str = "Completed"
    party: str = ""
    linked: str = ""
    account: str = ""
    initiated: str = ""
    balance: int = 0


def fee_receipt(receipt):
    """Return the receipt number of a payment's fee where that has one of its own."""
    digest = hashlib.sha256(receipt.encode()).hexdigest().upper()
    return receipt[:3] + digest[:7]


def other_party(transaction, entry):
    """Return ``2547... - NAME`` of the customer."""
    return f"{entry['msisdn']} - {entry.get('name') or transaction['name']}"


def paid_rows(entry, known, style):
    """Return the rows of an executed payment: the money and, if there is one, its fee."""
    transaction = known[entry["id"]]
    party = other_party(transaction, entry)
    if entry["kind"] != "b2c":
        reference = transaction.get("account_reference", "")
        return [Row(entry["seq"], entry["at"], entry["receipt"], f"Pay Bill from {party}",
                    "Pay Bill Online", paid_in=entry["amount"], party=party, account=reference,
                    initiated=transaction["at"])]
    reason = REASONS[transaction["command"]]
    told = f" Original conversation ID is {entry['id']}." if style.says_id else ""
    rows = [Row(entry["seq"], entry["at"], entry["receipt"], f"{reason} to {party} via API.{told}",
                reason + TITLES["b2c"], withdrawn=entry["amount"], party=party,
                initiated=transaction["at"])]
    if entry["fee"]:
        receipt = fee_receipt(entry["receipt"]) if style.fee_receipt else entry["receipt"]
        rows.append(Row(entry["seq"], entry["at"], receipt, f"Fee for {reason} to {party}",
                        TITLES["fee"], withdrawn=entry["fee"], party=party,
                        linked=entry["receipt"], initiated=transaction["at"]))
    return rows


def rows_of(entry, known, style):
    """Return the statement rows of one line of the ledger."""
    kind = entry["type"]
    if kind == "paid":
        return paid_rows(entry, known, style)
    if kind == "failed" and known[entry["id"]]["kind"] == "b2c":
        transaction = known[entry["id"]]
        reason = REASONS[transaction["command"]]
        party = other_party(transaction, transaction)
        return [Row(entry["seq"], entry["at"], entry["transaction_id"], f"{reason} to {party}",
                    reason + TITLES["b2c"], withdrawn=transaction["amount"], status="Failed",
                    party=party, initiated=transaction["at"])]
    if kind == "float_added":
        return [Row(entry["seq"], entry["at"], entry.get("receipt", f"FLOAT{entry['seq']:05}"),
                    "Transfer from Organization Settlement Account to Utility Account",
                    "Organization Settlement", paid_in=entry["amount"])]
    if kind == "reversed":
        party = other_party(entry, entry)
        return [Row(entry["seq"], entry["at"], entry["receipt"],
                    f"Reversal of {entry['original']} from {party}", TITLES["reversal"],
                    paid_in=entry["amount"], party=party, linked=entry["original"])]
    if kind == "foreign":
        amount = entry["amount"]
        return [Row(entry["seq"], entry["at"], entry["receipt"], entry["details"],
                    entry["reason"], paid_in=max(amount, 0), withdrawn=max(-amount, 0),
                    party=entry.get("party", ""))]
    return []


def rows(entries, style, since=""):
    """Return (opening balance, rows) of a ledger.

    :param list entries: the ledger's lines
    :param str since: the number of a line or the beginning of an ISO time; rows after it
    """
    known, found, balance, opening = {}, [], 0, None
    for entry in entries:
        if entry["type"] == "opening":
            balance += entry["utility"]
        elif entry["type"] == "accepted":
            known[entry["id"]] = entry
        wanted = entry["seq"] > int(since) if since.isdigit() else entry["at"] >= since
        if wanted and opening is None and entry["type"] != "opening":
            opening = balance
        for row in rows_of(entry, known, style):
            if row.status == "Completed":
                balance += row.paid_in - row.withdrawn
            row.balance = balance
            if wanted:
                found.append(row)
    return (balance if opening is None else opening), found


def money(amount, style):
    """Return whole shillings as the style writes them."""
    text = f"{amount:,.2f}" if style.money != "plain" else f"{amount:.2f}"
    return text.translate(str.maketrans(",.", ".,")) if style.money == "comma" else text


def cells(row, style):
    """Return a row's values by column: texts, datetimes and numbers as they are meant."""
    out = -row.withdrawn if style.negative else row.withdrawn
    return {
        RECEIPT: row.receipt, COMPLETED: wire.parse(row.at),
        INITIATED: wire.parse(row.initiated or row.at), DETAILS: row.details,
        STATUS: row.status, PAID_IN: row.paid_in or None,
        WITHDRAWN: out or None, BALANCE: row.balance, CONFIRMED: "true",
        REASON: row.reason, PARTY: row.party, LINKED: row.linked, ACCOUNT: row.account,
    }


def written(value, style):
    """Return a value as text."""
    if isinstance(value, datetime.datetime):
        return value.strftime(style.dates)
    if isinstance(value, int):
        return money(value, style)
    return "" if value is None else value


def sheet(sim, style, since=""):
    """Return the export as a list of lines of cells.  Preamble first, then header and rows."""
    with sim.bank.lock:
        opening, found = rows(list(sim.ledger.entries), style, since)
    closing = found[-1].balance if found else opening
    moment = wire.now()
    lines = []
    if style.preamble:
        code = sim.settings.shortcode or "600992"
        begin = wire.parse(found[0].at) if found else moment
        lines = [
            ["Organization:", sim.settings.organisation], ["Short Code:", code],
            ["Account:", "Utility Account"],
            ["Time Period:", f"From {written(begin, style)} To {written(moment, style)}"],
            ["Operator:", "mfano.operator"],
            ["Opening Balance:", money(opening, style), "Closing Balance:", money(closing, style)],
            [],
        ]
    lines.append(list(style.columns))
    ordered = reversed(found) if style.newest_first else found
    lines += [[cells(row, style)[name] for name in style.columns] for row in ordered]
    return lines


def as_csv(sim, style, since=""):
    """Return the export as the bytes of a CSV file."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=style.delimiter)
    for line in sheet(sim, style, since):
        writer.writerow([written(value, style) for value in line])
    return (style.mark + stream.getvalue()).encode()


def as_xlsx(sim, style, since=""):
    """Return the export as the bytes of an XLSX file."""
    lines = sheet(sim, style, since)
    if not style.typed:
        lines = [[written(value, style) for value in line] for line in lines]
    return xlsx.workbook(lines)
