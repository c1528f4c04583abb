"""./soko bench qc: inspections and plating runs beside plain Odoo's receipts and work orders.

Two databases do the same work, one with the add-on and one with Odoo's own modules only. 100
receipts of 50 pieces: plain Odoo validates them, ours inspects each piece as well. 100
manufacturing orders of one work order each: plain Odoo starts and finishes the work orders, ours
takes them through one plating run, with its charge, metal, cost and lots. Statements are exact;
milliseconds are CPU of the process and its PostgreSQL backends.
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

# receipts, pieces of each, orders
FULL, QUICK = (100, 50, 100), (20, 50, 40)
FEW = 5  # the linearity of orders is that of many beside these


def measure_all(server, scale):
    """Return (figures of plain Odoo, figures with the add-on), both by name."""
    template, found = databases.ensure_template(server), []
    for modules in ("stock,mrp", "soko_qc"):
        name = f"soko_test_bench_{os.getpid()}_{modules[-3:]}"
        with databases.copy_of(server, template, name), \
                databases.Builder(server, name, "bench.log") as builder:
            builder.install(modules)
            receipts, pieces, orders = scale
            found.append(run(builder, "qc.py", "all", receipts=receipts, pieces=pieces,
                             orders=orders, few=FEW))
    return found


def rows(plain, ours, scale):
    """Yield (goal, what, plain, ours, the figure that counts, its limit)."""
    receipts, pieces, orders = scale
    base, received = (each(found["receive"], receipts) for found in (plain, ours))
    passed, decided = (each(ours[name], receipts) for name in ("look", "decide"))
    yield "-", "SQL to validate a receipt", base[0], received[0], None, None
    yield "-", "CPU ms to validate a receipt", base[1], received[1], None, None
    yield "-", f"SQL to look at {pieces} pieces", None, passed[0], None, None
    yield "-", f"CPU ms to look at {pieces} pieces", None, passed[1], None, None
    yield "-", "SQL to decide and move them", None, decided[0], None, None
    yield "-", "CPU ms to decide and move them", None, decided[1], None, None
    base, plated = (each(found["orders"], orders) for found in (plain, ours))
    few = each(ours["few"], FEW)
    yield "G23", "SQL of an order, from nothing to done", base[0], plated[0], "more", 12
    yield "G23", "CPU ms of an order, from nothing to done", base[1], plated[1], "ratio", 1.1
    yield "G24", f"SQL of an order: {orders} beside {FEW}", few[0], plated[0], "ratio", 1.05
    yield "-", "  orders that are not done", None, ours["checked"]["open"], "ours", 0
    yield "-", "  plated lots that don't know their raw lot", None, (
        ours["checked"]["lost"]), "ours", 0


def main():
    """Measure and print; the exit code says whether a goal was missed."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--quick", action="store_true",
                         help=f"receipts, pieces of each, orders: {QUICK}")
    scale = QUICK if options.parse_args().quick else FULL
    server = postgres.server(durable=False)
    with server.hold(), server.vacuuming():
        plain, ours = measure_all(server, scale)
    print(
        f"\n{scale[0]} receipts of {scale[1]} pieces, {scale[2]} orders, on the fast cluster, "
        f"which doesn't wait for the disk; load {os.getloadavg()[1]:.1f} on {os.cpu_count()} "
        "processors.\n")
    return 1 if show(list(rows(plain, ours, scale))) else 0


if __name__ == "__main__":
    sys.exit(main())
