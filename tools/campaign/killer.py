"""Kills processes at exactly the planned point: inside the sender, or at a moment on the wire."""

import collections
import http.server
import json
import signal
import threading
import time

from . import script, wire

SIGNALS = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM}
OVERDUE = 45  # seconds after which an armed point is reported as never reached


class Killer:
    """Works through the plan, one kill at a time.

    :param house: the running :class:`campaign.house.House`
    :param list plan: pairs of (point, kind), see :func:`campaign.script.kills`
    """

    def __init__(self, house, plan):
        self.house, self.plan, self.planned = house, list(plan), len(plan)
        self.done, self.missed = collections.Counter(), []
        self.armed, self.since = None, 0.0
        self.lock = threading.RLock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _handler(killer):  # noqa: N805  the handler's own self is another one
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                news = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                killer.called(news)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        return Handler

    def finished(self):
        """Whether the plan is worked through."""
        return not self.plan and self.armed is None

    def step(self, progress):
        """Arm the next point when it is its turn, or kill who has reached the armed one.

        :param float progress: how much of the campaign is done, 0 to 1; kills are spread over it
        """
        with self.lock:
            if self.armed is None:
                if self.plan and progress * self.planned >= sum(self.done.values()):
                    self._arm(*self.plan.pop(0))
                return
            for note in self.house.arms.glob("*.reached"):
                self._strike(int(note.name.split(".")[1]), lambda note=note: note.unlink())
                return
            if time.monotonic() - self.since > OVERDUE:
                self.missed.append(self.armed)
                self._disarm()

    def _arm(self, point, kind):
        self.armed, self.since = (point, kind), time.monotonic()
        if point in script.INSIDE:
            (self.house.arms / f"{point}.armed").touch()
            return
        moment, _meaning = script.ON_THE_WIRE[point]
        address = f"http://127.0.0.1:{self.server.server_port}/"
        wire.post(self.house.simulator_url + "/_sim/hooks",
                  {"moment": moment, "kind": "b2c", "url": address})

    def _disarm(self):
        for note in self.house.arms.glob("K*"):
            note.unlink()
        wire.post(self.house.simulator_url + "/_sim/hooks", {"clear": True})
        self.armed = None

    def called(self, news):
        """Kill the sender of the request that the simulator stands still at."""
        note = self.house.arms / f"{news['body'].get('OriginatorConversationID')}.sender"
        with self.lock:
            if self.armed is None:
                return
            try:
                pid = int(note.read_text())
            except (OSError, ValueError):
                pid = 0  # after the answer the sender may have gone on already
            self._strike(pid, lambda: None)

    def _strike(self, pid, release):
        point, kind = self.armed
        self.armed = None
        if kind == "pg immediate":
            self.house.crash_database(release)
        else:
            service = self.house.owner(pid) or self.house.crons[0]
            self.house.kill(service, SIGNALS[kind])
            release()
        self.done[point, kind] += 1

    def stop(self):
        """Forget what is armed and close the address."""
        with self.lock:
            self.plan = []
            if self.armed:
                self._disarm()
        self.server.shutdown()
        self.server.server_close()
