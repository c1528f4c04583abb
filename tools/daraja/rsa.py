"""A 2048-bit RSA key and its self-signed certificate, in plain Python.

Clients encrypt the initiator's password with the certificate of the service.  The simulator
has a key pair of its own, made at its first start, so that this step can be tried for real.
Good enough to test with; never use it to protect anything.
"""

import base64
import datetime
import hashlib
import json
import os
import secrets

KEY_BITS = 2048
PUBLIC_EXPONENT = 65537
SMALL_PRIMES = tuple(n for n in range(3, 2000) if all(n % d for d in range(2, int(n**0.5) + 1)))
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
OID_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
OID_RSA = bytes.fromhex("06092a864886f70d010101")
OID_COMMON_NAME = bytes.fromhex("0603550403")
DER_NULL = b"\x05\x00"


def is_probable_prime(number, rounds=20):
    """Tell whether an odd number is prime (Miller-Rabin)."""
    if any(number % prime == 0 for prime in SMALL_PRIMES):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _round in range(rounds):
        value = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if value in (1, number - 1):
            continue
        for _square in range(twos - 1):
            value = pow(value, 2, number)
            if value == number - 1:
                break
        else:
            return False
    return True


def random_prime(bits):
    """Return a random prime with its two upper bits set."""
    while True:
        candidate = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if candidate % PUBLIC_EXPONENT != 1 and is_probable_prime(candidate):
            return candidate


def generate():
    """Return a new key as ``{"n": modulus, "e": exponent, "d": private exponent}``."""
    first, second = random_prime(KEY_BITS // 2), random_prime(KEY_BITS // 2)
    private = pow(PUBLIC_EXPONENT, -1, (first - 1) * (second - 1))
    return {"n": first * second, "e": PUBLIC_EXPONENT, "d": private}


def decrypt(key, cipher):
    """Return the plain bytes of a PKCS#1 v1.5 message, or ``None`` when it is not for us."""
    number = int.from_bytes(cipher, "big")
    if number >= key["n"]:
        return None
    block = pow(number, key["d"], key["n"]).to_bytes(KEY_BITS // 8, "big")
    end = block.find(b"\x00", 2)
    if block[:2] != b"\x00\x02" or end < 10:
        return None
    return block[end + 1:]


def sign(key, message):
    """Return the PKCS#1 v1.5 SHA-256 signature of ``message``."""
    digest = SHA256_DIGEST_INFO + hashlib.sha256(message).digest()
    padding = b"\xff" * (KEY_BITS // 8 - len(digest) - 3)
    block = int.from_bytes(b"\x00\x01" + padding + b"\x00" + digest, "big")
    return pow(block, key["d"], key["n"]).to_bytes(KEY_BITS // 8, "big")


def der(tag, *parts):
    """Return one DER element."""
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def der_integer(number):
    """Return a DER integer of a non-negative number."""
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def certificate(key, name, today=None):
    """Return the PEM text of a self-signed X.509 certificate that is valid for ten years."""
    today = today or datetime.date.today()
    subject = der(0x30, der(0x31, der(0x30, OID_COMMON_NAME, der(0x0C, name.encode()))))
    validity = der(0x30, *(
        der(0x18, f"{year}{today:%m}01000000Z".encode()) for year in (today.year, today.year + 10)
    ))
    algorithm = der(0x30, OID_SHA256_RSA, DER_NULL)
    public = der(0x30, der_integer(key["n"]), der_integer(key["e"]))
    public = der(0x30, der(0x30, OID_RSA, DER_NULL), der(0x03, b"\x00", public))
    serial = der_integer(secrets.randbits(64) | 1)
    version = der(0xA0, der_integer(2))
    body = der(0x30, version, serial, algorithm, subject, validity, subject, public)
    whole = der(0x30, body, algorithm, der(0x03, b"\x00", sign(key, body)))
    lines = base64.encodebytes(whole).decode().replace("\n", "")
    rows = [lines[start:start + 64] for start in range(0, len(lines), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *rows, "-----END CERTIFICATE-----", ""])


def load_or_create(folder):
    """Return (key, certificate as PEM) kept in ``folder``, made there at the first call."""
    key_file, certificate_file = folder / "key.json", folder / "certificate.pem"
    if key_file.exists() and certificate_file.exists():
        return json.loads(key_file.read_text()), certificate_file.read_text()
    key = generate()
    pem = certificate(key, "Daraja simulator")
    certificate_file.write_text(pem)
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(key, stream)
    return key, pem
