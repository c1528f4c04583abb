"""What a carrier reports about a parcel, and the tokens that it reports with. No ORM."""

import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta, timezone

TOKEN_PREFIX_SIZE = 8
MAX_BODY = 16384  # bytes of one report
MAX_READ = 65536  # bytes that are read at all, whatever they are
MAX_EVIDENCE = 4000  # characters that are kept of it
MAX_WORD = 64  # characters of a number, status or order
DELIVERED = frozenset({"delivered"})
CLOCK_SKEW = timedelta(minutes=15)  # two honest clocks may differ by so much
CUT = " [...]"


class ReportError(ValueError):
    """The report can't be understood; the text says what is wrong with it."""


def new_token():
    """Return a new secret for a carrier: 256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)


def token_prefix(token):
    """Return the part of a token that is kept readable, to find the record by."""
    return token[:TOKEN_PREFIX_SIZE]


def token_digest(token):
    """Return what is kept of a token: its SHA-256.

    The token is random and long, so that a slow digest as for passwords would gain nothing.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(token, digest):
    """Tell whether `token` has this digest, in a time that does not depend on the answer.

    :param str digest: as kept, or an empty string when nothing was found to compare with
    """
    known = digest or hashlib.sha256(b"").hexdigest()
    return hmac.compare_digest(token_digest(token), known) and bool(digest)


def read_bearer(header):
    """Return the token of an ``Authorization: Bearer <token>`` header, or an empty string."""
    scheme, _space, token = (header or "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" and len(token) <= 256 else ""


def parse_report(raw):
    """Read a carrier's report.

    :param bytes raw: JSON object with `tracking_ref`, `event_id`, `status`, `delivered_at`
        (ISO 8601 with its offset; needed when delivered) and, optionally, `order`
    :return: these five; `delivered_at` in UTC without a zone, or None
    :rtype: dict
    :raise ReportError: in words for the carrier's engineer
    """
    try:
        body = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ReportError("The body is not JSON in UTF-8.") from error
    if not isinstance(body, dict):
        raise ReportError("The body must be a JSON object.")
    report = {name: _read_word(body, name) for name in ("tracking_ref", "event_id", "status")}
    report["status"] = report["status"].lower()
    report["order"] = _read_word(body, "order") if body.get("order") else ""
    delivered = report["status"] in DELIVERED
    report["delivered_at"] = parse_moment(body.get("delivered_at")) if delivered else None
    return report


def _read_word(body, name):
    value = body.get(name)
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > MAX_WORD or not text.isprintable():
        raise ReportError(f"{name} must be a text of 1 to {MAX_WORD} printable characters.")
    return text


def parse_moment(text):
    """Return an ISO 8601 moment in UTC, without a zone as Odoo keeps it.

    :raise ReportError: no moment, or one that doesn't say its offset
    """
    wrong = ReportError(
        "delivered_at must be ISO 8601 with its offset, such as 2026-03-02T14:05:00+03:00."
    )
    if not isinstance(text, str) or len(text) > MAX_WORD:
        raise wrong
    try:
        # Python 3.10 knows no "Z"
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise wrong
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError) as error:
        raise wrong from error
    return moment


def cut_evidence(text):
    """Return `text` as it is kept: without zero bytes, which PostgreSQL can't keep, and cut."""
    text = text.replace("\x00", "")
    return text if len(text) <= MAX_EVIDENCE else text[: MAX_EVIDENCE - len(CUT)] + CUT
