"""Statements as the organisation portal exports them, for tests."""

import csv
import io
from datetime import datetime

COLUMNS = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status",
    "Paid In", "Withdrawn", "Balance", "Balance Confirmed", "Reason Type", "Other Party Info",
    "Linked Transaction ID", "A/C No.",
)
PREAMBLE = (
    ["Organization:", "MFANO JEWELS"], ["Short Code:", "600992"], [],
    ["Operator:", "mfano.operator"],
)


def line(receipt, amount, balance, at="06-07-2024 22:48:52", **more):
    """Return a row as {column: text}; `amount` is signed shillings as text or number."""
    text = f"{amount:,.2f}" if isinstance(amount, (int, float)) else amount
    out = text.startswith("-")
    return {
        "Receipt No.": receipt, "Completion Time": at, "Initiation Time": at,
        "Transaction Status": "Completed", "Paid In": "" if out else text,
        "Withdrawn": text if out else "", "Balance": f"{balance:,.2f}",
        "Balance Confirmed": "true", **more,
    }


def payment(receipt, amount, balance, number="254700000041", **more):
    """Return the row of a payment of `amount` shillings."""
    party = f"{number} - Amina Mfano"
    return line(receipt, -amount, balance, **{
        "Reason Type": "Business Payment to Customer via API", "Other Party Info": party,
        "Details": f"Business Payment to {party} via API.", **more})


def fee(receipt, amount, balance, **more):
    """Return the row of a payment's fee."""
    return line(receipt, -amount, balance, **{
        "Reason Type": "B2C Payment Charge", "Details": "Fee for Business Payment", **more})


def make_csv(rows, columns=COLUMNS, preamble=PREAMBLE, delimiter=",", encoding="utf-8"):
    """Return the bytes of a CSV export."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerows(preamble)
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    return stream.getvalue().encode(encoding)


def make_xlsx(rows, columns=COLUMNS, preamble=PREAMBLE):
    """Return the bytes of an XLSX export; numbers and datetimes stay what they are."""
    from openpyxl import Workbook

    book = Workbook()
    for cells in (*preamble, columns, *([row.get(name) for name in columns] for row in rows)):
        book.active.append(list(cells))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def at(moment):
    """Return a UTC moment as the portal writes it, in Nairobi's time."""
    from ..tools.statement import EAT

    assert isinstance(moment, datetime)
    return (moment + EAT).strftime("%d-%m-%Y %H:%M:%S")
