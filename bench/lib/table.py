"""The figures of a measurement beside plain Odoo's, as a table of goals."""

import statistics


def each(figures, count):
    """Return statements and milliseconds for one payout."""
    parts = figures.get("chunks") or [figures]
    count = figures.get("count", count)
    return (sum(part["sql"] for part in parts) / count, sum(part["ms"] for part in parts) / count)


def linearity(figures):
    """Return the CPU of the last chunks over that of the first ones."""
    parts = [part["ms"] for part in figures["chunks"]]
    some = max(1, len(parts) // 5)
    return statistics.mean(parts[-some:]) / statistics.mean(parts[:some])


def show(table):
    """Print the table; return how many goals were missed."""
    missed = 0
    layout = "{:<5} {:<43} {:>9} {:>9} {:>7} {:>9}  {}"
    print(layout.format("goal", "what", "plain", "ours", "ratio", "limit", "ok"))
    for goal, what, plain, ours, kind, limit in table:
        ratio = ours / plain if plain else None
        counts = {"ratio": ratio, "ours": ours, "more": ours - (plain or 0), None: 0}[kind]
        good = limit is None or counts <= limit
        missed += not good
        bound = {"ratio": f"{limit} x", "more": f"plain +{limit}"}.get(kind, limit)
        print(layout.format(
            goal, what, "" if plain is None else f"{plain:.1f}", f"{ours:.1f}",
            "" if ratio is None else f"{ratio:.2f}", "" if limit is None else bound,
            "" if limit is None else "ok" if good else "NOT"))
    return missed
