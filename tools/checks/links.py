"""Links in the texts: a relative one leads to a file of this checkout, `#part` to a heading."""

import re

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.M)


def check(tree):
    """Every Markdown file; pictures and addresses of other sites are left alone."""
    if tree.only is not None:
        return []
    texts = [path for path in tree.files if path.suffix == ".md"]
    return [finding for path in texts for finding in _file(tree, path)]


def _file(tree, path):
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        for link in LINK.findall(line):
            if re.match(r"[a-z]+:", link):
                continue
            name, _hash, part = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            if not target.exists():
                yield tree.finding(path, number, f"the link leads to {name}, which is not there")
            elif part and part not in _anchors(tree.text(target)):
                yield tree.finding(path, number, f"{name or 'this file'} has no heading #{part}")


def _anchors(text):
    """The names that headings get on the usual sites: lower case, words joined by hyphens."""
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text))
    return {re.sub(r"\s", "-", heading.strip()) for heading in plain}
