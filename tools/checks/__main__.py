"""`PYTHON tools/checks [--only NAME] [--module M]`: run the checks, print findings and a count.

Exit code 0 when every check passed, 1 when one found something, 2 when the arguments name nothing.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# This folder itself must not be on the path: its files are modules of the package `checks`.
sys.path[0] = str(HERE.parent)

from checks.registry import CHECKS  # noqa: E402
from checks.tree import Tree  # noqa: E402


def main(arguments=None):
    options = _options(arguments)
    tree = Tree(options.root, options.module)
    unknown = sorted(tree.only - set(tree.addons)) if tree.only else []
    if unknown:
        print(f"checks: no module {', '.join(unknown)} in {tree.root / 'addons'}", file=sys.stderr)
        return 2
    names = options.only or list(CHECKS)
    failed = sum(not _report(name, CHECKS[name](tree)) for name in names)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _options(arguments):
    parser = argparse.ArgumentParser(prog="checks", description="Checks of the source tree.")
    add = parser.add_argument
    add("--only", action="append", choices=list(CHECKS), help="only this one (repeatable)")
    add("--module", action="append", help="only findings of this module (repeatable)")
    add("--root", default=HERE.parents[1], type=Path, help="another checkout to look at")
    return parser.parse_args(arguments)


def _report(name, findings):
    """Print one check's outcome; True when it passed."""
    print(f"{name:<18} {'ok' if not findings else f'{len(findings)} to mend'}", flush=True)
    for finding in sorted(findings):
        print(f"  {finding}")
    return not findings


if __name__ == "__main__":
    sys.exit(main())
