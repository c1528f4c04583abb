"""Post results to the client, as Safaricom does: once, without retry, without signature."""

import http.client
import json
import ssl
import urllib.parse


def post_json(url, body, timeout):
    """Post ``body`` and return the HTTP status.  Redirects and proxies are not followed.

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
        payload = json.dumps(body).encode()
        connection.request("POST", target, payload, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read(65536)
        return answer.status
    finally:
        connection.close()


class Postman:
    """Delivers callbacks under the faults of the request that they belong to."""

    def __init__(self, clock, journal, settings):
        self.clock, self.journal, self.settings = clock, journal, settings

    def deliver(self, kind, url, body):
        """Post one callback now and note what came of it."""
        record = self.journal.callback(kind, url, body)
        try:
            record["status"] = post_json(url, body, self.settings.callback_timeout)
        except (OSError, http.client.HTTPException) as failure:
            record["error"] = f"{type(failure).__name__}: {failure}"

    def send(self, kind, url, body, plan):
        """Post a callback after the usual delay, or as the plan's faults want it."""
        if "lost_callback" in plan:
            return
        delay = plan.get("callback_delay", "seconds", self.settings.delay)
        for copy in range(plan.get("callback_duplicate", "copies", 2)
                          if "callback_duplicate" in plan else 1):
            if "callback_first" in plan and copy == 0:
                self.deliver(kind, url, body)
            else:
                self.clock.later(delay, self.deliver, kind, url, body)
