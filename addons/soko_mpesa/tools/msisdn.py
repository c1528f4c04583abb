"""Kenyan mobile numbers in the one form that Daraja takes: 2547XXXXXXXX or 2541XXXXXXXX.

Numbers are never refused by the operator's prefix: they can be ported between operators.
"""

import re

_SEPARATORS = re.compile(r"[\s().\-\u00a0\u2010-\u2015]+")
_CANONICAL = re.compile(r"254[17]\d{8}")
_INTERNATIONAL = re.compile(r"(?:\+|00)?(254[17]\d{8})")
_LOCAL = re.compile(r"0([17]\d{8})")
_BARE = re.compile(r"[17]\d{8}")


def normalise(text):
    """Return `text` as twelve digits.

    :param str text: a number as a person writes it: ``0712 345 678``, ``+254 712-345678``,
        ``254(0)712345678`` is *not* one of them
    :rtype: str
    :raise ValueError: it isn't a Kenyan mobile number; the message is one of the keys
        ``empty``, ``characters``, ``country``, ``landline``, ``length``
    """
    number = _SEPARATORS.sub("", text or "")
    if not number:
        raise ValueError("empty")
    if not re.fullmatch(r"\+?[0-9]+", number):
        raise ValueError("characters")
    if match := _INTERNATIONAL.fullmatch(number):
        return match[1]
    if match := _LOCAL.fullmatch(number):
        return "254" + match[1]
    if _BARE.fullmatch(number):
        return "254" + number
    raise ValueError(_why_not(number))


def _why_not(number):
    international = number.startswith(("+", "00"))
    digits = number.removeprefix("+").removeprefix("00")
    if international and not digits.startswith("254"):
        return "country"
    national = digits.removeprefix("254").removeprefix("0")
    if national[:1] in ("1", "7"):
        return "length"
    if digits.startswith(("254", "0")) or len(digits) <= 9:
        return "landline"
    return "country"


def is_canonical(text):
    """Whether `text` is already exactly what Daraja takes."""
    return bool(_CANONICAL.fullmatch(text or ""))


def is_unmistakable(text):
    """Whether `text` can only be a Kenyan mobile number, never a bank's account number.

    True for the international forms only: a bank may well have an account 0712345678.
    """
    number = _SEPARATORS.sub("", text or "")
    return bool(re.fullmatch(r"\+?254[17]\d{8}", number))


def mask(number):
    """Return `number` with its middle hidden, for logs: ``2547*****678``."""
    return f"{number[:4]}*****{number[-3:]}" if number else ""


def compare_party(party, number):
    """Compare the party named in an answer with the number that was to be paid.

    :param str party: ``"254708374149 - JOHN DOE"``, perhaps with stars for digits
    :param str number: twelve digits
    :return: ``match``, ``mismatch``, or ``absent`` when there is no digit to compare
    :rtype: str
    """
    shown = (party or "").split(" - ", 1)[0]
    shown = re.sub(r"[^0-9*]", "", shown.replace("x", "*").replace("X", "*"))
    if not re.search(r"\d", shown):
        return "absent"
    if shown.startswith("0") and len(shown) == 10:
        shown = "254" + shown[1:]
    if len(shown) == len(number):
        same = all(a in (b, "*") for a, b in zip(shown, number, strict=True))
    else:
        tail = re.search(r"\d*$", shown)[0]
        same = "*" in shown and len(tail) >= 3 and number.endswith(tail)
    return "match" if same else "mismatch"
