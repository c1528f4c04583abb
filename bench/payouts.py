"""./soko bench payouts: paying many, beside plain Odoo, as ratios.

2,300 vendors with a bill of one line each are paid in one run; the same bills are paid by plain
Odoo's best way (another bank journal, batches of 100, a cursor each) in the same process. Then
M-Pesa's 2,300 results arrive by HTTP and are applied. Statements are exact; milliseconds are CPU
of the Odoo process and its PostgreSQL backends, so other load on the machine hardly counts. The
fast cluster is used (it doesn't wait for the disk): the figures say nothing about its speed.
"""
from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tools"), str(HERE)]

from lib.inside import run  # noqa: E402
from lib.table import each, linearity, show  # noqa: E402
from soko import config, databases, paths, postgres, services  # noqa: E402
from soko.ui import Stop  # noqa: E402

FULL, QUICK, PARALLEL, TURNS = 2300, 300, 8, 5


def inside(builder, part, count, letters):
    """Return the figures of one part of bench/inside/payouts.py by name."""
    return run(builder, "payouts.py", part, count=count, letters=letters)


# ---------------------------------------------------------------------- HTTP
class Traffic:
    """What one kind of request took: milliseconds of each, CPU, statements, seconds in all."""

    def __init__(self):
        self.times, self.seconds, self.cpu, self.sql, self.bad = [], 0.0, 0.0, [], 0

    def figures(self):
        """Return the figures of one request, and requests a second."""
        cuts = statistics.quantiles(self.times, n=100)
        return {
            "rps": len(self.times) / self.seconds, "p50": cuts[49], "p99": cuts[98],
            "cpu": 1000 * self.cpu / len(self.times), "bad": self.bad,
            "sql": statistics.median(self.sql),
        }


