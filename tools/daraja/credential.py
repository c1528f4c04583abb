"""Judge the SecurityCredential of a request the way M-Pesa does: late, and with a lock."""

from . import rsa

INVALID_INITIATOR = (2001, "The initiator information is invalid.")
LOCKED_INITIATOR = (8006, "The security credential is locked.")


class Initiator:
    """The operator whose password is in every SecurityCredential.

    Without a password in the settings only the credential's shape counts, because a client
    may have encrypted with Safaricom's own certificate, which nobody here can decrypt.
    """

    def __init__(self, settings):
        self.password = settings.initiator_password
        self.lock_after = settings.lock_after
        self.key, self.certificate = rsa.load_or_create(settings.state)
        self.failures = 0

    def judge(self, cipher):
        """Return ``None``, or the (result code, text) that the transaction must fail with."""
        if not self.password:
            return None
        if self.failures >= self.lock_after:
            return LOCKED_INITIATOR
        plain = rsa.decrypt(self.key, cipher)
        if plain == self.password.encode():
            self.failures = 0
            return None
        self.failures += 1
        return INVALID_INITIATOR

    def unlock(self):
        """Forget earlier wrong passwords, as the Business Administrator does on the portal."""
        self.failures = 0
