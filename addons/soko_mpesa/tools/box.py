"""Encryption of secrets with a key that lives in a file, outside the database."""

import base64
import hashlib
import hmac
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyFileError(Exception):
    """The key file is missing, unreadable or too short; the argument is one of those words."""


class Box:
    """Encrypt and decrypt with the keys of one file.

    Each line of the file is a key: the first one encrypts, all of them decrypt, so a new key is
    put in front of the old one. A line is a Fernet key; any other text of 32 characters or more
    is hashed into one.
    """

    def __init__(self, path):
        """:raise KeyFileError: no usable key in the file `path`"""
        keys = [_as_key(line) for line in _lines(path)]
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._sign_keys = [base64.urlsafe_b64decode(key) for key in keys]

    def encrypt(self, text):
        """:rtype: str"""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, cipher):
        """Return the clear text, or ``None`` when no key of the file made `cipher`."""
        try:
            return self._fernet.decrypt(cipher.encode()).decode()
        except InvalidToken:
            return None

    def rotate(self, cipher):
        """Return `cipher` encrypted with the first key, or ``None`` when no key here made it.

        The text inside is not changed, nor is when it was encrypted first.
        """
        try:
            return self._fernet.rotate(cipher.encode()).decode()
        except InvalidToken:
            return None

    def fingerprint(self, *parts):
        """Return a digest of `parts` that only the owner of the key can make.

        :rtype: str
        """
        return self._sign(self._sign_keys[0], parts)

    def is_fingerprint(self, digest, *parts):
        """Whether `digest` is the fingerprint of `parts` by any key of the file.

        :rtype: bool
        """
        return any(hmac.compare_digest(self._sign(key, parts), digest or "")
                   for key in self._sign_keys)

    @staticmethod
    def _sign(key, parts):
        return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def _lines(path):
    if not path:
        raise KeyFileError("missing")
    try:
        with open(os.path.expanduser(path), encoding="ascii") as stream:
            lines = [line.strip() for line in stream]
    except FileNotFoundError:
        raise KeyFileError("missing") from None
    except (OSError, UnicodeDecodeError):
        raise KeyFileError("unreadable") from None
    lines = [line for line in lines if line]
    if not lines or any(len(line) < 32 for line in lines):
        raise KeyFileError("short")
    return lines


def _as_key(line):
    try:
        Fernet(line)
    except ValueError:
        return base64.urlsafe_b64encode(hashlib.sha256(line.encode()).digest())
    return line.encode()
