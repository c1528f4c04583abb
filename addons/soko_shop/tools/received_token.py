"""What a shopper's link says about itself, without a database."""

import base64
from datetime import datetime

VERSION = b"\x01"
EXPIRY_SIZE = 8


def read_expiry(token):
    """Return when a token made by `odoo.tools.hash_sign` ends, whether or not it is genuine.

    The answer is only good for the wording of a page: it is not signed. Layout of the token (see
    `hash_sign` in odoo/tools/misc.py): one byte of version, eight of expiry in seconds.

    :param str token: the last part of the link
    :return: the local time it ends, or None if that can't be told
    :rtype: datetime.datetime | None
    """
    try:
        raw = base64.urlsafe_b64decode(token.encode() + b"===")
        seconds = int.from_bytes(raw[1 : 1 + EXPIRY_SIZE], byteorder="little")
        return datetime.fromtimestamp(seconds) if raw[:1] == VERSION and seconds else None
    except (ValueError, OverflowError, OSError):
        return None
