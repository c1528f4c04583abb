"""The page for people: balances, phones, payments, requests and switches for faults."""

import html
import json

from . import faults, phones, statement, stk

SHOWN = 40
STYLE = """
:root { --ink: #1d2b24; --mute: #66756d; --line: #dfe6e2; --green: #17803d; --paper: #fff }
* { box-sizing: border-box } body { margin: 0; background: #f4f7f5; color: var(--ink);
font: 15px/1.45 system-ui, sans-serif } main { max-width: 1200px; margin: 0 auto; padding: 1rem }
header { background: var(--green); color: #fff; padding: 1rem } header h1 { margin: 0;
font-size: 1.3rem } header p { margin: .2rem 0 0; opacity: .9 }
section { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem;
padding: 1rem; margin: 0 0 1rem; overflow-x: auto } h2 { font-size: 1.05rem; margin: 0 0 .6rem }
.cards { display: flex; flex-wrap: wrap; gap: 1rem } .cards section { flex: 1 1 12rem }
.big { font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100% } th, td { text-align: left;
padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--mute); font-weight: 500 } td.n { text-align: right;
font-variant-numeric: tabular-nums } code { font-size: .85em; overflow-wrap: anywhere }
.completed { color: var(--green) } .failed { color: #b3261e } .accepted { color: #8a5a00 }
.mute { color: var(--mute) } button, select, input { font: inherit; padding: .3rem .7rem;
border: 1px solid #b9c6bf; border-radius: .4rem; background: #fff } button { cursor: pointer }
.phones { display: flex; flex-wrap: wrap; gap: 1rem; margin: .8rem 0 0 }
.phone { width: 16.5rem; border: 2px solid var(--ink); border-radius: 1.2rem; padding: .8rem;
background: #fff } .phone p { background: #e7f3ea; border-radius: .6rem; padding: .5rem .6rem;
margin: .5rem 0 0; font-size: .85em } .phone p.ask { background: #fff5d9 }
.bar { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center }
form { display: inline-flex; gap: .5rem; flex-wrap: wrap; align-items: center }
"""
SCRIPT = """
async function send(path, body) {
  const answer = await fetch(path, {method: "POST", body: JSON.stringify(body),
    headers: {"Content-Type": "application/json"}});
  if (!answer.ok) { alert((await answer.json()).error); return; }
  location.reload();
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-path]");
  if (button) { send(button.dataset.path, JSON.parse(button.dataset.body)); }
});
for (const [name, path] of [["float", "/_sim/float"], ["customer", "/_sim/c2b"]]) {
  document.getElementById(name).addEventListener("submit", (event) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(event.target));
    body.amount = Number(body.amount);
    send(path, body);
  });
}
document.getElementById("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const body = {fault: form.get("fault")};
  if (form.get("kind")) { body.kind = form.get("kind"); }
  if (form.get("times")) { body.times = Number(form.get("times")); }
  try { Object.assign(body, JSON.parse(form.get("more") || "{}")); }
  catch (error) { alert("Parameters are a JSON object, e.g. {\\"seconds\\": 5}"); return; }
  send("/_sim/faults", body);
});
setInterval(() => {
  if (!document.activeElement || document.activeElement === document.body) { location.reload(); }
}, 4000);
"""


def text(value):
    """Return a value made safe for HTML."""
    return html.escape(str("" if value is None else value))


def money(amount):
    """Return whole shillings with thousands separated."""
    return f"{amount:,}"


def button(label, path, body):
    """Return a button that posts ``body`` to a route of the control API."""
    return (f'<button type="button" data-path="{text(path)}" '
            f'data-body="{text(json.dumps(body))}">{text(label)}</button>')


