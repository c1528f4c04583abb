"""Access tokens: one at a time, each new one ends the one before."""

import base64
import binascii
import secrets
import threading
import time

from .replies import Refused, Reply

# The same stale token has another face in each product.
TOKEN_ERRORS = {
    "b2c": (401, "401.002.01"),
    "balance": (401, "401.002.01"),
    "status": (400, "400.003.01"),
    "stk": (404, "404.001.03"),
    "stkquery": (404, "404.001.03"),
    "c2b": (400, "400.003.01"),
}


class Tokens:
    """Issues and checks tokens.  They are forgotten at a restart, as clients must expect."""

    def __init__(self, settings):
        self.settings = settings
        self._lock = threading.Lock()
        self._current = {}

    def issue(self, client):
        """Return a new token for a consumer key."""
        token = secrets.token_urlsafe(21)
        with self._lock:
            self._current[client] = (token, time.monotonic() + self.settings.token_life)
        return token

    def forget(self):
        """End all tokens."""
        with self._lock:
            self._current.clear()

    def check(self, kind, header):
        """Let a request's Authorization header pass.

        :raises Refused: no bearer token, or one that does not work
        """
        scheme, _space, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(404, "404.001.04", "Invalid Authentication Header")
        with self._lock:
            good = any(
                secrets.compare_digest(token.encode(), known.encode())
                and time.monotonic() < end
                for known, end in self._current.values()
            )
        if not good:
            status, code = TOKEN_ERRORS[kind]
            raise Refused(status, code, f"Error Occurred - Invalid Access Token - {token}")


def client_of(header):
    """Return (key, secret) of a Basic header, or ``None`` when it is not one."""
    scheme, _space, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        key, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (key, secret) if key and colon and secret else None


def handle(sim, request, _plan):
    """Answer ``GET /oauth/v1/generate``.  A bad key gets 400 with an empty body."""
    if not (request.headers.get("Authorization") or "").lower().startswith("basic "):
        raise Refused(400, "400.008.01", "Invalid Authentication passed")
    if request.query.get("grant_type") != "client_credentials":
        raise Refused(400, "400.008.02", "Invalid grant type passed")
    client = client_of(request.headers.get("Authorization"))
    wanted = (sim.settings.consumer_key, sim.settings.consumer_secret)
    if client is None or (wanted[0] and client != wanted):
        return Reply(400, "")
    token = sim.tokens.issue(client[0])
    return Reply(body={"access_token": token, "expires_in": sim.settings.token_life})
