"""The command line."""

import argparse
import logging
import pathlib
import signal
import sys
import threading

from .ledger import BrokenLedger
from .server import Server
from .settings import Settings
from .simulator import Simulator


def arguments(words=None):
    """Return the settings that the command line asks for."""
    default = Settings(pathlib.Path("daraja-state"))
    parser = argparse.ArgumentParser(
        prog="daraja", description="M-Pesa (Daraja) simulator with its own ledger")
    parser.add_argument("--host", default=default.host)
    parser.add_argument("--port", type=int, default=default.port, help="0 takes a free one")
    parser.add_argument("--state", type=pathlib.Path, default=default.state, metavar="DIR")
    parser.add_argument("--seed", type=int, help="repeat receipts and chances")
    parser.add_argument("--delay", type=float, default=default.delay, metavar="S",
                        help="seconds from an accepted request to its callback")
    parser.add_argument("--utility", type=int, default=default.utility, metavar="KES",
                        help="opening balance of a new ledger")
    parser.add_argument("--consumer-key", default="", help="accept only this key ..")
    parser.add_argument("--consumer-secret", default="", help=".. with this secret")
    parser.add_argument("--shortcode", default="", help="serve only this shortcode")
    parser.add_argument("--initiator-password", default="",
                        help="credentials must decrypt to it (GET /_sim/certificate)")
    parser.add_argument("--passkey", default="", help="STK passwords must contain it")
    parser.add_argument("--token-life", type=int, default=default.token_life, metavar="S")
    parser.add_argument("--stk-timeout", type=float, default=default.stk_timeout, metavar="S")
    parser.add_argument("--callback-timeout", type=float, default=default.callback_timeout,
                        metavar="S")
    parser.add_argument("--lock-after", type=int, default=default.lock_after, metavar="N",
                        help="wrong initiator passwords in a row until the operator is locked")
    parser.add_argument("--register-once", action="store_true",
                        help="C2B addresses cannot be changed, as in production")
    parser.add_argument("--forget-ids", action="store_true",
                        help="pay a request with a used id again: whoever sends twice pays twice")
    parser.add_argument("--allow-hooks", action="store_true",
                        help="tests on this machine may have programs called (never elsewhere)")
    return Settings(**vars(parser.parse_args(words)))


def main(words=None):
    """Serve until SIGTERM or SIGINT; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    settings = arguments(words)
    try:
        sim = Simulator(settings)
        server = Server((settings.host, settings.port), sim)
    except (OSError, BrokenLedger) as failure:
        print(f"The M-Pesa simulator cannot start: {failure}", file=sys.stderr)
        return 1

    def stop(_number, _frame):
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    host, port = server.server_address[:2]
    print(f"M-Pesa simulator ready on http://{host}:{port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    sim.stop()
    return 0
