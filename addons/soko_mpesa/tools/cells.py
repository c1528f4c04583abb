"""Texts that a spreadsheet would take for a formula, a command or a link into other files."""

import re

# What makes a spreadsheet program calculate a cell, in the widths of all alphabets; blanks before
# it are skipped by some programs. A tab or a line's end at the beginning makes others look on.
_ACTIVE = re.compile(
    r"[\s\x00-\x1f\ufeff]*(?:[=+\-@\uff1d\uff0b\uff0d\uff20]|\{=)|[\t\r\n]"
    r"|(?:internal|external|file):", re.IGNORECASE)


def guard(value):
    """Return a cell's value so that a spreadsheet shows it and does nothing else.

    An apostrophe in front says "this is text", as Odoo's own CSV export does it. The source of
    the signs is OWASP's page on CSV injection; ``internal:``, ``external:`` and ``file:`` are
    what the writer of XLSX files makes links of.

    :param value: of any type; only texts, as str or bytes, are looked at
    :return: the same value, or the text with an apostrophe in front
    """
    if isinstance(value, str) and _ACTIVE.match(value):
        return "'" + value
    if isinstance(value, bytes) and _ACTIVE.match(value.decode(errors="replace")):
        return b"'" + value
    return value
