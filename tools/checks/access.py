"""Access rights: every model has a line, every line can be read by a person and names a group."""

import csv

from . import names

HEADER = [
    "id",
    "name",
    "model_id:id",
    "group_id:id",
    "perm_read",
    "perm_write",
    "perm_create",
    "perm_unlink",
]


def check(tree):
    """ir.model.access.csv of each module against the models it declares."""
    findings = []
    for addon in tree.wanted:
        path = addon.path / "security" / "ir.model.access.csv"
        rows = _rows(path)
        covered = set()
        for line, row in rows:
            covered.add((row.get("model_id:id") or "").rpartition(".")[2])
            findings += [tree.finding(path, line, text) for text in _row(row)]
        if rows and list(rows[0][1]) != HEADER:
            findings.append(tree.finding(path, 1, f"the columns must be {','.join(HEADER)}"))
        for model, (source, line, kind) in names.declared_models(addon).items():
            if kind != "AbstractModel" and "model_" + model.replace(".", "_") not in covered:
                text = f"{model} has no line in security/ir.model.access.csv: nobody can use it"
                findings.append(tree.finding(source, line, text))
    return findings


def _rows(path):
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(enumerate(csv.DictReader(file), 2))


def _row(row):
    if " " not in (row.get("name") or "").strip():
        yield f"name {row.get('name')!r}: say it in words, such as 'Payouts: approvers read'"
    if not row.get("group_id:id"):
        yield "no group: this line gives the right to everybody, the public included; name a group"
    for key in HEADER[4:]:
        if row.get(key) not in ("0", "1"):
            yield f"{key} is {row.get(key)!r}; it must be 0 or 1"
