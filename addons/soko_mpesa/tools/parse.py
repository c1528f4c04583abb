"""Readers of what Daraja posts to us.

They never raise: what can't be read is empty, and an empty fact proves nothing. The shapes that
they accept are those seen in the wild: a bare object instead of a list, missing values, repeated
keys, numbers as texts, keys with spaces.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from .eat import EAT

# Daraja's times have no zone; they are East Africa Time, which has no summer time.
TIME_FORMS = ("%d.%m.%Y %H:%M:%S", "%Y%m%d%H%M%S", "%d-%m-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")


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
    utility: Decimal | None = None
    charges: Decimal | None = None


@dataclass(frozen=True)
class BalanceResult:
    """The answer to a balance query; amounts are Decimal shillings, or None when not named.

    `others` are the accounts that have no field of their own, as {name: amount}.
    """

    readable: bool = False
    code: str = ""
    description: str = ""
    utility: Decimal | None = None
    working: Decimal | None = None
    charges: Decimal | None = None
    merchant: Decimal | None = None
    others: tuple = ()
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
        utility=_decimal(values.get("b2cutilityaccountavailablefunds")),
        charges=_decimal(values.get("b2cchargespaidaccountavailablefunds")),
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


def parse_balance_result(raw):
    """:param bytes raw: the body posted to a balance query's ResultURL; :rtype: BalanceResult"""
    result = _result(raw)
    if result is None:
        return BalanceResult()
    values = _parameters(result)
    known, others = _accounts(values.get("accountbalance"))
    return BalanceResult(
        readable="ResultCode" in result,
        code=_code(result.get("ResultCode")),
        description=_text(result.get("ResultDesc"))[:1024],
        others=tuple(others.items()),
        completed=_text(values.get("bocompletedtime")),
        **known,
    )


def parse_moment(text):
    """Return the moment that Daraja wrote in one of its forms, or None.

    :param str text: in East Africa Time
    :return: the same moment in UTC, without a zone, as Odoo keeps it
    :rtype: datetime or None
    """
    for form in TIME_FORMS:
        try:
            return datetime.strptime(text or "", form) - EAT
        except (ValueError, OverflowError):
            continue
    return None


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


# Which account of the organisation a name means; the first word that occurs decides.
_ACCOUNT_WORDS = (
    ("utility", "utility"), ("charge", "charges"), ("working", "working"), ("mmf", "working"),
    ("merchant", "merchant"),
)


def _accounts(value):
    """Read `Utility Account|KES|current|available|reserved|uncleared&...`, by name.

    What can be paid out is the available amount, so that one is taken where it is there.
    """
    known, others = {}, {}
    for part in _text(value).split("&"):
        name, *rest = [piece.strip() for piece in part.split("|")]
        amounts = [amount for amount in map(_decimal, rest[1:3]) if amount is not None]
        if not name or not amounts or rest[0].upper() not in ("KES", ""):
            continue
        field = next((field for word, field in _ACCOUNT_WORDS if word in name.lower()), "")
        if field and field not in known:
            known[field] = amounts[-1]
        else:
            others[name[:64]] = amounts[-1]
    return known, others
