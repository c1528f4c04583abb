"""Translations: a template for each module, and files of terms that Odoo can use as they are."""

import collections
import re

import polib

# What the program fills in: %s, %(name)s, {{ expression }}, and QWeb's own attributes in a text.
PLACEHOLDER = re.compile(
    r"""%(?:\(\w+\))?[-+0-9.]*[sdif] | \{\{.*?\}\} | \bt-[\w-]+=(?:"[^"]*"|'[^']*')""", re.X | re.S
)


def check(tree):
    """Every wanted add-on has its .pot; every .po agrees with it and can be filled in."""
    findings = []
    for addon in tree.wanted:
        template = addon.path / "i18n" / f"{addon.name}.pot"
        if not template.is_file():
            text = f"i18n/{template.name} is missing: see Translations in CONTRIBUTING.md"
            findings.append(tree.finding(addon.path / "__manifest__.py", 0, text))
        known = _sources(template)
        for path in addon.files(".po", ".pot"):
            findings += [tree.finding(path, line, text) for line, text in _file(path, known)]
    return findings


def _sources(template):
    """The terms of the template; None when there is none that can be read."""
    try:
        return {entry.msgid for entry in polib.pofile(str(template))}
    except (OSError, ValueError):
        return None


def _file(path, known):
    try:
        entries = list(polib.pofile(str(path)))
    except (OSError, ValueError) as error:
        yield 0, f"can't be read: {error}"
        return
    seen = set()
    for entry in entries:
        if entry.msgid in seen:
            yield entry.linenum, f"{_short(entry)} stands here already"
        seen.add(entry.msgid)
        for text in _entry(entry, known):
            yield entry.linenum, f"{_short(entry)} {text}"


def _entry(entry, known):
    if entry.obsolete:
        yield "is out of use: take it out"
        return
    if entry.fuzzy:
        yield "is marked fuzzy: somebody who knows the language looks at it"
    if known is not None and entry.msgid not in known:
        yield "is not in the .pot: nothing shows it any more"
    if entry.msgstr and _placeholders(entry.msgid) != _placeholders(entry.msgstr):
        yield "has other placeholders than its translation"


def _placeholders(text):
    """The placeholders and how often each is used; the order is the language's own."""
    return collections.Counter(PLACEHOLDER.findall(text.replace("%%", "")))


def _short(entry):
    text = " ".join(entry.msgid.split())
    return repr(text if len(text) < 50 else f"{text[:47]}...")
