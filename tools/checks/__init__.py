"""Checks of the source tree: plain Python, no database, a few seconds.

Each check is a function `check(tree) -> list[Finding]`; an empty list means it passed. `tree`
knows the add-ons and the files, a `Finding` is one line for a reader: where, what is wrong, what
to do. `registry.CHECKS` names them all.
"""
