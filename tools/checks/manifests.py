"""Manifests: what the Apps list shows, and that files are listed exactly when they exist."""

import ast
import re

VERSION = re.compile(r"19\.0\.\d+\.\d+\.\d+")
REQUIRED = ("name", "summary", "version", "category", "author", "license", "depends")
DEFAULTS = {
    "installable": True,
    "auto_install": False,
    "application": False,
    "sequence": 100,
    "active": True,
    "description": "",
    "website": "",
    "demo": [],
    "data": [],
    "depends": [],
    "external_dependencies": {},
}
LOADED = {"data": ("security", "data", "views", "report", "reports", "wizards"), "demo": ("demo",)}


def check(tree):
    """Keys, version, files listed and present, icon, README."""
    findings = []
    for addon in tree.wanted:
        path = addon.path / "__manifest__.py"
        try:
            manifest = ast.literal_eval(path.read_text(encoding="utf-8"))
        except (ValueError, SyntaxError) as error:
            findings.append(tree.finding(path, 0, f"is not a plain dictionary: {error}"))
            continue
        texts = [*_keys(manifest), *_files(addon, manifest), *_company(addon)]
        findings += [tree.finding(path, 0, text) for text in texts]
    return findings


def _keys(manifest):
    for key in REQUIRED:
        if not manifest.get(key):
            yield f"key {key!r} is missing"
    for key, value in manifest.items():
        if key in DEFAULTS and value == DEFAULTS[key]:
            yield f"key {key!r} only repeats its default; leave it out"
    if manifest.get("author") != "SOKO":
        yield "author must be 'SOKO'"
    if manifest.get("license") != "LGPL-3":
        yield "license must be 'LGPL-3'"
    if not VERSION.fullmatch(str(manifest.get("version"))):
        yield "version must look like 19.0.1.0.0 (series, then data model, feature, fix)"
    if "\n" in (manifest.get("summary") or ""):
        yield "summary must be one line"


def _files(addon, manifest):
    listed = set()
    for key in ("data", "demo"):
        rows = manifest.get(key, [])
        listed.update(rows)
        for row in rows:
            if not (addon.path / row).is_file():
                yield f"{key!r} lists {row}, which does not exist"
            if rows.count(row) > 1:
                yield f"{key!r} lists {row} twice"
    for key, folders in LOADED.items():
        for path in addon.files(".xml", ".csv"):
            row = path.relative_to(addon.path)
            if row.parts[0] in folders and row.as_posix() not in listed:
                yield f"{row.as_posix()} is not listed in {key!r}, so Odoo never loads it"
    yield from _neutralize(addon)


def _neutralize(addon):
    data = addon.path / "data"
    odd = [p.name for p in addon.files(".sql") if p.parent == data and p.name != "neutralize.sql"]
    for name in odd:
        yield f"data/{name}: Odoo runs only data/neutralize.sql by itself"


def _company(addon):
    """What stands beside the manifest for people."""
    for name in ("README.md", "static/description/icon.png", "static/description/index.html"):
        if not (addon.path / name).is_file():
            yield f"{name} is missing"
