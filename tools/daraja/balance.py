"""The organisation's accounts: ``/mpesa/accountbalance/v1/query``, answered by callback."""

from . import checks, wire
from .b2c import INTERNAL_URL
from .replies import Reply
from .status import forced


def handle(sim, request, plan):
    """Take a query for the balances."""
    body = request.body
    checks.text(body, "Initiator", 1, 64)
    cipher = checks.security_credential(body)
    checks.choice(body, "CommandID", ("AccountBalance",))
    checks.shortcode(body, "PartyA")
    checks.choice({"IdentifierType": str(body.get("IdentifierType"))}, "IdentifierType", ("4",))
    checks.text(body, "Remarks", 1, 100)
    checks.url(body, "QueueTimeOutURL")
    url = checks.url(body, "ResultURL")
    originator = wire.request_number(sim.bank.rng)
    conversation = wire.conversation_id(sim.bank.rng, wire.now())
    refusal = forced(plan) or sim.initiator.judge(cipher)

    def answer():
        code, text = refusal or (0, wire.PROCESSED)
        found = None if refusal else parameters(sim.bank.view()["accounts"])
        sim.postman.send("balance", url, wire.result(
            code, text, originator, conversation, wire.dummy_transaction_id(wire.now()), found,
            ("QueueTimeoutURL", INTERNAL_URL),
        ), plan)

    return Reply(body=wire.accepted(originator, conversation), then=answer)


def parameters(accounts):
    """Return the one long text of all accounts: name, currency, current, available, .."""
    named = (
        ("Working Account", accounts["working"]), ("Float Account", 0),
        ("Utility Account", accounts["utility"]), ("Charges Paid Account", accounts["charges"]),
        ("Organization Settlement Account", 0),
    )
    text = "&".join(f"{name}|KES|{sum_:.2f}|{sum_:.2f}|0.00|0.00" for name, sum_ in named)
    return [("AccountBalance", text), ("BOCompletedTime", wire.digits14(wire.now()))]
