"""What became of a transaction: ``/mpesa/transactionstatus/v1/query``, answered by callback."""

from . import checks, wire
from .replies import Reply

STATES = {"accepted": "Authorized", "completed": "Completed", "failed": "Declined"}
REASONS = {
    "SalaryPayment": "Salary Payment via API",
    "BusinessPayment": "Business Payment to Customer via API",
    "PromotionPayment": "Promotion Payment via API",
    "stk": "Pay Utility via STK push",
    "CustomerPayBillOnline": "Pay Bill Online",
    "CustomerBuyGoodsOnline": "Customer Merchant Payment",
}
# What the real service says about an id that it never saw is documented nowhere.
NOT_FOUND = (25, "The transaction receipt number does not exist.")


def handle(sim, request, plan):
    """Take a query; its own ids are new and differ from those of the transaction."""
    body = request.body
    checks.text(body, "Initiator", 1, 64)
    cipher = checks.security_credential(body)
    checks.choice(body, "CommandID", ("TransactionStatusQuery",))
    receipt = checks.optional_text(body, "TransactionID", 20)
    original = checks.optional_text(body, "OriginalConversationID", 128)
    if not receipt and not original:
        raise checks.InvalidField("TransactionID")
    checks.shortcode(body, "PartyA")
    checks.choice({"IdentifierType": str(body.get("IdentifierType"))}, "IdentifierType",
                  ("1", "2", "4"))
    url = checks.url(body, "ResultURL")
    checks.url(body, "QueueTimeOutURL")
    checks.text(body, "Remarks", 1, 100)
    checks.optional_text(body, "Occasion")
    originator = wire.request_number(sim.bank.rng)
    conversation = wire.conversation_id(sim.bank.rng, wire.now())
    refusal = forced(plan) or sim.initiator.judge(cipher)

    def answer():
        found = sim.bank.find(None, receipt or original)
        if "status_not_found" in plan:
            found = None
        word = plan.get("status_word", "word") if found else None
        result = result_of(sim, found, originator, conversation, refusal, word)
        sim.postman.send("status", url, result, plan)

    reply = Reply(body=wire.accepted(originator, conversation))
    if "callback_first" in plan:
        answer()
    else:
        reply.then = answer
    return reply


def forced(plan):
    """Return the failure that a fault wants for the query itself, or ``None``."""
    if "result_failure" not in plan:
        return None
    return (plan.get("result_failure", "code", 25),
            plan.get("result_failure", "description", "The query has failed."))


def result_of(sim, found, originator, conversation, refusal, word=None):
    """Return the callback; ResultCode 0 says only that the query worked.

    :param str word: the state to be told instead of the true one
    """
    refusal = refusal or (None if found else NOT_FOUND)
    code, text = refusal or (0, wire.PROCESSED)
    return wire.result(
        code, text, originator, conversation, wire.dummy_transaction_id(wire.now()),
        None if refusal else parameters(sim, found, word), ("Occasion", None),
    )


def reason_of(found):
    """Return what the service calls this kind of transaction."""
    return REASONS["stk" if found["kind"] == "stk" else found["command"]]


def parameters(sim, found, word=None):
    """Return the result parameters that describe one transaction."""
    organisation = f"{found['shortcode']} - {sim.settings.organisation}"
    customer = (f"{found.get('paid_msisdn', found['msisdn'])} - "
                f"{found.get('paid_name', found['name'])}")
    is_b2c = found["kind"] == "b2c"
    debit, credit = (organisation, customer) if is_b2c else (customer, organisation)
    fee = f"Fee For B2C Payment|KES|{found['fee']:.2f}" if found["fee"] else ""
    finalised = found.get("finalised_at")
    return [
        ("DebitPartyName", debit),
        ("CreditPartyName", credit),
        ("OriginatorConversationID", found["id"]),
        ("InitiatedTime", wire.digits14(wire.parse(found["at"]))),
        ("DebitAccountType", "Utility Account" if is_b2c else "MMF Account For Customer"),
        ("DebitPartyCharges", fee),
        ("TransactionReason", None),
        ("ReasonType", reason_of(found)),
        ("TransactionStatus", word or STATES[found["state"]]),
        ("FinalisedTime", wire.digits14(wire.parse(finalised)) if finalised else None),
        ("Amount", str(found.get("paid_amount", found["amount"]))),
        ("ConversationID", found["conversation_id"]),
        ("ReceiptNo", found.get("transaction_id")),
    ]
