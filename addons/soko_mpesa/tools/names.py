"""Is the person whom M-Pesa names the one whom we meant?

M-Pesa returns the name under which a number is registered: in capitals, with double spaces, in any
order, sometimes one word, and since 2026 perhaps masked (``J*** D**``). A person's name in our
books is shorter, longer, or has a title. So words are compared, not texts.
"""

import re
import unicodedata
from difflib import SequenceMatcher

MATCH = "match"
SIMILAR = "similar"
MISMATCH = "mismatch"
ABSENT = "absent"

# Titles, forms of address and particles of the languages that are spoken in Kenya's offices.
_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "mister", "madam", "madame", "sir", "dr", "prof", "eng", "adv",
    "hon", "rev", "fr", "sr", "bro", "pst", "pastor", "bishop", "sheikh", "bw", "bwana", "bi",
    "bibi", "mzee", "mama", "baba", "mwalimu", "al", "el", "wa",
})
_MASKS = "*#\u2022"
_SPELLING = 0.8


def split_party(party):
    """Return the name in a party as M-Pesa writes it: ``"254700000041 - JOHN  DOE"``.

    :param str party: number and name, or one of them
    :return: the name with single spaces; empty when there is only a number
    :rtype: str
    """
    # without what PostgreSQL can't keep and people can't see
    text = " ".join("".join(c if c.isprintable() else " " for c in party or "").split())
    _number, dash, name = text.partition(" - ")
    if dash:
        return name.strip()
    return text if re.search(r"[^\W\d_]", text) and not re.match(r"[+\d]", text) else ""


def compare(heard, expected):
    """Compare the name that M-Pesa returned with the name that we know.

    Each word of the shorter name needs a word of its own in the longer one: the same, an initial,
    a mask that fits, or nearly the same spelling. One of at least three may be missing. A single
    common word of two is a mismatch: many people are called Amina.

    :param str heard: ``JOHN DOE``, perhaps masked
    :param str expected: the registered name, or the payee's name in our books
    :return: ``match`` (the same words, whatever their order), ``similar`` (fits, as far as it can
        be seen), ``mismatch``, or ``absent`` when one of the names has no letter to compare
    :rtype: str
    """
    short, long = sorted((_words(heard), _words(expected)), key=len)
    if not _has_letters(short) or not _has_letters(long):
        return ABSENT
    pairs = _pair(short, long)
    exact = sum(degree == 2 for degree in pairs)
    missing = sum(degree == 0 for degree in pairs)
    if not missing and exact == len(short) and (len(short) > 1 or len(long) == 1):
        return MATCH
    if not missing or (missing == 1 and len(short) >= 3 and exact >= 2):
        return SIMILAR
    return MISMATCH


def _words(name):
    text = unicodedata.normalize("NFKD", (name or "").casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = re.sub(r"['\u2019\u02bc`]", "", text)
    words = [word for word in re.split(rf"[^\w{re.escape(_MASKS)}]+|_", text) if word]
    named = [word for word in words if word not in _TITLES and not word.isdigit()]
    return named or words


def _has_letters(words):
    return any(re.search(r"[^\W\d_]", word) for word in words)


def _pair(short, long):
    """Return for each word of `short` how well the best word left in `long` fits: 2, 1 or 0."""
    left, degrees = list(long), []
    # the best pairs first, so that an initial doesn't take the word that another one spells out
    for word in sorted(short, key=lambda w: -max((_fit(w, other) for other in long), default=0)):
        best = max(left, key=lambda other: _fit(word, other), default="")
        degree = _fit(word, best) if best else 0
        if degree:
            left.remove(best)
        degrees.append(degree)
    return degrees


def _fit(one, other):
    if any(mask in one + other for mask in _MASKS):
        return 1 if _fits_mask(one, other) else 0
    if one == other:
        return 2
    if 1 in (len(one), len(other)):
        return 1 if one[0] == other[0] else 0
    close = min(len(one), len(other)) > 3 and (
        SequenceMatcher(None, one, other).ratio() >= _SPELLING)
    return 1 if close else 0


def _fits_mask(one, other):
    """Whether the visible letters agree; the number of stars says nothing."""
    def visible(word):
        return re.match(rf"[^{re.escape(_MASKS)}]*", word)[0], (
            re.search(rf"[^{re.escape(_MASKS)}]*$", word)[0])

    masked, plain = (one, other) if any(mask in one for mask in _MASKS) else (other, one)
    start, end = visible(masked)
    if any(mask in plain for mask in _MASKS):
        other_start, other_end = visible(plain)
        return _agree(start, other_start) and _agree(end[::-1], other_end[::-1])
    return len(plain) >= len(start + end) and plain.startswith(start) and plain.endswith(end)


def _agree(one, other):
    return one.startswith(other) or other.startswith(one)
