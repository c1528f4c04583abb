"""Payments from the organisation to a person: ``/mpesa/b2c/v3/paymentrequest``."""

import hashlib

from . import checks, wire
from .bank import DuplicateTransaction
from .replies import Refused, Reply

COMMANDS = ("SalaryPayment", "BusinessPayment", "PromotionPayment")
STRANGER = "254700000099"  # who gets the money when the service pays somebody else
AFTERWARDS = 0.2  # seconds between a result and what is said after it
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
    transaction["sha256"] = hashlib.sha256(request.raw).hexdigest()
    try:
        sim.bank.accept("b2c", originator, transaction)
    except DuplicateTransaction as failure:
        raise Refused(500, "500.002.1001", "Duplicate OriginatorConversationID.") from failure
    sim.hooks.fire("accepted", "b2c", body)
    refusal = sim.initiator.judge(cipher)
    job = Job(sim, originator, refusal, plan, body)
    if "timeout_notice" in plan:
        sim.postman.send("b2c_timeout", transaction["timeout_url"], body, sim.no_faults)
    reply = Reply(body=wire.accepted(originator, transaction["conversation_id"]))
    delay = plan.get("execute_delay", "seconds")
    if "failure_first" in plan:
        job.promise_failure(transaction)
        delay = plan.get("failure_first", "seconds", 0)
    if delay is not None:
        sim.clock.later(delay, job.finish)
    else:
        letters = job.settle()
        if "callback_first" in plan:
            job.post(letters)
        else:
            reply.then = lambda: job.post(letters)
    return reply


class Job:
    """What is to be done with one accepted payment, under the faults that hit its request."""

    def __init__(self, sim, originator, refusal, plan, body):
        self.sim, self.originator, self.refusal = sim, originator, refusal
        self.plan, self.body = plan, body

    def settle(self):
        """Execute the payment, or fail it, and return it once for each time it was paid."""
        sim, plan = self.sim, self.plan
        if "result_failure" in plan:
            code = plan.get("result_failure", "code", 1)
            text = plan.get("result_failure", "description", "The service request has failed.")
            return [sim.bank.refuse(self.originator, code, text)]
        if self.refusal:
            return [sim.bank.refuse(self.originator, *self.refusal)]
        sim.hooks.fire("before_execute", "b2c", self.body)
        amount = plan.get("wrong_amount", "amount")
        msisdn = None
        if "wrong_receiver" in plan:
            msisdn = plan.get("wrong_receiver", "msisdn", STRANGER)
        done = [sim.bank.execute(self.originator, amount, msisdn)]
        if "double_payment" in plan and done[0]["state"] == "completed":
            done.append(sim.bank.execute(self.originator, amount, msisdn))
        if "reversed_later" in plan and done[0]["receipt"]:
            sim.clock.later(plan.get("reversed_later", "seconds", 1.0), sim.bank.reverse,
                            done[0]["receipt"])
        sim.hooks.fire("after_execute", "b2c", self.body)
        return done

    def post(self, letters):
        """Post the results of a payment and what a confused service says after them."""
        sim, plan = self.sim, self.plan
        for done in letters:
            sim.postman.send("b2c", done["result_url"], result_of(done), plan)
        done, later = letters[-1], sim.settings.delay + AFTERWARDS
        if "failure_after" in plan and done["state"] == "completed":
            code = plan.get("failure_after", "code", 17)
            sim.clock.later(later, sim.postman.deliver, "b2c", done["result_url"],
                            failure_of(done, code))
        if "timeout_after" in plan:
            sim.clock.later(later, sim.postman.deliver, "b2c_timeout", done["timeout_url"],
                            self.body)

    def promise_failure(self, transaction):
        """Post a failure of a payment that will be executed all the same."""
        code = self.plan.get("failure_first", "code", 17)
        done = {**transaction, "id": self.originator}
        self.sim.postman.send("b2c", transaction["result_url"], failure_of(done, code),
                              self.sim.no_faults)

    def finish(self):
        """Execute a payment that was accepted earlier and post its result."""
        self.post(self.settle())


def finish(sim, originator, refusal, plan):
    """Finish a payment that an earlier run of the program accepted."""
    Job(sim, originator, refusal, plan, {}).finish()


def failure_of(done, code):
    """Return the callback of a failure."""
    return wire.result(
        code, "The service request has failed.", done["id"], done["conversation_id"],
        wire.dummy_transaction_id(wire.now()), None, ("QueueTimeoutURL", INTERNAL_URL),
    )


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
        ("ReceiverPartyPublicName", f"{done['paid_msisdn']} - {done['paid_name']}"),
        ("TransactionCompletedDateTime", wire.dotted(wire.parse(done["finalised_at"]))),
        ("B2CUtilityAccountAvailableFunds", float(done["utility_after"])),
        ("B2CWorkingAccountAvailableFunds", 0.0),
        ("B2CRecipientIsRegisteredCustomer", "Y"),
        ("B2CChargesPaidAccountAvailableFunds", float(done["charges_after"])),
    ]
