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
    """Each sudo() has a comment, on its own lines or the line above, that says why it is safe."""
    findings = []
    for addon in tree.wanted:
        for path, module in addon.python(tests=False):
            comments = _comment_lines(tree.text(path))
            for first, line in _sudo_calls(module):
                if not comments & set(range(first - 1, line + 1)):
                    text = "sudo() without a reason: say here or on the line above why it is safe"
                    findings.append(tree.finding(path, line, text))
    return findings


def _sudo_calls(module):
    """(first line of the statement, line of the sudo) of each call."""
    statements = [n for n in ast.walk(module) if isinstance(n, ast.stmt)]
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "sudo"
        ):
            line = node.func.end_lineno
            around = [s.lineno for s in statements if s.lineno <= line <= s.end_lineno]
            yield max(around), line


def _comment_lines(source):
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0] for t in tokens if t.type == tokenize.COMMENT}


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
