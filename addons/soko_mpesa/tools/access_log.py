"""The web server's own log names every path it serves, and our callback addresses are secrets."""

import logging

from .redact import redact

MARK = "/soko/daraja/"


class CallbackFilter(logging.Filter):
    """Blanks the token in log lines about callbacks; lets every line pass."""

    def filter(self, record):
        text = record.getMessage()
        if MARK in text:
            record.msg = redact(text.encode()).decode()
            record.args = ()
        return True


def hide_tokens():
    """Put the filter on the web server's logger, once."""
    logger = logging.getLogger("werkzeug")
    if not any(isinstance(known, CallbackFilter) for known in logger.filters):
        logger.addFilter(CallbackFilter())
