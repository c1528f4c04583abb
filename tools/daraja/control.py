"""The control API under ``/_sim/`` for tests and for the page; no part of Daraja."""

import time

from . import c2b, checks, faults, hooks, page, statement, stk
from .replies import Reply


def refuse(text, status=400):
    """Return an error of the control API."""
    return Reply(status, {"error": text})


def whole_shillings(value):
    """Tell whether a value is a whole amount that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def get_health(sim, _request):
    """Tell that the program lives."""
    return Reply(body={
        "ok": True, "entries": len(sim.ledger.entries),
        "uptime": round(time.monotonic() - sim.started, 3),
    })


def get_ledger(sim, _request):
    """Return accounts, payments and all lines of the ledger."""
    return Reply(body=sim.bank.view())


def get_requests(sim, request):
    """Return what came in and what was posted; ``?kind=b2c&since=N`` narrows it down."""
    since = request.query.get("since", "0")
    if not since.isdigit():
        return refuse("'since' is a number")
    return Reply(body=sim.journal.view(request.query.get("kind"), int(since)))


def get_faults(sim, _request):
    """Return the active faults and all that are known."""
    known = {
        name: {"does": text, "parameters": sorted(parameters)}
        for name, (text, parameters) in faults.FAULTS.items()
    }
    return Reply(body={"faults": sim.faults.view(), "known": known, "kinds": list(faults.KINDS)})


def post_faults(sim, request):
    """Add a fault or a list of faults, or clear one (``{"clear": id}``) or all."""
    body = request.body
    if isinstance(body, dict) and "clear" in body:
        sim.faults.clear(None if body["clear"] is True else body["clear"])
    else:
        try:
            sim.faults.add(body if isinstance(body, list) else [body])
        except faults.InvalidFault as failure:
            return refuse(str(failure))
    return Reply(body={"faults": sim.faults.view()})


def get_stats(sim, _request):
    """Return how often each fault was played, and how many requests and letters there were."""
    played, total = sim.faults.tally.view()
    return Reply(body={"faults": played, "faults_total": total,
                       "counts": sim.journal.audit()["counts"]})


def get_audit(sim, _request):
    """Return every payment request seen: how often each id came, and the digests of its body."""
    return Reply(body=sim.journal.audit()["payments"])


def get_hooks(sim, _request):
    """Return the hooks that wait for their moment."""
    return Reply(body={"allowed": sim.hooks.allowed, "hooks": sim.hooks.view(),
                       "moments": list(hooks.MOMENTS)})


def post_hooks(sim, request):
    """Set a hook, or clear all (``{"clear": true}``); only for tests on this machine."""
    if not sim.hooks.allowed or request.client not in ("127.0.0.1", "::1"):
        return refuse("Hooks call programs: start with --allow-hooks, ask from this machine", 403)
    if request.body.get("clear"):
        sim.hooks.clear()
        return get_hooks(sim, request)
    try:
        return Reply(body=sim.hooks.add(request.body))
    except (hooks.InvalidHook, TypeError) as failure:
        return refuse(str(failure))


def get_c2b(sim, _request):
    """Return where payments of customers are confirmed."""
    return Reply(body={"registered": sim.c2b.known, "validation": sim.c2b_validation})


def post_c2b(sim, request):
    """Let a customer pay (``msisdn``, ``amount``, ``reference``, ``shortcode``), or set
    whether payments are validated first (``{"validation": true}``).
    """
    body = request.body
    if "validation" in body:
        sim.c2b_validation = body["validation"] is True
        return get_c2b(sim, request)
    try:
        transaction = {
            "command": "CustomerPayBillOnline", "msisdn": checks.msisdn(body, "msisdn"),
            "amount": checks.whole_number(body, "amount"),
            "shortcode": checks.shortcode(
                {"shortcode": next(iter(sim.c2b.known), "600992"), **body}, "shortcode"),
            "account_reference": checks.optional_text(body, "reference", 20),
        }
    except checks.InvalidField as failure:
        return refuse(f"'{failure.field}' is missing or wrong")
    return Reply(body=c2b.pay(sim, transaction, sim.no_faults))


def post_reset(sim, request):
    """Begin new books; ``{"utility": shillings}`` sets the opening balance."""
    utility = request.body.get("utility")
    if utility is not None and not whole_shillings(utility):
        return refuse("'utility' is a whole number of shillings")
    sim.reset(utility)
    return Reply(body={"ok": True})


def post_float(sim, request):
    """Put money into the utility account."""
    amount = request.body.get("amount")
    if not whole_shillings(amount):
        return refuse("'amount' is a whole number of shillings")
    sim.bank.add_float(amount)
    return Reply(body={"utility": sim.bank.utility})


def post_reverse(sim, request):
    """Take a payment back, as it is done at the portal; ``{"receipt": ..}``."""
    line = sim.bank.reverse(request.body.get("receipt"))
    return Reply(body=line) if line else refuse("No payment to reverse has this receipt.", 404)


def post_foreign(sim, request):
    """Move money that no API request asked for: ``{"amount", "details", "reason", "party"}``."""
    body = request.body
    amount = body.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or not amount:
        return refuse("'amount' is a whole number of shillings, negative for money that goes out")
    sim.bank.book_foreign(
        amount, str(body.get("details", "Business to Business Transfer")),
        str(body.get("reason", "Organization Transfer")), str(body.get("party", "")),
    )
    return Reply(body={"utility": sim.bank.utility})


def _statement(sim, request, write, name, content_type):
    style = statement.STYLES.get(request.query.get("style", "portal"))
    if style is None:
        return refuse(f"'style' must be one of: {', '.join(statement.STYLES)}")
    body = write(sim, style, request.query.get("since", ""))
    return Reply(body=body, content_type=content_type, download=name)


def get_statement_csv(sim, request):
    """Return the organisation's statement as the portal exports it; ``?since=&style=``."""
    return _statement(sim, request, statement.as_csv, "statement.csv", "text/csv; charset=utf-8")


