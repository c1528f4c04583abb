"""./soko bench settlement: consigned stock and settling, beside plain Odoo, as ratios.

Two databases do the same work: one with the add-on, one with Odoo's own modules only. Deliveries
of 1, 10 and 50 lines of pieces that belong to others; the reservation of a product of 5,000
owners; receipts; and 2,300 payees with 100,000 due lines that are billed and paid, beside the
same number of bills and payments in plain Odoo. Statements are exact; milliseconds are CPU of the
process and its PostgreSQL backends, so other load on the machine hardly counts.
"""
from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tools"), str(HERE)]

from lib.inside import run  # noqa: E402
from lib.table import each, show  # noqa: E402
from soko import databases, postgres  # noqa: E402

# payees, due lines of each, owners of one product
FULL, QUICK = (2300, 43, 5000), (100, 10, 500)
SIZES = (1, 10, 50)
DEPENDS = "purchase_stock,sale_stock,account,portal,sms"


def inside(builder, part, scale):
    """Return the figures of one part of bench/inside/settlement.py by name."""
    payees, lines, owners = scale
    return run(builder, "settlement.py", part, payees=payees, lines=lines, owners=owners)


def measure_all(server, scale):
    """Return (figures of plain Odoo, figures with the add-on), both by name."""
    template, found = databases.ensure_template(server), []
    for modules, second in ((DEPENDS, "bills"), ("soko_artisan", "settle")):
        name = f"soko_test_bench_{os.getpid()}_{second}"
        with databases.copy_of(server, template, name), \
                databases.Builder(server, name, "bench.log") as builder:
            builder.install(modules)
            found.append(inside(builder, "stock", scale) | inside(builder, second, scale))
    return found


def pair(plain, ours, name):
    """Return ((SQL of both), (CPU ms of both))."""
    return (plain[name]["sql"], ours[name]["sql"]), (plain[name]["ms"], ours[name]["ms"])


def stock_rows(plain, ours):
    """Yield (goal, what, plain, ours, the figure that counts, its limit) of moving goods."""
    for size in SIZES:
        sql, cpu = pair(plain, ours, f"ship owned {size}")
        yield "G1", f"SQL to ship {size} owned lines", *sql, "more", 3
        yield "G1", f"CPU ms to ship {size} owned lines", *cpu, "ratio", 1.05
    for size in SIZES:
        sql, cpu = pair(plain, ours, f"ship own {size}")
        yield "G2", f"SQL to ship {size} lines of our own", *sql, "more", 1
        yield "G2", f"CPU ms to ship {size} lines of our own", *cpu, "ratio", 1.02
    for size in SIZES:
        sql, cpu = pair(plain, ours, f"reserve owned {size}")
        yield "G3", f"SQL to confirm and reserve {size} owned", *sql, "ratio", 1.05
        yield "G3", f"CPU ms to confirm and reserve {size} owned", *cpu, "ratio", 1.05
    first, last = ours["ship owned 10"], ours["ship owned 50"]
    base, end = plain["ship owned 10"], plain["ship owned 50"]
    yield ("G6", "SQL of each further owned line", (end["sql"] - base["sql"]) / 40,
           (last["sql"] - first["sql"]) / 40, "more", 0.1)


def many_rows(plain, ours):
    """Yield the rows of one product of very many owners, and of receipts."""
    for goal, name, limit in (("G4", "given", 1.1), ("G5", "any", 3)):
        few, many = ours[f"assign {name} few"], ours[f"assign {name} many"]
        yield (goal, f"SQL, 50 moves, {name} owner, of many", plain[f"assign {name} many"]["sql"],
               many["sql"], "ratio", 1.1)
        yield goal, "CPU ms of many owners / of ten", few["ms"], many["ms"], "ratio", limit
        yield "-", "  the same, plain Odoo", plain[f"assign {name} few"]["ms"], (
            plain[f"assign {name} many"]["ms"]), None, None
    owned, own = ours["receive owned"], plain["receive own"]
    yield "G7", "SQL to receive 100 lines of an owner", own["sql"], owned["sql"], "ratio", 1.05
    yield "G7", "CPU ms to receive 100 lines of an owner", own["ms"], owned["ms"], "ratio", 1.05


def settling_rows(plain, ours, scale):
    """Yield the rows of settling: bills, payments and their matching for each payee."""
    payees, lines, _owners = scale
    base, one, many = (each(figures, payees) for figures in (
        plain["plain"], ours["settle 1"], ours["settle many"]))
    yield "G8", "SQL a payee: settle, bill, pay, match", base[0], one[0], "more", 7
    yield "G8", "CPU ms a payee: settle, bill, pay, match", base[1], one[1], "ratio", 1.25
    parts = ours["settle many"]["parts"]
    if len(parts) > 2:  # the first one fills caches
        yield "G9", "SQL of the last chunk / of the second", parts[1]["sql"], (
            parts[-1]["sql"]), "ratio", 1.05
        yield "G9", "CPU ms of the last chunk / of the second", parts[1]["ms"], (
            parts[-1]["ms"]), "ratio", 1.2
    yield "G10", f"SQL to collect {payees * lines} due lines", None, (
        ours["collect"]["sql"]), "ours", 3
    yield "G10", "CPU ms to collect / of the whole run", ours["settle many"]["ms"], (
        ours["collect"]["ms"]), "ratio", 0.02
    yield "G11", f"SQL a payee of {lines} lines / of one", one[0], many[0], "ratio", 1.1
    yield "G11", f"CPU ms a payee of {lines} lines / of one", one[1], many[1], "ratio", 1.15
    done = ours["settled"]
    yield "-", "  settlements that are not paid", None, done["unpaid"], "ours", 0
    yield "-", "  shillings that the bills lack", None, abs(done["wanted"] - done["sum"]), (
        "ours"), 0


def main():
    """Measure and print; the exit code says whether a goal was missed."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true", help=f"payees, lines, owners: {QUICK}")
    scale = QUICK if options.parse_args().quick else FULL
    server = postgres.server(durable=False)
    with server.hold(), server.vacuuming():
        plain, ours = measure_all(server, scale)
    print(
        f"\n{scale[0]} payees, {scale[0] * scale[1]} due lines, {scale[2]} owners, on the fast "
        f"cluster, which doesn't wait for the disk; load {os.getloadavg()[1]:.1f} on "
        f"{os.cpu_count()} processors.\n")
    table = [*stock_rows(plain, ours), *many_rows(plain, ours),
             *settling_rows(plain, ours, scale)]
    return 1 if show(table) else 0


if __name__ == "__main__":
    sys.exit(main())
