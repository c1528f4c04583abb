"""Nothing of one machine, and no secret, in what is committed."""

import re

MACHINE = re.compile(r"(?<![\w.~/}\-$])/(?:root|home|tmp|work|Users)/[\w.\-]+")
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    "an access token": re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|sk_live_\w{20,}|xox[abp]-\w{10,})\b"
    ),
    "a secret": re.compile(
        r"(?:secret|passw(?:or)?d|passkey|token|api_?key)\w*[\"']?\s*[:=]\s*"
        r"[\"'][A-Za-z0-9+/_=\-]{24,}[\"']",
        re.I,
    ),
}
# Files that may hold such text, and why.
REASONS = {
    "tools/checks/leaks.py": "the patterns themselves",
    "tests/test_architecture.py": "feeds the checker with bad examples",
}
SKIPPED = {".png", ".jpg", ".jpeg", ".gif", ".ico", ".woff2", ".xlsx", ".pdf", ".zip", ".asc"}


def check(tree):
    """Every text file a commit would hold."""
    findings = []
    for path in tree.files:
        name = tree.name(path)
        if name in REASONS or path.suffix in SKIPPED or not _wanted(tree, name):
            continue
        for number, line in enumerate((tree.text(path) or "").splitlines(), 1):
            findings += [tree.finding(path, number, text) for text in _line(line)]
    return findings


def _wanted(tree, name):
    return tree.only is None or any(name.startswith(f"addons/{module}/") for module in tree.only)


def _line(line):
    hit = MACHINE.search(line)
    if hit:
        yield f"{hit.group()} is a path of one machine: take it from a setting"
    for what, pattern in SECRETS.items():
        if pattern.search(line):
            yield f"looks like {what}: keep it in a file outside the repository"
