"""Read e-mails: headers, texts, links."""

import email
import email.policy
import html.parser
import re

TEXT_LINK = re.compile(r"https?://[^\s<>\"')\]]+")


class LinkFinder(html.parser.HTMLParser):
    """Collects the targets of all links of an HTML text."""

    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        """Note the target of one link."""
        target = dict(attrs).get("href") or ""
        if tag == "a" and target.startswith(("http://", "https://")):
            self.links.append(target)


def links_in(text, html_text):
    """Return the links of both forms of a letter, each once, in their order."""
    finder = LinkFinder()
    finder.feed(html_text)
    plain = [link.rstrip(".,;:") for link in TEXT_LINK.findall(text)]
    return list(dict.fromkeys(finder.links + plain))


def content_of(part):
    """Return the text of a part, whatever its declared character set is worth."""
    if part is None:
        return ""
    try:
        return part.get_content()
    except (LookupError, UnicodeError, KeyError):
        return (part.get_payload(decode=True) or b"").decode("latin-1")


def read(envelope, raw):
    """Return an e-mail as an object for ``/mail.json``."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text = content_of(message.get_body(("plain",)))
    html_text = content_of(message.get_body(("html",)))
    return {
        **envelope,
        "from": str(message.get("From", "")),
        "to": str(message.get("To", "")),
        "subject": str(message.get("Subject", "")),
        "text": text,
        "html": html_text,
        "links": links_in(text, html_text),
        "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
    }
