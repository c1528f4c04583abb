"""The simulator's misbehaviour, seen from the client's side and in its books."""

import http.client
import json
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from urllib.parse import urlsplit

import pytest
import test_daraja
from test_daraja import B2C, STATUS, b2c, keyed, status_query, wait_for

listener, program, sim = test_daraja.listener, test_daraja.program, test_daraja.sim
BROKEN = (ConnectionError, urllib.error.URLError, http.client.HTTPException)


def paid(sim):
    return [entry for entry in sim.ledger()["entries"] if entry["type"] == "paid"]


def raw_post(sim, path, body, timeout=10):
    """Return the answer (and its bytes) of a client that follows and unpacks nothing."""
    token = sim.token()[1]["access_token"]
    connection = http.client.HTTPConnection(urlsplit(sim.url).netloc, timeout=timeout)
    try:
        connection.request("POST", path, json.dumps(body), {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def played(sim):
    return sim.call("/_sim/stats")[1]["faults"]


@pytest.mark.parametrize("fault, status, expected", [
    ({"fault": "quota"}, 500, "500.003.03"), ({"fault": "duplicate_first"}, 500, "500.002.1001"),
])
def test_refusals_that_do_nothing(sim, listener, fault, status, expected):
    sim.fault({**fault, "kind": "b2c", "times": 1})
    got, answer = sim.post(B2C, b2c(listener))
    assert (got, answer["errorCode"]) == (status, expected)
    assert paid(sim) == []
    assert played(sim) == {f"b2c:{fault['fault']}": 1}


def test_raw_gateway_fault_and_redirects(sim, listener):
    sim.fault({"fault": "apigee", "kind": "b2c", "times": 1},
              {"fault": "redirect", "kind": "b2c", "times": 1, "status": 301, "after": 1})
    status, answer = sim.post(B2C, b2c(listener))
    assert (status, answer["fault"]["detail"]["errorcode"]) == (
        429, "policies.ratelimit.SpikeArrestViolation")
    answer, _body = raw_post(sim, B2C, b2c(listener))
    assert (answer.status, answer.getheader("Location")[:7]) == (301, "http://")
    assert paid(sim) == []
    sim.fault({"fault": "ack_redirect", "kind": "b2c", "times": 1})
    assert raw_post(sim, B2C, b2c(listener))[0].status == 307
    assert len(paid(sim)) == 1


@pytest.mark.parametrize("where", ["headers", "body"])
def test_reset_while_the_request_comes_in(sim, listener, where):
    sim.fault({"fault": "reset_reading", "kind": "b2c", "times": 1, "where": where})
    with pytest.raises(BROKEN):
        sim.post(B2C, b2c(listener))
    assert paid(sim) == []
    assert played(sim) == {"b2c:reset_reading": 1}
    assert sim.post(B2C, b2c(listener))[0] == 200


@pytest.mark.parametrize("where", ["headers", "body"])
def test_answer_cut_by_a_reset_though_it_was_paid(sim, listener, where):
    sim.fault({"fault": "ack_cut", "kind": "b2c", "times": 1, "where": where})
    with pytest.raises(BROKEN):
        raw_post(sim, B2C, b2c(listener))
    assert len(paid(sim)) == 1


@pytest.mark.parametrize("fault, check", [
    ({"fault": "empty"}, lambda body: body == b""),
    ({"fault": "truncated"}, lambda body: body.startswith(b'{"Conv') and not body.endswith(b"}")),
    ({"fault": "ack_code", "code": "1"}, lambda body: json.loads(body)["ResponseCode"] == "1"),
    ({"fault": "ack_code", "code": 1}, lambda body: json.loads(body)["ResponseCode"] == 1),
    ({"fault": "ack_code", "code": "00"}, lambda body: json.loads(body)["ResponseCode"] == "00"),
    ({"fault": "ack_code", "code": "missing"}, lambda body: "ResponseCode" not in
     json.loads(body)),
    ({"fault": "echo_other"}, lambda body: json.loads(body)["OriginatorConversationID"]
     == "OTHERSIDOTHERSIDOTHE"),
    ({"fault": "bomb", "how": "plain", "size": 3_000_000}, lambda body: len(body) == 3_000_000),
    ({"fault": "bomb", "how": "gzip"}, lambda body: len(body) < 20_000
     and len(zlib.decompress(body, 31)) == 10_000_000),
])
def test_spoilt_answers_to_payments_that_were_made(sim, listener, fault, check):
    sim.fault({"kind": "b2c", "times": 1, **fault})
    answer, body = raw_post(sim, B2C, b2c(listener))
    assert answer.status == 200
    assert check(body)
    assert len(paid(sim)) == 1
    assert listener.next()["Result"]["ResultCode"] == 0


def test_drip_comes_byte_by_byte(sim, listener):
    sim.fault({"fault": "drip", "kind": "b2c", "times": 1, "seconds": 0.002})
    begin = time.monotonic()
    _answer, body = raw_post(sim, B2C, b2c(listener))
    assert json.loads(body)["ResponseCode"] == "0"
    assert time.monotonic() - begin > len(body) * 0.002


def test_the_service_pays_somebody_else(sim, listener):
    sim.fault({"fault": "wrong_receiver", "kind": "b2c", "times": 1, "msisdn": "254700000055"})
    body = b2c(listener)
    sim.post(B2C, body)
    assert keyed(listener.next())["ReceiverPartyPublicName"].startswith("254700000055 - ")
    assert paid(sim)[0]["msisdn"] == "254700000055"
    sim.post(STATUS, status_query(
        listener, OriginalConversationID=body["OriginatorConversationID"]))
    assert keyed(listener.next())["CreditPartyName"].startswith("254700000055 - ")


def test_double_payment_posts_both_receipts(sim, listener):
    sim.fault({"fault": "double_payment", "kind": "b2c", "times": 1})
    sim.post(B2C, b2c(listener))
    said = {listener.next()["Result"]["TransactionID"] for _letter in range(2)}
    assert said == {entry["receipt"] for entry in paid(sim)}


@pytest.mark.parametrize("fault, codes, paths", [
    ({"fault": "failure_first", "code": 26, "seconds": 0.3}, [26, 0], ["/result", "/result"]),
    ({"fault": "failure_after", "code": 17}, [0, 17], ["/result", "/result"]),
    ({"fault": "timeout_after"}, [0, None], ["/result", "/timeout"]),
])
def test_the_service_contradicts_itself(sim, listener, fault, codes, paths):
    sim.fault({"kind": "b2c", "times": 1, **fault})
    sim.post(B2C, b2c(listener))
    letters = [listener.received.get(timeout=10) for _letter in codes]
    assert [path for path, _body in letters] == paths
    assert [body.get("Result", {}).get("ResultCode") for _path, body in letters] == codes
    assert len(paid(sim)) == 1


def test_letters_that_must_change_nothing(sim, listener):
    sim.fault({"fault": "callback_wrong_id", "kind": "b2c", "times": 1},
              {"fault": "callback_wrong_address", "kind": "b2c", "times": 1})
    body = b2c(listener, ResultURL=listener.url + "/result/token-of-this-payment")
    sim.post(B2C, body)
    letters = [listener.received.get(timeout=10) for _letter in range(3)]
    ids = [letter["Result"]["OriginatorConversationID"] for _path, letter in letters]
    assert sorted(ids) == sorted(["OTHERSIDOTHERSIDOTHE"] + [body["OriginatorConversationID"]] * 2)
    assert len({path for path, _letter in letters}) == 2
    assert len(paid(sim)) == 1


def test_broken_letters_are_posted_and_counted(sim, listener):
    for how in ("list", "nulls", "keys"):
        sim.fault({"fault": "callback_broken", "kind": "b2c", "times": 1, "how": how})
        sim.post(B2C, b2c(listener))
        letters = [listener.next() for _letter in range(2)]
        assert any(not isinstance(letter, dict) or "OriginatorConversationID" not in
                   (letter["Result"] or {}) for letter in letters)
    assert played(sim) == {"b2c:callback_broken": 3}


def test_storm_of_equal_letters(sim, listener):
    sim.fault({"fault": "callback_storm", "kind": "b2c", "times": 1, "copies": 20})
    sim.post(B2C, b2c(listener))
    letters = [listener.next() for _letter in range(21)]
    assert all(letter == letters[0] for letter in letters)
    assert played(sim) == {"b2c:callback_storm": 20}


def test_shapes_say_the_same_in_other_words(sim, listener):
    from daraja.shapes import SHAPES
    for name in SHAPES:
        sim.fault({"fault": "callback_shape", "kind": "b2c", "times": 1, "shape": name})
        sim.post(B2C, b2c(listener))
        result = listener.next()["Result"]
        assert str(result["ResultCode"]).strip("0") == ""
        text = json.dumps(result)
        assert result["TransactionID"] in text
        assert ("1200" in text) and ("TransactionAmount" in text)
    sim.fault({"fault": "callback_shape", "kind": "b2c", "times": 1, "shape": "object"})
    sim.post(B2C, b2c(listener, Amount=5))
    result = listener.next()["Result"]
    assert result["ResultParameters"]["ResultParameter"]["Key"] == "BOCompletedTime"


@pytest.mark.parametrize("fault, check", [
    ({"fault": "status_word", "word": "Pending Authorized"},
     lambda result: "Pending Authorized" in json.dumps(result)),
    ({"fault": "status_not_found"}, lambda result: result["ResultCode"] == 25),
    ({"fault": "result_failure", "code": "SFC_IC0003"},
     lambda result: result["ResultCode"] == "SFC_IC0003"),
    ({"fault": "callback_shape", "shape": "two_parties"},
     lambda result: json.dumps(result).count("DebitPartyName") == 2),
    ({"fault": "callback_shape", "shape": "spaced"},
     lambda result: '"Originator Conversation ID"' in json.dumps(result)),
])
def test_answers_to_status_queries(sim, listener, fault, check):
    body = b2c(listener)
    sim.post(B2C, body)
    listener.next()
    sim.fault({"kind": "status", "times": 1, **fault})
    sim.post(STATUS, status_query(
        listener, OriginalConversationID=body["OriginatorConversationID"]))
    assert check(listener.next()["Result"])


def test_late_failure_and_reversal(sim, listener):
    sim.fault({"fault": "execute_delay", "kind": "b2c", "times": 1, "seconds": 0.3},
              {"fault": "result_failure", "kind": "b2c", "times": 1, "code": 1})
    body = b2c(listener)
    sim.post(B2C, body)
    sim.post(STATUS, status_query(
        listener, OriginalConversationID=body["OriginatorConversationID"]))
    assert keyed(listener.next())["TransactionStatus"] == "Authorized"
    assert listener.next()["Result"]["ResultCode"] == 1
    sim.fault({"fault": "reversed_later", "kind": "b2c", "times": 1, "seconds": 0.1})
    sim.post(B2C, b2c(listener))
    receipt = listener.next()["Result"]["TransactionID"]
    line = wait_for(lambda: [e for e in sim.ledger()["entries"] if e["type"] == "reversed"])[0]
    assert (line["original"], line["amount"]) == (receipt, 1200)
    assert line["receipt"] != receipt
    assert sim.ledger()["accounts"]["utility"] == 100_000


def test_audit_knows_every_request(sim, listener):
    import hashlib
    body = b2c(listener)
    sim.post(B2C, body)
    sim.post(B2C, body)
    seen = sim.call("/_sim/audit")[1][body["OriginatorConversationID"]]
    digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert seen == {"requests": 2, "sha256": [digest], "faults": []}
    assert sim.ledger()["payments"][0]["sha256"] == digest
    counts = sim.call("/_sim/stats")[1]["counts"]
    assert counts["request:b2c"] == 2


def test_hooks_need_the_option(sim):
    status, answer = sim.call("/_sim/hooks", {"moment": "accepted", "command": ["true"]})
    assert status == 403
    assert "--allow-hooks" in answer["error"]


def test_hooks_block_at_their_moment(tmp_path, listener):
    program = test_daraja.Program(tmp_path, "--allow-hooks")
    mark, seen = tmp_path / "mark", []
    try:
        for wrong in ({"moment": "never", "command": ["true"]}, {"moment": "accepted"},
                      {"moment": "accepted", "command": "true"}):
            assert program.call("/_sim/hooks", wrong)[0] == 400
        code = (f"import os; open({str(mark)!r}, 'w').write(os.environ['DARAJA_MOMENT'])")
        program.call("/_sim/hooks", {"moment": "before_execute", "kind": "b2c",
                                     "command": [sys.executable, "-c", code]})
        program.call("/_sim/hooks", {"moment": "before_answer", "kind": "b2c", "after": 1,
                                     "url": listener.url + "/hook"})
        program.post(B2C, b2c(listener))
        assert mark.read_text() == "before_execute"
        listener.next()
        second = b2c(listener)
        thread = threading.Thread(target=lambda: seen.append(program.post(B2C, second)))
        thread.start()
        path, news = listener.received.get(timeout=10)
        assert (path, news["moment"], news["kind"]) == ("/hook", "before_answer", "b2c")
        assert news["body"]["OriginatorConversationID"] == second["OriginatorConversationID"]
        thread.join(10)
        assert seen[0][0] == 200
        assert program.call("/_sim/hooks")[1]["hooks"] == []
    finally:
        program.stop()


def test_a_forgetful_service_pays_again(tmp_path, listener):
    program = test_daraja.Program(tmp_path, "--forget-ids")
    try:
        body = b2c(listener)
        assert [program.post(B2C, body)[0] for _time in range(2)] == [200, 200]
        assert len(paid(program)) == 2
        assert len({entry["receipt"] for entry in paid(program)}) == 2
    finally:
        program.stop()


def register(listener, **values):
    return {"ShortCode": "600992", "ResponseType": "Completed",
            "ConfirmationURL": listener.url + "/confirm",
            "ValidationURL": listener.url + "/valid", **values}


def test_customers_pay_and_the_organisation_is_told(sim, listener):
    assert sim.post("/mpesa/c2b/v2/registerurl", register(listener))[1]["ResponseCode"] == "0"
    refused = register(listener, ValidationURL=listener.url + "/mpesa")
    assert sim.post("/mpesa/c2b/v2/registerurl", refused)[1]["errorCode"] == "400.002.02"
    status, _answer = sim.post("/mpesa/c2b/v2/simulate", {
        "ShortCode": "600992", "CommandID": "CustomerPayBillOnline", "Amount": "250",
        "Msisdn": "254700000033", "BillRefNumber": "S00033"})
    assert status == 200
    path, letter = listener.received.get(timeout=10)
    assert (path, letter["TransAmount"], letter["BillRefNumber"]) == (
        "/confirm", "250.00", "S00033")
    assert letter["MSISDN"] == "2547 ***** 033"
    assert sim.ledger()["accounts"]["utility"] == 100_250
    done = sim.call("/_sim/c2b", {"msisdn": "254700000033", "amount": 90_000})[1]
    assert (done["state"], done["result_code"]) == ("failed", 1)


def test_the_page_shows_phones_float_and_statement(sim, listener):
    sim.people({"254700000001": "WANJIRU MFANO"})
    sim.post(B2C, b2c(listener))
    listener.next()
    page = sim.call("/")[1]
    assert "You have received Ksh1,200.00 from 600992 - Soko Mfano" in page
    assert "in the wallet: KES 21,200" in page
    assert "/_sim/statement.xlsx?style=portal" in page
