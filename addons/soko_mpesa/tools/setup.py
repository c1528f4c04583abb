"""Judgements on a set-up, without the ORM: addresses, rights of files, clocks, jobs."""

import ipaddress
import os
import re
import socket
import stat
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..const import HOSTS, HTTP_DEADLINE

# Daraja, C2B page: addresses with these words are refused. For payments it isn't said; be careful.
FORBIDDEN_WORDS = ("mpesa", "m-pesa", "safaricom", "exec", "exe", "cmd", "sql", "query")
TUNNELS = ("ngrok", "mockbin", "requestbin")
# Odoo's watchdog counts about 60 s of waiting into the limit of a job.
WATCHDOG_MARGIN = 60


def forbidden_words(url):
    """Return the words in `url` that Safaricom is known to refuse.

    :rtype: list[str]
    """
    text = (url or "").lower()
    found = [word for word in (*FORBIDDEN_WORDS, *TUNNELS) if word in text]
    return [word for word in found if not any(word != other and word in other for other in found)]


def is_public_host(host, resolve=socket.getaddrinfo):
    """Whether `host` has addresses and all of them are reachable from the internet.

    :param str host: a name or an address
    :param resolve: like socket.getaddrinfo
    :return: None when the name can't be resolved
    """
    try:
        infos = resolve(host, None)
    except (OSError, UnicodeError):
        return None
    addresses = [ipaddress.ip_address(info[4][0].split("%")[0]) for info in infos]
    return bool(addresses) and all(address.is_global for address in addresses)


def host_of(url):
    """:rtype: str"""
    return urlsplit(url or "").hostname or ""


def wrong_environment(environment, url):
    """Return the host in `url` if it isn't one that an account of `environment` may use.

    A sandbox account may use anything but the production host, because simulators stand in for
    the sandbox. A production account uses Safaricom's production host only.

    :rtype: str
    """
    host = host_of(url)
    production = host_of(HOSTS["production"])
    if environment == "production":
        return "" if host == production else host or "-"
    return host if host == production else ""


def file_rights(path):
    """Return ``ok``, ``open`` (others than the owner may read or write) or ``missing``.

    :rtype: str
    """
    try:
        mode = os.stat(os.path.expanduser(path or "")).st_mode
    except OSError:
        return "missing"
    return "open" if stat.S_IMODE(mode) & 0o077 else "ok"


def clock_difference(date, now=None):
    """Return how many seconds our clock is ahead of `date`, or None when that can't be read.

    :param str date: an HTTP Date header
    :rtype: int or None
    """
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return round(((now or datetime.now(UTC)) - theirs).total_seconds())


def cron_limit_is_short(limit):
    """Whether Odoo's watchdog could kill a job in the middle of a call.

    :param int limit: limit_time_real_cron in seconds; 0 is no limit
    """
    return bool(limit) and 0 < limit < HTTP_DEADLINE + WATCHDOG_MARGIN


def is_debugging(dev_mode):
    """Whether Odoo runs with `--dev`: it shows tracebacks and reloads code in the middle of work.

    :param dev_mode: odoo.tools.config["dev_mode"], a list or a text
    """
    words = re.split(r"[,\s]+", dev_mode) if isinstance(dev_mode, str) else dev_mode or ()
    return any(words)
