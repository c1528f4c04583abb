"""What people see on their phones: the messages that M-Pesa sends, and what is in the wallet."""

import collections
import dataclasses

from . import wire

LOOKED_AT = 400  # newest lines of the ledger that messages are made of
PHONES, MESSAGES = 8, 3


@dataclasses.dataclass
class Phone:
    """One number with its newest messages, newest first."""

    msisdn: str
    name: str
    wallet: int
    messages: list


def amount(shillings):
    """Return whole shillings as M-Pesa's messages write them."""
    return f"Ksh{shillings:,}.00"


def message(entry, organisation, shortcode):
    """Return the text message that a line of the ledger causes, or nothing."""
    if entry["type"] not in ("paid", "reversed"):
        return ""
    moment = wire.parse(entry["at"])
    when = f"{moment:%d/%m/%y} at {moment:%I:%M %p}"
    balance = f"New M-PESA balance is {amount(entry['wallet_after'])}."
    if entry["type"] == "reversed":
        return (f"{entry['receipt']} Confirmed. Transaction {entry['original']} of "
                f"{amount(entry['amount'])} has been reversed on {when}. {balance}")
    if entry["kind"] == "b2c":
        return (f"{entry['receipt']} Confirmed. You have received {amount(entry['amount'])} from "
                f"{shortcode} - {organisation} on {when}. {balance}")
    return (f"{entry['receipt']} Confirmed. {amount(entry['amount'])} paid to {organisation} "
            f"on {when}. {balance}")


def newest(sim):
    """Return the phones that something happened on, newest first."""
    found = collections.OrderedDict()
    with sim.bank.lock:
        for entry in sim.ledger.entries[:-LOOKED_AT - 1:-1]:
            shortcode = sim.bank.transactions.get(entry.get("id"), {}).get("shortcode", "")
            text = message(entry, sim.settings.organisation, shortcode)
            if text:
                number = entry["msisdn"]
                found.setdefault(number, Phone(
                    number, entry["name"], sim.bank.wallet(number), [])).messages.append(text)
    phones = list(found.values())[:PHONES]
    for phone in phones:
        del phone.messages[MESSAGES:]
    return phones
