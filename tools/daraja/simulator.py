"""Everything a running simulator consists of, wired together."""

import threading
import time

from . import b2c, balance, c2b, oauth, status, stk
from .bank import Bank
from .callbacks import Postman
from .clock import Clock
from .credential import Initiator
from .faults import Plan, Script
from .hooks import Hooks
from .journal import Journal
from .ledger import Ledger
from .people import People

# path: (kind, method, handler)
PRODUCTS = {
    "/oauth/v1/generate": ("oauth", "GET", oauth.handle),
    "/mpesa/b2c/v3/paymentrequest": ("b2c", "POST", b2c.handle),
    "/mpesa/transactionstatus/v1/query": ("status", "POST", status.handle),
    "/mpesa/accountbalance/v1/query": ("balance", "POST", balance.handle),
    "/mpesa/stkpush/v1/processrequest": ("stk", "POST", stk.handle_push),
    "/mpesa/stkpushquery/v1/query": ("stkquery", "POST", stk.handle_query),
    "/mpesa/c2b/v2/registerurl": ("c2b", "POST", c2b.handle_register),
    "/mpesa/c2b/v2/simulate": ("c2b", "POST", c2b.handle_simulate),
}


class Simulator:
    """The parts that handlers work with.

    :ivar stk_mode: what customers do with a prompt: a key of ``stk.ANSWERS``, or ``ask``
        to leave it to the person at the page
    """

    def __init__(self, settings):
        settings.state.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.ledger = Ledger(settings.state / "ledger.jsonl")
        self.people = People(settings.state / "people.json", settings.opening_wallet)
        self.bank = Bank(self.ledger, self.people, settings)
        self.initiator = Initiator(settings)
        self.tokens = oauth.Tokens(settings)
        self.faults = Script(settings.seed)
        self.no_faults = Plan()
        self.journal = Journal()
        self.clock = Clock()
        self.hooks = Hooks(settings.allow_hooks)
        self.postman = Postman(self.clock, self.journal, self.hooks, settings)
        self.c2b = c2b.Registry(settings.state / "c2b.json")
        self.c2b_validation = False
        self.stk_mode = "pay"
        self.prompt_plans = {}
        self.started = time.monotonic()
        self._resetting = threading.Lock()
        self.resume()

    def resume(self):
        """Finish what an earlier run accepted but did not finish."""
        for transaction in self.bank.unfinished():
            if transaction["kind"] == "b2c":
                self.clock.later(0, b2c.finish, self, transaction["id"], None, self.no_faults)
            elif transaction["kind"] == "c2b":
                self.bank.refuse(transaction["id"], 1037, "The service stopped.")
            else:
                self.clock.later(0, stk.answer, self, transaction["id"], "ignore")

    def reset(self, utility=None):
        """Begin new books, with no faults, no tokens and nothing under way."""
        with self._resetting:
            self.clock.clear()
            self.faults.clear()
            self.faults.tally.clear()
            self.hooks.clear()
            self.tokens.forget()
            self.initiator.unlock()
            self.journal.clear()
            self.prompt_plans.clear()
            self.stk_mode = "pay"
            self.c2b_validation = False
            self.bank.reset(self.settings.utility if utility is None else utility)

    def stop(self):
        """Begin nothing new and close the books."""
        self.clock.stop()
        with self.bank.lock:
            self.ledger.close()
