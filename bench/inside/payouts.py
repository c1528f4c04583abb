"""What bench/payouts.py measures inside Odoo's shell; its JSON lines begin with BENCH."""
# ruff: noqa: F821  Odoo's shell gives `env`
import json
import logging
import os
import signal
import sys
from unittest.mock import patch

sys.path.insert(0, os.environ["BENCH_INSIDE"])

from meter import Meter, chunks, tell  # noqa: E402

from odoo import Command, api, fields  # noqa: E402

from odoo.addons.soko_mpesa.models import soko_mpesa_attempt as sender  # noqa: E402
from odoo.addons.soko_mpesa.tools import classify  # noqa: E402

COUNT, FEE = int(os.environ["BENCH_COUNT"]), 9
# Payees of plain Odoo without tracking, and of the run that is killed: enough for the figure.
SOME = KILLED = min(COUNT, 300)
meter = Meter()


def with_cursor(work, *args, user=1):
    """Call `work` with an environment of its own and commit."""
    with env.registry.cursor() as cr:
        return work(api.Environment(cr, user, {"allowed_company_ids": [company]}), *args)


def people():
    groups = "soko_mpesa.soko_mpesa_group_maker account.group_account_invoice " \
             "base.group_partner_manager"
    users = env["res.users"].with_context(no_reset_password=True)
    both = [("maker", groups), ("approver", "soko_mpesa.soko_mpesa_group_approver")]
    return users.create([{
        "name": name, "login": f"bench_{name}",
        "group_ids": [Command.set([env.ref(ref).id for ref in refs.split()])],
    } for name, refs in both])


def name_of(number):
    """Return a name of letters, as M-Pesa would say it."""
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:05}")
    return f"{letters.title()} Mfano"


def payees(approver):
    partners = env["res.partner"].with_context(tracking_disable=True).create(
        [{"name": name_of(number)} for number in range(COUNT)])
    banks = env["res.partner.bank"].with_context(tracking_disable=True).create([
        {"partner_id": partner.id, "acc_number": f"254700{number:06}", "acc_type": "mpesa"}
        for number, partner in enumerate(partners)])
    banks.with_user(approver).action_soko_mpesa_verify()
    env.flush_all()
    # as if all this had happened long ago
    env.cr.execute("UPDATE res_partner_bank SET soko_mpesa_verified_at = now() - interval '1 year'")
    env.invalidate_all()
    return partners


def mpesa_account():
    account = env["soko.mpesa.account"].create({
        "name": "Bench", "shortcode": "600992", "initiator_name": "bench",
        "consumer_key": "k", "consumer_secret": "s", "security_credential": "c",
        "auto_approve_limit": 5000, "callback_url": "https://bench.example",
        "send_spacing_ms": 0,  # it is a pause
    })
    account.action_set_up_journal()
    account.trial_since = False  # as if these credentials had paid before
    return account


def make_bills(ids):
    made = []

    def one(inner, part):
        bills = inner["account.move"].create([{
            "move_type": "in_invoice", "partner_id": partner,
            "invoice_date": fields.Date.today(), "invoice_line_ids": [Command.create({
                "name": "Two cuffs", "quantity": 1, "price_unit": 1500, "tax_ids": []})],
        } for partner in part])
        bills.action_post()
        made.extend(bills.ids)

    for part in chunks(ids):
        with_cursor(one, part)
    return made


def plain_pay(bill_ids, journal, quiet):
    """Pay bills as plain Odoo can best: payments as a batch, one cursor a hundred."""
    figures = []

    def one(inner, part):
        context = {"tracking_disable": True} if quiet else {}
        bills = inner["account.move"].with_context(**context).browse(part)
        payments = inner["account.payment"].with_context(**context).create([{
            "payment_type": "outbound", "partner_type": "supplier",
            "partner_id": bill.partner_id.id, "amount": bill.amount_residual,
            "journal_id": journal, "date": fields.Date.today(),
            "memo": bill.name,
        } for bill in bills])
        payments.action_post()
        lines = (bills.line_ids | payments.move_id.line_ids).filtered(
            lambda line: line.account_id.account_type == "liability_payable")
        inner["account.move.line"]._reconcile_plan(
            list(lines.grouped("partner_id").values()))

    for part in chunks(bill_ids):
        figures.append(meter.measure(lambda part=part: with_cursor(one, part)))
    return figures


def make_run(maker):
    return env["soko.mpesa.run"].with_user(maker).create({"account_id": account.id})


