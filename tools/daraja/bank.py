"""Accounts, wallets and transactions: what the ledger's lines add up to."""

import random
import threading

from . import settings as limits
from . import wire
from .tariff import b2c_fee

INSUFFICIENT = (1, "The balance is insufficient for the transaction.")
BELOW_MINIMUM = (2, "Declined due to limit rule: less than the minimum transaction amount.")
ABOVE_MAXIMUM = (3, "Declined due to limit rule: greater than the maximum transaction amount.")
DAILY_LIMIT = (4, "Declined due to limit rule: would exceed daily transfer limit.")
WALLET_LIMIT = (8, "Declined due to limit rule: would exceed the maximum balance.")
NOT_REGISTERED = (2040, "Credit Party customer type (Unregistered or Registered Customer) can't "
                        "be supported by the service.")
NOT_ON_MPESA = ("SFC_IC0003", "The operator does not exist.")


class DuplicateTransaction(Exception):
    """The originator's id was used before."""


class Bank:
    """The state of all accounts.  It changes only by lines that are already on the disk.

    Every public method takes the one lock, so that a check and the line that depends on it
    cannot be parted by another thread.
    """

    def __init__(self, ledger, people, config):
        self.ledger, self.people, self.config = ledger, people, config
        self.lock = threading.RLock()
        self._forget()
        for entry in ledger.entries:
            self._apply(entry)
        if not ledger.entries:
            self._open(config.utility)
        seed = None if config.seed is None else f"{config.seed}:{len(ledger.entries)}"
        self.rng = random.Random(seed)

    def _forget(self):
        self.utility = self.charges = 0
        self.transactions = {}
        self.receipts = {}
        self.wallets = {}
        self.received_today = {}

    def _open(self, utility):
        self._record({"type": "opening", "utility": utility})

    def _record(self, *entries):
        for entry in self.ledger.append(*entries):
            self._apply(entry)

    def _apply(self, entry):
        getattr(self, "_apply_" + entry["type"])(entry)

    def _apply_opening(self, entry):
        self.utility = entry["utility"]

    def _apply_float_added(self, entry):
        self.utility += entry["amount"]
        self.receipts[entry.get("receipt")] = None

    def _apply_foreign(self, entry):
        self.utility += entry["amount"]
        self.receipts[entry["receipt"]] = None

    def _apply_reversed(self, entry):
        self.utility = entry["utility_after"]
        self.wallets[entry["msisdn"]] = entry["wallet_after"]
        self.receipts[entry["receipt"]] = None
        transaction = self.transactions[entry["id"]]
        transaction["reversals"] = [*transaction.get("reversals", ()), entry["receipt"]]

    def _apply_accepted(self, entry):
        fresh = {"state": "accepted", "receipt": None, "fee": 0, "result_code": None}
        self.transactions[entry["id"]] = {**fresh, **entry}

    def _apply_failed(self, entry):
        transaction = self.transactions[entry["id"]]
        transaction.update(
            state="failed", result_code=entry["result_code"], result_desc=entry["result_desc"],
            transaction_id=entry["transaction_id"], finalised_at=entry["at"],
        )

    def _apply_paid(self, entry):
        transaction = self.transactions[entry["id"]]
        transaction.update(
            state="completed", result_code=0, result_desc=wire.PROCESSED, fee=entry["fee"],
            receipt=entry["receipt"], transaction_id=entry["receipt"],
            paid_amount=entry["amount"], finalised_at=entry["at"],
            paid_msisdn=entry["msisdn"], paid_name=entry["name"],
            utility_after=entry["utility_after"], charges_after=entry["charges_after"],
        )
        self.receipts[entry["receipt"]] = entry["id"]
        self.utility, self.charges = entry["utility_after"], entry["charges_after"]
        self.wallets[entry["msisdn"]] = entry["wallet_after"]
        if transaction["kind"] == "b2c":
            key = (entry["msisdn"], entry["at"][:10])
            self.received_today[key] = self.received_today.get(key, 0) + entry["amount"]

    def wallet(self, msisdn):
        """Return what is in a customer's wallet, in shillings."""
        return self.wallets.get(msisdn, self.people.get(msisdn)["wallet"])

    def _new_receipt(self):
        return wire.new_receipt(self.rng, wire.now(), self.receipts)

    def add_float(self, amount):
        """Put money into the utility account."""
        with self.lock:
            self._record({
                "type": "float_added", "amount": amount, "receipt": self._new_receipt(),
            })

    def book_foreign(self, amount, details, reason, party=""):
        """Move money that nobody asked for over the API: work at the portal, other products.

        :param int amount: whole shillings into the utility account; negative out of it
        """
        with self.lock:
            self._record({
                "type": "foreign", "amount": amount, "details": details, "reason": reason,
                "party": party, "receipt": self._new_receipt(),
            })

    def reverse(self, receipt):
        """Take an executed payment back, as people do it at the portal, and return its line.

        :return: the ledger's line, or ``None`` when there is nothing (more) to reverse
        """
        with self.lock:
            paid = next((e for e in self.ledger.entries
                         if e["type"] == "paid" and e["receipt"] == receipt), None)
            taken = any(e["type"] == "reversed" and e["original"] == receipt
                        for e in self.ledger.entries)
            if paid is None or paid["kind"] != "b2c" or taken:
                return None
            self._record({
                "type": "reversed", "id": paid["id"], "original": receipt,
                "receipt": self._new_receipt(), "msisdn": paid["msisdn"], "name": paid["name"],
                "amount": paid["amount"], "utility_after": self.utility + paid["amount"],
                "wallet_after": self.wallet(paid["msisdn"]) - paid["amount"],
            })
            return self.ledger.entries[-1]

    def reset(self, utility):
        """Begin new books; the old file is put aside."""
        with self.lock:
            self.ledger.start_over()
            self._forget()
            self._open(utility)

    def accept(self, kind, key, transaction):
        """Take a transaction under its id.

        :param str kind: ``b2c``, ``stk`` or ``c2b``
        :param str key: the originator's id (b2c) or the checkout request's id (stk)
        :raises DuplicateTransaction: the id was taken before
        """
        with self.lock:
            if key in self.transactions and not self.config.forget_ids:
                raise DuplicateTransaction(key)
            name = self.people.get(transaction["msisdn"])["name"]
            self._record({"type": "accepted", "kind": kind, "id": key, "name": name,
                          **transaction})

    def refuse(self, key, code, description):
        """Finish a transaction as failed and return it."""
        with self.lock:
            self._record({
                "type": "failed", "id": key, "result_code": code, "result_desc": description,
                "transaction_id": wire.dummy_transaction_id(wire.now()),
            })
            return dict(self.transactions[key])

    def execute(self, key, amount=None, msisdn=None):
        """Move the money of an accepted transaction if the rules let it, and return it.

        :param int amount: another amount than the one asked for (a provider's mistake)
        :param str msisdn: another number than the one asked for (a provider's mistake)
        """
        with self.lock:
            transaction = self.transactions[key]
            amount = transaction["amount"] if amount is None else amount
            is_b2c = transaction["kind"] == "b2c"
            refusal = (self._why_not_b2c if is_b2c else self._why_not_stk)(transaction, amount)
            if refusal:
                return self.refuse(key, *refusal)
            self._pay(transaction, amount, is_b2c, msisdn or transaction["msisdn"])
            return dict(self.transactions[key])

    def _pay(self, transaction, amount, is_b2c, msisdn):
        known = msisdn == transaction["msisdn"]
        name = transaction["name"] if known else self.people.get(msisdn)["name"]
        fee = b2c_fee(amount) if is_b2c else 0
        sign = 1 if is_b2c else -1
        self._record({
            "type": "paid", "kind": transaction["kind"], "id": transaction["id"],
            "receipt": self._new_receipt(),
            "msisdn": msisdn, "name": name, "amount": amount, "fee": fee,
            "utility_after": self.utility - sign * amount, "charges_after": self.charges - fee,
            "wallet_after": self.wallet(msisdn) + sign * amount,
        })

    def _why_not_b2c(self, transaction, amount):
        owner = self.people.get(transaction["msisdn"])
        today = wire.now().date().isoformat()
        received = self.received_today.get((transaction["msisdn"], today), 0)
        rules = (
            (amount < limits.MINIMUM_B2C, BELOW_MINIMUM),
            (amount > limits.MAXIMUM_B2C, ABOVE_MAXIMUM),
            (not owner["on_mpesa"], NOT_ON_MPESA),
            (not owner["registered"], NOT_REGISTERED),
            (received + amount > limits.DAILY_LIMIT, DAILY_LIMIT),
            (self.wallet(transaction["msisdn"]) + amount > limits.WALLET_LIMIT, WALLET_LIMIT),
            (amount > self.utility, INSUFFICIENT),
        )
        return next((refusal for broken, refusal in rules if broken), None)

    def _why_not_stk(self, transaction, amount):
        return INSUFFICIENT if amount > self.wallet(transaction["msisdn"]) else None

    def find(self, kind, key):
        """Return a copy of a transaction by id or receipt, or ``None``."""
        with self.lock:
            found = self.transactions.get(self.receipts.get(key, key))
            return dict(found) if found and kind in (None, found["kind"]) else None

    def unfinished(self):
        """Return copies of all transactions that wait for their outcome."""
        with self.lock:
            return [dict(t) for t in self.transactions.values() if t["state"] == "accepted"]

    def view(self):
        """Return accounts, transactions and lines for the control API."""
        with self.lock:
            return {
                "accounts": {"utility": self.utility, "working": 0, "charges": self.charges},
                "payments": [dict(t) for t in self.transactions.values()],
                "entries": list(self.ledger.entries),
            }
