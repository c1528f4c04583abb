"""Every fault and threat of docs/faults.md has a row, and every test that it names is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "faults.md"
ROWS = [f"F{number}" for number in range(1, 58)] + [f"S{number}" for number in range(1, 35)]
ROW = re.compile(r"^\| ([FS]\d+) \| (.+) \| (.+) \|$", re.MULTILINE)


def read_rows(text):
    """:return: {row: (what happens, [names of tests])}; a row that stands twice is an error"""
    found = {}
    for name, behaviour, shown in ROW.findall(text):
        assert name not in found, f"{name} stands twice"
        found[name] = (behaviour, re.findall(r"`([^`]+)`", shown))
    return found


def find_tests(path):
    """:return: the tests of a file, as function or Class.method"""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{item.name}" for item in node.body
                      if isinstance(item, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return {name for name in found if name.split(".")[-1].startswith("test")}


def all_tests():
    files = [*ROOT.glob("addons/*/tests/test_*.py"), *ROOT.glob("tests/test_*.py")]
    return set().union(*map(find_tests, files))


def unknown_tests(rows, known):
    """:return: (row, name) of each named test that isn't there"""
    return [(row, name) for row, (_behaviour, names) in rows.items()
            for name in names if name not in known]


def test_every_row_is_there_once():
    assert sorted(read_rows(TABLE.read_text(encoding="utf-8"))) == sorted(ROWS)


def test_every_row_names_a_test_and_each_exists():
    rows = read_rows(TABLE.read_text(encoding="utf-8"))
    assert [row for row, (_behaviour, names) in rows.items() if not names] == []
    assert unknown_tests(rows, all_tests()) == []


def test_points_of_the_golive_list_exist():
    data = (ROOT / "addons/soko_mpesa/data/soko_mpesa_golive_item_data.xml").read_text("utf-8")
    named = re.findall(r"`(golive_item_\w+)`", TABLE.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if f'id="{name}"' not in data] == []


def test_a_name_that_is_nowhere_is_noticed():
    rows = read_rows("| F1 | none | `TestNowhere.test_nothing`, `test_every_row_is_there_once` |")
    assert unknown_tests(rows, all_tests()) == [("F1", "TestNowhere.test_nothing")]
