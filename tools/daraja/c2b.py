"""Payments from a person to the organisation: ``/mpesa/c2b/v2/registerurl`` and ``/simulate``."""

import http.client
import json
import os
import urllib.parse

from . import callbacks, checks, wire
from .replies import Refused, Reply

COMMANDS = {"CustomerPayBillOnline": "Pay Bill", "CustomerBuyGoodsOnline": "Buy Goods"}
FORBIDDEN = ("mpesa", "m-pesa", "safaricom", "exe", "exec", "cmd", "sql", "query")


class Registry:
    """The addresses that each shortcode has registered, kept in ``c2b.json``."""

    def __init__(self, path):
        self.path = path
        self.known = json.loads(path.read_text()) if path.exists() else {}

    def put(self, shortcode, record):
        """Keep the addresses of a shortcode."""
        self.known[shortcode] = record
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.known, indent=1, sort_keys=True))
        os.replace(draft, self.path)


def checked_url(body, field):
    """Return an address without the words that the service refuses in it."""
    url = checks.url(body, field)
    parts = urllib.parse.urlsplit(url)
    if any(word in f"{parts.hostname}{parts.path}".lower() for word in FORBIDDEN):
        raise checks.InvalidField(field)
    return url


def handle_register(sim, request, _plan):
    """Keep where payments are confirmed; once for a shortcode, as in production."""
    body = request.body
    shortcode = checks.shortcode(body, "ShortCode")
    record = {
        "type": checks.choice(body, "ResponseType", ("Completed", "Cancelled")),
        "confirmation": checked_url(body, "ConfirmationURL"),
        "validation": checked_url(body, "ValidationURL"),
    }
    if sim.settings.register_once and sim.c2b.known.get(shortcode, record) != record:
        raise Refused(500, "500.003.1001", "Urls are already registered.")
    sim.c2b.put(shortcode, record)
    return Reply(body={
        "OriginatorCoversationID": wire.request_number(sim.bank.rng), "ResponseCode": "0",
        "ResponseDescription": "success",
    })


def handle_simulate(sim, request, plan):
    """Let a customer pay, as the sandbox does it."""
    body = request.body
    transaction = {
        "shortcode": checks.shortcode(body, "ShortCode"),
        "command": checks.choice(body, "CommandID", tuple(COMMANDS)),
        "amount": checks.whole_number(body, "Amount"),
        "msisdn": checks.msisdn(body, "Msisdn"),
        "account_reference": checks.optional_text(body, "BillRefNumber", 20),
    }
    reply = Reply(body=wire.accepted(
        wire.request_number(sim.bank.rng), wire.conversation_id(sim.bank.rng, wire.now())))
    reply.then = lambda: sim.clock.later(sim.settings.delay, pay, sim, transaction, plan)
    return reply


def pay(sim, transaction, plan):
    """Let a customer pay and tell the organisation; return the finished transaction.

    Validation is asked for only where it was switched on; an organisation that does not answer
    gets what it registered for that case.
    """
    where = sim.c2b.known.get(transaction["shortcode"], {})
    key = wire.conversation_id(sim.bank.rng, wire.now())
    sim.bank.accept("c2b", key, {**transaction, "conversation_id": key})
    refusal = sim.c2b_validation and where and refused_by(sim, where, transaction)
    if refusal:
        return sim.bank.refuse(key, *refusal)
    done = sim.bank.execute(key)
    if done["state"] == "completed" and where:
        sim.postman.send("c2b", where["confirmation"], letter(sim, done), plan)
    return done


def refused_by(sim, where, transaction):
    """Return why the organisation doesn't want a payment, or ``None``."""
    asked = letter(sim, {**transaction, "receipt": "", "paid_amount": transaction["amount"]})
    try:
        answer = callbacks.ask(where["validation"], asked, sim.settings.callback_timeout)
        code = str(answer.get("ResultCode", ""))
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        code = "0" if where["type"] == "Completed" else "C2B00016"
    return None if code.strip("0") == "" and code else (code, "Rejected by the organisation")


def letter(sim, done):
    """Return what is posted to the organisation; the number is masked, as in version 2."""
    number, name = done["msisdn"], sim.people.get(done["msisdn"])["name"].split()
    return {
        "TransactionType": COMMANDS[done["command"]], "TransID": done["receipt"],
        "TransTime": wire.digits14(wire.now()), "TransAmount": f"{done['paid_amount']:.2f}",
        "BusinessShortCode": done["shortcode"], "BillRefNumber": done["account_reference"],
        "InvoiceNumber": "", "OrgAccountBalance": f"{sim.bank.utility:.2f}",
        "ThirdPartyTransID": "", "MSISDN": f"{number[:4]} ***** {number[-3:]}",
        "FirstName": name[0], "MiddleName": "", "LastName": "",
    }
