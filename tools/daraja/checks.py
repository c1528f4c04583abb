"""The checks that the real service makes on a request's fields before it accepts it."""

import base64
import binascii
import re
import urllib.parse

MSISDN = re.compile(r"254[17]\d{8}")
SHORTCODE = re.compile(r"\d{5,7}")
CREDENTIAL_LENGTH = 344


class InvalidField(Exception):
    """A field that the service refuses with ``400.002.02``."""

    def __init__(self, field):
        super().__init__(field)
        self.field = field


def text(body, field, low=1, high=100):
    """Return a text of ``low`` to ``high`` characters.

    :raises InvalidField: missing, not a text, too short or too long
    """
    value = body.get(field)
    if not isinstance(value, str) or not low <= len(value.strip()) <= high:
        raise InvalidField(field)
    return value


def optional_text(body, field, high=100):
    """Return a text of at most ``high`` characters, or an empty one."""
    value = body.get(field) or ""
    if not isinstance(value, str) or len(value) > high:
        raise InvalidField(field)
    return value


def choice(body, field, allowed):
    """Return the field's text when it is one of ``allowed``."""
    value = body.get(field)
    if not isinstance(value, str) or value not in allowed:
        raise InvalidField(field)
    return value


def whole_number(body, field):
    """Return a whole amount, sent as a number or as digits."""
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise InvalidField(field)
    if not re.fullmatch(r"-?\d{1,12}", str(value), re.ASCII):
        raise InvalidField(field)
    return int(value)


def msisdn(body, field):
    """Return a Kenyan mobile number, ``2547XXXXXXXX`` or ``2541XXXXXXXX``."""
    value = str(body.get(field, ""))
    if not MSISDN.fullmatch(value):
        raise InvalidField(field)
    return value


def shortcode(body, field):
    """Return a shortcode of 5 to 7 digits, sent as a number or as digits."""
    value = str(body.get(field, ""))
    if not SHORTCODE.fullmatch(value):
        raise InvalidField(field)
    return value


def url(body, field):
    """Return an http(s) address.

    The real service wants https; plain http is accepted here because a simulator on the
    loopback interface calls an Odoo on the loopback interface.
    """
    value = body.get(field)
    if not isinstance(value, str):
        raise InvalidField(field)
    parts = urllib.parse.urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidField(field)
    return value


def security_credential(body):
    """Return the 256 bytes of the RSA-encrypted initiator password."""
    value = body.get("SecurityCredential")
    if not isinstance(value, str) or len(value) != CREDENTIAL_LENGTH:
        raise InvalidField("SecurityCredential")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as failure:
        raise InvalidField("SecurityCredential") from failure