def post_all(port, jobs, traffic):
    """Post (path, body) pairs by 8 threads and add what they took to a :class:`Traffic`."""
    jobs, lock = list(reversed(jobs)), threading.Lock()

    def work():
        while True:
            with lock:
                if not jobs:
                    return
                path, body = jobs.pop()
            begun = time.perf_counter()
            connection = http.client.HTTPConnection(config.HOST, port, timeout=60)
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
            connection.close()
            with lock:
                traffic.times.append(1000 * (time.perf_counter() - begun))
                traffic.bad += status != 200

    threads = [threading.Thread(target=work) for _ in range(PARALLEL)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    traffic.seconds += time.perf_counter() - begun


def cpu_of(process, database):
    """Return the CPU seconds of a process and of the PostgreSQL backends of its database."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title = (folder / "cmdline").read_bytes()
            if int(folder.name) == process or (
                title.startswith(b"postgres:") and database.encode() in title
            ):
                figures = (folder / "stat").read_text().rpartition(")")[2].split()
                total += (int(figures[11]) + int(figures[12])) / tick
    return total


def measure_traffic(odoo, port, database, jobs, traffic):
    """Post and measure, with the statements that Odoo's own log counts for each request."""
    start, cpu = odoo.log.stat().st_size, cpu_of(odoo.process.pid, database)
    post_all(port, jobs, traffic)
    traffic.cpu += cpu_of(odoo.process.pid, database) - cpu
    with odoo.log.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace")
    traffic.sql += map(int, re.findall(r'"POST \S+ HTTP/\S+" 200 - (\d+) ', lines))


def over_http(server, database, letters):
    """Start Odoo on the database and post to its two routes, by turns; return the figures."""
    port, other = config.free_ports(2)
    options = dict(
        config.common(server), http_port=port, gevent_port=other, db_name=database,
        dbfilter=f"^{database}$", addons_path=f"{paths.ADDONS},{HERE / 'addons'}",
    )
    conf = config.write(f"{database}.conf", options)
    command = [paths.venv_python(), "-m", "odoo", "-c", conf]
    odoo = services.Service(
        "odoo", command, f"http://{config.HOST}:{port}/web/login", paths.LOGS / "bench-odoo.log",
        config.environment(server))
    paths.remove(odoo.log)
    try:
        odoo.start()
        odoo.wait()
        jobs = [(urllib.parse.urlsplit(letter["url"]).path, letter["body"]) for letter in letters]
        row = [("/bench/row", body) for _path, body in jobs]
        unknown = [("/soko/daraja/payout/unknown", "{}")]
        post_all(port, (row[:1] + unknown) * 30, Traffic())  # warm
        kinds = {"row": Traffic(), "callback": Traffic(), "duplicate": Traffic()}
        size = -(-len(jobs) // TURNS)
        for start in range(0, len(jobs), size):
            for name, traffic in kinds.items():
                part = (row if name == "row" else jobs)[start:start + size]
                measure_traffic(odoo, port, database, part, traffic)
        return {name: traffic.figures() for name, traffic in kinds.items()}
    finally:
        odoo.stop()
        paths.remove(conf)


# ---------------------------------------------------------------------- the table
def run_rows(found, count):
    """Yield (goal, what, plain, ours, the figure that counts, its limit) of the payment run."""
    bill, plain, quiet = (each(found[name], count) for name in ("bills", "plain", "quiet"))
    run, send, killed = each(found["run"], count), each(found["send"], count), found["resumed"]
    yield ("G8", "SQL a payee: bill, payment, match", bill[0] + plain[0], bill[0] + run[0],
           "more", 7)
    yield ("G8", "CPU ms a payee: bill, payment, match", bill[1] + plain[1], bill[1] + run[1],
           "ratio", 1.25)
    yield ("-", "  the same, plain Odoo without tracking", bill[1] + quiet[1], bill[1] + run[1],
           None, None)
    yield ("G9", "CPU of the last chunks / the first", linearity(found["plain"]),
           linearity(found["run"]), "ours", 1.2)
    yield "-", "SQL of the preview, a payee", None, each(found["preview"], count)[0], None, None
    yield "-", "SQL to send one (two commits)", None, send[0], None, None
    yield "-", "CPU ms to send one", None, send[1], None, None
    yield "G12", "run killed by -9: payments to make again", None, killed["lost"], "ours", 100
    yield "-", "  payments that the kill left alone", None, killed["kept"], None, None
    yield "G12", "  bills paid twice or not at all", None, (
        killed["wrong"] + killed["double"]), "ours", 0


def callback_rows(web, stored, count):
    """Yield the rows of M-Pesa's results as they arrive; plain is a route that writes one row."""
    row, ours, again = web["row"], web["callback"], web["duplicate"]
    yield "G13", "SQL of a callback", row["sql"], ours["sql"], "more", 1
    yield "G13", "CPU ms of a callback", row["cpu"], ours["cpu"], "ratio", 1.15
    yield "G13", "p99 / p50 at 8 parallel", row["p99"] / row["p50"], (
        ours["p99"] / ours["p50"]), "ours", 3
    yield "-", "  p50 in ms", row["p50"], ours["p50"], None, None
    yield "-", "  p99 in ms", row["p99"], ours["p99"], None, None
    yield "-", "  requests a second", row["rps"], ours["rps"], None, None
    yield "G14", "SQL of a repeated callback", ours["sql"], again["sql"], "ours", 4
    yield "G14", "CPU ms, repeated beside new", ours["cpu"], again["cpu"], "ratio", 1.0
    yield ("G15", f"seconds for {count} callbacks", count / row["rps"], count / ours["rps"],
           "ratio", 1.3)
    yield "G15", "  lost or doubled", None, abs(stored - count), "ours", 0
    yield "G15", "  refused", row["bad"], ours["bad"] + again["bad"], "ours", 0


def apply_rows(found, count):
    """Yield the rows of the applying of results.

    A result books what plain Odoo books by hand: a statement line of the payment, which is
    matched, and one of its fee; and the goal compares it with paying, which Odoo does elsewhere.
    """
    match, plain, ours = (each(found[name], count) for name in ("match", "plain", "apply"))
    yield "G16", "SQL to apply a result / to pay a bill", plain[0], ours[0], "ratio", 1.1
    yield "G16", "CPU ms to apply a result / to pay a bill", plain[1], ours[1], "ratio", 1.15
    yield "G16", "SQL to apply / to book and match 2 lines", match[0], ours[0], "ratio", 1.1
    yield "G16", "CPU ms to apply / to book and match them", match[1], ours[1], "ratio", 1.15
    yield "-", "  results not booked, rules broken", None, (
        count - found["applied"]["count"] + len(found["applied"]["wrong"])), "ours", 0


def kill_and_resume(builder, *args):
    """Have a run's process killed in the middle of a chunk, and let another process go on."""
    try:
        inside(builder, "kill", *args)
    except Stop:
        return inside(builder, "resume", *args)
    raise Stop("the process of the run lives although it was killed")


def measure_all(server, count, letters):
    """Return what was found inside Odoo, by name, and over HTTP."""
    name = f"soko_test_bench_{os.getpid()}"
    template = databases.ensure_template(server)
    with databases.copy_of(server, template, name), \
            databases.Builder(server, name, "bench.log") as builder:
        builder.install("soko_mpesa")
        found = inside(builder, "pay", count, letters)
        builder.conf = config.write(builder.conf.name, dict(
            config.for_tests(server), addons_path=f"{paths.ADDONS},{HERE / 'addons'}"))
        builder.install("soko_bench")
        web = over_http(server, name, json.loads(letters.read_text()))
        found |= inside(builder, "apply", count, letters)
        found |= kill_and_resume(builder, count, letters)
    return found, web


def main():
    """Measure and print; the exit code says whether a goal was missed."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help=f"{QUICK} payees only")
    options.add_argument("--count", type=int, help="so many payees")
    args = options.parse_args()
    count = args.count or (QUICK if args.quick else FULL)
    server = postgres.server(durable=False)
    with server.hold(), server.vacuuming(), tempfile.TemporaryDirectory() as folder:
        found, web = measure_all(server, count, Path(folder) / "letters.json")
    print(
        f"\n{count} payees on the fast cluster, which doesn't wait for the disk; load "
        f"{os.getloadavg()[1]:.1f} on {os.cpu_count()} processors.\n"
        "CPU is that of Odoo and of its PostgreSQL backends; a result that was applied books the "
        "payment and its fee.\n")
    table = [*run_rows(found, count), *callback_rows(web, found["stored"]["count"], count),
             *apply_rows(found, count)]
    missed = show(table)
    for broken in found["applied"]["wrong"]:
        print(f"broken: {broken}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
