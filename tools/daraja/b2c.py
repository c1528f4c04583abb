"""Payments from the organisation to a person: ``/mpesa/b2c/v3/paymentrequest``."""

from . import checks, wire
from .bank import DuplicateTransaction
from .replies import Refused, Reply

COMMANDS = ("SalaryPayment", "BusinessPayment", "PromotionPayment")
INTERNAL_URL = "https://internalsandbox.safaricom.co.ke/mpesa/b2cresults/v1/submit"


def checked(sim, body):
    """Return (originator's id, transaction, credential) of a valid request.

    :raises checks.InvalidField: the first field that the service refuses
    """
    originator = checks.text(body, "OriginatorConversationID", 1, 128)
    checks.text(body, "InitiatorName", 1, 64)
    cipher = checks.security_credential(body)
    transaction = {
        "command": checks.choice(body, "CommandID", COMMANDS),
        "amount": checks.whole_number(body, "Amount"),
        "shortcode": checks.shortcode(body, "PartyA"),
        "msisdn": checks.msisdn(body, "PartyB"),
        "remarks": checks.text(body, "Remarks", 2, 100),
        "timeout_url": checks.url(body, "QueueTimeOutURL"),
        "result_url": checks.url(body, "ResultURL"),
        "occasion": checks.optional_text(body, "Occassion"),
    }
    if sim.settings.shortcode and transaction["shortcode"] != sim.settings.shortcode:
        raise checks.InvalidField("PartyA")
    return originator, transaction, cipher


def handle(sim, request, plan):
    """Take a payment, execute it in the ledger, answer, and post the result later."""
    body = request.body
    originator, transaction, cipher = checked(sim, body)
    transaction["conversation_id"] = wire.conversation_id(sim.bank.rng, wire.now())
    try:
        sim.bank.accept("b2c", originator, transaction)
    except DuplicateTransaction as failure:
        raise Refused(500, "500.002.1001", "Duplicate OriginatorConversationID.") from failure
    refusal = sim.initiator.judge(cipher)
    delay = plan.get("execute_delay", "seconds")
    if "timeout_notice" in plan:
        sim.postman.send("b2c_timeout", transaction["timeout_url"], body, plan)
    reply = Reply(body=wire.accepted(originator, transaction["conversation_id"]))
    if delay is not None:
        sim.clock.later(delay, finish, sim, originator, refusal, plan)
    else:
        done = settle(sim, originator, refusal, plan)
        report(sim, done, plan, reply)
    return reply


def settle(sim, originator, refusal, plan):
    """Execute a payment, or fail it for the reason given by a fault or its credential."""
    if "result_failure" in plan:
        code = plan.get("result_failure", "code", 1)
        text = plan.get("result_failure", "description", "The service request has failed.")
        return sim.bank.refuse(originator, code, text)
    if refusal:
        return sim.bank.refuse(originator, *refusal)
    amount = plan.get("wrong_amount", "amount")
    if "double_payment" in plan:
        sim.bank.execute(originator, amount)
    return sim.bank.execute(originator, amount)


def report(sim, done, plan, reply):
    """Post the result after the answer, or before it when the plan says so."""
    arguments = ("b2c", done["result_url"], result_of(done), plan)
    if "callback_first" in plan:
        sim.postman.send(*arguments)
    else:
        reply.then = lambda: sim.postman.send(*arguments)


def finish(sim, originator, refusal, plan):
    """Execute a payment that was accepted earlier and post its result."""
    done = settle(sim, originator, refusal, plan)
    sim.postman.send("b2c", done["result_url"], result_of(done), plan)


def result_of(done):
    """Return the callback of a finished payment."""
    parameters = success_parameters(done) if done["state"] == "completed" else None
    return wire.result(
        done["result_code"], done["result_desc"], done["id"], done["conversation_id"],
        done["transaction_id"], parameters, ("QueueTimeoutURL", INTERNAL_URL),
    )


def success_parameters(done):
    """Return the result parameters of a payment that reached the customer."""
    return [
        ("TransactionAmount", done["paid_amount"]),
        ("TransactionReceipt", done["receipt"]),
        ("ReceiverPartyPublicName", f"{done['msisdn']} - {done['name']}"),
        ("TransactionCompletedDateTime", wire.dotted(wire.parse(done["finalised_at"]))),
        ("B2CUtilityAccountAvailableFunds", float(done["utility_after"])),
        ("B2CWorkingAccountAvailableFunds", 0.0),
        ("B2CRecipientIsRegisteredCustomer", "Y"),
        ("B2CChargesPaidAccountAvailableFunds", float(done["charges_after"])),
    ]
