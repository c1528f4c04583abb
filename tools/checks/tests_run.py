"""A test nobody runs is worse than none: files imported, classes tagged, modules tested."""

import ast


def check(tree):
    """Every module's tests/ folder."""
    return [finding for addon in tree.wanted for finding in _addon(tree, addon)]


def _addon(tree, addon):
    init = addon.path / "tests" / "__init__.py"
    inner = [p for p in addon.files(".py") if init.parent in p.parents]
    files = [p for p in inner if p.parent == init.parent and p.name.startswith("test_")]
    if not files or not init.is_file():
        yield tree.finding(addon.path / "__manifest__.py", 0, "the module has no tests")
        return
    imported = _imported(tree.syntax(init))
    known = _classes_by_name(tree, inner)
    for path in files:
        if path.stem not in imported:
            text = f"is not imported in {tree.name(init)}, so Odoo never runs it"
            yield tree.finding(path, 0, text)
        yield from _classes(tree, path, known)


def _imported(module):
    nodes = [n for n in ast.walk(module) if isinstance(n, ast.ImportFrom)] if module else []
    return {alias.name for n in nodes for alias in n.names} | {n.module for n in nodes if n.module}


def _classes(tree, path, known):
    module = tree.syntax(path)
    classes = [n for n in module.body if isinstance(n, ast.ClassDef)] if module else []
    tested = [c for c in classes if _tests(c)]
    if module and not tested:
        yield tree.finding(path, 0, "holds no test (no class with a method test_…)")
    for node in tested:
        if not {"post_install", "-at_install"} <= _all_tags(node, known):
            text = f"{node.name}: tag it @tagged('post_install', '-at_install')"
            yield tree.finding(path, node.lineno, text)


def _classes_by_name(tree, paths):
    modules = filter(None, map(tree.syntax, paths))
    return {n.name: n for m in modules for n in m.body if isinstance(n, ast.ClassDef)}


def _all_tags(node, known):
    """Tags of a class and those it inherits from classes of the same module's tests."""
    bases = [known.get(ast.unparse(base)) for base in node.bases]
    return _tags(node).union(*(_all_tags(b, known) for b in bases if b and b is not node))


def _tags(node):
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
    tagged = [c for c in calls if ast.unparse(c.func).rpartition(".")[2] == "tagged"]
    return {a.value for c in tagged for a in c.args if isinstance(a, ast.Constant)}


def _tests(node):
    return [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")]
