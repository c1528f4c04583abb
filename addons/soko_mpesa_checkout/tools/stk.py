"""The messages of an STK push: made, and read without ever raising.

What can't be read is empty, and an empty fact proves nothing. No Odoo in here.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from ..const import REFUSAL_TEXTS

EAST_AFRICA = timezone(timedelta(hours=3))
PROMPTED, REFUSED, UNKNOWN = "prompted", "refused", "unknown"


@dataclass(frozen=True)
class PushAnswer:
    """What the answer to a push proves: `state` is PROMPTED, REFUSED or UNKNOWN."""

    state: str
    checkout_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PushResult:
    """What became of a prompt. `amount` is a Decimal or None: a query's answer has none."""

    code: str = ""
    description: str = ""
    checkout_id: str = ""
    receipt: str = ""
    amount: Decimal | None = None


def stamp(moment):
    """Return an aware datetime as Daraja's 14 digits, in East African time."""
    return moment.astimezone(EAST_AFRICA).strftime("%Y%m%d%H%M%S")


def password(shortcode, passkey, timestamp):
    """Return base64(shortcode + passkey + timestamp).

    :rtype: str
    """
    return base64.b64encode(f"{shortcode}{passkey}{timestamp}".encode()).decode()


def credentials(shortcode, passkey, now=None):
    """Return the fields that open each push and each query."""
    timestamp = stamp(now or datetime.now(timezone.utc))
    return {
        "BusinessShortCode": shortcode,
        "Password": password(shortcode, passkey, timestamp),
        "Timestamp": timestamp,
    }


def account_reference(reference):
    """Return at most 12 letters, digits and dashes of an order's reference, its end kept."""
    return re.sub(r"[^A-Za-z0-9-]", "", reference)[-12:].strip("-") or "Order"


def read_push_answer(status, body):
    """Read the answer to a push that arrived.

    :param int status: the HTTP status
    :param bytes body:
    :rtype: PushAnswer
    """
    data = _load(body)
    message = _text(data.get("errorMessage"))
    if message.lower().startswith(REFUSAL_TEXTS):
        return PushAnswer(REFUSED, reason=message)
    checkout_id = _text(data.get("CheckoutRequestID"))
    if status in (200, 201) and _text(data.get("ResponseCode")) == "0" and checkout_id:
        return PushAnswer(PROMPTED, checkout_id)
    return PushAnswer(UNKNOWN, reason=message or _text(data.get("ResponseDescription")))


def read_query_answer(status, body):
    """Read the answer to a query; the code is empty as long as there is no outcome.

    :rtype: PushResult
    """
    data = _load(body)
    if status != 200 or _text(data.get("ResponseCode")) != "0":
        return PushResult()
    return PushResult(
        code=_text(data.get("ResultCode")),
        description=_text(data.get("ResultDesc")),
        checkout_id=_text(data.get("CheckoutRequestID")),
    )


def read_callback(raw):
    """Read what was posted to the CallBackURL.

    :param bytes raw:
    :rtype: PushResult
    """
    body = _load(raw).get("Body")
    callback = body.get("stkCallback") if isinstance(body, dict) else None
    if not isinstance(callback, dict):
        return PushResult()
    values = _items(callback.get("CallbackMetadata"))
    receipt = _text(values.get("MpesaReceiptNumber"))
    return PushResult(
        code=_text(callback.get("ResultCode")),
        description=_text(callback.get("ResultDesc")),
        checkout_id=_text(callback.get("CheckoutRequestID")),
        receipt=receipt if re.fullmatch(r"[A-Z0-9]{8,12}", receipt) else "",
        amount=_decimal(values.get("Amount")),
    )


def _items(metadata):
    items = metadata.get("Item") if isinstance(metadata, dict) else None
    items = [items] if isinstance(items, dict) else items
    if not isinstance(items, list):
        return {}
    return {
        _text(item.get("Name")): item.get("Value") for item in items if isinstance(item, dict)
    }


def _load(raw):
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _text(value):
    return "" if value is None or isinstance(value, (dict, list, bool)) else str(value).strip()


def _decimal(value):
    try:
        number = Decimal(_text(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
