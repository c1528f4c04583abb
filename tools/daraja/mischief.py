"""Faults around a request: those that keep it from being served, those that spoil its answer."""

import gzip
import json
import time

from . import wire
from .replies import Refused, Reply

BOMB = 10_000_000
ELSEWHERE = "http://127.0.0.1:9/elsewhere"
REFUSALS = {
    "throttle": (500, "500.003.02", "Error Occurred: Spike Arrest Violation"),
    "quota": (500, "500.003.03", "Error Occurred: Quota Violation"),
    "system_error": (500, "500.002.1001", "System internal error."),
    "duplicate_first": (500, "500.002.1001", "Duplicate OriginatorConversationID."),
}
APIGEE = {"fault": {
    "faultstring": "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=25}",
    "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
}}


def before(sim, plan):
    """Return what a request gets instead of being served, or ``None``.

    :raises Refused: a fault that answers with Daraja's error envelope
    """
    time.sleep(plan.get("slow", "seconds", 0))
    if "token_expired" in plan:
        sim.tokens.forget()
    if "reset" in plan:
        return Reply(reset=True)
    if "down" in plan:
        return Reply(503, wire.MAINTENANCE, "text/html")
    for name, refusal in REFUSALS.items():
        if name in plan:
            raise Refused(*refusal)
    if "apigee" in plan:
        return Reply(plan.get("apigee", "status", 429), APIGEE)
    if "redirect" in plan:
        return redirection(plan, "redirect")
    if "http" in plan:
        return Reply(plan.get("http", "status", 200), plan.get("http", "body", ""),
                     plan.get("http", "content_type", "application/json"))
    return None


def redirection(plan, name):
    """Return an answer that sends the client to another address."""
    headers = {"Location": plan.get(name, "location", ELSEWHERE)}
    return Reply(plan.get(name, "status", 307), "", headers=headers)


def after(reply, plan):
    """Return the answer to a request that was served, spoilt by at most one fault."""
    time.sleep(plan.get("ack_delay", "seconds", 0))
    if reply.status != 200:
        return reply
    for name, spoil in SPOILERS.items():
        if name in plan:
            spoilt = spoil(reply, plan)
            spoilt.then = reply.then
            return spoilt
    return reply


def lost(_reply, _plan):
    """The connection is reset before the answer."""
    return Reply(reset=True)


def page(_reply, _plan):
    """A maintenance page comes instead of the answer."""
    return Reply(503, wire.MAINTENANCE, "text/html")


def empty(_reply, plan):
    """Nothing comes, with a good status."""
    return Reply(plan.get("empty", "status", 200), "")


def truncated(reply, _plan):
    """Half of the JSON comes, with a length that fits it."""
    text = json.dumps(reply.body)
    return Reply(body=text[:len(text) // 2])


def cut(reply, plan):
    """The connection is reset after the headers or in the middle of the body."""
    reply.cut = plan.get("ack_cut", "where", "body")
    return reply


def drip(reply, plan):
    """The answer comes byte by byte."""
    reply.drip = plan.get("drip", "seconds", 1.0)
    return reply


def bomb(_reply, plan):
    """A huge answer comes, small on the wire when it is packed."""
    size = plan.get("bomb", "size", BOMB)
    if plan.get("bomb", "how", "gzip") == "gzip":
        packed = gzip.compress(b"0" * size)
        return Reply(body=packed, headers={"Content-Encoding": "gzip"})
    return Reply(body=b"0" * size)


def odd_code(reply, plan):
    """The answer has another ResponseCode, or none."""
    body = dict(reply.body)
    code = plan.get("ack_code", "code", "1")
    body["ResponseCode"] = code
    if code == "missing":
        del body["ResponseCode"]
    return Reply(body=body)


def other_id(reply, _plan):
    """The answer names an id that nobody sent."""
    return Reply(body={**reply.body, "OriginatorConversationID": "OTHERSIDOTHERSIDOTHE"})


SPOILERS = {
    "ack_lost": lost, "ack_html": page, "empty": empty, "truncated": truncated, "ack_cut": cut,
    "drip": drip, "bomb": bomb, "ack_code": odd_code, "echo_other": other_id,
    "ack_redirect": lambda _reply, plan: redirection(plan, "ack_redirect"),
}
