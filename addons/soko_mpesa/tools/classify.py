"""What one answer to a request proves.

The default is always ``unknown``: only a listed answer proves anything.
"""

import json
from dataclasses import dataclass

from ..const import INVALID_TOKEN_CODES, REJECT_CODES, THROTTLE_CODES
from .parse import storable

NOT_SENT = "proven_not_sent"
ACCEPTED = "accepted"
REJECTED = "rejected"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """What is known after one call.

    ``kind`` is one of the four constants above. ``reason`` is a key for the log and the tests:
    ``connect``, ``journal``, ``throttle``, ``token``, ``gateway``, ``accepted``, ``duplicate``,
    ``echo``, ``transport``, ``unreadable``, ``unlisted``. ``date`` is the header of the answer, by
    the provider's clock.
    """

    kind: str
    reason: str
    status: int = 0
    code: str = ""
    description: str = ""
    conversation_id: str = ""
    originator_id: str = ""
    body: bytes = b""
    date: str = ""

    @property
    def token_invalid(self):
        """Whether the token, and only the token, was refused."""
        return self.kind == NOT_SENT and self.reason == "token"


def not_sent(detail):
    """The outcome of a call that broke before its first byte left."""
    return Outcome(NOT_SENT, "connect", description=detail)


def broken(detail):
    """The outcome of a call that broke after its first byte left."""
    return Outcome(UNKNOWN, "transport", description=detail)


def classify(status, body, expected_id=""):
    """Read the answer to a payment or query request.

    :param int status: the HTTP status
    :param bytes body: at most what the client's limit lets through
    :param str expected_id: the OriginatorConversationID that must come back; empty for queries,
        whose answer has an id of its own
    :rtype: Outcome
    """
    data = _read(body)
    if data is None:
        return Outcome(UNKNOWN, "unreadable", status, body=body)
    code = _text(data.get("errorCode"))
    if code:
        return _refused(status, code, _text(data.get("errorMessage")), body)
    if _is_spike_arrest(data):
        return Outcome(NOT_SENT, "throttle", status, "fault", body=body)
    facts = {
        "code": _text(data.get("ResponseCode")),
        "description": _text(data.get("ResponseDescription")),
        "conversation_id": _text(data.get("ConversationID")),
        "originator_id": _text(data.get("OriginatorConversationID")),
        "body": body,
    }
    if status not in (200, 201) or facts["code"] != "0" or not facts["conversation_id"]:
        return Outcome(UNKNOWN, "unlisted", status, **facts)
    if expected_id and facts["originator_id"] != expected_id:
        return Outcome(UNKNOWN, "echo", status, **facts)
    return Outcome(ACCEPTED, "accepted", status, **facts)


def _refused(status, code, message, body):
    kind, reason = UNKNOWN, "unlisted"
    if code in INVALID_TOKEN_CODES:
        kind, reason = NOT_SENT, "token"
    elif code in THROTTLE_CODES:
        kind, reason = NOT_SENT, "throttle"
    elif code in REJECT_CODES:
        kind, reason = REJECTED, "gateway"
    elif "duplicate" in message.lower():
        reason = "duplicate"
    return Outcome(kind, reason, status, code, message, body=body)


def _read(body):
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _is_spike_arrest(data):
    fault = data.get("fault")
    if not isinstance(fault, dict):
        return False
    detail = fault.get("detail")
    code = detail.get("errorcode") if isinstance(detail, dict) else ""
    return _text(code).startswith("policies.ratelimit.")


def _text(value):
    if value is None or isinstance(value, (dict, list)):
        return ""
    return storable(str(value)).strip()
