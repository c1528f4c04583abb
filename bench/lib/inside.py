"""Runs a part of a measurement in Odoo's shell."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parents[1] / "inside"


def run(builder, script, part, **more):
    """Run one part of a file of ``bench/inside``; return its figures by name.

    :param builder: soko.databases.Builder on the database that is measured
    :param more: what the file reads from the environment as ``BENCH_...``
    """
    printed = builder.shell(
        (HERE / script).read_text(), f"the part {part} failed", BENCH_PART=part, BENCH_INSIDE=HERE,
        **{f"BENCH_{name.upper()}": value for name, value in more.items()})
    lines = [line[6:] for line in printed.splitlines() if line.startswith("BENCH ")]
    return {figures.pop("name"): figures for figures in map(json.loads, lines)}
