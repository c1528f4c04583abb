"""What a caller's context may put into new records: Odoo takes `default_<field>` for any field."""

PREFIX = "default_"


def undefaulted(context, keep=()):
    """Return `context` without the defaults of fields that aren't in `keep`.

    :param context: a mapping, as of an environment
    :param keep: names of fields that may have a default
    :rtype: dict
    """
    return {
        key: value for key, value in context.items()
        if not key.startswith(PREFIX) or key.removeprefix(PREFIX) in keep
    }


def defaults(context):
    """Return the names of the fields that `context` has a default for.

    :rtype: set[str]
    """
    return {key.removeprefix(PREFIX) for key in context if key.startswith(PREFIX)}
