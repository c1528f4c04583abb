"""A stateful model of payouts: real Odoo code, a real database, the real simulator's ledger.

Runs inside Odoo's shell (see test_mpesa_model.py), which gives it ``env``. Hypothesis chooses the
order of events; after each of them the invariants must hold and both sides' books must agree. The
simulator runs in this process, so a letter of it arrives when a rule delivers it, and not before.
"""

import base64
import json
import os
import random
import sys
import threading
import traceback
from collections import Counter
from pathlib import Path
from unittest.mock import patch

TOOLS = Path(os.environ["SOKO_MODEL_TOOLS"])
sys.path.insert(0, str(TOOLS))

from daraja import server as daraja_server  # noqa: E402
from daraja.settings import Settings  # noqa: E402
from daraja.simulator import Simulator  # noqa: E402
from hypothesis import HealthCheck, Phase, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.stateful import (  # noqa: E402
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from odoo import Command, api, fields  # noqa: E402
from odoo.exceptions import AccessError, UserError  # noqa: E402
from odoo.modules.registry import Registry  # noqa: E402

SEED = int(os.environ.get("SOKO_MPESA_MODEL_SEED", "20260701"))
EXAMPLES = int(os.environ.get("SOKO_MPESA_MODEL_EXAMPLES", "12"))
STEPS = int(os.environ.get("SOKO_MPESA_MODEL_STEPS", "30"))

FAULTS = (
    {"fault": "down"}, {"fault": "reset"}, {"fault": "throttle"}, {"fault": "token_expired"},
    {"fault": "system_error"}, {"fault": "ack_lost"}, {"fault": "ack_html"},
    {"fault": "callback_first"}, {"fault": "timeout_notice"}, {"fault": "lost_callback"},
    {"fault": "execute_delay", "seconds": 1}, {"fault": "callback_duplicate", "copies": 3},
    {"fault": "result_failure", "code": 2040, "description": "not a customer"},
    {"fault": "result_failure", "code": 17, "description": "busy"},
    {"fault": "result_failure", "code": 99, "description": "<b>other</b>"},
    {"fault": "result_failure", "code": 1, "description": "The balance is insufficient."},
    {"fault": "http", "status": 200, "body": ""},
    {"fault": "http", "status": 400, "body": {"errorCode": "400.002.02", "errorMessage": "Bad"}},
    {"fault": "http", "status": 200, "body": {"ResponseCode": "1", "ResponseDescription": "no"}},
    {"fault": "wrong_amount", "amount": 55}, {"fault": "double_payment"},
)
AMOUNTS = (10, 55, 900, 1000, 1001, 250000)
# What becomes of a letter of the provider's: the first three can happen, the others are forged.
LETTERS = ("deliver", "repeat", "drop",
           "swap", "stranger", "amount", "failure", "success", "garble")
PAYEE = "Amina Mfano"
KINDS = ("b2c", "b2c", "b2c", "status", "oauth")
OWN_MISTAKES = {"wrong_amount", "double_payment"}
SEEN = Counter()


class Office:
    """The company, its people and the provider: made once, used by all examples."""

    def __init__(self, env):
        self.registry = Registry(env.cr.dbname)
        self.letters, self.deferred = [], []
        self.lock, self.busy = threading.Condition(), 0
        self.start_provider()
        os.environ["SOKO_MPESA_CALLBACK_URL"] = "https://erp.example.co.ke"
        self.set_up(env)
        env.cr.commit()

    # --- the provider ---

    def start_provider(self):
        """Start the simulator with a clock that we turn."""
        state = Path(os.environ["SOKO_MODEL_STATE"])
        os.environ["SOKO_MPESA_CLAIMS_FILE"] = str(state / "claims")
        self.sim = Simulator(Settings(state=state, port=0, seed=None, utility=90_000_000))
        self.sim.people.update({f"2547000000{number}": PAYEE.upper() for number in range(41, 54)})
        self.sim.clock.later = self.later
        self.sim.postman.deliver = self.deliver_first
        office = self

        class Handler(daraja_server.Handler):
            def serve(self):
                with office.lock:
                    office.busy += 1
                try:
                    super().serve()
                finally:
                    with office.lock:
                        office.busy -= 1
                        office.lock.notify_all()

        server = daraja_server.Server(("127.0.0.1", 0), self.sim)
        server.RequestHandlerClass = Handler
        os.environ["SOKO_MPESA_BASE_URL"] = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def later(self, _delay, job, *arguments):
        """Keep what the simulator would do later: letters, and payments that it executes late."""
        if job == self.sim.postman.deliver:
            _kind, url, body, *_type = arguments
            self.letters.append((url, body))
        else:
            self.deferred.append((job, arguments))

    def deliver_first(self, _kind, url, body):
        """A result that overtakes the answer: applied by another worker, at this very moment."""
        self.hear(url, json.dumps(body).encode())
        self.cron("soko.mpesa.inbox", "_cron_apply")

    def rest(self):
        """Wait until the simulator's threads have done what belongs to their requests."""
        with self.lock:
            self.lock.wait_for(lambda: not self.busy, timeout=20)

    # --- Odoo ---

    def env(self, cr, user=None):
        """:return: an environment of our company"""
        return api.Environment(cr, user or api.SUPERUSER_ID, {
            "allowed_company_ids": [self.company], "tracking_disable": True})

    def cron(self, model, method):
        """Run a scheduled job as its worker does."""
        with self.registry.cursor() as cr:
            getattr(self.env(cr)[model], method)()
        self.rest()

    def hear(self, url, raw):
        """Store a letter, as the controller does."""
        word, token = url.split("/")[-2:]
        with self.registry.cursor() as cr:
            self.env(cr)["soko.mpesa.inbox"]._store(word, token, raw, "192.0.2.1")

    def press(self, user, model, record, method):
        """Press a button. :return: whether it was allowed"""
        try:
            with self.registry.cursor() as cr:
                getattr(self.env(cr, user)[model].browse(record), method)()
            return True
        except (UserError, AccessError):
            return False

    def set_up(self, env):
        """Make company, people, account and payees."""
        kes = env.ref("base.KES")
        kes.active = True
        company = env["res.company"].create({
            "name": "Mfano Model", "country_id": env.ref("base.ke").id, "currency_id": kes.id})
        self.company = company.id
        env.user.company_ids += company
        env["account.chart.template"].try_loading("generic_coa", company, False)
        company.currency_id = kes
        company.write({"soko_mpesa_cooling_hours": 0, "soko_mpesa_first_payment_limit": 0})
        env.cr.commit()  # a new company gets a chart of its country at that moment
        env = env(context={"allowed_company_ids": [company.id]})
        self.people(env)
        account = env["soko.mpesa.account"].create({
            "name": "Model", "shortcode": "600992", "company_id": company.id,
            "initiator_name": "testapi", "consumer_key": "k", "consumer_secret": "s",
            "security_credential": base64.b64encode(bytes(256)).decode(),
            "auto_approve_limit": 1000, "responsible_id": self.manager, "send_spacing_ms": 0})
        account.action_set_up_journal()
        self.account, self.journal = account.id, account.journal_id.id
        self.method = account.journal_id.outbound_payment_method_line_ids.filtered(
            lambda line: line.code == "mpesa_b2c").id
        self.payees = [self.payee(env, number) for number in range(41, 44)]

    def people(self, env):
        """Make a user for each role."""
        roles = {
            "maker": ("soko_mpesa.soko_mpesa_group_maker", "account.group_account_invoice",
                      "base.group_partner_manager"),
            "approver": ("soko_mpesa.soko_mpesa_group_approver",),
            "manager": ("soko_mpesa.soko_mpesa_group_manager",),
        }
        for role, groups in roles.items():
            user = env["res.users"].with_context(no_reset_password=True).create({
                "name": f"{role.title()} Mfano", "login": f"model_{role}",
                "company_id": self.company, "company_ids": [Command.set([self.company])],
                "group_ids": [Command.set([env.ref(group).id for group in groups])]})
            setattr(self, role, user.id)

    def payee(self, env, number):
        """:return: (partner, bank account) with a verified number"""
        partner = env["res.partner"].create({"name": PAYEE})
        bank = env["res.partner.bank"].with_user(self.maker).create({
            "partner_id": partner.id, "acc_number": f"2547000000{number}", "acc_type": "mpesa"})
        bank.with_user(self.approver).action_soko_mpesa_verify()
        return partner.id, bank.id


OFFICE = None


class Payouts(RuleBasedStateMachine):
    """Rules are events; `steps` tells how it came when something is wrong."""

    def __init__(self):
        super().__init__()
        self.office = OFFICE
        self.bills, self.steps, self.mistakes = [], [], set()
        self.office.letters.clear()
        self.office.deferred.clear()
        self.office.sim.faults.clear()
        with self.cursor() as env:
            env["soko.mpesa.account"].browse(self.office.account).action_resume()
            last = env["soko.mpesa.payout"].with_context(active_test=False).search([], limit=1)
            self.first = last.id + 1

    def note(self, *step):
        self.steps.append(step)
        SEEN[step[0]] += 1

    def cursor(self):
        """:return: a context manager: an environment that is committed at its end"""
        class Transaction:
            def __enter__(_self):
                _self.cr = self.office.registry.cursor()
                return self.office.env(_self.cr)

            def __exit__(_self, kind, *_error):
                try:
                    if kind is None:
                        _self.cr.commit()
                finally:
                    _self.cr.close()
        return Transaction()

    def payouts(self, env):
        return env["soko.mpesa.payout"].search([("id", ">=", self.first)], order="id")

    def pick(self, env, number):
        """:return: one of this example's payouts"""
        found = self.payouts(env)
        return found[number % len(found)] if found else found

    # --- people ---

    @initialize(amounts=st.lists(st.sampled_from(AMOUNTS), min_size=2, max_size=4),
                faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3))
    def begin(self, amounts, faults):
        for number, amount in enumerate(amounts):
            self.bill_and_pay(number % 3, amount)
        for fault in faults:
            self.break_something(fault, "b2c")

    @rule(payee=st.integers(0, 2), amount=st.sampled_from(AMOUNTS))
    def bill_and_pay(self, payee, amount):
        self.note("pay", payee, amount)
        partner, _bank = self.office.payees[payee]
        with self.cursor() as env:
            bill = env["account.move"].create({
                "move_type": "in_invoice", "partner_id": partner,
                "invoice_date": fields.Date.today(), "invoice_line_ids": [Command.create({
                    "name": "Cuffs", "quantity": 1, "price_unit": amount, "tax_ids": []})]})
            bill.action_post()
            self.bills.append(bill.id)
        self.pay(len(self.bills) - 1)

    @precondition(lambda self: self.bills)
    @rule(number=st.integers(0, 20))
    def pay(self, number):
        """Pay a bill, or try to pay it again."""
        self.note("pay bill", number)
        bill = self.bills[number % len(self.bills)]
        try:
            with self.cursor() as env:
                self.office.env(env.cr, self.office.maker)["account.payment.register"].with_context(
                    active_model="account.move", active_ids=[bill]).create({
                        "journal_id": self.office.journal,
                        "payment_method_line_id": self.office.method})._create_payments()
        except (UserError, AccessError) as error:
            SEEN["refused to pay"] += 1
            self.note("refused", error)

    @precondition(lambda self: self.bills)
    @rule(number=st.integers(0, 20), act=st.sampled_from((
        ("approver", "action_approve"), ("approver", "action_approve"), ("maker", "action_hold"),
        ("approver", "action_release"), ("approver", "action_release"), ("maker", "action_cancel"),
        ("maker", "action_approve"), ("approver", "action_resolve"), ("maker", "action_query_now"),
    )))
    def press(self, number, act):
        with self.cursor() as env:
            payout = self.pick(env, number).id
        role, method = act
        if payout:
            allowed = self.office.press(
                getattr(self.office, role), "soko.mpesa.payout", payout, method)
            self.note(method, payout, allowed)

    @rule(frozen=st.booleans())
    def freeze(self, frozen):
        self.note("freeze", frozen)
        with self.cursor() as env:
            env["res.company"].browse(self.office.company).soko_mpesa_frozen = frozen

    @rule()
    def resume(self):
        self.note("resume")
        self.office.press(
            self.office.manager, "soko.mpesa.account", self.office.account, "action_resume")

    @rule(payee=st.integers(0, 2), ending=st.integers(51, 53), verify=st.booleans())
    def change_number(self, payee, ending, verify):
        self.note("number", payee, ending, verify)
        _partner, bank = self.office.payees[payee]
        with self.cursor() as env:
            env["res.partner.bank"].with_user(self.office.maker).browse(bank).write(
                {"acc_number": f"2547000000{ending}"})
        if verify:
            self.verify(payee)

    def verify(self, payee):
        _partner, bank = self.office.payees[payee]
        self.office.press(self.office.approver, "res.partner.bank", bank,
                          "action_soko_mpesa_verify")

    @precondition(lambda self: self.bills)
    @rule(number=st.integers(0, 20))
    def match_by_hand(self, number):
        """An accountant matches a payment with a statement line before there is proof."""
        with self.cursor() as env:
            payout = self.pick(env, number)
            if payout.state != "in_flight":
                return
            payment = payout.payment_id
            in_flight = payment._seek_for_lines()[0]
            if in_flight.reconciled:
                return
            self.note("match", payout.id)
            line = env["account.bank.statement.line"].create({
                "journal_id": payment.journal_id.id, "date": fields.Date.today(),
                "payment_ref": "by hand", "amount": -payment.amount,
                "counterpart_account_id": in_flight.account_id.id})
            opposite = line.move_id.line_ids.filtered(
                lambda item: item.account_id == in_flight.account_id)
            (in_flight | opposite).reconcile()

    # --- jobs ---

    @precondition(lambda self: self.bills)
    @rule(number=st.integers(0, 9), what=st.sampled_from(LETTERS))
    def send(self, number, what):
        self.note("send")
        self.office.cron("soko.mpesa.attempt", "_cron_send")
        if self.office.letters:
            self.letter(number, what)

    @precondition(lambda self: self.bills)
    @rule()
    def send_soon(self):
        """The back-off is over."""
        self.note("send soon")
        with self.cursor() as env:
            self.payouts(env).attempt_ids.write({"not_before": False})
        self.office.cron("soko.mpesa.attempt", "_cron_send")

    @rule()
    def apply(self):
        self.office.cron("soko.mpesa.inbox", "_cron_apply")

    @precondition(lambda self: self.bills)
    @rule()
    def query(self):
        self.note("query")
        with self.cursor() as env:
            self.payouts(env).attempt_ids.filtered("next_query_at").write(
                {"next_query_at": fields.Datetime.now()})
        self.office.cron("soko.mpesa.attempt", "_cron_query")

    @precondition(lambda self: self.bills)
    @rule(after=st.booleans())
    def killed_while_sending(self, after):
        """The sender dies between its claim and its record: before the request left, or after."""
        self.note("kill", after)
        from odoo.addons.soko_mpesa.tools import client

        class Killed(BaseException):
            pass
        real = client.send

        def die(request, *arguments):
            if after and "b2c" in request.url:
                real(request, *arguments)
            raise Killed
        with patch.object(client, "send", die):
            try:
                self.office.cron("soko.mpesa.attempt", "_cron_send")
            except Killed:
                SEEN["killed"] += 1
        self.office.rest()

    @precondition(lambda self: self.bills)
    @rule(expired=st.booleans())
    def sweep(self, expired):
        self.note("sweep", expired)
        with self.cursor() as env:
            if expired:
                env.cr.execute("UPDATE soko_mpesa_attempt SET lease_until = (now() AT TIME ZONE "
                               "'UTC') - interval '1 minute' WHERE state = 'sending'")
        self.office.cron("soko.mpesa.attempt", "_cron_sweep")

    @precondition(lambda self: self.bills)
    @rule()
    def a_day_passes(self):
        self.note("day")
        with self.cursor() as env:
            env.cr.execute(
                "UPDATE soko_mpesa_attempt SET sent_at = sent_at - interval '25 hours' "
                "WHERE payout_id >= %s AND sent_at IS NOT NULL", [self.first])
        self.office.cron("soko.mpesa.attempt", "_cron_sweep")

    # --- the provider ---

    @rule(fault=st.sampled_from(FAULTS), kind=st.sampled_from(KINDS))
    def break_something(self, fault, kind):
        self.note("fault", kind, fault["fault"])
        self.mistakes |= OWN_MISTAKES & {fault["fault"]}
        self.office.sim.faults.add([{**fault, "kind": kind, "times": 1}])

    @precondition(lambda self: self.office.deferred)
    @rule()
    def execute_late_soon(self):
        self.execute_late()

    def execute_late(self):
        self.note("late")
        jobs, self.office.deferred[:] = self.office.deferred[:], []
        for job, arguments in jobs:
            job(*arguments)

    @precondition(lambda self: self.office.letters)
    @rule(number=st.integers(0, 9), what=st.sampled_from(LETTERS[:3]))
    def arrive(self, number, what):
        """Letters come late, twice or never."""
        self.letter(number, what)

    @precondition(lambda self: self.office.letters)
    @rule(number=st.integers(0, 9), what=st.sampled_from(LETTERS[3:]))
    def forge(self, number, what):
        """Letters come to others, or from somebody else."""
        self.letter(number, what)

    def letter(self, number, what):
        letters = self.office.letters
        self.note("letter", what)
        url, body = letters[number % len(letters)]
        if what in ("deliver", "drop"):
            letters.remove((url, body))
        if what != "drop":
            for address, raw in self.forged(what, url, body):
                self.office.hear(address, raw)
        self.apply()

    def forged(self, what, url, body):
        """:return: what arrives, as (address, bytes)"""
        letters, raw = self.office.letters, json.dumps(body).encode()
        if what == "swap":
            return [(other, raw) for other, _body in letters[:2]]
        if what == "stranger":
            return [(url.rsplit("/", 1)[0] + "/" + "x" * 43, raw)]
        if what == "garble":
            return [(url, raw[:len(raw) // 2]), (url, b"[" * 3000), (url, b"\xff\x00")]
        result = dict(body.get("Result") or {})
        if what == "amount":
            return [(url, raw.replace(b'"TransactionAmount", "Value": ',
                                      b'"TransactionAmount", "Value": 9'))]
        if what == "failure":
            return [(url, json.dumps({"Result": {**result, "ResultCode": 99}}).encode())]
        if what == "success":  # of a payment that wasn't executed, without what proves it
            return [(url, json.dumps({"Result": {**result, "ResultCode": 0}}).encode())]
        return [(url, raw)]

    # --- what must hold ---

    @invariant()
    def nothing_impossible(self):
        with self.cursor() as env:
            found = env["soko.mpesa.payout"]._invariant_violations()
            wrong = self.compare(env)
        assert not found and not wrong, self.tell(found, wrong)

    def tell(self, found, wrong):
        steps = "\n".join("  " + " ".join(map(str, step)) for step in self.steps)
        return f"seed {SEED}\n{steps}\ninvariants: {found}\nbooks: {wrong}"

    def ledger(self):
        """:return: ({id: transaction}, {id: times paid}) of the provider"""
        with self.office.sim.bank.lock:
            taken = {key: dict(fact) for key, fact in self.office.sim.bank.transactions.items()}
            paid = Counter(entry["id"] for entry in self.office.sim.ledger.entries
                           if entry["type"] == "paid")
        return taken, paid

    def compare(self, env):
        """Compare the provider's books with Odoo's. :return: differences, as texts"""
        taken, paid = self.ledger()
        wrong, executed = [], Counter()
        for payout in self.payouts(env):
            for attempt in payout.attempt_ids:
                wrong += self.compare_attempt(
                    attempt, taken.get(attempt.originator_id), paid[attempt.originator_id])
                for bill in payout.payment_id.reconciled_bill_ids or payout.payment_id:
                    executed[bill] += paid[attempt.originator_id]
        if "double_payment" not in self.mistakes:
            wrong += [f"{bill}: executed {times} times"
                      for bill, times in executed.items() if times > 1]
        return wrong

    def compare_attempt(self, attempt, fact, times):
        payout, key = attempt.payout_id, attempt.originator_id
        if not fact:
            return [f"{key} paid, never taken"] if attempt.state == "paid" else []
        wrong = []
        if (fact["amount"], fact["msisdn"]) != (payout.amount, payout.msisdn):
            wrong.append(f"{key} asked for {fact['amount']} to {fact['msisdn']}")
        if not attempt.send_count or attempt.state == "prepared":
            wrong.append(f"{key} taken, but not claimed: {attempt.state}")
        if attempt.state == "paid" and not (
                times and fact["paid_amount"] == payout.amount
                and (fact["receipt"] == attempt.receipt or times > 1)):
            wrong.append(f"{key} is paid in Odoo: {fact}")
        if attempt.state == "not_paid" and times:
            wrong.append(f"{key} is not paid in Odoo: {fact}")
        return wrong

    def teardown(self):
        """Everything heals; then all that the provider ever saw is final."""
        self.office.sim.faults.clear()
        self.freeze(False)
        self.execute_late()
        for _round in range(4):
            self.resume()
            self.settle_people()
            self.send_soon()
            self.sweep(True)
            self.query()
            for url, body in self.office.letters:
                self.office.hear(url, json.dumps(body).encode())
            self.office.letters.clear()
            self.apply()
            self.nothing_impossible()
        self.check_final()

    def settle_people(self):
        """People release or withdraw what waits for them."""
        with self.cursor() as env:
            waiting = {payout.id: payout.state for payout in self.payouts(env)}
        for payout, state in waiting.items():
            if state == "held" and not self.office.press(
                    self.office.approver, "soko.mpesa.payout", payout, "action_release"):
                self.office.press(self.office.maker, "soko.mpesa.payout", payout, "action_cancel")
            if state == "submitted" and not self.office.press(
                    self.office.approver, "soko.mpesa.payout", payout, "action_approve"):
                self.office.press(self.office.maker, "soko.mpesa.payout", payout, "action_cancel")

    def check_final(self):
        taken, _paid = self.ledger()
        with self.cursor() as env:
            open_ones = self.payouts(env).attempt_ids.filtered(
                lambda attempt: attempt.state in ("sending", "accepted", "unknown")
                or (attempt.state == "prepared" and attempt.payout_id.state == "approved"))
            left = [(a.originator_id, a.state, taken.get(a.originator_id)) for a in open_ones
                    if a.originator_id in taken and not self.may_stay_open(a, taken)]
            # what a payee may not get any more today goes tomorrow
            tomorrow = fields.Datetime.add(fields.Datetime.now(), minutes=90)
            account = env["soko.mpesa.account"].browse(self.office.account)
            left += [
                (a.originator_id, a.not_before, account._get_blocking_reasons())
                for a in open_ones if a.state == "prepared"
                and not (a.not_before and a.not_before > tomorrow)]
            for attempt in self.payouts(env).attempt_ids:
                SEEN[f"ended {attempt.state}"] += 1
            failed = env["soko.mpesa.inbox"].search([("state", "in", ("new", "failed"))])
            left += failed.mapped("error")
            open_ones.write({"next_query_at": False})
        assert not left, self.tell("not final", left)

    def may_stay_open(self, attempt, taken):
        """What the provider paid in another way than asked is a person's to resolve."""
        fact = taken[attempt.originator_id]
        return fact.get("paid_amount") not in (None, attempt.payout_id.amount)


def main(env):
    """Run the model; print what it has seen."""
    global OFFICE
    random.seed(SEED)
    OFFICE = Office(env)
    try:
        run_model()
    except Exception:  # whoever started this shows it; Odoo's shell would hide it in its log
        sys.stdout.write(f"FOUND {traceback.format_exc()}\n")
    sys.stdout.write(f"SEEN {json.dumps(SEEN)}\n")


def run_model():
    """Let Hypothesis try orders of events."""
    run_state_machine_as_test(seed(SEED)(Payouts), settings=settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False))
