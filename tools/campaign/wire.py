"""JSON over HTTP, for the simulator's control API."""

import json
import urllib.request

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url):
    """Return the JSON of an address."""
    with OPENER.open(url, timeout=60) as answer:
        return json.load(answer)


def read(url):
    """Return the text of an address, its line ends as they are."""
    with OPENER.open(url, timeout=60) as answer:
        return answer.read().decode()


def post(url, body):
    """Post JSON and return the JSON of the answer."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with OPENER.open(request, timeout=60) as answer:
        return json.load(answer)
