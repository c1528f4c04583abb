"""HTTP in front of the simulator."""

import dataclasses
import http.server
import json
import logging
import socket
import struct
import time
import urllib.parse

from . import checks, control, mischief, wire
from .faults import Plan
from .replies import Refused, Reply, invalid
from .simulator import PRODUCTS

BODY_LIMIT = 1 << 20
IDLE_SECONDS = 30
_logger = logging.getLogger(__name__)


@dataclasses.dataclass
class Request:
    """One HTTP request, read whole."""

    method: str
    path: str
    query: dict
    headers: object
    raw: bytes
    body: object = None
    client: str = ""


def parsed(raw):
    """Return the JSON value of a body, ``{}`` of an empty one, ``None`` of a broken one."""
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def shown(reply):
    """Return what the journal keeps of an answer."""
    long = isinstance(reply.body, bytes) and len(reply.body) > 2000
    return f"({len(reply.body)} bytes)" if long or isinstance(reply.body, bytes) else reply.body


class Gateway:
    """Decides what a request gets, without knowing about sockets."""

    def __init__(self, sim):
        self.sim = sim

    def answer(self, request):
        """Return the reply to a request of either API."""
        request.body = parsed(request.raw)
        if request.path in ("/", "/favicon.ico") or request.path.startswith("/_sim/"):
            return control.handle(self.sim, request) or control.refuse("No such route", 404)
        return self.answer_product(request)

    def answer_product(self, request):
        """Return the reply of one of Daraja's products, spoilt by the faults that hit it."""
        kind, method, handler = PRODUCTS.get(request.path, (None, None, None))
        body = request.body if isinstance(request.body, dict) else {}
        self.sim.hooks.fire("request_read", kind, body)
        plan = self.sim.faults.plan(kind, body) if kind else Plan()
        self.sim.journal.receive(kind, body, request.raw, plan.faults)
        note = self.sim.journal.request(kind, request.method, request.path, body, plan)
        try:
            reply = mischief.before(self.sim, plan) or self.served(
                request, kind, method, handler, plan)
        except Refused as refusal:
            reply = self.refused(refusal)
        except checks.InvalidField as failure:
            reply = self.refused(invalid(failure.field))
        reply = mischief.after(reply, plan)
        self.sim.hooks.fire("before_answer", kind, body)
        note["status"] = "reset" if reply.reset else reply.status
        note["answer"] = "(token)" if kind == "oauth" and reply.status == 200 else shown(reply)
        return self.followed(reply, kind, body)

    def followed(self, reply, kind, body):
        """Return a reply after which the hooks of that moment are called."""
        then = reply.then

        def follow():
            self.sim.hooks.fire("after_answer", kind, body)
            if then:
                then()

        reply.then = follow
        return reply

    def early(self, path):
        """Return where a connection is to be reset while its request comes in, if at all."""
        kind = PRODUCTS.get(path, (None,))[0]
        plan = self.sim.faults.plan(kind, {}, early=True) if kind else Plan()
        return plan.get("reset_reading", "where", "headers") if "reset_reading" in plan else ""

    def refused(self, refusal):
        """Return Daraja's error envelope."""
        body = wire.error(self.sim.bank.rng, refusal.code, refusal.message)
        return Reply(refusal.status, body)

    def served(self, request, kind, method, handler, plan):
        """Let the product's own handler answer, after the checks that all products share."""
        if kind is None:
            raise Refused(404, "404.001.01", "Resource not found")
        if request.method != method:
            raise Refused(405, "405.001", "Method Not Allowed")
        if kind != "oauth":
            self.sim.tokens.check(kind, request.headers.get("Authorization"))
            self.check_json(request)
        return handler(self.sim, request, plan)

    def check_json(self, request):
        """Let only JSON objects pass.  The real text on a wrong type is as misleading."""
        content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip()
        if content_type != "application/json":
            raise invalid("InitiatorName")
        if not isinstance(request.body, dict) or not request.body:
            raise Refused(400, "400.002.05", "Invalid Request Payload")


class Handler(http.server.BaseHTTPRequestHandler):
    """Reads requests off a connection and writes replies to it."""

    protocol_version = "HTTP/1.1"
    server_version = "Daraja-simulator"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self):
        """Serve a GET request."""
        self.serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format, *args):
        """Leave the access log to the journal."""

    def serve(self):
        """Read one request, answer it and do what follows from it."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_LIMIT or self.chunked():
            self.close_connection = True
            self.write(Reply(413, {"error": "Send at most 1 MiB with a Content-Length"}))
            return
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        where = self.server.gateway.early(parts.path)
        if where:
            self.rfile.read(int(length) // 2 if where == "body" else 0)
            self.hang_up()
            return
        raw = self.rfile.read(int(length))
        request = Request(self.command, parts.path, query, self.headers, raw,
                          client=self.client_address[0])
        reply = self.server.gateway.answer(request)
        try:
            self.hang_up() if reply.reset else self.write(reply)
        finally:
            if reply.then:
                reply.then()

    def chunked(self):
        """Tell whether the body comes in chunks, which nobody who speaks Daraja does."""
        return "chunked" in (self.headers.get("Transfer-Encoding") or "").lower()

    def write(self, reply):
        """Send a reply."""
        payload = reply.body
        if not isinstance(payload, (str, bytes)):
            payload = json.dumps(payload)
        if isinstance(payload, str):
            payload = payload.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if reply.download:
            self.send_header("Content-Disposition", f'attachment; filename="{reply.download}"')
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.write_body(payload, reply)

    def write_body(self, payload, reply):
        """Send a body: whole, one byte at a time, or not to its end."""
        if reply.cut:
            self.wfile.write(payload[:len(payload) // 2 if reply.cut == "body" else 0])
            self.hang_up()
        elif reply.drip:
            for place in range(len(payload)):
                self.wfile.write(payload[place:place + 1])
                time.sleep(reply.drip)
        else:
            self.wfile.write(payload)

    def hang_up(self):
        """Reset the connection, so that the client cannot tell what became of its request."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


class Server(http.server.ThreadingHTTPServer):
    """One thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, sim):
        super().__init__(address, Handler)
        self.gateway = Gateway(sim)

    def handle_error(self, request, client_address):
        """Say nothing about clients that went away; log anything else."""
        _logger.debug("Connection from %s ended", client_address, exc_info=True)
