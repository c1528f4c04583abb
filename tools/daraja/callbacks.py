"""Post results to the client, as Safaricom does: once, without retry, without signature."""

import copy
import http.client
import json
import random
import ssl
import threading
import urllib.parse

from . import shapes

STRANGER = "OTHERSIDOTHERSIDOTHE"


def post(url, payload, content_type, timeout):
    """Post bytes and return (HTTP status, body).  Redirects and proxies are not followed.

    :param float timeout: seconds for each step on the network
    :raises OSError: nobody answered
    :raises http.client.HTTPException: the answer is not HTTP
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST", target, payload, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read(65536)
    finally:
        connection.close()


def ask(url, body, timeout):
    """Post JSON and return the JSON of the answer.

    :raises OSError: nobody answered
    :raises ValueError: the answer is no JSON
    """
    return json.loads(post(url, json.dumps(body).encode(), "application/json", timeout)[1])


def with_other_id(body):
    """Return a letter that speaks of somebody else's payment."""
    body = copy.deepcopy(body)
    if isinstance(body.get("Result"), dict):
        body["Result"]["OriginatorConversationID"] = STRANGER
    return body


class Postman:
    """Delivers callbacks under the faults of the request that they belong to."""

    def __init__(self, clock, journal, hooks, settings):
        self.clock, self.journal, self.hooks, self.settings = clock, journal, hooks, settings
        self._random = random.Random(settings.seed)

    def deliver(self, kind, url, body, content_type="application/json"):
        """Post one callback now and note what came of it.

        :param body: an object (sent as JSON) or the bytes of a broken letter
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        shown = f"({len(raw)} broken bytes)" if isinstance(body, bytes) else body
        record = self.journal.callback(kind, url, shown)
        self.hooks.fire("before_callback", kind, shown)
        try:
            timeout = self.settings.callback_timeout
            record["status"], _answer = post(url, raw, content_type, timeout)
        except (OSError, http.client.HTTPException) as failure:
            record["error"] = f"{type(failure).__name__}: {failure}"
        self.journal.count_delivery(kind, record["status"])
        self.hooks.fire("after_callback", kind, shown)

    def send(self, kind, url, body, plan):
        """Post a callback after the usual delay, or as the plan's faults want it."""
        delay = plan.get("callback_delay", "seconds", self.settings.delay)
        self._send_strays(kind, url, body, plan, delay)
        if "lost_callback" in plan:
            return
        if "callback_shape" in plan:
            name = plan.get("callback_shape", "shape", "random")
            name = self._random.choice(list(shapes.SHAPES)) if name == "random" else name
            body = shapes.shaped(body, name)
        copies = plan.get("callback_duplicate", "copies", 2) if "callback_duplicate" in plan else 1
        plan.count("callback_duplicate", copies - 2)
        for copy_ in range(copies):
            if "callback_first" in plan and copy_ == 0:
                self.deliver(kind, url, body)
            else:
                self.clock.later(delay, self.deliver, kind, url, body)
        if "callback_storm" in plan:
            self.clock.later(delay, self.storm, kind, url, body, plan)

    def _send_strays(self, kind, url, body, plan, delay):
        """Post letters that must change nothing, beside the right one."""
        if "callback_wrong_id" in plan:
            self.clock.later(delay, self.deliver, kind, url, with_other_id(body))
        if "callback_wrong_address" in plan:
            self.clock.later(delay, self.deliver, kind, url[:-12] + "x" * 12, body)
        if "callback_broken" in plan:
            how = plan.get("callback_broken", "how", "random")
            how = self._random.choice(list(shapes.BROKEN)) if how == "random" else how
            write, content_type = shapes.BROKEN[how]
            self.clock.later(delay, self.deliver, kind, url, write(body), content_type)

    def storm(self, kind, url, body, plan):
        """Post many copies at the same moment."""
        copies = plan.get("callback_storm", "copies", 20)
        plan.count("callback_storm", copies - 1)
        threads = [threading.Thread(target=self.deliver, args=(kind, url, body), daemon=True)
                   for _copy in range(copies)]
        for thread in threads:
            thread.start()
