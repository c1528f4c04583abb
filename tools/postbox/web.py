"""HTTP: the SMS gateway, what was received as JSON, and the page."""

import http.server
import json
import re
import urllib.parse

from . import letters, page

BODY_LIMIT = 1 << 20
NUMBER = re.compile(r"\+[1-9]\d{7,14}")
BODY_LENGTH = 1600
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src http: https: data:; base-uri 'self'"
)


class Problem(Exception):
    """A request that is refused; carries the HTTP status and the answer."""

    def __init__(self, status, **answer):
        super().__init__(answer)
        self.status, self.answer = status, answer


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one request."""

    protocol_version = "HTTP/1.1"
    server_version = "Postbox"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        """Keep no access log."""

    def do_GET(self):
        """Show what was received."""
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        store = self.server.store
        if parts.path == "/":
            mails = [letters.read(*mail) for mail in store.mail()]
            self.answer(200, page.render(store.sms(), mails), "text/html; charset=utf-8")
        elif parts.path == "/sms.json":
            found = [sms for sms in store.sms() if query.get("to") in (None, sms["to"])]
            self.answer(200, found)
        elif parts.path == "/mail.json":
            mails = [letters.read(*mail) for mail in store.mail()
                     if query.get("to") in (None, *mail[0]["recipients"])]
            self.answer(200, mails)
        elif parts.path == "/_health":
            self.answer(200, {"ok": True, "sms": len(store.sms()), "mail": len(store.mail())})
        else:
            self.answer(404, {"error": "No such page"})

    def do_POST(self):
        """Take an SMS, or throw everything away."""
        try:
            body = self.body()
            if self.path == "/sms":
                self.answer(200, self.take_sms(body))
            elif self.path == "/_reset":
                self.server.store.reset()
                self.answer(200, {"ok": True})
            else:
                self.answer(404, {"error": "No such route"})
        except Problem as problem:
            self.answer(problem.status, problem.answer)

    def body(self):
        """Return the JSON object that was sent."""
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            raise Problem(413, error="Send at most 1 MiB with a Content-Length")
        raw = self.rfile.read(int(length))
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip()
        if kind != "application/json":
            raise Problem(415, error="Send JSON with Content-Type: application/json")
        try:
            body = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as failure:
            raise Problem(400, error="This is not JSON") from failure
        if not isinstance(body, dict):
            raise Problem(400, error="Send a JSON object")
        return body

    def take_sms(self, sms):
        """Keep an SMS and return the answer to its sender."""
        to, body, uuid = sms.get("to"), sms.get("body"), sms.get("uuid") or ""
        if not isinstance(uuid, str) or len(uuid) > 64:
            raise Problem(400, error="'uuid' is a text of at most 64 characters")
        number = re.sub(r"[\s-]", "", to) if isinstance(to, str) else ""
        if not NUMBER.fullmatch(number):
            raise Problem(400, uuid=uuid, state="wrong_number_format",
                          error="'to' is a number in international form: +254700000001")
        if not isinstance(body, str) or not 0 < len(body.strip()) <= BODY_LENGTH:
            raise Problem(400, uuid=uuid, state="server_error",
                          error=f"'body' is a text of 1 to {BODY_LENGTH} characters")
        kept = self.server.store.add_sms(number, body, uuid)
        return {"uuid": kept["uuid"], "state": "sent"}

    def answer(self, status, body, content_type="application/json"):
        """Send an answer."""
        payload = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(payload)


class WebServer(http.server.ThreadingHTTPServer):
    """One thread per connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, store):
        super().__init__(address, Handler)
        self.store = store
