"""House rules for Python that no linter knows."""

import ast
import io
import statistics
import tokenize

from . import names

LONGEST, MEDIAN = 40, 12


def method_length(tree):
    """No function over 40 lines, the median under 12; docstrings do not count."""
    lengths, findings = {}, []
    for path, module in _sources(tree):
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = length(node)
                lengths.setdefault(_part(tree, path), []).append(size)
                if size > LONGEST:
                    text = f"{node.name}() has {size} lines, {LONGEST} is the most: name its steps"
                    findings.append(tree.finding(path, node.lineno, text))
    for part, sizes in lengths.items():
        middle = statistics.median(sizes)
        if middle >= MEDIAN and len(sizes) > 10:
            text = f"the median function has {middle:g} lines; under {MEDIAN} is wanted"
            findings.append(tree.finding(tree.root / part, 0, text))
    return findings


def length(node):
    """Lines of a function from `def` to its end, without decorators and docstring."""
    size = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        size -= node.body[0].end_lineno - node.body[0].lineno + 1
    return size


def sudo_has_reason(tree):
    """Each sudo() has a comment that says why it is safe.

    It stands on the statement's lines or right above, or it begins with "sudo" and stands earlier
    in the same function, for all the sudo() below it.
    """
    findings = []
    for addon in tree.wanted:
        for path, module in addon.python(tests=False):
            comments = _comments(tree.text(path))
            for scope, first, line in _sudo_calls(module):
                near = any(n in comments for n in range(first - 1, line + 1))
                if not near and not any(_is_reason(comments.get(n)) for n in range(scope, first)):
                    text = "sudo() without a reason: say here or on the line above why it is safe"
                    findings.append(tree.finding(path, line, text))
    return findings


def _sudo_calls(module):
    """(first line of the function, of the statement, line of the sudo) of each call."""
    nodes = [n for n in ast.walk(module) if isinstance(n, ast.stmt)]
    scopes = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for node in ast.walk(module):
        if _is_sudo(node):
            line = node.func.end_lineno
            yield _start(scopes, line), _start(nodes, line), line


def _is_sudo(node):
    """`x.sudo()` or `x.sudo(True)`; `sudo(False)` gives rights up, which needs no reason."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr == "sudo" and [names.literal(a) for a in node.args] != [False]


def _start(nodes, line):
    """First line of the innermost of the nodes around a line; the line itself without one."""
    return max((n.lineno for n in nodes if n.lineno <= line <= n.end_lineno), default=line)


def _is_reason(comment):
    return bool(comment) and comment.lstrip("# ").lower().startswith("sudo")


def _comments(source):
    """line number -> comment"""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}


def one_model_a_file(tree):
    """One model class a file, and the file named after the model."""
    findings = []
    for addon in tree.wanted:
        classes = {}
        for path, node, attributes in names.models(addon):
            classes.setdefault(path, []).append((node, attributes))
        for path, found in classes.items():
            if len(found) > 1:
                more = ", ".join(n.name for n, _attributes in found[1:])
                findings.append(
                    tree.finding(path, found[1][0].lineno, f"one model a file: move {more}")
                )
            else:
                findings += _file_name(tree, path, *found[0])
    return findings


def _file_name(tree, path, node, attributes):
    model = names.literal(attributes.get("_name")) or names.literal(attributes.get("_inherit"))
    if not isinstance(model, str):
        return []
    wanted = {model.replace(".", "_"), model.removeprefix("soko.").replace(".", "_")}
    if path.stem in wanted:
        return []
    text = f"holds the model {model}; a file is named after its model: {model.replace('.', '_')}.py"
    return [tree.finding(path, node.lineno, text)]


def _sources(tree):
    for addon in tree.wanted:
        yield from addon.python(tests=False)
    if tree.only is None:
        for path in tree.files:
            if path.suffix == ".py" and tree.root / "tools" in path.parents:
                module = tree.syntax(path)
                if module is not None:
                    yield path, module


def _part(tree, path):
    return "/".join(path.relative_to(tree.root).parts[:2])
