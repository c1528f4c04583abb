"""Reader of the organisation portal's statement export (CSV and XLSX).

Nothing about the file is promised: columns come in any order, a preamble of any length stands
before them, dates and money have several forms. The reader raises nothing: what it can't read
becomes a Problem that names row and column, and a file with problems isn't imported.
"""

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .eat import EAT

MAX_BYTES = 20_000_000
MAX_UNPACKED = 200_000_000
MAX_ROWS = 100_000
MAX_PROBLEMS = 50
# the header stands somewhere in the first lines
PREAMBLE_LINES = 60

# Column names as normalised by `_plain`.
COLUMNS = {
    "receiptno": "receipt", "receiptnumber": "receipt", "receipt": "receipt",
    "completiontime": "completed", "initiationtime": "initiated",
    "details": "details", "transactionstatus": "status", "status": "status",
    "paidin": "paid_in", "withdrawn": "withdrawn", "withdrawal": "withdrawn",
    "balance": "balance", "reasontype": "reason", "otherpartyinfo": "party",
    "linkedtransactionid": "linked", "acno": "reference",
}
REQUIRED = ("receipt", "completed", "paid_in", "withdrawn")
NAMES = {
    "receipt": "Receipt No.", "completed": "Completion Time", "paid_in": "Paid In",
    "withdrawn": "Withdrawn", "balance": "Balance", "initiated": "Initiation Time",
}
DATE_FORMS = ("%d-%m-%Y", "%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d")
TIME_FORMS = (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", "")
RECEIPT = re.compile(r"[A-Z0-9]{6,20}")
FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s.,(]|KES|KSH|$)", re.IGNORECASE)

PAYMENT, FEE, TOP_UP, REVERSAL, MONEY_IN, OTHER = (
    "payment", "fee", "top_up", "reversal", "money_in", "other")
# In the same second the payment comes before its fee, and both before what takes them back.
RANK = {PAYMENT: 0, FEE: 1, REVERSAL: 2}
COMPLETED, FAILED, UNFINISHED = "completed", "failed", "unfinished"
FAILED_WORDS = frozenset({"failed", "declined", "cancelled", "canceled", "expired"})


@dataclass(frozen=True)
class Problem:
    """What can't be read: row and column as in the file, counted from 1; 0 is the whole file.

    ``code`` is one of: ``size``, ``rows``, ``format``, ``header``, ``column``, ``formula``,
    ``money``, ``date``, ``receipt``, ``status``, ``both``.
    """

    code: str
    row: int = 0
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the statement. Money is Decimal shillings; ``completed`` is UTC without zone."""

    line: int
    receipt: str
    completed: datetime
    amount: Decimal
    kind: str = OTHER
    status: str = COMPLETED
    balance: Decimal | None = None
    details: str = ""
    reason: str = ""
    party: str = ""
    linked: str = ""
    reference: str = ""
    initiated: datetime | None = None

    @property
    def key(self):
        """What makes it the same row in another file. A receipt alone doesn't: its fee has it."""
        return "|".join((self.receipt, self.kind, self.status, f"{self.amount:.2f}"))


@dataclass
class Export:
    """What a file says. ``sound`` tells whether balances and rows add up without a gap."""

    rows: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    shortcode: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    total: Decimal = Decimal(0)
    sound: bool = False
    breaks: list = field(default_factory=list)

    def blame(self, *args):
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(*args))


def parse(raw):
    """Read an export.

    :param bytes raw: the file as it was uploaded
    :rtype: Export
    """
    export = Export()
    lines = _read(raw, export)
    start, columns = _find_header(lines, export)
    if columns:
        _read_preamble(lines[:start], export)
        for number, cells in enumerate(lines[start + 1:], start + 2):
            _read_row(number, cells, columns, export)
        _add_up(export)
    return export


# === FILES === #

def _read(raw, export):
    """Return the file as lists of cells: text, number, datetime or None."""
    if len(raw) > MAX_BYTES:
        export.blame("size")
        return []
    try:
        lines = _read_xlsx(raw, export) if raw[:2] == b"PK" else _read_csv(raw)
    except Exception:  # noqa: BLE001  whatever a stranger's file does to the reader is told
        export.blame("format")
        return []
    if len(lines) > MAX_ROWS:
        export.blame("rows")
        return []
    return lines


