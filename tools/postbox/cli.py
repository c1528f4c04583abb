"""The command line."""

import argparse
import pathlib
import signal
import sys
import threading

from .smtp import SmtpServer
from .store import Store
from .web import WebServer


def arguments(words=None):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="postbox", description="Local SMS gateway and mail server that deliver nothing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082, help="HTTP; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=8025, help="SMTP; 0 takes a free one")
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path("postbox-state"),
                        metavar="DIR")
    return parser.parse_args(words)


def main(words=None):
    """Serve until SIGTERM or SIGINT; return the exit code."""
    wanted = arguments(words)
    try:
        store = Store(wanted.state)
        web = WebServer((wanted.host, wanted.port), store)
        smtp = SmtpServer(wanted.host, wanted.smtp_port, store)
    except (OSError, ValueError) as failure:
        print(f"The postbox cannot start: {failure}", file=sys.stderr)
        return 1

    def stop(_number, _frame):
        threading.Thread(target=web.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    host, port = web.server_address[:2]
    print(f"Postbox ready on http://{host}:{port} and smtp://{host}:{smtp.port}", flush=True)
    web.serve_forever(poll_interval=0.1)
    web.server_close()
    smtp.stop()
    return 0
