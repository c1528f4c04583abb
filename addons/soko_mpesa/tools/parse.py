"""Readers of what Daraja posts to us.

They never raise: what can't be read is empty, and an empty fact proves nothing. The shapes that
they accept are those seen in the wild: a bare object instead of a list, missing values, repeated
keys, numbers as texts, keys with spaces.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True)
class PaymentResult:
    """The result of a payment. `amount` is a Decimal or None, `code` a normalised text."""

    readable: bool = False
    originator_id: str = ""
    conversation_id: str = ""
    code: str = ""
    description: str = ""
    receipt: str = ""
    amount: Decimal | None = None
    party: str = ""
    completed: str = ""


@dataclass(frozen=True)
class StatusResult:
    """The answer to a status query. `status` is the inner word in lower case: only it decides.

    `code` 0 means that the *query* worked, whatever became of the payment.
    """

    readable: bool = False
    code: str = ""
    description: str = ""
    status: str = ""
    originator_id: str = ""
    receipt: str = ""
    amount: Decimal | None = None
    party: str = ""
    fee: Decimal | None = None
    completed: str = ""


def parse_payment_result(raw):
    """:param bytes raw: the body posted to the ResultURL; :rtype: PaymentResult"""
    result = _result(raw)
    if result is None:
        return PaymentResult()
    values = _parameters(result)
    if "transactionstatus" in values:
        return PaymentResult()  # a query's answer proves nothing here
    return PaymentResult(
        readable="ResultCode" in result,
        originator_id=_text(result.get("OriginatorConversationID")),
        conversation_id=_text(result.get("ConversationID")),
        code=_code(result.get("ResultCode")),
        description=_text(result.get("ResultDesc"))[:1024],
        receipt=_receipt(values.get("transactionreceipt") or result.get("TransactionID")),
        amount=_decimal(values.get("transactionamount")),
        party=_text(values.get("receiverpartypublicname")),
        completed=_text(values.get("transactioncompleteddatetime")),
    )


def parse_status_result(raw):
    """:param bytes raw: the body posted to a query's ResultURL; :rtype: StatusResult"""
    result = _result(raw)
    if result is None:
        return StatusResult()
    values = _parameters(result)
    return StatusResult(
        readable="ResultCode" in result,
        code=_code(result.get("ResultCode")),
        description=_text(result.get("ResultDesc"))[:1024],
        status=_text(values.get("transactionstatus")).lower(),
        originator_id=_text(values.get("originatorconversationid")),
        receipt=_receipt(values.get("receiptno")),
        amount=_decimal(values.get("amount")),
        party=_text(values.get("creditpartyname")),
        fee=_fee(values.get("debitpartycharges")),
        completed=_text(values.get("finalisedtime")),
    )


def says_not_found(result):
    """Whether a query's answer says that the provider doesn't know the payment.

    No code is documented for that, so the text is read; a failed query is not an absence.

    :param StatusResult result:
    """
    if result.status or result.code in ("", "0"):
        return False
    text = result.description.lower()
    return bool(re.search(r"not (be )?found|does ?n[o']t exist|no (such )?transaction", text))


def _result(raw):
    data = _load(raw)
    result = data.get("Result") if isinstance(data, dict) else None
    return result if isinstance(result, dict) else None


def _load(raw):
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def _parameters(result):
    """Return the parameters by key: lower case, no spaces; the first value of a key counts."""
    values = {}
    for item in _items(result.get("ResultParameters")):
        key = _text(item.get("Key")).replace(" ", "").lower()
        if key and not values.get(key):
            values[key] = item.get("Value")
    return values


def _items(node):
    while isinstance(node, dict) and "Key" not in node:
        node = node.get("ResultParameter", node.get("ResultParameters"))
    if isinstance(node, dict):
        node = [node]
    return [item for item in node if isinstance(item, dict)] if isinstance(node, list) else []


def _text(value):
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    return storable(str(value)).strip()


def storable(text):
    """Return `text` without what JSON can say and PostgreSQL can't keep.

    A zero character or half a surrogate pair would keep the whole letter from being stored.
    """
    return text.encode(errors="replace").decode().replace("\x00", "")


def _code(value):
    text = _text(value).upper()
    return "0" if re.fullmatch(r"0+", text) else text


def _receipt(value):
    text = _text(value).upper()
    return text if re.fullmatch(r"[A-Z0-9]{6,20}", text) else ""


def _decimal(value):
    try:
        number = Decimal(_text(value).replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _fee(value):
    """`Fee For B2C Payment|KES|22.40`, or nothing."""
    parts = _text(value).split("|")
    return _decimal(parts[-1]) if len(parts) >= 3 else None
