"""Which names a module owns, read from its source: models, fields it adds to others' models."""

import ast
import re

SOKO_FIELD = re.compile(r"soko_\w+")


def class_attributes(node):
    """Simple assignments of a class body: name -> value node."""
    found = {}
    for item in node.body:
        if isinstance(item, ast.Assign):
            found.update({t.id: item.value for t in item.targets if isinstance(t, ast.Name)})
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value:
            found[item.target.id] = item.value
    return found


def literal(node):
    """The value of a literal node, None for anything else."""
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None


def is_model(node):
    """Is this class an Odoo model (by its base)?"""
    bases = {ast.unparse(base).removeprefix("models.") for base in node.bases}
    return bool(bases & {"Model", "TransientModel", "AbstractModel"})


def models(addon):
    """Model classes outside tests: (path, class node, its attributes)."""
    for path, module in addon.python(tests=False):
        for node in module.body:
            if isinstance(node, ast.ClassDef) and is_model(node):
                yield path, node, class_attributes(node)


def declared_models(addon):
    """Models this module creates: name -> (path, line, name of the base class)."""
    found = {}
    for path, node, attributes in models(addon):
        name = literal(attributes.get("_name"))
        inherit = literal(attributes.get("_inherit"))
        inherited = {inherit} if isinstance(inherit, str) else set(inherit or ())
        if name and name not in inherited:
            kind = ast.unparse(node.bases[0]).rpartition(".")[2]
            found[name] = (path, node.lineno, kind)
    return found


def declared_fields(addon):
    """Names of `soko_` fields this module declares on any model."""
    found = set()
    for _path, _node, attributes in models(addon):
        for name, value in attributes.items():
            is_field = isinstance(value, ast.Call) and ast.unparse(value.func).startswith("fields.")
            if is_field and SOKO_FIELD.fullmatch(name):
                found.add(name)
    return found
