"""Identifiers, dates and envelopes exactly as Daraja writes them."""

import datetime
import string

EAST_AFRICA = datetime.timezone(datetime.timedelta(hours=3), "EAT")
ALPHANUMERIC = string.ascii_uppercase + string.digits
DAY_LETTERS = "0123456789" + string.ascii_uppercase
ACCEPTED = "Accept the service request successfully."
PROCESSED = "The service request is processed successfully."
MAINTENANCE = (
    "<!DOCTYPE html><html><head><title>503 Service Temporarily Unavailable</title></head>"
    "<body><h1>Service Temporarily Unavailable</h1></body></html>"
)


def now():
    """Return the present time in East Africa, where M-Pesa's clocks stand."""
    return datetime.datetime.now(EAST_AFRICA)


def digits14(moment):
    """Return ``YYYYMMDDHHMMSS``."""
    return moment.strftime("%Y%m%d%H%M%S")


def dotted(moment):
    """Return ``DD.MM.YYYY HH:MM:SS``, the form of B2C results."""
    return moment.strftime("%d.%m.%Y %H:%M:%S")


def receipt_prefix(moment):
    """Return the three characters that tell year, month and day in a receipt number."""
    year = string.ascii_uppercase[(moment.year - 2006) % 26]
    return year + string.ascii_uppercase[moment.month - 1] + DAY_LETTERS[moment.day]


def new_receipt(rng, moment, taken):
    """Return a receipt number of ten upper-case alphanumerics that is not in ``taken``."""
    while True:
        receipt = receipt_prefix(moment) + "".join(rng.choices(ALPHANUMERIC, k=7))
        if receipt not in taken:
            return receipt


def dummy_transaction_id(moment):
    """Return the placeholder that failed transactions carry instead of a receipt."""
    return receipt_prefix(moment) + "0" * 7


def conversation_id(rng, moment):
    """Return an id such as ``AG_20240706_2010364430d9bbdaf872``."""
    return f"AG_{moment:%Y%m%d}_{rng.getrandbits(80):020x}"


def request_number(rng):
    """Return an id such as ``16813-1590513-1`` (requests, originator and merchant ids)."""
    return f"{rng.randrange(1000, 99999)}-{rng.randrange(100000, 99999999)}-1"


def checkout_id(rng, moment):
    """Return an id such as ``ws_CO_191220191020363925``."""
    return f"ws_CO_{moment:%d%m%Y%H%M%S}{rng.randrange(10**9):09d}"


def accepted(originator, conversation):
    """Return the synchronous answer of every asynchronous request that was taken."""
    return {
        "ConversationID": conversation,
        "OriginatorConversationID": originator,
        "ResponseCode": "0",
        "ResponseDescription": ACCEPTED,
    }


def error(rng, code, message):
    """Return Daraja's error envelope."""
    return {"requestId": request_number(rng), "errorCode": code, "errorMessage": message}


def pairs(items):
    """Return a ``[{"Key": .., "Value": ..}]`` list; a value of ``None`` leaves Value out."""
    return [
        {"Key": key} if value is None else {"Key": key, "Value": value} for key, value in items
    ]


def result(code, description, originator, conversation, transaction, parameters, reference):
    """Return the shell of an asynchronous result.

    :param list parameters: (key, value) pairs, or ``None`` to leave ResultParameters out
    :param tuple reference: the one (key, value) pair of ReferenceData
    """
    body = {
        "ResultType": 0,
        "ResultCode": code,
        "ResultDesc": description,
        "OriginatorConversationID": originator,
        "ConversationID": conversation,
        "TransactionID": transaction,
    }
    if parameters is not None:
        body["ResultParameters"] = {"ResultParameter": pairs(parameters)}
    body["ReferenceData"] = {"ReferenceItem": pairs([reference])[0]}
    return {"Result": body}


def parse(stamp):
    """Return the moment of a ledger line."""
    return datetime.datetime.fromisoformat(stamp)
