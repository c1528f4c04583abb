"""The SecurityCredential: the operator's password, encrypted with Safaricom's certificate."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding


def load_certificate(raw):
    """Return the X.509 certificate in `raw`, PEM or DER.

    :param bytes raw:
    :raise ValueError: it is neither
    """
    if b"-----BEGIN" in raw:
        return x509.load_pem_x509_certificate(raw)
    return x509.load_der_x509_certificate(raw)


def describe_certificate(raw):
    """Return what a person compares: subject, first and last day, SHA-256 fingerprint.

    An expired certificate is no error: Safaricom's public ones are past their date and in use.

    :param bytes raw:
    :rtype: dict
    :raise ValueError: `raw` is no certificate
    """
    certificate = load_certificate(raw)
    digest = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return {
        "subject": certificate.subject.rfc4514_string(),
        "valid_from": certificate.not_valid_before_utc.date(),
        "valid_to": certificate.not_valid_after_utc.date(),
        "fingerprint": ":".join(digest[i:i + 2] for i in range(0, len(digest), 2)),
    }


def make_credential(password, raw):
    """Return base64(RSA PKCS#1 v1.5(password)).

    :param str password: the operator's password
    :param bytes raw: the certificate of the environment
    :rtype: str
    :raise ValueError: bad certificate, or a password too long for its key
    """
    key = load_certificate(raw).public_key()
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()
