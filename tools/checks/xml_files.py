"""XML: well-formed, in the way Odoo 19 reads it, and ids that can be guessed."""

import re

from lxml import etree

PRIMARY = {"form", "list", "kanban", "search", "calendar", "graph", "pivot", "activity"}
VIEW_ID = re.compile(r".*_view_(%s)(_\w+)?" % "|".join(sorted(PRIMARY)))
OLD_ATTRIBUTES = {
    "attrs": "write invisible=, readonly=, required= with an expression",
    "states": "write invisible= with an expression on the state",
    "t-esc": "write t-out",
    "t-raw": "write t-out with Markup made by the server",
}


def check(tree):
    """Every XML file of the wanted add-ons."""
    findings = []
    for addon in tree.wanted:
        seen = {}
        for path in addon.files(".xml", ".svg"):
            try:
                root = etree.parse(str(path)).getroot()
            except etree.XMLSyntaxError as error:
                findings.append(
                    tree.finding(path, error.lineno or 0, f"is not well-formed: {error.msg}")
                )
                continue
            hits = [*_elements(root)]
            if root.tag == "odoo":
                hits += [*_data(root), *_records(root, addon), *_ids(root, addon, tree, path, seen)]
            findings += [tree.finding(path, node.sourceline, text) for node, text in hits]
    return findings


def _elements(root):
    """Old spellings, wherever they stand."""
    for node in root.iter(etree.Element):
        if node.tag == "tree":
            yield node, "<tree> is <list> since Odoo 18"
        for name, instead in OLD_ATTRIBUTES.items():
            if name in node.attrib:
                yield node, f"{name}= is gone in Odoo 19: {instead}"
        if "oe_chatter" in node.get("class", ""):
            yield node, "nothing handles oe_chatter any more: write <chatter/>"
        if node.tag == "kanban":
            yield from _kanban(node)
        if node.tag == "search":
            for group in node.iter("group"):
                if group.get("string") or group.get("expand"):
                    yield group, "a <group> in a search view takes no string= or expand= in Odoo 19"


def _kanban(node):
    cards = [t.get("t-name") for t in node.iterfind(".//templates/t")]
    if "kanban-box" in cards:
        yield node, 'kanban-box throws in the browser: the template is t-name="card"'
    elif cards and "card" not in cards:
        yield node, 'the kanban has no template t-name="card"'


def _data(root):
    for node in root.iterfind("data"):
        yield node, "<data> is not needed: put noupdate on <odoo>, or use two files"


def _records(root, addon):
    for node in root.iterfind(".//record"):
        if node.get("id") and next(iter(node.attrib)) != "id":
            yield node, "id= stands first"
        if node.get("model") != "ir.config_parameter":
            yield from _booleans(node)
        if node.get("model") == "ir.actions.act_window":
            yield from _action(node)
        if node.get("model") == "res.users" and "no_reset_password" not in (
            node.get("context") or ""
        ):
            yield node, "creating a user sends a mail: context=\"{'no_reset_password': True}\""


def _booleans(node):
    for field in node.iterfind("field"):
        text = (field.text or "").strip()
        if text in ("True", "False") and not field.get("eval") and not field.get("type"):
            yield field, f'{field.get("name")}: {text!r} is a text here; write eval="{text}"'


def _action(node):
    values = {f.get("name"): f for f in node.iterfind("field")}
    target = values.get("target")
    is_dialog = target is not None and (target.text or "").strip() == "new"
    model = values["res_model"].text if "res_model" in values else None
    if model not in (None, "res.config.settings") and not is_dialog and "help" not in values:
        yield node, f"{node.get('id')}: an empty list needs a help text that says what to do first"


def _ids(root, addon, tree, path, seen):
    for node in root.iter("record", "template", "menuitem"):
        xmlid = node.get("id")
        if not xmlid:
            yield node, f"<{node.tag}> without id: it would be made again at each update"
            continue
        module, _dot, name = xmlid.rpartition(".")
        if module == addon.name:
            yield node, f"id {xmlid!r}: leave the module's own name out"
        elif module.startswith("soko_"):
            yield node, f"id {xmlid!r} is in another module's namespace: one namespace a module"
        elif not module and xmlid in seen:
            yield node, f"id {xmlid!r} is already used in {seen[xmlid]}"
        seen.setdefault(xmlid, f"{tree.name(path)}:{node.sourceline}")
        if not module:
            yield from _spelling(node, name, addon)


def _spelling(node, name, addon):
    model = node.get("model")
    if node.tag == "menuitem" and not name.startswith("menu_"):
        yield node, f"id {name!r}: menus are called menu_<what>"
    elif model == "ir.actions.act_window" and "_action" not in name:
        yield node, f"id {name!r}: actions are called <model>_action"
    elif model == "res.groups" and not name.startswith(addon.name + "_group_"):
        yield node, f"id {name!r}: groups are called {addon.name}_group_<role>"
    elif model == "ir.rule" and "_rule_" not in name and not name.endswith("_rule"):
        yield node, f"id {name!r}: rules are called <model>_rule_<whom>"
    elif model == "ir.ui.view" and _view_kind(node) in PRIMARY and not VIEW_ID.fullmatch(name):
        yield node, f"id {name!r}: views are called <model>_view_{_view_kind(node)}"


def _view_kind(node):
    arch = node.find("field[@name='arch']")
    first = next((c for c in arch if isinstance(c.tag, str)), None) if arch is not None else None
    return first.tag if first is not None else None
