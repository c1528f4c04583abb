"""The M-Pesa simulator, tried over HTTP as a client of Safaricom's service would."""

import base64
import http.client
import http.server
import json
import pathlib
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

PROGRAM = pathlib.Path(__file__).parent.parent / "tools" / "daraja"
CREDENTIAL = base64.b64encode(bytes(range(256))).decode()
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
B2C, STATUS = "/mpesa/b2c/v3/paymentrequest", "/mpesa/transactionstatus/v1/query"
BALANCE = "/mpesa/accountbalance/v1/query"
STK, STK_QUERY = "/mpesa/stkpush/v1/processrequest", "/mpesa/stkpushquery/v1/query"


class Listener:
    """Receives callbacks as an Odoo would."""

    def __init__(self):
        self.received = queue.Queue()
        received = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((self.path, json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next(self, timeout=10):
        return self.received.get(timeout=timeout)[1]


class Program:
    """A running simulator and a small client of it."""

    def __init__(self, state, *extra):
        self.state, self.extra = state, extra
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--port", "0", "--state", str(self.state),
             "--seed", "7", "--delay", "0.05", *self.extra],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://127\.0\.0\.1:\d+", line).group()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code

    def call(self, path, body=None, headers=None, method=None):
        """Return (status, parsed body or text)."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with OPENER.open(request, timeout=10) as answer:
                status, content = answer.status, answer.read().decode()
        except urllib.error.HTTPError as failure:
            status, content = failure.code, failure.read().decode()
        try:
            return status, json.loads(content)
        except ValueError:
            return status, content

    def token(self, key="key", secret="secret"):
        basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
        return self.call("/oauth/v1/generate?grant_type=client_credentials",
                         headers={"Authorization": f"Basic {basic}"})

    def post(self, path, body):
        """Post with a fresh token."""
        token = self.token()[1]["access_token"]
        return self.call(path, body, {"Authorization": f"Bearer {token}"})

    def fault(self, *faults):
        status, answer = self.call("/_sim/faults", list(faults))
        assert status == 200, answer

    def ledger(self):
        return self.call("/_sim/ledger")[1]

    def people(self, people):
        assert self.call("/_sim/people", people)[0] == 200


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    running = Program(tmp_path_factory.mktemp("daraja"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def sim(program):
    program.call("/_sim/reset", {"utility": 100_000})
    return program


def b2c(listener, **values):
    return {
        "OriginatorConversationID": "P-" + secrets.token_hex(8), "InitiatorName": "testapi",
        "SecurityCredential": CREDENTIAL, "CommandID": "BusinessPayment", "Amount": "1200",
        "PartyA": "600992", "PartyB": "254700000001", "Remarks": "Settlement",
        "QueueTimeOutURL": listener.url + "/timeout", "ResultURL": listener.url + "/result",
        "Occassion": "", **values,
    }


def status_query(listener, **values):
    return {
        "Initiator": "testapi", "SecurityCredential": CREDENTIAL,
        "CommandID": "TransactionStatusQuery", "PartyA": "600992", "IdentifierType": "4",
        "ResultURL": listener.url + "/status", "QueueTimeOutURL": listener.url + "/timeout",
        "Remarks": "query", **values,
    }


def stk_password(timestamp="20260701120000"):
    plain = "174379" + "passkey" + timestamp
    return {"BusinessShortCode": "174379", "Timestamp": timestamp,
            "Password": base64.b64encode(plain.encode()).decode()}


def stk(listener, **values):
    return {
        **stk_password(), "TransactionType": "CustomerPayBillOnline", "Amount": 1500,
        "PartyA": "254700000009", "PartyB": "174379", "PhoneNumber": "254700000009",
        "CallBackURL": listener.url + "/stk", "AccountReference": "S00012",
        "TransactionDesc": "Order", **values,
    }


def keyed(result):
    return {item["Key"]: item.get("Value")
            for item in result["Result"]["ResultParameters"]["ResultParameter"]}


def wait_for(check, seconds=10):
    """Return the first true answer of ``check``, asking again and again."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def test_token_is_number_of_seconds_and_replaces_the_one_before(sim, listener):
    status, first = sim.token()
    assert (status, first["expires_in"]) == (200, 3599)
    sim.token()
    status, answer = sim.call(
        B2C, b2c(listener), {"Authorization": "Bearer " + first["access_token"]})
    assert (status, answer["errorCode"]) == (401, "401.002.01")
    assert first["access_token"] in answer["errorMessage"]


@pytest.mark.parametrize("query, header, expected", [
    ("grant_type=client_credentials", "Bearer x", "400.008.01"),
    ("grant_type=password", "Basic " + base64.b64encode(b"k:s").decode(), "400.008.02"),
    ("grant_type=client_credentials", "Basic ???", None),
])
def test_token_refusals(sim, query, header, expected):
    status, answer = sim.call("/oauth/v1/generate?" + query, headers={"Authorization": header})
    assert status == 400
    assert answer["errorCode"] == expected if expected else answer == ""


@pytest.mark.parametrize("path, status, code", [
    (B2C, 401, "401.002.01"), (BALANCE, 401, "401.002.01"), (STATUS, 400, "400.003.01"),
    (STK, 404, "404.001.03"), (STK_QUERY, 404, "404.001.03"),
])
def test_a_stale_token_has_another_face_in_each_product(sim, path, status, code):
    got, answer = sim.call(path, {"any": 1}, {"Authorization": "Bearer stale"})
    assert (got, answer["errorCode"]) == (status, code)
    assert list(answer) == ["requestId", "errorCode", "errorMessage"]


def test_payment_is_executed_and_reported(sim, listener):
    sim.people({"254700000001": "WANJIRU MFANO"})
    body = b2c(listener)
    status, answer = sim.post(B2C, body)
    assert status == 200
    assert list(answer) == [
        "ConversationID", "OriginatorConversationID", "ResponseCode", "ResponseDescription"]
    assert answer["ResponseCode"] == "0"
    assert answer["OriginatorConversationID"] == body["OriginatorConversationID"]
    assert re.fullmatch(r"AG_\d{8}_[0-9a-f]{20}", answer["ConversationID"])
    path, callback = listener.received.get(timeout=10)
    result = callback["Result"]
    assert path == "/result"
    assert (result["ResultType"], result["ResultCode"]) == (0, 0)
    assert result["ConversationID"] == answer["ConversationID"]
    assert re.fullmatch(r"[A-Z0-9]{10}", result["TransactionID"])
    values = keyed(callback)
    assert values["TransactionAmount"] == 1200
    assert values["TransactionReceipt"] == result["TransactionID"]
    assert values["ReceiverPartyPublicName"] == "254700000001 - WANJIRU MFANO"
    assert re.fullmatch(
        r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", values["TransactionCompletedDateTime"])
    assert values["B2CUtilityAccountAvailableFunds"] == 98_800
    assert values["B2CChargesPaidAccountAvailableFunds"] == -5
    books = sim.ledger()
    assert books["accounts"] == {"utility": 98_800, "working": 0, "charges": -5}
    [payment] = books["payments"]
    assert (payment["state"], payment["receipt"]) == ("completed", result["TransactionID"])
    written = [json.loads(line) for line in (sim.state / "ledger.jsonl").read_text().splitlines()]
    assert [entry["type"] for entry in written] == ["opening", "accepted", "paid"]
    assert written == books["entries"]


def test_same_originator_id_pays_once(sim, listener):
    body = b2c(listener)
    assert sim.post(B2C, body)[0] == 200
    status, answer = sim.post(B2C, body)
    assert (status, answer["errorCode"]) == (500, "500.002.1001")
    assert answer["errorMessage"] == "Duplicate OriginatorConversationID."
    assert sim.ledger()["accounts"]["utility"] == 98_800


@pytest.mark.parametrize("field, value", [
    ("OriginatorConversationID", ""), ("InitiatorName", None), ("SecurityCredential", "short"),
    ("SecurityCredential", "*" * 344), ("CommandID", "Gift"), ("Amount", "12.50"),
    ("Amount", True), ("PartyA", "12"), ("PartyB", "+254700000001"), ("PartyB", "255700000001"),
    ("PartyB", "254200000001"), ("Remarks", ""), ("Remarks", "x"), ("Remarks", "x" * 101),
    ("ResultURL", "ftp://x"), ("QueueTimeOutURL", None), ("Occassion", "x" * 101),
])
def test_invalid_fields_are_named(sim, listener, field, value):
    status, answer = sim.post(B2C, b2c(listener, **{field: value}))
    assert (status, answer["errorCode"]) == (400, "400.002.02")
    assert answer["errorMessage"] == f"Bad Request - Invalid {field}"
    assert sim.ledger()["payments"] == []


def test_refusals_before_any_field(sim, listener):
    assert sim.call(B2C, b2c(listener))[1]["errorCode"] == "404.001.04"
    assert sim.call("/mpesa/b2c/v9/paymentrequest", {})[1]["errorCode"] == "404.001.01"
    assert sim.call(B2C)[1]["errorCode"] == "405.001"
    bearer = "Bearer " + sim.token()[1]["access_token"]
    assert sim.call(B2C, [1], {"Authorization": bearer})[1]["errorCode"] == "400.002.05"
    form = {"Authorization": bearer, "Content-Type": "application/x-www-form-urlencoded"}
    assert sim.call(B2C, b2c(listener), form)[1]["errorCode"] == "400.002.02"


@pytest.mark.parametrize("values, people, code", [
    ({"Amount": 9}, {}, 2), ({"Amount": 250_001}, {}, 3), ({"Amount": 100_001}, {}, 1),
    ({}, {"registered": False}, 2040), ({}, {"on_mpesa": False}, "SFC_IC0003"),
    ({}, {"wallet": 499_000}, 8),
])
def test_rules_fail_the_payment_in_the_callback(sim, listener, values, people, code):
    number = "2541" + "".join(secrets.choice("0123456789") for _digit in range(8))
    sim.people({number: people})
    status, _answer = sim.post(B2C, b2c(listener, PartyB=number, **values))
    assert status == 200
    result = listener.next()["Result"]
    assert result["ResultCode"] == code
    assert "ResultParameters" not in result
    assert result["TransactionID"].endswith("0000000")
    assert sim.ledger()["accounts"]["utility"] == 100_000


def test_daily_limit_of_a_receiver(sim, listener):
    sim.call("/_sim/reset", {"utility": 2_000_000})
    sim.people({"254700000077": {"wallet": -400_000}})
    codes = []
    for _payment in range(3):
        sim.post(B2C, b2c(listener, PartyB="254700000077", Amount=250_000))
        codes.append(listener.next()["Result"]["ResultCode"])
    assert codes == [0, 0, 4]


def test_status_query_has_its_own_ids_and_tells_the_fee(sim, listener):
    body = b2c(listener)
    payment = sim.post(B2C, body)[1]
    receipt = listener.next()["Result"]["TransactionID"]
    for key in ({"OriginalConversationID": body["OriginatorConversationID"]},
                {"TransactionID": receipt}):
        status, answer = sim.post(STATUS, status_query(listener, **key))
        assert status == 200
        assert answer["OriginatorConversationID"] != body["OriginatorConversationID"]
        callback = listener.next()
        assert callback["Result"]["OriginatorConversationID"] == answer["OriginatorConversationID"]
        assert callback["Result"]["TransactionID"] != receipt
        values = keyed(callback)
        assert values["ReceiptNo"] == receipt
        assert values["TransactionStatus"] == "Completed"
        assert values["DebitPartyCharges"] == "Fee For B2C Payment|KES|5.00"
        assert values["OriginatorConversationID"] == body["OriginatorConversationID"]
        assert values["ConversationID"] == payment["ConversationID"]
        assert values["Amount"] == "1200"
        assert re.fullmatch(r"\d{14}", values["FinalisedTime"])


def test_status_of_failed_and_of_unknown_payments(sim, listener):
    body = b2c(listener, Amount=5)
    sim.post(B2C, body)
    listener.next()
    sim.post(STATUS, status_query(
        listener, OriginalConversationID=body["OriginatorConversationID"]))
    assert keyed(listener.next())["TransactionStatus"] == "Declined"
    sim.post(STATUS, status_query(listener, OriginalConversationID="never-seen"))
    result = listener.next()["Result"]
    assert result["ResultCode"] == 25
    assert "ResultParameters" not in result
    status, answer = sim.post(STATUS, status_query(listener))
    assert (status, answer["errorMessage"]) == (400, "Bad Request - Invalid TransactionID")


def test_balance(sim, listener):
    body = status_query(listener, CommandID="AccountBalance")
    assert sim.post(BALANCE, body)[0] == 200
    accounts = keyed(listener.next())["AccountBalance"].split("&")
    assert "Utility Account|KES|100000.00|100000.00|0.00|0.00" in accounts
    assert len(accounts) == 5


def test_lost_callback_is_found_by_query(sim, listener):
    sim.fault({"fault": "lost_callback", "kind": "b2c", "times": 1})
    body = b2c(listener)
    assert sim.post(B2C, body)[0] == 200
    sim.post(STATUS, status_query(
        listener, OriginalConversationID=body["OriginatorConversationID"]))
    assert keyed(listener.next())["TransactionStatus"] == "Completed"
    assert listener.received.empty()
    assert sim.call("/_sim/faults")[1]["faults"] == []


def test_lost_answer_leaves_the_payment_done(sim, listener):
    sim.fault({"fault": "ack_lost", "kind": "b2c", "times": 1})
    body = b2c(listener)
    with pytest.raises((ConnectionError, urllib.error.URLError, http.client.HTTPException)):
        sim.post(B2C, body)
    assert listener.next()["Result"]["ResultCode"] == 0
    assert sim.post(B2C, body)[1]["errorCode"] == "500.002.1001"
    assert len([p for p in sim.ledger()["payments"] if p["state"] == "completed"]) == 1


@pytest.mark.parametrize("fault, status, code", [
    ("throttle", 500, "500.003.02"), ("system_error", 500, "500.002.1001"),
    ("token_expired", 401, "401.002.01"),
])
def test_refusing_faults_move_no_money(sim, listener, fault, status, code):
    sim.fault({"fault": fault, "kind": "b2c", "times": 1})
    body = b2c(listener)
    got, answer = sim.post(B2C, body)
    assert (got, answer["errorCode"]) == (status, code)
    assert sim.ledger()["payments"] == []
    assert sim.post(B2C, body)[0] == 200


def test_down_answers_html_until_it_is_cleared(sim, listener):
    sim.fault({"fault": "down"})
    for _attempt in range(2):
        status, answer = sim.token()
        assert status == 503
        assert "<html>" in answer
    assert sim.call("/_sim/faults", {"clear": True})[1] == {"faults": []}
    assert sim.token()[0] == 200


def test_faults_count_let_through_and_match(sim, listener):
    sim.fault({"fault": "result_failure", "kind": "b2c", "times": 1, "after": 1, "code": 2001,
               "description": "The initiator information is invalid.",
               "match": {"PartyB": "254711111111"}})
    codes = []
    for number in ("254700000001", "254711111111", "254711111111", "254711111111"):
        sim.post(B2C, b2c(listener, PartyB=number))
        codes.append(listener.next()["Result"]["ResultCode"])
    assert codes == [0, 0, 2001, 0]


def test_duplicate_first_and_late_callbacks(sim, listener):
    sim.fault({"fault": "callback_duplicate", "kind": "b2c", "times": 1, "copies": 3})
    sim.post(B2C, b2c(listener))
    copies = [listener.next() for _copy in range(3)]
    assert copies[0] == copies[1] == copies[2]
    sim.fault({"fault": "callback_first", "kind": "b2c", "times": 1})
    sim.post(B2C, b2c(listener))
    assert listener.received.qsize() == 1
    listener.next()
    sim.fault({"fault": "callback_delay", "kind": "b2c", "times": 1, "seconds": 30})
    sim.post(B2C, b2c(listener))
    sim.post(B2C, b2c(listener, PartyB="254700000002"))
    assert "254700000002" in keyed(listener.next())["ReceiverPartyPublicName"]
    assert listener.received.empty()


def test_timeout_notice_echoes_the_request(sim, listener):
    sim.fault({"fault": "timeout_notice", "kind": "b2c", "times": 1})
    body = b2c(listener)
    sim.post(B2C, body)
    messages = dict(listener.received.get(timeout=10) for _message in range(2))
    assert messages["/timeout"] == body
    assert messages["/result"]["Result"]["ResultCode"] == 0


def test_wrong_amount_and_double_payment_show_in_the_ledger(sim, listener):
    sim.fault({"fault": "wrong_amount", "kind": "b2c", "times": 1, "amount": 1300})
    sim.post(B2C, b2c(listener))
    assert keyed(listener.next())["TransactionAmount"] == 1300
    sim.fault({"fault": "double_payment", "kind": "b2c", "times": 1})
    sim.post(B2C, b2c(listener))
    listener.next()
    paid = [entry for entry in sim.ledger()["entries"] if entry["type"] == "paid"]
    assert len(paid) == 3
    assert len({entry["receipt"] for entry in paid}) == 3
    assert sim.ledger()["accounts"]["utility"] == 100_000 - 1300 - 2400


@pytest.mark.parametrize("fault", [
    {"fault": "nonsense"}, {"fault": "down", "seconds": 1}, {"fault": "slow", "seconds": "1"},
    {"fault": "down", "kind": "sms"}, {"fault": "down", "times": True}, "down",
])
def test_wrong_faults_are_refused_whole(sim, fault):
    status, answer = sim.call("/_sim/faults", [{"fault": "down"}, fault])
    assert status == 400
    assert answer["error"]
    assert sim.call("/_sim/faults")[1]["faults"] == []


def test_control_api_wants_json(sim):
    status, _answer = sim.call("/_sim/reset", {}, {"Content-Type": "text/plain"})
    assert status == 415
    assert sim.call("/_sim/nothing")[0] == 404
    assert sim.call("/_sim/people", {"254700000001": {"nme": "X"}})[0] == 400
    assert sim.call("/_sim/float", {"amount": -5})[0] == 400
    assert sim.call("/_sim/float", {"amount": 500})[1] == {"utility": 100_500}


def test_requests_hide_secrets_and_page_escapes(sim, listener):
    sim.people({"254700000003": "<b>MFANO</b>"})
    sim.post(B2C, b2c(listener, PartyB="254700000003", Remarks="<script>x</script>"))
    listener.next()
    log = sim.call("/_sim/requests?kind=b2c")[1]
    assert log["requests"][0]["body"]["SecurityCredential"] == "***"
    wait_for(lambda: sim.call("/_sim/requests?kind=b2c")[1]["callbacks"][0]["status"] == 200)
    assert "access_token" not in json.dumps(sim.call("/_sim/requests")[1])
    status, page = sim.call("/")
    assert status == 200
    assert "KES 98,800" in page
    assert "<b>MFANO</b>" not in page
    assert "<script>x" not in page


def test_stk_push_is_paid_and_can_be_asked_for(sim, listener):
    status, answer = sim.post(STK, stk(listener))
    assert status == 200
    assert list(answer) == ["MerchantRequestID", "CheckoutRequestID", "ResponseCode",
                            "ResponseDescription", "CustomerMessage"]
    assert answer["CheckoutRequestID"].startswith("ws_CO_")
    callback = listener.next()["Body"]["stkCallback"]
    assert callback["CheckoutRequestID"] == answer["CheckoutRequestID"]
    assert callback["ResultCode"] == 0
    items = {item["Name"]: item.get("Value") for item in callback["CallbackMetadata"]["Item"]}
    assert items["Amount"] == 1500
    assert items["PhoneNumber"] == 254700000009
    assert items["Balance"] is None
    query = {**stk_password(), "CheckoutRequestID": answer["CheckoutRequestID"]}
    found = sim.post(STK_QUERY, query)[1]
    assert (found["ResponseCode"], found["ResultCode"]) == ("0", "0")
    books = sim.ledger()
    assert books["accounts"]["utility"] == 101_500
    assert books["payments"][0]["receipt"] == items["MpesaReceiptNumber"]


def test_stk_prompt_waits_for_a_person(sim, listener):
    sim.call("/_sim/stk", {"mode": "ask"})
    key = sim.post(STK, stk(listener))[1]["CheckoutRequestID"]
    query = {**stk_password(), "CheckoutRequestID": key}
    status, answer = sim.post(STK_QUERY, query)
    assert (status, answer["errorCode"]) == (500, "500.001.1001")
    assert answer["errorMessage"] == "The transaction is being processed"
    status, answer = sim.post(STK, stk(listener))
    assert (status, answer["errorCode"]) == (500, "500.001.1001")
    assert "Do you want to pay" in sim.call("/")[1]
    assert sim.call("/_sim/stk")[1]["prompts"][0]["id"] == key
    choice = {"checkout_request_id": key, "answer": "cancel"}
    assert sim.call("/_sim/stk", choice)[0] == 200
    callback = listener.next()["Body"]["stkCallback"]
    assert (callback["ResultCode"], "CallbackMetadata" in callback) == (1032, False)
    assert sim.call("/_sim/stk", choice)[0] == 404
    assert sim.post(STK_QUERY, query)[1]["ResultCode"] == "1032"


@pytest.mark.parametrize("mode, code", [("wrong_pin", 2001), ("ignore", 1037), ("cancel", 1032)])
def test_stk_modes(sim, listener, mode, code):
    sim.call("/_sim/stk", {"mode": mode})
    sim.post(STK, stk(listener))
    assert listener.next()["Body"]["stkCallback"]["ResultCode"] == code


def test_stk_needs_money_in_the_wallet(sim, listener):
    sim.people({"254700000010": {"wallet": 100}})
    sim.post(STK, stk(listener, PhoneNumber="254700000010"))
    assert listener.next()["Body"]["stkCallback"]["ResultCode"] == 1
    sim.fault({"fault": "lost_callback", "kind": "stk", "times": 1})
    key = sim.post(STK, stk(listener))[1]["CheckoutRequestID"]
    query = {**stk_password(), "CheckoutRequestID": key}
    found = wait_for(lambda: sim.post(STK_QUERY, query)[1].get("ResultCode"))
    assert found == "0"
    assert listener.received.empty()


@pytest.mark.parametrize("values, code", [
    ({"Amount": "10.5"}, "400.002.02"), ({"Amount": 0}, "400.002.02"),
    ({"PhoneNumber": "0700000009"}, "400.002.02"), ({"AccountReference": "x" * 13}, "400.002.02"),
    ({"TransactionDesc": ""}, "400.002.02"), ({"Timestamp": "20260701"}, "400.002.02"),
    ({"Password": base64.b64encode(b"174379wrong").decode()}, "500.001.1001"),
])
def test_stk_refusals(sim, listener, values, code):
    assert sim.post(STK, stk(listener, **values))[1]["errorCode"] == code


def test_a_kill_keeps_the_ledger_and_finishes_what_was_accepted(tmp_path, listener):
    first = Program(tmp_path)
    done, waiting = b2c(listener), b2c(listener)
    first.post(B2C, done)
    first.fault({"fault": "execute_delay", "seconds": 600})
    first.post(B2C, waiting)
    before = first.ledger()
    assert [p["state"] for p in before["payments"]] == ["completed", "accepted"]
    first.stop(signal.SIGKILL)
    with open(tmp_path / "ledger.jsonl", "a") as stream:
        stream.write('{"seq": 4, "type": "pa')
    first.start()
    wait_for(lambda: [p["state"] for p in first.ledger()["payments"]] == ["completed"] * 2)
    after = first.ledger()
    assert after["entries"][:4] == before["entries"]
    assert len({p["receipt"] for p in after["payments"]}) == 2
    assert first.post(B2C, done)[1]["errorCode"] == "500.002.1001"
    second = subprocess.run(
        [sys.executable, str(PROGRAM), "--port", "0", "--state", str(tmp_path)],
        capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "Another simulator is using" in second.stderr
    assert first.stop(signal.SIGINT) == 0


def test_strict_settings_check_key_password_shortcode_and_passkey(tmp_path, listener):
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives.asymmetric import padding
    strict = Program(
        tmp_path, "--consumer-key", "key", "--consumer-secret", "secret", "--passkey", "other",
        "--initiator-password", "Siri#2026", "--shortcode", "600992")
    try:
        assert strict.token("key", "wrong") == (400, "")
        pem = strict.call("/_sim/certificate")[1]
        public = x509.load_pem_x509_certificate(pem.encode()).public_key()

        def credential(password):
            return base64.b64encode(public.encrypt(password, padding.PKCS1v15())).decode()

        codes = []
        for password in (b"Siri#2026", b"a", b"b", b"c", b"Siri#2026"):
            strict.post(B2C, b2c(listener, SecurityCredential=credential(password)))
            codes.append(listener.next()["Result"]["ResultCode"])
        assert codes == [0, 2001, 2001, 2001, 8006]
        answer = strict.post(B2C, b2c(listener, PartyA="600111"))[1]
        assert answer["errorMessage"] == "Bad Request - Invalid PartyA"
        answer = strict.post(STK, stk(listener))[1]
        assert answer["errorMessage"] == "Wrong credentials"
    finally:
        strict.stop()


def test_many_at_once_pay_each_id_once(sim, listener):
    bearer = {"Authorization": "Bearer " + sim.token()[1]["access_token"]}
    bodies = [b2c(listener, Amount=10 + number) for number in range(10)] * 4
    codes = []
    threads = [
        threading.Thread(target=lambda body=body: codes.append(sim.call(B2C, body, bearer)[0]))
        for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 10 + [500] * 30
    books = sim.ledger()
    assert books["accounts"]["utility"] == 100_000 - sum(range(10, 20))
    assert [entry["seq"] for entry in books["entries"]] == list(range(1, 22))