def get_statement_xlsx(sim, request):
    """Return the organisation's statement as a spreadsheet; ``?since=&style=``."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _statement(sim, request, statement.as_xlsx, "statement.xlsx", kind)


def get_people(sim, _request):
    """Return the numbers that have been named."""
    return Reply(body=sim.people.known)


def post_people(sim, request):
    """Name owners of numbers."""
    try:
        sim.people.update(request.body)
    except (ValueError, AttributeError) as failure:
        return refuse(str(failure))
    return Reply(body=sim.people.known)


def get_certificate(sim, _request):
    """Return the certificate that initiator passwords are encrypted with."""
    return Reply(body=sim.initiator.certificate, content_type="application/x-pem-file")


def get_stk(sim, _request):
    """Return the prompts that are on phones now."""
    return Reply(body={"mode": sim.stk_mode, "prompts": stk.prompts(sim)})


def post_stk(sim, request):
    """Set what customers do (``{"mode": ..}``), or answer one prompt."""
    body = request.body
    if "mode" in body:
        if body["mode"] not in (*stk.ANSWERS, "ask"):
            return refuse(f"'mode' must be one of: ask, {', '.join(stk.ANSWERS)}")
        sim.stk_mode = body["mode"]
        return get_stk(sim, request)
    if body.get("answer") not in stk.ANSWERS:
        return refuse(f"'answer' must be one of: {', '.join(stk.ANSWERS)}")
    if not stk.answer(sim, body.get("checkout_request_id"), body["answer"]):
        return refuse("This prompt is no longer on the phone.", 404)
    return Reply(body={"ok": True})


def get_page(sim, _request):
    """Return the page for people."""
    return Reply(body=page.render(sim), content_type="text/html; charset=utf-8")


def get_icon(_sim, _request):
    """Return nothing: browsers ask for an icon on their own."""
    return Reply(204)


ROUTES = {
    ("GET", "/"): get_page,
    ("GET", "/favicon.ico"): get_icon,
    ("GET", "/_sim/health"): get_health,
    ("GET", "/_sim/ledger"): get_ledger,
    ("GET", "/_sim/requests"): get_requests,
    ("GET", "/_sim/faults"): get_faults,
    ("POST", "/_sim/faults"): post_faults,
    ("GET", "/_sim/stats"): get_stats,
    ("GET", "/_sim/audit"): get_audit,
    ("GET", "/_sim/hooks"): get_hooks,
    ("POST", "/_sim/hooks"): post_hooks,
    ("GET", "/_sim/c2b"): get_c2b,
    ("POST", "/_sim/c2b"): post_c2b,
    ("POST", "/_sim/reset"): post_reset,
    ("POST", "/_sim/float"): post_float,
    ("POST", "/_sim/reverse"): post_reverse,
    ("POST", "/_sim/foreign"): post_foreign,
    ("GET", "/_sim/statement.csv"): get_statement_csv,
    ("GET", "/_sim/statement.xlsx"): get_statement_xlsx,
    ("GET", "/_sim/people"): get_people,
    ("POST", "/_sim/people"): post_people,
    ("GET", "/_sim/certificate"): get_certificate,
    ("GET", "/_sim/stk"): get_stk,
    ("POST", "/_sim/stk"): post_stk,
}


def handle(sim, request):
    """Answer a request of the control API, or return ``None`` when it is not for it.

    POSTs must be JSON: a web page of somebody else cannot send that from a browser unasked.
    """
    handler = ROUTES.get((request.method, request.path))
    if handler is None:
        return None
    if request.method == "POST":
        kind = (request.headers.get("Content-Type") or "").partition(";")[0].strip()
        if kind != "application/json":
            return refuse("Send JSON with Content-Type: application/json", 415)
        listed = handler is post_faults and isinstance(request.body, list)
        if not isinstance(request.body, dict) and not listed:
            return refuse("Send a JSON object")
    return handler(sim, request)
