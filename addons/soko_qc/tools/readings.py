"""Readings that instruments export as CSV: rectifiers and X-ray thickness gauges. No database.

A file that could be read in two ways is refused: ``1,234`` is 1.234 to one instrument and 1234 to
another, and a wrong guess would be a wrong layer.
"""

import csv
import io
import math
from typing import NamedTuple

# Header words of the columns, lower case, as instruments and people write them.
COLUMNS = {
    "minutes": ("minutes", "minute", "min", "time (min)", "time_min", "zeit"),
    "seconds": ("seconds", "second", "sec", "s", "time (s)", "time_s"),
    "current": ("amps", "amp", "a", "current", "current (a)", "current_a", "strom"),
    "volts": ("volts", "volt", "v", "voltage", "voltage (v)", "spannung"),
    "lot": ("lot", "piece", "sample", "serial", "work order"),
    "place": ("place", "spot", "position", "point"),
    "thickness": ("thickness", "um", "µm", "thickness (um)", "thickness (µm)", "thickness_um"),
}
MAX_ROWS = 20000


class ReadingError(ValueError):
    """A file that can't be read.

    :ivar str code: ``empty``, ``encoding``, ``columns``, ``number``, ``order``, ``ambiguous``,
        ``negative`` or ``long``
    :ivar int line: line of the file, 0 for the whole file
    :ivar str detail: what stood there, or what is missing
    """

    def __init__(self, code, line=0, detail=""):
        super().__init__(f"{code} in line {line}: {detail}")
        self.code, self.line, self.detail = code, line, detail


class RectifierLog(NamedTuple):
    """What a rectifier did: mean amperes and volts over time, minutes, ampere-hours."""

    current_a: float
    volts: float
    minutes: float
    ampere_hours: float


class Thickness(NamedTuple):
    """One reading of a gauge: which piece or lot, which place on it, um."""

    lot: str
    place: str
    thickness_um: float


def parse_number(text, line=0, decimal_comma=False):
    """A number as an instrument writes it.

    :param bool decimal_comma: the comma separates decimals (the fields by semicolon or tab)
    :raises ReadingError: for a text that is no finite number, or has thousands separators
    """
    cleaned = text.strip()
    if decimal_comma:
        if "," in cleaned and "." in cleaned:
            raise ReadingError("ambiguous", line, text)
        cleaned = cleaned.replace(",", ".")
    elif "," in cleaned:
        raise ReadingError("ambiguous", line, text)
    try:
        number = float(cleaned)
    except ValueError:
        raise ReadingError("number", line, text) from None
    if not math.isfinite(number):
        raise ReadingError("number", line, text)
    return number


def read_rectifier(content):
    """Read a rectifier's log: time (minutes or seconds), amperes and, if it is there, volts.

    Ampere-hours are the area under the current by the trapezoidal rule.

    :param bytes content: the file
    :raises ReadingError: when it can't be read without a guess
    :rtype: RectifierLog
    """
    rows = _read_rows(content, (("minutes", "seconds"), ("current",)))
    points = [_rectifier_point(line, row) for line, row in rows]
    if len(points) < 2:
        raise ReadingError("empty", 0, "")
    ampere_minutes = volt_minutes = 0.0
    for (line, t0, a0, v0), (_line, t1, a1, v1) in zip(points, points[1:], strict=False):
        if t1 < t0:
            raise ReadingError("order", line + 1, str(t1))
        ampere_minutes += (a0 + a1) / 2 * (t1 - t0)
        volt_minutes += (v0 + v1) / 2 * (t1 - t0)
    minutes = points[-1][1] - points[0][1]
    if not minutes > 0:
        raise ReadingError("empty", 0, "")
    return RectifierLog(
        ampere_minutes / minutes, volt_minutes / minutes, minutes, ampere_minutes / 60
    )


def read_thickness(content):
    """Read an X-ray gauge's export: thickness in um and, if they are there, lot and place.

    :param bytes content: the file
    :raises ReadingError: when it can't be read without a guess
    :rtype: list[Thickness]
    """
    rows = _read_rows(content, (("thickness",),))
    found = []
    for line, row in rows:
        value = row["thickness"]
        if value < 0:
            raise ReadingError("negative", line, str(value))
        found.append(Thickness(row.get("lot", ""), row.get("place", ""), value))
    if not found:
        raise ReadingError("empty", 0, "")
    return found


def _rectifier_point(line, row):
    if row["current"] < 0 or row.get("volts", 0.0) < 0:
        raise ReadingError("negative", line, str(row["current"]))
    minutes = row["minutes"] if "minutes" in row else row["seconds"] / 60
    return line, minutes, row["current"], row.get("volts", 0.0)


def _read_rows(content, needed):
    """Lines of the file as ``(line number, {column: value})``."""
    text = _decode(content)
    lines = text.splitlines()
    if not text.strip():
        raise ReadingError("empty", 0, "")
    if len(lines) > MAX_ROWS:
        raise ReadingError("long", 0, str(MAX_ROWS))
    header = lines[0]
    delimiter = next((d for d in (";", "\t") if d in header), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    columns = _find_columns(next(reader), needed)
    rows = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((reader.line_num, _read_cells(cells, columns, reader.line_num, delimiter)))
    return rows


def _read_cells(cells, columns, line, delimiter):
    # A decimal comma in a file separated by commas makes one cell too many.
    if len(cells) > max(columns.values()) + 1 and len(cells) != columns.width:
        raise ReadingError("ambiguous", line, delimiter.join(cells))
    row = {}
    for name, index in columns.items():
        if index >= len(cells):
            raise ReadingError("columns", line, name)
        text = cells[index].strip()
        is_text = name in ("lot", "place")
        row[name] = text if is_text else parse_number(text, line, delimiter != ",")
    return row


class _Columns(dict):
    """Index of each known column, and how many cells the header has."""

    width = 0


def _find_columns(header, needed):
    columns = _Columns()
    columns.width = len(header)
    words = [cell.strip().lstrip("\ufeff").lower() for cell in header]
    for name, spellings in COLUMNS.items():
        index = next((i for i, word in enumerate(words) if word in spellings), None)
        if index is not None:
            columns[name] = index
    for names in needed:
        if not any(name in columns for name in names):
            raise ReadingError("columns", 1, " / ".join(names))
    return columns


def _decode(content):
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReadingError("encoding", 0, "")
