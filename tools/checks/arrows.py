"""The house's arrows: who may stand on whom, and that nobody names what they do not stand on.

A pillar is useful alone. It must not know another pillar even as a string, because Odoo resolves
models, fields and XML ids by string: such a name would be a dependency that no manifest shows.
Comments and docstrings may mention a bridge (a hook's contract says who overrides it); code and
data may not.
"""

import ast
import io
import re
import tokenize

from . import names

PILLARS = ("soko_artisan", "soko_qc", "soko_mpesa")
# The whole table. A new arrow is a decision: write it here and in docs/decisions.md.
ALLOWED = {
    "soko_artisan": {"purchase_stock", "sale_stock", "account", "portal", "sms"},
    "soko_qc": {"stock", "mrp", "barcodes"},
    "soko_mpesa": {"account", "phone_validation", "sms"},
    "soko_artisan_qc": {"soko_artisan", "soko_qc"},
    "soko_shop": {"soko_artisan", "website_sale_stock"},
    "soko_impact": {"soko_artisan", "spreadsheet_dashboard", "survey"},
    "soko_mpesa_checkout": {"soko_mpesa", "payment", "account_payment"},
}
AUTO_INSTALL = {"soko_artisan_qc"}
# Names that belong to a pillar even before a class declares them.
RESERVED = {
    "soko.artisan": "soko_artisan",
    "soko.agreement": "soko_artisan",
    "soko.replenishment": "soko_artisan",
    "soko.settlement": "soko_artisan",
    "soko.advance": "soko_artisan",
    "soko.qc": "soko_qc",
    "soko.plating": "soko_qc",
    "soko.mpesa": "soko_mpesa",
    "mpesa_b2c": "soko_mpesa",
}
WORD = re.compile(r"(?<!\w)(?:soko[._]\w+(?:\.\w+)*|mpesa_b2c)")
SUFFIXES = (".py", ".xml", ".csv", ".js", ".scss", ".sql")


def check(tree):
    """Manifests against the table, imports against the manifests, names against the owners."""
    findings = []
    owners = Owners(tree)
    for addon in tree.wanted:
        findings += _manifest(tree, addon)
        for path in addon.files(*SUFFIXES):
            if path.name != "__manifest__.py":
                findings += _file(tree, addon, path, owners)
    return findings


class Owners:
    """Whose name is this? Declared names first, then the longest module or model it begins with."""

    def __init__(self, tree):
        self.tree = tree
        self.declared = {}
        for addon in tree.addons.values():
            for name in {*names.declared_models(addon), *names.declared_fields(addon)}:
                self.declared.setdefault(name, set()).add(addon.name)
        self.modules = sorted({*ALLOWED, *tree.addons}, key=len, reverse=True)
        self.prefixes = {**RESERVED, **{n: min(o) for n, o in self.declared.items() if "." in n}}

    def stranger(self, word, addon):
        """The owner of `word` when `addon` does not stand on it, else None."""
        owners = self._owners(word)
        return None if not owners or owners & closure(self.tree, addon.name) else min(owners)

    def _owners(self, word):
        if word.startswith("soko."):
            parts = word.split(".")
            heads = [".".join(parts[:n]) for n in range(len(parts), 1, -1)]
            return next(({self.prefixes[h]} for h in heads if h in self.prefixes), None)
        head = word.partition(".")[0]  # an XML id: its module; a path of fields: the first one
        if head in RESERVED:
            return {RESERVED[head]}
        fits = (m for m in self.modules if head == m or head.startswith(m + "_"))
        return self.declared.get(head) or next(({m} for m in fits), None)


def closure(tree, name):
    """Our own modules that `name` stands on, directly or not, itself included."""
    found, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current in tree.addons and current not in found:
            found.add(current)
            todo += tree.addons[current].manifest.get("depends", [])
    return found


def _manifest(tree, addon):
    path = addon.path / "__manifest__.py"
    if addon.name not in ALLOWED:
        text = "is not in the table of arrows: decide what it may stand on (tools/checks/arrows.py)"
        return [tree.finding(path, 0, text)]
    findings = []
    for depend in addon.manifest.get("depends", []):
        if depend in ALLOWED and depend not in PILLARS:
            text = f"depends on {depend}, a bridge; nothing may stand on a bridge"
            findings.append(tree.finding(path, 0, text))
        elif depend not in ALLOWED[addon.name]:
            text = f"depends on {depend}; not in the table of arrows (tools/checks/arrows.py)"
            findings.append(tree.finding(path, 0, text))
    if bool(addon.manifest.get("auto_install")) != (addon.name in AUTO_INSTALL):
        text = "auto_install differs from the table of arrows (tools/checks/arrows.py)"
        findings.append(tree.finding(path, 0, text))
    return findings


def _file(tree, addon, path, owners):
    findings = []
    reader = _python_code if path.suffix == ".py" else _markup
    for line, text in reader(tree.text(path) or ""):
        for word in WORD.findall(text):
            owner = owners.stranger(word, addon)
            if owner:
                what = f"names {word!r} of {owner}, on which {addon.name} does not stand"
                findings.append(tree.finding(path, line, f"{what}: use a hook, or a bridge"))
    return findings


def _python_code(source):
    """Names and strings of Python, comments and docstrings left out: (line number, text)."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        docstrings = _docstring_lines(ast.parse(source))
    except (SyntaxError, tokenize.TokenError):
        return  # ruff reports a file that does not parse
    kinds = {tokenize.NAME, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokens:
        if token.type in kinds and token.start[0] not in docstrings:
            yield token.start[0], token.string


def _docstring_lines(module):
    lines = set()
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(module):
        if isinstance(node, owners) and ast.get_docstring(node, clean=False) is not None:
            lines.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def _markup(source):
    """Lines of XML, CSV, JavaScript, SQL, block comments blanked: (line number, text)."""
    comments = re.compile(r"<!--.*?-->|/\*.*?\*/", re.S)
    blank = comments.sub(lambda m: "\n" * m.group().count("\n"), source)
    yield from enumerate(blank.splitlines(), 1)
