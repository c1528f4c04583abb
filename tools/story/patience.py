"""Waiting for work that another process does, with a limit and a reason."""

import time


class TooLate(Exception):
    """Something that had to happen did not happen in time."""


def wait_until(what, look, seconds=90, pause=0.5):
    """Call ``look`` until it returns something true, and return that.

    :param str what: what is waited for, for the message when it does not come
    :param look: a function without arguments
    :param float seconds: how long to wait at most
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise TooLate(f"{what}: not within {seconds} seconds")
        time.sleep(pause)
