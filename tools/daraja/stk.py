"""A prompt on the shopper's phone: ``/mpesa/stkpush/v1`` and ``/mpesa/stkpushquery/v1``."""

import base64
import binascii
import re

from . import checks, settings, wire
from .replies import Refused, Reply

TYPES = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")
PROMPTED = "Success. Request accepted for processing"
# What a customer can do with the prompt, and the result that Daraja makes of it.
ANSWERS = {
    "pay": None,
    "cancel": (1032, "Request cancelled by user"),
    "wrong_pin": (2001, "The initiator information is invalid."),
    "ignore": (1037, "DS timeout user cannot be reached"),
}


def check_password(sim, body):
    """Check base64(shortcode + passkey + timestamp).

    :raises checks.InvalidField: the field has not that form
    :raises Refused: the passkey is not the one of this shortcode
    """
    timestamp = checks.text(body, "Timestamp", 14, 14)
    if not re.fullmatch(r"20\d{12}", timestamp):
        raise checks.InvalidField("Timestamp")
    try:
        plain = base64.b64decode(checks.text(body, "Password", 1, 512), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as failure:
        raise checks.InvalidField("Password") from failure
    shortcode = checks.shortcode(body, "BusinessShortCode")
    passkey = plain[len(shortcode):-14]
    whole = plain.startswith(shortcode) and plain.endswith(timestamp) and passkey
    if not whole or (sim.settings.passkey and passkey != sim.settings.passkey):
        raise Refused(500, "500.001.1001", "Wrong credentials")
    return shortcode


def checked(sim, body):
    """Return the transaction of a valid push request."""
    shortcode = check_password(sim, body)
    transaction = {
        "shortcode": shortcode,
        "command": checks.choice(body, "TransactionType", TYPES),
        "amount": checks.whole_number(body, "Amount"),
        "msisdn": checks.msisdn(body, "PhoneNumber"),
        "result_url": checks.url(body, "CallBackURL"),
        "account_reference": checks.text(body, "AccountReference", 1, 12),
        "description": checks.text(body, "TransactionDesc", 1, 13),
    }
    checks.msisdn(body, "PartyA")
    checks.shortcode(body, "PartyB")
    if not 1 <= transaction["amount"] <= settings.MAXIMUM_STK:
        raise checks.InvalidField("Amount")
    return transaction


def handle_push(sim, request, plan):
    """Show a prompt on the customer's phone."""
    transaction = checked(sim, request.body)
    with sim.bank.lock:
        if any(p["msisdn"] == transaction["msisdn"] for p in prompts(sim)):
            raise Refused(500, "500.001.1001", "Unable to lock subscriber, a transaction is "
                          "already in process for the current subscriber")
        moment = wire.now()
        key = wire.checkout_id(sim.bank.rng, moment)
        transaction["merchant_request_id"] = wire.request_number(sim.bank.rng)
        transaction["conversation_id"] = wire.conversation_id(sim.bank.rng, moment)
        sim.bank.accept("stk", key, transaction)
    reply = Reply(body={
        "MerchantRequestID": transaction["merchant_request_id"], "CheckoutRequestID": key,
        "ResponseCode": "0", "ResponseDescription": PROMPTED, "CustomerMessage": PROMPTED,
    })
    sim.prompt_plans[key] = plan
    reply.then = lambda: wait_for_customer(sim, key, plan)
    return reply


def wait_for_customer(sim, key, plan):
    """Answer the prompt at once when nobody is to be asked; else let it expire in time."""
    if "result_failure" in plan or sim.stk_mode != "ask":
        seconds = plan.get("execute_delay", "seconds", sim.settings.delay)
        sim.clock.later(seconds, answer, sim, key, sim.stk_mode)
    else:
        sim.clock.later(sim.settings.stk_timeout, answer, sim, key, "ignore")


def prompts(sim):
    """Return the transactions whose prompt is still on a phone."""
    return [t for t in sim.bank.unfinished() if t["kind"] == "stk"]


def answer(sim, key, what):
    """Let the customer answer a prompt and post the result.

    :param str what: ``pay``, ``cancel``, ``wrong_pin`` or ``ignore``
    :return: whether the prompt was still there
    """
    plan = sim.prompt_plans.get(key) or sim.no_faults
    with sim.bank.lock:
        prompt = sim.bank.find("stk", key)
        if not prompt or prompt["state"] != "accepted":
            return False
        if "result_failure" in plan:
            code = plan.get("result_failure", "code", 1032)
            text = plan.get("result_failure", "description", "The transaction has failed.")
            done = sim.bank.refuse(key, code, text)
        elif ANSWERS[what]:
            done = sim.bank.refuse(key, *ANSWERS[what])
        else:
            done = sim.bank.execute(key, plan.get("wrong_amount", "amount"))
        sim.prompt_plans.pop(key, None)
    delay_was_spent = plan.get("callback_delay", "seconds", 0)
    for copy in range(plan.get("callback_duplicate", "copies", 1)):
        if "lost_callback" not in plan:
            sim.clock.later(delay_was_spent + copy * 0.01, sim.postman.deliver, "stk",
                            done["result_url"], callback_of(done))
    return True


def callback_of(done):
    """Return the callback of a finished prompt; failures carry no metadata."""
    callback = {
        "MerchantRequestID": done["merchant_request_id"], "CheckoutRequestID": done["id"],
        "ResultCode": done["result_code"], "ResultDesc": done["result_desc"],
    }
    if done["state"] == "completed":
        callback["CallbackMetadata"] = {"Item": [
            {"Name": "Amount", "Value": float(done["paid_amount"])},
            {"Name": "MpesaReceiptNumber", "Value": done["receipt"]},
            {"Name": "Balance"},
            {"Name": "TransactionDate",
             "Value": int(wire.digits14(wire.parse(done["finalised_at"])))},
            {"Name": "PhoneNumber", "Value": int(done["msisdn"])},
        ]}
    return {"Body": {"stkCallback": callback}}


def handle_query(sim, request, _plan):
    """Tell what became of a prompt, in the same breath."""
    check_password(sim, request.body)
    key = checks.text(request.body, "CheckoutRequestID", 1, 64)
    found = sim.bank.find("stk", key)
    if not found:
        raise checks.InvalidField("CheckoutRequestID")
    if found["state"] == "accepted":
        raise Refused(500, "500.001.1001", "The transaction is being processed")
    return Reply(body={
        "ResponseCode": "0",
        "ResponseDescription": "The service request has been accepted successsfully",
        "MerchantRequestID": found["merchant_request_id"], "CheckoutRequestID": key,
        "ResultCode": str(found["result_code"]), "ResultDesc": found["result_desc"],
    })
