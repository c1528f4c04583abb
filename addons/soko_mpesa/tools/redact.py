"""Secrets out of texts that are kept or shown."""

import re

_FIELD = re.compile(
    rb"""((?:SecurityCredential|InitiatorPassword|Password|access_token)["']?\s*[:=]\s*["']?)"""
    rb"""([^"'\s,}&]+)""",
    re.IGNORECASE,
)
_TOKEN_TAIL = re.compile(rb"(Invalid Access Token\s*-\s*)([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_CALLBACK = re.compile(rb"(/soko/daraja/[a-z-]+/)([A-Za-z0-9_-]+)")
_BEARER = re.compile(rb"((?:Bearer|Basic)\s+)([A-Za-z0-9._~+/=-]+)")

HIDDEN = b"***"


def readable(raw):
    """Return the bytes `raw` as a text that any browser and database can show.

    :param bytes raw:
    :rtype: str
    """
    return raw.decode(errors="backslashreplace").replace("\x00", "\\x00")


def redact(raw):
    """Return the bytes `raw` without credentials.

    Daraja's time-out notice echoes our own request with its SecurityCredential and our secret
    callback addresses, and its message on a stale token ends with the token.

    :param bytes raw:
    :rtype: bytes
    """
    for pattern in (_FIELD, _TOKEN_TAIL, _CALLBACK, _BEARER):
        raw = pattern.sub(lambda match: match[1] + HIDDEN, raw)
    return raw
