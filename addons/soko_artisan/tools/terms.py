"""The terms of an agreement as plain data: their fingerprint, and what changed. No ORM."""

import hashlib
import json

# Names may be corrected without a change of what was agreed.
NAME_KEYS = frozenset({"artisan", "payee_name", "product"})


def content_hash(terms):
    """Return the SHA-256 of the terms, over every word that a person signs.

    :param dict terms: JSON data
    :rtype: str
    """
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def same_terms(first, second):
    """Return whether two sets of terms agree on the same; names of people and things aside."""
    return content_hash(_without_names(first)) == content_hash(_without_names(second))


def _without_names(value):
    if isinstance(value, dict):
        return {key: _without_names(v) for key, v in value.items() if key not in NAME_KEYS}
    if isinstance(value, list):
        return [_without_names(item) for item in value]
    return value


def changed_keys(old, new):
    """Return what differs between two sets of terms.

    :return: (list of (key, old value, new value) of the agreement itself, list of
        (product name, old line or None, new line or None))
    """
    keys = [key for key in new if key not in NAME_KEYS | {"lines"}]
    fields = [(key, old.get(key), new[key]) for key in keys if old.get(key) != new[key]]
    before = {line["product_id"]: line for line in old.get("lines", [])}
    after = {line["product_id"]: line for line in new["lines"]}
    lines = []
    for product in sorted(before | after):
        pair = before.get(product), after.get(product)
        if _without_names(pair[0]) != _without_names(pair[1]):
            lines.append(((pair[1] or pair[0])["product"], *pair))
    return fields, lines
