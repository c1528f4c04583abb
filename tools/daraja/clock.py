"""Do things later, on threads of their own."""

import heapq
import itertools
import logging
import queue
import threading
import time

WORKERS = 8
_logger = logging.getLogger(__name__)


class Clock:
    """Runs jobs after a delay on a few daemon threads."""

    def __init__(self):
        self._due = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._ready = queue.SimpleQueue()
        self._stopped = False
        for target in [self._watch] + [self._work] * WORKERS:
            threading.Thread(target=target, daemon=True).start()

    def later(self, delay, job, *arguments):
        """Call ``job(*arguments)`` after ``delay`` seconds."""
        with self._changed:
            moment = time.monotonic() + max(delay, 0)
            heapq.heappush(self._due, (moment, next(self._order), job, arguments))
            self._changed.notify()

    def clear(self):
        """Forget all jobs that have not begun."""
        with self._changed:
            self._due.clear()

    def stop(self):
        """Begin no job any more."""
        with self._changed:
            self._stopped = True
            self._due.clear()
            self._changed.notify()

    def _watch(self):
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._ready.put(heapq.heappop(self._due)[2:])
                else:
                    self._changed.wait(wait)

    def _work(self):
        while True:
            job, arguments = self._ready.get()
            if self._stopped:
                return
            try:
                job(*arguments)
            except Exception:
                _logger.exception("A job of the simulator failed")
