"""./soko bench payouts: paying many, beside plain Odoo, as ratios.

2,300 vendors with a bill of one line each are paid in one run; the same bills are paid by plain
Odoo's best way (another bank journal, batches of 100, a cursor each) in the same process. Then
M-Pesa's 2,300 results arrive by HTTP and are applied. Statements are exact; milliseconds are CPU
of the Odoo process and its PostgreSQL backends, so other load on the machine hardly counts. The
fast cluster is used (it doesn't wait for the disk): the figures say nothing about its speed.
"""
from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from soko import config, databases, paths, postgres, services  # noqa: E402

FULL, QUICK, PARALLEL = 2300, 300, 8


def inside(builder, part, count, letters):
    """Run one part of bench/inside/payouts.py in Odoo's shell; return its figures by name."""
    printed = builder.shell(
        (HERE / "inside" / "payouts.py").read_text(), f"the part {part} failed", BENCH_PART=part,
        BENCH_COUNT=count, BENCH_LETTERS=letters, BENCH_INSIDE=HERE / "inside",
    )
    lines = [line[6:] for line in printed.splitlines() if line.startswith("BENCH ")]
    return {figures.pop("name"): figures for figures in map(json.loads, lines)}


# ---------------------------------------------------------------------- HTTP
def post_all(port, jobs):
    """Post (path, body) pairs by 8 threads; return requests a second, p50 and p99 in ms."""
    jobs, times, statuses, lock = list(jobs), [], [], threading.Lock()
    jobs.reverse()

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
                times.append(1000 * (time.perf_counter() - begun))
                statuses.append(status)

    threads = [threading.Thread(target=work) for _ in range(PARALLEL)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    cuts = statistics.quantiles(times, n=100)
    return {"rps": len(times) / seconds, "p50": cuts[49], "p99": cuts[98],
            "bad": sum(status != 200 for status in statuses)}


def over_http(server, database, letters):
    """Start Odoo on the database and post to its two routes; return the figures by name."""
    port, other = config.free_ports(2)
    options = dict(
        config.common(server), http_port=port, gevent_port=other, db_name=database,
        dbfilter=f"^{database}$", log_level="warn",
        addons_path=f"{paths.ADDONS},{HERE / 'addons'}",
    )
    conf = config.write(f"{database}.conf", options)
    command = [paths.venv_python(), "-m", "odoo", "-c", conf]
    odoo = services.Service(
        "odoo", command, f"http://{config.HOST}:{port}/web/login", paths.LOGS / "bench-odoo.log",
        config.environment(server))
    try:
        odoo.start()
        odoo.wait()
        jobs = [(urllib.parse.urlsplit(letter["url"]).path, letter["body"]) for letter in letters]
        row = [("/bench/row", body) for _path, body in jobs]
        post_all(port, row[:50])  # warm
        return {"row": post_all(port, row), "callback": post_all(port, jobs),
                "duplicate": post_all(port, jobs)}
    finally:
        odoo.stop()
        paths.remove(conf)


# ---------------------------------------------------------------------- the table
def each(figures, count):
    """Return statements and milliseconds for one payout."""
    parts = figures.get("chunks") or [figures]
    return (sum(part["sql"] for part in parts) / count, sum(part["ms"] for part in parts) / count)


def linearity(figures):
    """Return the CPU of the last chunks over that of the first ones."""
    parts = [part["ms"] for part in figures["chunks"]]
    some = max(1, len(parts) // 5)
    return statistics.mean(parts[-some:]) / statistics.mean(parts[:some])


def rows(found, web, count):
    """Yield (goal, what, plain, ours, the figure that counts, its limit)."""
    bill, plain, quiet = (each(found[name], count) for name in ("bills", "plain", "quiet"))
    run, send = each(found["run"], count), each(found["send"], count)
    match, applied = each(found["match"], count), each(found["apply"], count)
    yield "G8", "SQL a payee: bill, payment, match", bill[0] + plain[0], bill[0] + run[0], None, 46
    yield ("G8", "CPU ms a payee: bill, payment, match", bill[1] + plain[1], bill[1] + run[1],
           "ratio", 1.25)
    yield ("-", "the same, plain Odoo without tracking", bill[1] + quiet[1], bill[1] + run[1],
           "ratio", None)
    yield "G9", "CPU of the last chunks / the first", linearity(found["plain"]), linearity(
        found["run"]), None, 1.2
    yield "-", "SQL of the preview, in all", None, found["preview"]["sql"], None, None
    yield "-", "SQL a payout: sending (with commits)", None, send[0], None, None
    yield "G13", "callback p99 / p50 at 8 parallel", web["row"]["p99"] / web["row"]["p50"], (
        web["callback"]["p99"] / web["callback"]["p50"]), None, 3
    yield ("G13", "callback ms (p50)", web["row"]["p50"], web["callback"]["p50"], "ratio", 1.15)
    yield ("G14", "repeated callback ms (p50)", web["callback"]["p50"], web["duplicate"]["p50"],
           "ratio", 1.0)
    yield ("G15", "seconds for all callbacks", count / web["row"]["rps"],
           count / web["callback"]["rps"], "ratio", 1.3)
    yield "G15", "lost or doubled", None, abs(found["stored"]["count"] - count), None, 0
    yield "G16", "SQL to apply a result / match a line", match[0], applied[0], "ratio", 1.1
    yield "G16", "CPU ms to apply a result / match a line", match[1], applied[1], "ratio", 1.15


def show(table):
    """Print the table; return how many goals were missed."""
    missed = 0
    head = ("goal", "what", "plain", "ours", "ratio", "limit", "")
    layout = "{:<5} {:<42} {:>9} {:>9} {:>7} {:>7}  {}"
    print(layout.format(*head))
    for goal, what, plain, ours, kind, limit in table:
        ratio = ours / plain if plain else None
        counts = ratio if kind == "ratio" else ours
        good = limit is None or counts <= limit
        missed += not good
        print(layout.format(
            goal, what, "" if plain is None else f"{plain:.1f}", f"{ours:.1f}",
            "" if ratio is None else f"{ratio:.2f}", "" if limit is None else limit,
            "" if limit is None else "ok" if good else "NOT"))
    return missed


def main():
    """Measure and print; the exit code says whether a goal was missed."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help=f"{QUICK} payees only")
    options.add_argument("--count", type=int, help="so many payees")
    args = options.parse_args()
    count = args.count or (QUICK if args.quick else FULL)
    server = postgres.server(durable=False)
    with server.hold(), tempfile.TemporaryDirectory() as folder:
        letters = Path(folder) / "letters.json"
        name = f"soko_test_bench_{os.getpid()}"
        template = databases.ensure_template(server)
        with databases.copy_of(server, template, name):
            with databases.Builder(server, name, "bench.log") as builder:
                builder.install("soko_mpesa")
                found = inside(builder, "pay", count, letters)
                builder.conf = config.write(builder.conf.name, dict(
                    config.for_tests(server), addons_path=f"{paths.ADDONS},{HERE / 'addons'}"))
                builder.install("soko_bench")
                web = over_http(server, name, json.loads(letters.read_text()))
                found |= inside(builder, "apply", count, letters)
    print(f"\n{count} payees, fast cluster, {found['applied']['count']} paid in the end; callbacks "
          f"{web['callback']['rps']:.0f}/s, one row {web['row']['rps']:.0f}/s, "
          f"{web['callback']['bad'] + web['duplicate']['bad']} refused\n")
    return 1 if show(rows(found, web, count)) else 0


if __name__ == "__main__":
    sys.exit(main())
