"""Make two transactions that read the same figure and act on it wait for each other."""

from odoo.tools import SQL


def touch(cr, table, ids):
    """Write rows without changing them, so that of two transactions one has to begin anew.

    A lock isn't enough: Odoo reads as of the transaction's beginning (REPEATABLE READ), so the
    one that waited for a lock would go on with an old figure. A write that waited is refused by
    PostgreSQL instead ("could not serialize access"), and Odoo repeats the whole transaction.

    :param cr: a cursor
    :param str table: name of a table
    :param ids: ids of its rows
    """
    if ids:
        cr.execute(SQL(
            "UPDATE %(table)s SET id = id WHERE id IN ("
            "SELECT id FROM %(table)s WHERE id IN %(ids)s ORDER BY id FOR NO KEY UPDATE)",
            table=SQL.identifier(table), ids=tuple(set(ids)),
        ))
