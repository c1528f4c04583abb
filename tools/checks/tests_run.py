"""A test nobody runs is worse than none: files imported, classes tagged, modules tested."""

import ast


def check(tree):
    """Every module's tests/ folder."""
    findings = []
    for addon in tree.wanted:
        init = addon.path / "tests" / "__init__.py"
        files = [
            p for p in addon.files(".py") if p.parent == init.parent and p.name.startswith("test_")
        ]
        if not files or not init.is_file():
            findings.append(
                tree.finding(addon.path / "__manifest__.py", 0, "the module has no tests")
            )
            continue
        imported = _imported(tree.syntax(init))
        for path in files:
            if path.stem not in imported:
                text = f"is not imported in {tree.name(init)}, so Odoo never runs it"
                findings.append(tree.finding(path, 0, text))
            findings += _classes(tree, path)
    return findings


def _imported(module):
    nodes = [n for n in ast.walk(module) if isinstance(n, ast.ImportFrom)] if module else []
    return {alias.name for n in nodes for alias in n.names} | {n.module for n in nodes if n.module}


def _classes(tree, path):
    module = tree.syntax(path)
    classes = [n for n in module.body if isinstance(n, ast.ClassDef)] if module else []
    tested = [c for c in classes if _tests(c)]
    if module and not tested:
        yield tree.finding(path, 0, "holds no test (no class with a method test_…)")
    for node in tested:
        if not {"post_install", "-at_install"} <= _tags(node):
            text = f"{node.name}: tag it @tagged('post_install', '-at_install')"
            yield tree.finding(path, node.lineno, text)


def _tags(node):
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
    tagged = [c for c in calls if ast.unparse(c.func).rpartition(".")[2] == "tagged"]
    return {a.value for c in tagged for a in c.args if isinstance(a, ast.Constant)}


def _tests(node):
    return [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")]