def run_pay(maker):
    """Pay them by a payment run, chunk by chunk."""
    run = make_run(maker)
    preview = meter.measure(lambda: (run.action_collect(), env.flush_all()))
    run.action_confirm()
    env.cr.commit()
    figures, more = [], True
    while more:
        def step():
            nonlocal more
            more = run.sudo()._pay_chunk()
        figures.append(meter.measure(step))
    env.cr.commit()  # see what the chunks' own cursors have committed
    env.invalidate_all()
    assert run.done_count == COUNT, (run.done_count, run.line_ids.mapped("reason"))
    return preview, figures[:-1]


def be_killed():
    """Have a run's process die at the worst moment: all of a chunk is posted, nothing committed."""
    bills = make_bills(env["soko.mpesa.payout"].search([]).partner_id.ids[:KILLED])
    env.cr.commit()  # see the bills
    run = make_run(env["res.users"].search([("login", "=", "bench_maker")]))
    run.action_collect()
    assert run.to_pay_count == len(bills), run.line_ids.mapped("reason")
    run.action_confirm()
    env.cr.commit()
    before_last = max(len(chunks(bills)) - 1, 1)
    plan, calls = env.registry["account.move.line"]._reconcile_plan, []

    def dies(self, *args, **kwargs):
        calls.append(plan(self, *args, **kwargs))
        if len(calls) == before_last:
            self.env.flush_all()
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(env.registry["account.move.line"], "_reconcile_plan", dies):
        env["soko.mpesa.run"]._cron_run()


def resume():
    """Go on with the run whose process was killed; count what was lost and what is doubled."""
    run = env["soko.mpesa.run"].search([], order="id desc", limit=1)
    assert run.state == "running", run.state
    kept, lost = run.done_count, count_lost()
    run._cron_run()
    env.cr.commit()
    env.invalidate_all()
    env.cr.execute("""
        SELECT count(*), count(*) FILTER (WHERE payments <> 1) FROM (
            SELECT bill.move_id, count(part.id) AS payments
              FROM account_move_line_soko_mpesa_run_line_rel rel
              JOIN soko_mpesa_run_line line ON line.id = rel.soko_mpesa_run_line_id
              JOIN account_move_line bill ON bill.id = rel.account_move_line_id
         LEFT JOIN account_partial_reconcile part ON part.credit_move_id = bill.id
             WHERE line.run_id = %s GROUP BY bill.move_id) AS paid
    """, [run.id])
    bills, wrong = env.cr.fetchone()
    env.cr.execute("""
        SELECT count(*), count(DISTINCT pay.soko_mpesa_run_line_id)
          FROM soko_mpesa_payout payout JOIN account_payment pay ON pay.id = payout.payment_id
          JOIN soko_mpesa_run_line line ON line.id = pay.soko_mpesa_run_line_id
         WHERE line.run_id = %s AND payout.cancelled_at IS NULL
    """, [run.id])
    payouts, payees = env.cr.fetchone()
    return {"bills": bills, "kept": kept, "lost": lost,
            "wrong": wrong + abs(len(run.line_ids) - payees), "double": payouts - payees,
            "state": run.state}


def count_lost():
    """Return how many payments the killed process had made and not committed.

    A sequence of PostgreSQL isn't rolled back: it tells how far the dead process came.
    """
    env.cr.execute("SELECT last_value FROM account_payment_id_seq")
    [came] = env.cr.fetchone()
    env.cr.execute("SELECT max(id) FROM account_payment")
    [stored] = env.cr.fetchone()
    return came - stored


def send_all():
    """Send without a network; return the addresses and bodies of the results."""
    letters = []

    def answer(request, *_args):
        asked = json.loads(request.body)
        letters.append({"url": asked["ResultURL"], "body": result_of(asked)})
        return classify.Outcome(kind="accepted", reason="accepted", body=b"{}",
                                conversation_id=asked["OriginatorConversationID"][::-1])

    secrets = env.registry["soko.mpesa.secret"]
    durable = patch.object(env.registry["soko.mpesa.account"], "_database_is_durable",
                           lambda self: True)
    with durable, patch.object(secrets, "_token", lambda self, account: ("t", "")), \
            patch.object(sender.client, "send", answer):
        while env["soko.mpesa.attempt"].search_count([("state", "=", "prepared")]):
            env["soko.mpesa.attempt"]._cron_send()
            env.cr.commit()
    return letters


