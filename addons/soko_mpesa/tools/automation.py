"""Which automations work on what pays: a model that they are made for, or one that their code
names. Pure texts; no ORM."""

import re

# Beside the models of the module itself: payments, numbers of payees, and the parameters on which
# credentials and addresses depend.
WATCHED = ("account.payment", "res.partner.bank", "ir.config_parameter")
_NAMED = re.compile(
    r"(?<![\w.])(soko\.mpesa\.[a-z_.]*[a-z_]|"
    + "|".join(re.escape(name) for name in WATCHED) + r")(?![\w.])")
# What Odoo writes while it runs them, or what only orders them.
BOOKKEEPING = frozenset({
    "failure_count", "first_failure_date", "lastcall", "last_run", "nextcall", "priority",
    "sequence",
})


def is_watched(name):
    """Whether what is done to records of the model `name` may move money."""
    return name in WATCHED or name.startswith("soko.mpesa.")


def targets(models, code):
    """Return the watched models that an automation works on, in alphabetical order.

    :param models: names of the models that it is made for
    :param str code: its Python code, or an empty text
    :rtype: list[str]
    """
    return sorted({name for name in models if name and is_watched(name)}
                  | set(_NAMED.findall(code or "")))


def telling(names):
    """Return which of the fields that were written say what an automation does, in order."""
    return sorted(set(names) - BOOKKEEPING)
