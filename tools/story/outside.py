"""What lies outside Odoo: the M-Pesa simulator with its own books, and the postbox."""

import requests

TIMEOUT = 10


class Simulator:
    """The provider's side of the payment, read from its own ledger."""

    def __init__(self, url):
        self.url = url

    def payouts(self):
        """Every payment to a person that the provider executed, oldest first."""
        answer = requests.get(f"{self.url}/_sim/ledger", timeout=TIMEOUT)
        answer.raise_for_status()
        return [
            payment
            for payment in answer.json()["payments"]
            if payment["kind"] == "b2c" and payment["state"] == "completed"
        ]

    def lose_next_callback(self):
        """Execute the next payout, and lose the message that says so."""
        fault = {"fault": "lost_callback", "kind": "b2c", "times": 1}
        answer = requests.post(f"{self.url}/_sim/faults", json=fault, timeout=TIMEOUT)
        answer.raise_for_status()


class Postbox:
    """Phones and mailboxes of everybody in the story."""

    def __init__(self, url):
        self.url = url

    def _read(self, path, key):
        body = requests.get(f"{self.url}/{path}", timeout=TIMEOUT).json()
        return body[key] if isinstance(body, dict) else body

    def sms_to(self, number):
        """The messages that a phone received, oldest first."""
        return [sms for sms in self._read("sms.json", "sms") if sms["to"].endswith(number[-9:])]

    def mails_to(self, address):
        """The e-mails that an address received, oldest first."""
        mails = self._read("mail.json", "mail")
        return [mail for mail in mails if address.lower() in str(mail["to"]).lower()]
