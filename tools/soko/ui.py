"""What the launcher says to people, and how it calls other programs."""
from __future__ import annotations

import subprocess
import sys
import time

STARTED = time.time()


class Stop(Exception):
    """An error with a message for a person: what happened, and what to do."""


def say(text):
    """Print one line of progress with the seconds since the start."""
    sys.stdout.write(f"[{time.time() - STARTED:6.1f}s] {text}\n")
    sys.stdout.flush()


def run(cmd, **options):
    """Run a program and return its result; output and errors come together in ``stdout``.

    A program that is not there gives return code 126 instead of an exception.
    """
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.STDOUT)
    options.setdefault("text", True)
    try:
        return subprocess.run([str(word) for word in cmd], check=False, **options)
    except OSError as error:
        return subprocess.CompletedProcess(cmd, 126, str(error), "")


def must(cmd, why, **options):
    """Run a program that has to succeed and return its output.

    :raises Stop: with ``why``, the command and the end of its output
    """
    result = run(cmd, **options)
    if result.returncode:
        command = " ".join(str(word) for word in cmd)
        raise Stop(f"{why}\n  command: {command}\n  {indent(tail(result.stdout, 12))}")
    return result.stdout


def tail(text, count):
    """Return the last ``count`` lines of a text."""
    return "\n".join((text or "").strip().splitlines()[-count:])


def last_line(text, default="no output"):
    """Return the last line of a text, or ``default`` when there is none."""
    return tail(text, 1) or default


def indent(text):
    """Indent all lines of a text but the first by two spaces."""
    return text.replace("\n", "\n  ")


def confirm(question):
    """Ask a yes-or-no question; anything but yes, or no terminal to ask on, means no."""
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
