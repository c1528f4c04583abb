"""The page: a phone for each number, and the mailbox."""

import html
import re

LINK = re.compile(r"https?://[^\s<>\"')\]]+")
STYLE = """
* { box-sizing: border-box } body { margin: 0; background: #eef2f0; color: #1d2b24;
font: 15px/1.45 system-ui, sans-serif } header { background: #234; color: #fff; padding: 1rem }
header h1 { margin: 0; font-size: 1.3rem } main { padding: 1rem; max-width: 1200px; margin: auto }
.phones { display: flex; flex-wrap: wrap; gap: 1rem } .phone { width: 20rem; background: #fff;
border: 3px solid #1d2b24; border-radius: 1.6rem; padding: 1rem; max-height: 34rem;
overflow-y: auto } .phone h3 { margin: 0 0 .6rem; text-align: center }
.bubble { background: #dff3e4; border-radius: .9rem; padding: .5rem .8rem; margin: 0 0 .6rem;
white-space: pre-wrap; overflow-wrap: anywhere } .mute { color: #66756d; font-size: .85em }
details { background: #fff; border: 1px solid #d5ddd9; border-radius: .6rem; padding: .7rem 1rem;
margin: 0 0 .6rem } summary { cursor: pointer; overflow-wrap: anywhere } iframe { width: 100%;
height: 30rem; border: 1px solid #d5ddd9; margin: .6rem 0 } pre { white-space: pre-wrap }
"""
SCRIPT = """
setInterval(() => {
  if (!document.querySelector("details[open]")) { location.reload(); }
}, 4000);
"""


def text(value):
    """Return a value made safe for HTML."""
    return html.escape(str(value))


def linked(body):
    """Return a text made safe for HTML, with its links to click on."""
    parts, end = [], 0
    for found in LINK.finditer(body):
        link = text(found.group())
        parts += [text(body[end:found.start()]),
                  f'<a href="{link}" target="_blank" rel="noreferrer">{link}</a>']
        end = found.end()
    return "".join(parts) + text(body[end:])


def phone(number, messages):
    """Return the inbox of one number, newest message first."""
    bubbles = "".join(
        f'<div class="bubble">{linked(sms["body"])}<br>'
        f'<span class="mute">{text(sms["at"][:19].replace("T", " "))}</span></div>'
        for sms in reversed(messages)
    )
    return f'<div class="phone"><h3>{text(number)}</h3>{bubbles}</div>'


def letter(mail):
    """Return one e-mail.  Its HTML may open links, but cannot run or reach anything."""
    shown = f"<pre>{linked(mail['text'])}</pre>"
    if mail["html"]:
        source = text('<base target="_blank">' + mail["html"])
        shown = (f'<iframe title="{text(mail["subject"])}" srcdoc="{source}" loading="lazy" '
                 'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>')
    links = "".join(
        f'<li><a href="{text(link)}" target="_blank" rel="noreferrer">{text(link)}</a></li>'
        for link in mail["links"]
    )
    attached = ", ".join(mail["attachments"])
    return (
        f"<details><summary><b>{text(mail['subject'])}</b><br><span class='mute'>"
        f"{text(mail['from'])} to {text(', '.join(mail['recipients']))}, "
        f"{text(mail['at'][:19].replace('T', ' '))}</span></summary>{shown}"
        f"<ul>{links}</ul><p class='mute'>{'Attached: ' + text(attached) if attached else ''}</p>"
        "</details>"
    )


def render(messages, mails):
    """Return the whole page."""
    inboxes = {}
    for sms in messages:
        inboxes.setdefault(sms["to"], []).append(sms)
    newest_first = sorted(inboxes.items(), key=lambda item: -item[1][-1]["n"])
    phones = "".join(phone(number, found) for number, found in newest_first)
    letters = "".join(letter(mail) for mail in reversed(mails))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Postbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><header><h1>Postbox: {len(messages)} SMS, {len(mails)} e-mails</h1></header><main>
<h2>Phones</h2><div class="phones">{phones or '<p class="mute">No SMS yet.</p>'}</div>
<h2>E-mails</h2>{letters or '<p class="mute">No e-mail yet.</p>'}
</main><script>{SCRIPT}</script></body></html>"""
