"""Call somebody at a moment of the protocol and wait for them: a test kills a process there."""

import itertools
import json
import logging
import os
import subprocess
import threading
import urllib.request

MOMENTS = (
    "request_read", "accepted", "before_execute", "after_execute", "before_answer",
    "after_answer", "before_callback", "after_callback",
)
PATIENCE = 60.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_logger = logging.getLogger(__name__)


class InvalidHook(ValueError):
    """The description of a hook is wrong; the message says where."""


def checked(description):
    """Return a hook with its defaults filled in.

    :param dict description: ``moment``, and ``url`` (gets a POST) or ``command`` (a list of
        words); optionally ``kind``, ``match`` (values that the body must have), ``times`` (1),
        ``after`` (occasions let through first), ``timeout`` in seconds
    :raises InvalidHook: something is missing or of the wrong type
    """
    if not isinstance(description, dict) or description.get("moment") not in MOMENTS:
        raise InvalidHook(f"'moment' must be one of: {', '.join(MOMENTS)}")
    filled = {"kind": "*", "match": {}, "times": 1, "after": 0, "timeout": PATIENCE,
              "url": "", "command": [], **description}
    unknown = set(filled) - {"moment", "kind", "match", "times", "after", "timeout", "url",
                             "command"}
    if unknown:
        raise InvalidHook(f"'{unknown.pop()}' is no parameter of a hook")
    if bool(filled["url"]) is bool(filled["command"]):
        raise InvalidHook("a hook calls either a 'url' or a 'command'")
    words = filled["command"]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidHook("'command' is a list of words")
    return filled


class Hooks:
    """All hooks that wait for their moment."""

    def __init__(self, allowed=False):
        self.allowed = allowed
        self._active, self._lock = [], threading.Lock()
        self._numbers = itertools.count(1)

    def add(self, description):
        """Set a hook and return it with its id."""
        hook = {"id": next(self._numbers), "calls": 0, **checked(description)}
        with self._lock:
            self._active.append(hook)
        return hook

    def clear(self):
        """Forget all hooks."""
        with self._lock:
            self._active.clear()

    def view(self):
        """Return copies of the hooks that wait."""
        with self._lock:
            return [dict(hook) for hook in self._active]

    def fire(self, moment, kind, body):
        """Call whoever waits for this moment, one after the other, and wait for them."""
        if not self._active:
            return
        with self._lock:
            due = [hook for hook in self._active if self._is_due(hook, moment, kind, body)]
            self._active = [hook for hook in self._active if hook["times"] > 0]
        for hook in due:
            self._call(hook, {"moment": moment, "kind": kind, "body": body})

    def _is_due(self, hook, moment, kind, body):
        if hook["moment"] != moment or hook["kind"] not in ("*", kind):
            return False
        body = body if isinstance(body, dict) else {}
        if any(str(body.get(name)) != str(value) for name, value in hook["match"].items()):
            return False
        if hook["after"] > 0:
            hook["after"] -= 1
            return False
        hook["times"] -= 1
        hook["calls"] += 1
        return True

    def _call(self, hook, news):
        """Wait for the one who was called; what he answers or breaks is his own affair."""
        try:
            if hook["url"]:
                request = urllib.request.Request(
                    hook["url"], json.dumps(news).encode(), {"Content-Type": "application/json"})
                with OPENER.open(request, timeout=hook["timeout"]) as answer:
                    answer.read()
            else:
                env = {**os.environ, "DARAJA_MOMENT": news["moment"], "DARAJA_KIND": news["kind"],
                       "DARAJA_BODY": json.dumps(news["body"])}
                subprocess.run(hook["command"], env=env, timeout=hook["timeout"], check=False,
                               stdin=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError) as failure:
            _logger.warning("The hook %s failed: %s", hook["id"], failure)