def result_of(asked):
    receipt = "S" + asked["OriginatorConversationID"][:9]
    name = name_of(int(asked["PartyB"]) - 254700000000)
    return json.dumps({"Result": {
        "ResultType": 0, "ResultCode": 0, "ResultDesc": "done", "ConversationID": "AG_1",
        "OriginatorConversationID": asked["OriginatorConversationID"], "TransactionID": receipt,
        "ResultParameters": {"ResultParameter": [
            {"Key": "TransactionAmount", "Value": int(asked["Amount"])},
            {"Key": "TransactionReceipt", "Value": receipt},
            {"Key": "ReceiverPartyPublicName", "Value": f"{asked['PartyB']} - {name.upper()}"},
        ]}}})


def plain_match(bill_ids, journal_id):
    """Book statement lines for plain payments and their fees and match them, a hundred at once."""
    figures, fee = [], account.fee_account_id.id

    def one(inner, part):
        journal = inner["account.journal"].browse(journal_id)
        payments = inner["account.move"].browse(part).line_ids.matched_debit_ids.debit_move_id\
            .move_id.origin_payment_id
        day = fields.Date.today()
        lines = inner["account.bank.statement.line"].create([{
            "journal_id": journal.id, "date": day, "payment_ref": payment.name,
            "partner_id": payment.partner_id.id, "amount": -payment.amount,
            "counterpart_account_id": payment.outstanding_account_id.id,
        } for payment in payments] + [{
            "journal_id": journal.id, "date": day, "payment_ref": f"Fee of {payment.name}",
            "amount": -FEE, "counterpart_account_id": fee,
        } for payment in payments])
        plan = []
        for payment, line in zip(payments, lines, strict=False):
            plan.append((payment.move_id.line_ids | line.move_id.line_ids).filtered(
                lambda item, account=payment.outstanding_account_id: item.account_id == account))
        inner["account.move.line"]._reconcile_plan(plan)

    for part in chunks(bill_ids):
        figures.append(meter.measure(lambda part=part: with_cursor(one, part)))
    return figures


def apply_all():
    """Apply what lies in the inbox, as the job does it."""
    def work():
        while env["soko.mpesa.inbox"].search_count([("state", "=", "new")]):
            with_cursor(lambda inner: inner["soko.mpesa.inbox"]._cron_apply())
            env.cr.commit()
    return meter.measure(work)


def make_bank(code, outstanding):
    """Make a plain bank journal; return its id."""
    journal = env["account.journal"].create({"name": code, "code": code, "type": "bank"})
    journal.outbound_payment_method_line_ids.payment_account_id = outstanding
    return journal.id


def measure_paying():
    """Pay by plain Odoo and by a run, send, and match plain statement lines."""
    maker, approver = people()
    partners = payees(approver)
    partners.property_outbound_payment_method_line_id = account._get_method_lines()
    outstanding = env["account.account"].create({
        "name": "Outstanding", "code": "101499", "account_type": "asset_current",
        "reconcile": True})
    bank, quiet = make_bank("PLBNK", outstanding), make_bank("QTBNK", outstanding)
    env.cr.commit()
    ids = partners.ids
    plain_pay(make_bills(ids[:20]), bank, False)  # warm
    billed = []
    tell("bills", **meter.measure(lambda: billed.extend(make_bills(ids))))
    tell("plain", chunks=plain_pay(billed, bank, False))
    tell("quiet", chunks=plain_pay(make_bills(ids[:SOME]), quiet, True), count=SOME)
    make_bills(ids)
    preview, figures = run_pay(maker)
    tell("preview", **preview)
    tell("run", chunks=figures)
    letters = []
    tell("send", **meter.measure(lambda: letters.extend(send_all())))
    with open(os.environ["BENCH_LETTERS"], "w") as file:
        json.dump(letters, file)
    tell("match", chunks=plain_match(billed, bank))


def measure_applying():
    """Apply the results that came by HTTP."""
    tell("stored", count=env["soko.mpesa.inbox"].search_count([("state", "=", "new")]))
    tell("apply", **apply_all())
    paid = env["soko.mpesa.payout"].search([("state", "=", "paid")])
    booked = paid.filtered(lambda payout: payout.payment_id.state == "paid")
    tell("applied", count=len(booked), wrong=sorted(
        env["soko.mpesa.payout"]._invariant_violations(thorough=True)))


company = env.company.id
account = env["soko.mpesa.account"].search([], limit=1) or mpesa_account()
PARTS = {
    "pay": measure_paying, "apply": measure_applying, "kill": be_killed,
    "resume": lambda: tell("resumed", **resume()),
}
try:
    PARTS[os.environ["BENCH_PART"]]()
    env.cr.commit()
except Exception:
    logging.getLogger("bench").exception("the measurement failed")  # the launcher shows the log
    raise
