"""The many shapes in which one and the same result has been seen, and letters that are broken."""

import copy
import json

from . import wire

TEXTS = "texts"


def _parameters(result):
    node = result.get("ResultParameters")
    return node.get("ResultParameter", []) if isinstance(node, dict) else []


def _with_parameters(result, items):
    if items:
        result["ResultParameters"] = {"ResultParameter": items}


def bare_object(result):
    """One parameter stands alone instead of in a list; failures get one to show it."""
    items = _parameters(result)
    if not items:
        items = [{"Key": "BOCompletedTime", "Value": int(wire.digits14(wire.now()))}]
    result["ResultParameters"] = {"ResultParameter": items[0] if len(items) == 1 else items}


def bare_list(result):
    """ResultParameters is itself the list."""
    if _parameters(result):
        result["ResultParameters"] = _parameters(result)


def null(result):
    """ResultParameters is there and null when there is nothing to say."""
    result.setdefault("ResultParameters", None)


def swapped(result):
    """The two names around the list change places."""
    if _parameters(result):
        items = _parameters(result)
        del result["ResultParameters"]
        result["ResultParameter"] = {"ResultParameters": items}


def reference_list(result):
    """ReferenceItem is a list, with an item that has no value."""
    item = result["ReferenceData"]["ReferenceItem"]
    result["ReferenceData"]["ReferenceItem"] = [item, {"Key": "Occasion"}]


def doubled(result):
    """Every key stands there twice, the second time without a value."""
    _with_parameters(result, [
        twin for item in _parameters(result) for twin in (item, {"Key": item["Key"]})])


def two_parties(result):
    """The credit party goes by the name of the debit party, as in a sample of the portal."""
    for item in _parameters(result):
        if item["Key"] == "CreditPartyName":
            item["Key"] = "DebitPartyName"


def spaced(result):
    """Keys are written with spaces, as in older results."""
    for item in _parameters(result):
        for name in ("OriginatorConversationID", "ConversationID"):
            if item["Key"] == name:
                item["Key"] = name.replace("Conversation", " Conversation ").strip()


def texts(result):
    """Numbers are texts, codes too."""
    for name in ("ResultType", "ResultCode"):
        result[name] = str(result[name])
    for item in _parameters(result):
        if isinstance(item.get("Value"), (int, float)):
            item["Value"] = f"{item['Value']:.2f}"


def numbers(result):
    """Texts of digits are numbers."""
    for item in _parameters(result):
        value = item.get("Value")
        if isinstance(value, str) and value.isdigit():
            item["Value"] = int(value)


def zeros(result):
    """Success is a row of zeros."""
    if result["ResultCode"] == 0:
        result["ResultCode"] = "00000000"


def shuffled(result):
    """The parameters stand in another order."""
    _with_parameters(result, _parameters(result)[::-1])


def extra(result):
    """There are parameters that nobody knows."""
    items = [{"Key": "NewThing", "Value": {"Of": "tomorrow"}}, *_parameters(result),
             {"Value": 7}, {"Key": "Empty"}]
    _with_parameters(result, items if _parameters(result) else [])


def masked(result):
    """The customer's number and name are hidden in part."""
    for item in _parameters(result):
        if item["Key"] in ("ReceiverPartyPublicName", "CreditPartyName"):
            number, _dash, name = str(item.get("Value")).partition(" - ")
            item["Value"] = f"{number[:4]}*****{number[-3:]} - {name[:1]}*****"


def nameless(result):
    """Nobody is named as the receiver."""
    _with_parameters(result, [
        item for item in _parameters(result)
        if item["Key"] not in ("ReceiverPartyPublicName", "CreditPartyName")])


SHAPES = {
    "object": bare_object, "list": bare_list, "null": null, "swapped": swapped,
    "reference_list": reference_list, "doubled": doubled, "two_parties": two_parties,
    "spaced": spaced, TEXTS: texts, "numbers": numbers, "zeros": zeros, "shuffled": shuffled,
    "extra": extra, "masked": masked, "nameless": nameless,
}


def shaped(body, name):
    """Return a result in another shape; bodies that are no results stay as they are.

    :param str name: a key of ``SHAPES``
    """
    if not isinstance(body, dict) or not isinstance(body.get("Result"), dict):
        return body
    body = copy.deepcopy(body)
    SHAPES[name](body["Result"])
    return body


def _deep(_body):
    return b'{"Result":' * 9000 + b"1" + b"}" * 9000


# name: (bytes of the letter, content type)
BROKEN = {
    "empty": (lambda _body: b"", "application/json"),
    "list": (lambda body: json.dumps([body]).encode(), "application/json"),
    "nulls": (lambda _body: b'{"Result": null}', "application/json"),
    "text": (lambda _body: b"<soap:Fault>gone</soap:Fault>", "text/xml"),
    "nan": (lambda _body: b'{"Result": {"ResultCode": NaN, "ResultType": Infinity}}',
            "application/json"),
    "huge": (lambda _body: b'{"Result": {"ResultCode": 1' + b"0" * 3000 + b"}}",
             "application/json"),
    "latin1": (lambda _body: '{"Result": {"ResultDesc": "Zahlung für José"}}'.encode("latin-1"),
               "application/json"),
    "mark": (lambda _body: b'\xef\xbb\xbf{"Result": {}}', "application/json"),
    "deep": (_deep, "application/json"),
    "cut": (lambda body: json.dumps(body).encode()[:-20], "application/json"),
    "form": (lambda _body: b"Result=0&TransactionID=SG632NMUAB",
             "application/x-www-form-urlencoded"),
    "large": (lambda _body: b'{"Result": "' + b"x" * 200_000 + b'"}', "application/json"),
    "keys": (lambda _body: b'{"Result": {"ResultCode": 0, "ResultCode": 1, "ResultDesc": []}}',
             "application/json"),
}
