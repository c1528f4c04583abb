"""Calls to Daraja: one connection a call, one deadline a call, no redirects, no exception.

The standard library's pieces are used instead of `requests`, because what counts here is *where*
a call broke: before the first byte of the request left (nothing can have happened), or after.
"""

import base64
import hashlib
import http.client
import io
import ipaddress
import json
import re
import socket
import ssl
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from ..const import HTTP_DEADLINE, MAX_RESPONSE_BYTES, PATH_TOKEN, TOKEN_DEADLINE
from .claims import ClaimsFileError, append_claim
from .classify import Outcome, broken, classify, not_sent

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Request:
    """A call, complete as bytes: nothing is read from the database once it exists."""

    url: str
    body: bytes
    expected_id: str = ""
    headers: dict = field(default_factory=dict, repr=False)
    public: bool = False
    # (path, Claim) that must be on the disk before the first byte leaves; see tools/claims.py
    journal: tuple = ()

    @property
    def sha256(self):
        """Digest of the body; the stub or the provider can be asked whether it saw the same."""
        return hashlib.sha256(self.body).hexdigest()


def check_base_url(url, public=False):
    """Whether requests may go to `url`: https, or http to this very machine.

    :param bool public: whether only https to the internet will do, as for real money: then no
        address of this machine, of the house's network or of a cloud's metadata service
    :rtype: bool
    """
    try:
        parts = urlsplit(url or "")
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.username or parts.password or not host or re.search(r"[\s\\\x00]", url):
        return False
    if public:
        return parts.scheme == "https" and _is_public_name(host)
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _is_public_name(host):
    """Whether a name or address in a URL can be one of the internet."""
    *parents, top = host.lower().rstrip(".").split(".")
    if ":" in host or re.fullmatch(r"\d+|0x[0-9a-f]*", top):
        return _is_public_address(host)
    return bool(parents) and top not in ("internal", "intranet", "lan", "local", "localhost")


def _is_public_address(text):
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False  # such as 0x7f.1, which some resolvers take for an address
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not (mapped or address).is_multicast


def make_request(base_url, path, token, payload, public=False):
    """Return a POST of the JSON `payload`, authorised by `token`.

    :param bool public: whether it may only go to an address of the internet
    :rtype: Request
    """
    return Request(
        url=base_url.rstrip("/") + path,
        body=json.dumps(payload, separators=(",", ":")).encode(),
        expected_id=payload.get("OriginatorConversationID", ""),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        public=public,
    )


def send(request, deadline=HTTP_DEADLINE):
    """Make the call and say what it proves.

    :param Request request:
    :param float deadline: seconds for the whole call
    :rtype: Outcome
    """
    try:
        if request.journal:
            append_claim(*request.journal)
        status, body, date = _exchange(
            "POST", request.url, request.headers, request.body, deadline, request.public)
        return replace(classify(status, body, request.expected_id), date=date)
    except _NothingLeft as error:
        return not_sent(str(error))
    except ClaimsFileError as error:
        return replace(not_sent(f"claims journal: {error}"), reason="journal")
    except Exception as error:  # noqa: BLE001  whatever it is, the request may have arrived
        return broken(f"{type(error).__name__}: {error}")


def fetch_token(base_url, key, secret, deadline=TOKEN_DEADLINE, public=False):
    """Ask for an access token.

    :return: (token, seconds it lives, what went wrong); an empty token when none was given
    :rtype: tuple[str, int, str]
    """
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    try:
        url = base_url.rstrip("/") + PATH_TOKEN
        status, body, _date = _exchange("GET", url, headers, b"", deadline, public)
        data = json.loads(body) if status == 200 else {}
        if isinstance(data, dict) and data.get("access_token"):
            return str(data["access_token"]), int(float(data.get("expires_in") or 0)), ""
        return "", 0, f"HTTP {status}"
    except Exception as error:  # noqa: BLE001  no token means that nothing is sent
        return "", 0, f"{type(error).__name__}: {error}"


def look(url, deadline=TOKEN_DEADLINE, public=False):
    """Fetch `url` to see whether it leads where it should; never follows a redirect.

    :param bool public: whether an address that isn't public is refused
    :return: (HTTP status, body, what went wrong); status 0 when there was no answer
    :rtype: tuple[int, bytes, str]
    """
    try:
        status, body, _date = _exchange("GET", url, {}, b"", deadline, public)
        return status, body, ""
    except Exception as error:  # noqa: BLE001  whatever it is, there was no answer
        return 0, b"", f"{type(error).__name__}: {error}"


class _NothingLeft(Exception):
    """The call broke before its first byte left this machine."""


class _Deadline:
    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def left(self):
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        return left


class _Reader(io.RawIOBase):
    """Bytes of a socket, until the deadline of the call and never more than the limit."""

    def __init__(self, sock, deadline):
        self._sock = sock
        self._deadline = deadline
        self._room = 2 * MAX_RESPONSE_BYTES

    def readable(self):
        return True

    def readinto(self, buffer):
        self._sock.settimeout(self._deadline.left())
        count = self._sock.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OverflowError("answer too long")
        return count

    def makefile(self, _mode):
        """Let http.client take this reader for a socket."""
        return io.BufferedReader(self)


def _exchange(method, url, headers, body, seconds, public=False):
    """:return: (HTTP status, body, Date); :raise _NothingLeft: before the request began"""
    deadline = _Deadline(seconds)
    try:
        data = _head(method, url, headers, body) + body
    except ValueError as error:
        raise _NothingLeft(str(error)) from None
    sock = _connect(url, deadline, public)
    try:
        sock.settimeout(deadline.left())
        sock.sendall(data)
        response = http.client.HTTPResponse(_Reader(sock, deadline), method=method)
        response.begin()
        return response.status, _read_body(response), response.getheader("Date", "")
    finally:
        sock.close()


def _read_body(response):
    body = response.read(MAX_RESPONSE_BYTES + 1)
    if len(body) > MAX_RESPONSE_BYTES:
        raise OverflowError("answer too long")
    return body


def _connect(url, deadline, public):
    if not check_base_url(url, public):
        raise _NothingLeft("refused address")
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        sock = socket.create_connection((parts.hostname, port), timeout=deadline.left())
    except (OSError, UnicodeError) as error:
        raise _NothingLeft(f"{type(error).__name__}: {error}") from None
    # the peer, not the name: a name may lead to another address each time it is looked up
    if public and not _is_public_address(sock.getpeername()[0]):
        sock.close()
        raise _NothingLeft("refused address")
    if parts.scheme == "http":
        return sock
    try:
        sock.settimeout(deadline.left())
        return ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    except OSError as error:
        sock.close()
        raise _NothingLeft(f"{type(error).__name__}: {error}") from None


def _head(method, url, headers, body):
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Accept: application/json", "Accept-Encoding: identity"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if any(character in line for line in lines for character in "\r\n"):
        raise ValueError("line break in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


__all__ = [
    "Outcome", "Request", "broken", "check_base_url", "fetch_token", "look", "make_request",
    "not_sent", "send",
]