def table(heads, rows, empty):
    """Return a table, or a sentence when there is nothing to show."""
    if not rows:
        return f'<p class="mute">{text(empty)}</p>'
    head = "".join(f"<th>{text(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def cards(accounts):
    """Return the balances."""
    named = (("Utility account", "utility"), ("Charges paid", "charges"))
    return "".join(
        f'<section><h2>{label}</h2><div class="big">KES {money(accounts[name])}</div></section>'
        for label, name in named
    )


def payment_row(payment):
    """Return a payment as a table row."""
    result = payment.get("result_desc") if payment["state"] == "failed" else ""
    return (
        f"<tr><td>{text(payment['at'][11:19])}</td><td>{text(payment['kind'].upper())}</td>"
        f"<td>{text(payment['msisdn'])}<br><span class='mute'>{text(payment['name'])}</span></td>"
        f"<td class='n'>{money(payment.get('paid_amount', payment['amount']))}</td>"
        f"<td class='n'>{money(payment['fee'])}</td>"
        f"<td class='{text(payment['state'])}'>{text(payment['state'])}<br>"
        f"<span class='mute'>{text(result)}</span></td>"
        f"<td><b>{text(payment['receipt'])}</b></td>"
        f"<td><code>{text(payment['id'])}</code></td></tr>"
    )


def phone(prompt):
    """Return a phone with a payment prompt on its screen."""
    buttons = " ".join(
        button(label, "/_sim/stk", {"checkout_request_id": prompt["id"], "answer": what})
        for label, what in (("Enter PIN", "pay"), ("Cancel", "cancel"), ("Wrong PIN", "wrong_pin"))
    )
    return (
        f'<div class="phone"><b>{text(prompt["msisdn"])}</b><p class="ask">Do you want to pay '
        f"KES {money(prompt['amount'])} to {text(prompt['shortcode'])}, account "
        f"{text(prompt['account_reference'])}?</p>{buttons}</div>"
    )


def screen(phone):
    """Return a phone with its newest messages and what is in the wallet."""
    messages = "".join(f"<p>{text(message)}</p>" for message in phone.messages)
    return (f'<div class="phone"><b>{text(phone.msisdn)}</b> {text(phone.name)}<br>'
            f'<span class="mute">in the wallet: KES {money(phone.wallet)}</span>{messages}</div>')


def till():
    """Return the form that adds float and the links that download the statement."""
    styles = "".join(
        f' {style} <a href="/_sim/statement.csv?style={style}">CSV</a> '
        f'<a href="/_sim/statement.xlsx?style={style}">XLSX</a>' for style in statement.STYLES)
    return (
        '<section class="bar"><form id="float"><label>Add float: KES <input name="amount" '
        'type="number" min="1" required size="9"></label><button>Add</button></form>'
        f"<span>Statement, as the portal exports it:{styles}</span></section>"
    )


def customer_form():
    """Return the form with which a customer pays to the shortcode."""
    return (
        '<form id="customer">A customer pays: <input name="msisdn" placeholder="254700000001" '
        'aria-label="Number" required size="13"><input name="amount" type="number" min="1" '
        'placeholder="KES" aria-label="Amount" required size="7"><input name="reference" '
        'placeholder="account" aria-label="Account" maxlength="20" size="10">'
        "<button>Pay</button></form>"
    )


def message_row(record):
    """Return a request or a callback as a table row."""
    where = record.get("path") or record.get("url")
    outcome = record["status"] if record["status"] is not None else record.get("error")
    return (
        f"<tr><td>{text(record['at'][11:23])}</td><td>{text(record['kind'])}</td>"
        f"<td><code>{text(where)}</code></td><td>{text(outcome)}</td>"
        f"<td>{text(', '.join(record.get('faults', ())))}</td>"
        f"<td><details><summary>body</summary><code>{text(json.dumps(record['body']))}</code><br>"
        f"<code>{text(json.dumps(record.get('answer')))}</code></details></td></tr>"
    )


def fault_form():
    """Return the form that switches a fault on."""
    names = "".join(
        f'<option value="{name}">{name}: {text(does)}</option>'
        for name, (does, _parameters) in faults.FAULTS.items()
    )
    kinds = "".join(f"<option>{kind}</option>" for kind in faults.KINDS)
    return (
        f'<form id="fault"><select name="fault" aria-label="Fault">{names}</select>'
        f'<select name="kind" aria-label="Kind"><option value="">every kind</option>{kinds}'
        '</select><input name="times" type="number" min="1" placeholder="times" size="6" '
        'aria-label="Times"><input name="more" placeholder="parameters, {&quot;seconds&quot;: 5}" '
        'aria-label="Parameters"><button>Switch on</button></form>'
    )


def fault_row(fault):
    """Return an active fault as a table row."""
    off = button("Off", "/_sim/faults", {"clear": fault["id"]})
    return f"<tr><td><code>{text(json.dumps(fault))}</code></td><td>{off}</td></tr>"


def modes(sim):
    """Return the buttons that say what customers do with prompts."""
    return " ".join(
        f"<b>[{text(mode)}]</b>" if mode == sim.stk_mode
        else button(mode, "/_sim/stk", {"mode": mode})
        for mode in ("ask", *stk.ANSWERS)
    )


def render(sim):
    """Return the whole page."""
    books, log = sim.bank.view(), sim.journal.view()
    payments = [payment_row(p) for p in books["payments"][:-SHOWN - 1:-1]]
    requests = [message_row(r) for r in log["requests"][:-SHOWN - 1:-1]]
    callbacks = [message_row(r) for r in log["callbacks"][:-SHOWN - 1:-1]]
    screens = "".join([*map(phone, stk.prompts(sim)), *map(screen, phones.newest(sim))])
    heads = ("Time", "Kind", "Where", "Outcome", "Faults", "")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>M-Pesa simulator</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><header><h1>M-Pesa simulator</h1>
<p>No real money. The ledger has {len(books['entries'])} lines.</p></header><main>
<div class="cards">{cards(books['accounts'])}</div>
{till()}
<section><h2>Phones</h2><div class="bar">{customer_form()}
<span>Who is asked to pay will: {modes(sim)}</span></div><div class="phones">
{screens or '<span class="mute">No message and no prompt is on a phone.</span>'}</div></section>
<section><h2>Payments</h2>{table(
    ("Time", "Kind", "Customer", "KES", "Fee", "State", "Receipt", "Id"), payments,
    "Nobody has been paid yet.")}</section>
<section><h2>Faults</h2>{fault_form()}
{table(("Active", ""), [fault_row(f) for f in sim.faults.view()], "All is well: no fault is on.")}
</section>
<section><h2>Requests</h2>{table(heads, requests, "No request yet.")}</section>
<section><h2>Callbacks</h2>{table(heads, callbacks, "No callback yet.")}</section>
</main><script>{SCRIPT}</script></body></html>"""
