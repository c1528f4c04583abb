"""A Daraja of a few lines on a port of this machine, for tests: real HTTP, scripted answers."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeDaraja:
    """Answers token, payment and status requests; keeps what it saw.

    ``script`` is a list of answers for the next payment requests, each of them a callable that
    gets the handler and the request; when it is empty the payment is accepted.
    """

    def __init__(self):
        self.payments = []
        self.queries = []
        self.balances = []
        self.balance_script = []
        self.ping = None
        self.tokens = 0
        self.script = []
        self.token_status = 200
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args):
                """Keep the test's log quiet."""

            def do_GET(self):
                if "/ping/" in self.path and fake.ping:
                    self.reply(*fake.ping(self.path.rpartition("/")[2]), "text/plain")
                    return
                fake.tokens += 1
                self.reply(fake.token_status, {
                    "access_token": f"token{fake.tokens}", "expires_in": "3599"})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                data = json.loads(body)
                self.token = self.headers["Authorization"]
                seen = fake.payments if "b2c" in self.path else fake.queries
                if "accountbalance" in self.path:
                    seen = fake.balances
                seen.append({**data, "_raw": body, "_token": self.token})
                if seen is fake.payments and fake.script:
                    fake.script.pop(0)(self, data)
                    return
                if seen is fake.balances and fake.balance_script:
                    fake.balance_script.pop(0)(self, data)
                    return
                self.reply(200, {
                    "ConversationID": f"AG_{len(seen)}",
                    "OriginatorConversationID": data.get(
                        "OriginatorConversationID", f"query-{len(seen)}"),
                    "ResponseCode": "0",
                    "ResponseDescription": "Accept the service request successfully.",
                })

            def reply(self, status, data, content_type="application/json"):
                raw = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def reset(self):
                """Drop the connection without an answer."""
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def refuse(status, code, message=""):
    """:return: a script step that answers with an error envelope"""
    def step(handler, _data):
        handler.reply(status, {"requestId": "1", "errorCode": code, "errorMessage": message})
    return step


def answer(status, raw):
    """:return: a script step that answers with `raw`, bytes or an object"""
    def step(handler, _data):
        handler.reply(status, raw)
    return step


def drop():
    """:return: a script step that takes the request and cuts the line"""
    def step(handler, _data):
        handler.reset()
    return step


def payment_result(request, receipt="SG632NMUAB", code=0, **changes):
    """Return the body that Daraja posts to the ResultURL of `request`.

    :param changes: amount, party, originator to say something else than what was asked
    """
    result = {
        "ResultType": 0, "ResultCode": code, "ResultDesc": "The service request is processed.",
        "OriginatorConversationID": changes.get(
            "originator", request["OriginatorConversationID"]),
        "ConversationID": "AG_1", "TransactionID": receipt,
    }
    if code == 0:
        result["ResultParameters"] = {"ResultParameter": [
            {"Key": "TransactionAmount", "Value": changes.get("amount", int(request["Amount"]))},
            {"Key": "TransactionReceipt", "Value": receipt},
            {"Key": "ReceiverPartyPublicName",
             "Value": changes.get("party", f"{request['PartyB']} - Amina Mfano")},
            {"Key": "TransactionCompletedDateTime",
             "Value": changes.get("completed", "06.07.2024 22:48:52")},
            *({"Key": key, "Value": value} for key, value in changes.get("more", {}).items()),
        ]}
    return json.dumps({"Result": result}).encode()


def status_result(request, status="Completed", receipt="SG632NMUAB", **changes):
    """Return the body that Daraja posts to a query's ResultURL about the payment `request`."""
    result = {
        "ResultType": 0, "ResultCode": changes.get("code", 0),
        "ResultDesc": changes.get("description", "The service request is processed."),
        "OriginatorConversationID": "query-1", "ConversationID": "AG_9",
        "TransactionID": "SG00000000",
    }
    if status:
        result["ResultParameters"] = {"ResultParameter": [
            {"Key": "TransactionStatus", "Value": status},
            {"Key": "ReceiptNo", "Value": receipt},
            {"Key": "Amount", "Value": changes.get("amount", request["Amount"])},
            {"Key": "CreditPartyName",
             "Value": changes.get("party", f"{request['PartyB']} - Amina Mfano")},
            {"Key": "OriginatorConversationID",
             "Value": changes.get("originator", request["OriginatorConversationID"])},
            {"Key": "DebitPartyCharges", "Value": "Fee For B2C Payment|KES|9.00"},
        ]}
    return json.dumps({"Result": result}).encode()


def balance_result(accounts="Utility Account|KES|228037.00|228037.00|0.00|0.00", **changes):
    """Return the body that Daraja posts to a balance query's ResultURL."""
    code = changes.get("code", 0)
    result = {
        "ResultType": "0", "ResultCode": code,
        "ResultDesc": changes.get("description", "The service request is processed."),
        "OriginatorConversationID": "balance-1", "ConversationID": "AG_7",
        "TransactionID": "OAK0000000",
    }
    if code == 0:
        result["ResultParameters"] = {"ResultParameter": [
            {"Key": "AccountBalance", "Value": accounts},
            {"Key": "BOCompletedTime", "Value": changes.get("completed", 20240109125710)},
        ]}
    return json.dumps({"Result": result}).encode()