def _read_csv(raw):
    if raw[:4] == b"\xd0\xcf\x11\xe0" or b"\x00" in raw[:4096].replace(b"\xff\xfe", b""):
        raise ValueError("not a text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    head = [line for line in text.splitlines()[:PREAMBLE_LINES] if "receipt" in line.lower()]
    sample = head[0] if head else text[:2000]
    delimiter = max(",;\t", key=sample.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines = []
    for cells in reader:
        lines.append(cells)
        if len(lines) > MAX_ROWS:
            break
    return lines


def _read_xlsx(raw, export):
    # here, because it is slow to load and only an upload needs it
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
            raise ValueError("too large when unpacked")
        for item in archive.infolist():
            if item.filename.endswith((".xml", ".rels")):
                with archive.open(item) as part:
                    if b"<!DOCTYPE" in part.read(2000):
                        raise ValueError("declares entities")
    book = load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
    lines = []
    for number, cells in enumerate(book.worksheets[0].iter_rows(), 1):
        if number > MAX_ROWS + 1:
            break
        for place, cell in enumerate(cells, 1):
            if getattr(cell, "data_type", "") == "f":
                export.blame("formula", number, str(place), str(cell.value)[:80])
        lines.append([cell.value for cell in cells])
    return lines


# === PREAMBLE AND HEADER === #

def _find_header(lines, export):
    """Return (index of the header, {name: column}); the header is known by its names."""
    if export.problems:
        return 0, {}
    for index, cells in enumerate(lines[:PREAMBLE_LINES]):
        columns = {}
        for place, cell in enumerate(cells):
            name = COLUMNS.get(_plain(cell))
            if name and name not in columns:
                columns[name] = place
        if "receipt" in columns and len(columns) >= 3:
            for name in REQUIRED:
                if name not in columns:
                    export.blame("column", index + 1, NAMES[name])
            return index, {} if export.problems else columns
    export.blame("header")
    return 0, {}


def _plain(value):
    return re.sub(r"[^a-z]", "", str(value or "").lower())


def _read_preamble(lines, export):
    for cells in lines:
        texts = [str(cell).strip() for cell in cells if cell not in (None, "")]
        for label, value in zip(texts, [*texts[1:], ""], strict=False):
            _read_label(label, value, export)


def _read_label(label, value, export):
    """Take what a pair of neighbouring cells says; ``Label: value`` may stand in one cell."""
    if ":" in label and not label.endswith(":"):
        label, value = label.split(":", 1)
    name = _plain(label)
    if name in ("shortcode", "organizationshortcode", "organisationshortcode", "businessshortcode"):
        export.shortcode = export.shortcode or re.sub(r"\D", "", value)
    elif name == "openingbalance":
        export.opening = _money(value.strip())
    elif name == "closingbalance":
        export.closing = _money(value.strip())
    elif name in ("timeperiod", "period", "daterange"):
        parts = re.split(r"\bto\b", re.sub(r"(?i)^\s*from\b", "", value), flags=re.IGNORECASE)
        if len(parts) == 2:
            export.begins = _date(parts[0].strip())
            export.ends = _date(parts[1].strip())


# === ROWS === #

def _read_row(number, cells, columns, export):
    if not any(str(cell).strip() for cell in cells if cell is not None):
        return
    found = len(export.problems)
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and FORMULA.match(cell.lstrip(" ")):
            export.blame("formula", number, str(place + 1), cell[:80])

    def get(name):
        place = columns.get(name)
        return cells[place] if place is not None and place < len(cells) else None

    values = {name: _take_money(get(name), name, number, export)
              for name in ("paid_in", "withdrawn", "balance")}
    receipt = _text(get("receipt")).upper()
    if not RECEIPT.fullmatch(receipt):
        export.blame("receipt", number, NAMES["receipt"], receipt[:80])
    completed = _date(get("completed"))
    if completed is None:
        export.blame("date", number, NAMES["completed"], _text(get("completed"))[:80])
    status = _status(_text(get("status")))
    if not status:
        export.blame("status", number, "Transaction Status", _text(get("status"))[:80])
    if values["paid_in"] and values["withdrawn"]:
        export.blame("both", number, NAMES["paid_in"], str(values["paid_in"]))
    if len(export.problems) > found or len(export.problems) >= MAX_PROBLEMS:
        return
    amount = abs(values["paid_in"] or Decimal(0)) - abs(values["withdrawn"] or Decimal(0))
    texts = {name: _text(get(name))[:500]
             for name in ("details", "reason", "party", "reference")}
    export.rows.append(Row(
        line=number, receipt=receipt, completed=completed, amount=amount, status=status,
        balance=values["balance"], linked=_text(get("linked")).upper()[:40],
        initiated=_date(get("initiated")),
        kind=classify(texts["reason"], texts["details"], amount), **texts,
    ))


def _take_money(cell, name, number, export):
    if cell is None or _text(cell) in ("", "-"):
        return None
    value = _money(cell)
    if value is None:
        export.blame("money", number, NAMES[name], _text(cell)[:80])
    return value


def _text(value):
    return "" if value is None else re.sub(r"\s+", " ", str(value)).strip().replace("\x00", "")


def _money(value):
    """Return Decimal shillings of at most two decimals, or None.

    ``1,200.00``, ``1.200,00``, ``-33.00``, ``(33.00)``, ``KES 33.00``, ``33``. What could mean
    two things, such as ``1.200``, isn't read.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        value = repr(value)
    text = re.sub(r"(?i)kes|ksh\.?|\s|'", "", str(value))
    negative = text.startswith("-") or text.endswith("-") or re.fullmatch(r"\(.*\)", text)
    text = text.strip("-()")
    for form in (r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?", r"[0-9]+(\.[0-9]{1,2})?"):
        if re.fullmatch(form, text):
            number = text.replace(",", "")
            break
    else:
        if not re.fullmatch(r"([0-9]{1,3}(\.[0-9]{3})+|[0-9]+),[0-9]{1,2}", text):
            return None
        number = text.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(number)
    except InvalidOperation:
        return None
    if amount >= Decimal(10) ** 12:
        return None
    return -amount if negative else amount


def _date(value):
    """Return UTC without zone, or None."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0, tzinfo=None) - EAT
    text = _text(value).replace("T", " ")
    if re.fullmatch(r"\d{14}", text):
        return _try_date(text, "%Y%m%d%H%M%S")
    for day in DATE_FORMS:
        for time in TIME_FORMS:
            if found := _try_date(text, day + time):
                return found
    return None


def _try_date(text, form):
    try:
        found = datetime.strptime(text, form)
    except ValueError:
        return None
    return found - EAT if 2007 <= found.year <= 2100 else None


def _status(text):
    word = text.lower()
    if word in ("", "completed", "complete"):
        return COMPLETED
    if word in FAILED_WORDS:
        return FAILED
    return UNFINISHED if re.fullmatch(r"[a-z ]{3,30}", word) else ""


def classify(reason, details, amount):
    """Return what kind of movement a row is; the reason counts before the details.

    :param Decimal amount: above zero when money came in
    """
    return next(filter(None, (_kind(text, amount) for text in (reason, details))), None) or (
        MONEY_IN if amount > 0 else OTHER)


def _kind(text, amount):
    text = text.lower()
    if re.search(r"\breversal\b|\breversed\b", text):
        return REVERSAL
    if amount <= 0:
        if re.search(r"\b(charges?|fees?)\b", re.split(r"\bto 2547|\bto 2541", text)[0]):
            return FEE
        if re.search(r"\b(business|salary|promotion|b2c) ?payment", text):
            return PAYMENT
        return ""
    if re.search(
        r"settlement|top.?up|funding|deposit|pay to bulk|paytobulk|working account|mmf"
        r"|transfer of funds|funds transfer|organi[sz]ation transfer", text,
    ):
        return TOP_UP
    return MONEY_IN if re.search(r"pay ?bill|buy ?goods|merchant|customer", text) else ""


# === ADDING UP === #

def _add_up(export):
    """Bring the rows into the order of time and see whether balances and amounts agree."""
    rows = export.rows
    if not rows:
        if export.opening is not None and export.opening == export.closing:
            export.sound = True
        return
    if _runs_backwards(rows):
        rows.reverse()
    done = [row for row in rows if row.status == COMPLETED]
    export.total = sum((row.amount for row in done), Decimal(0))
    with_balance = [row for row in done if row.balance is not None]
    if done and len(with_balance) == len(done):
        balance = done[0].balance - done[0].amount
        if export.opening is None:
            export.opening = balance
        for row in done:
            expected = balance + row.amount
            if row.balance != expected:
                export.breaks.append((row.line, row.balance - expected))
            balance = row.balance
        if export.closing is None:
            export.closing = balance
    times = [row.completed for row in rows]
    export.begins = min(filter(None, (export.begins, min(times))))
    export.ends = max(times)
    export.sound = bool(
        export.opening is not None and export.closing is not None and not export.breaks
        and export.opening + export.total == export.closing)


def _runs_backwards(rows):
    """Whether the newest row is first; the running balance decides when the times don't."""
    if rows[0].completed != rows[-1].completed:
        return rows[0].completed > rows[-1].completed
    done = [row for row in rows if row.status == COMPLETED and row.balance is not None]
    pairs = list(zip(done, done[1:], strict=False))
    forward = sum(a.balance + b.amount == b.balance for a, b in pairs)
    return sum(b.balance + a.amount == a.balance for a, b in pairs) > forward
