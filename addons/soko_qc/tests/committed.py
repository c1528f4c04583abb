from contextlib import contextmanager

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tests.common import get_db_name
from odoo.tools import SQL

from .common import PlatingCase

TABLES = """
    SELECT c.relname, EXISTS (SELECT FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attname = 'id' AND a.attnum > 0)
      FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""


class CommittedPlatingCase(PlatingCase):
    """The house of ``PlatingCase``, really stored, so that other connections see it.

    At the end all rows that came since are taken out again.
    """

    @classmethod
    def setUpClass(cls):
        cls.registry = Registry(get_db_name())
        cls._remember()
        # First in, so last out: when the connection of the class is closed.
        cls.addClassCleanup(cls._purge)
        super().setUpClass()
        cls.env.flush_all()
        # What else waits for a commit, as a chart of accounts, is none of the test's business.
        cls.cr.precommit.clear()
        # Past the test's guard, on purpose: see the class.
        sql_db.Cursor.commit(cls.cr)

    @classmethod
    def _remember(cls):
        """Note the highest id of each table, and the number of a transaction."""
        with cls.registry.cursor() as cr:
            cr.execute("SELECT txid_current()")
            [cls.began] = cr.fetchone()
            cr.execute(TABLES)
            cls.highest = {}
            for table, has_id in cr.fetchall():
                cls.highest[table] = None
                if has_id:
                    cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
                    [cls.highest[table]] = cr.fetchone()

    @classmethod
    def _purge(cls):
        """Delete what came since ``_remember``, past all guards."""
        with cls.registry.cursor() as cr:
            cr.execute("SET LOCAL session_replication_role = replica")
            cr.execute("SELECT id FROM ir_sequence WHERE id > %s", [cls.highest["ir_sequence"]])
            for (number,) in cr.fetchall():
                sequence = SQL.identifier(f"ir_sequence_{number:03d}")
                cr.execute(SQL("DROP SEQUENCE IF EXISTS %s CASCADE", sequence))
            for table, highest in cls.highest.items():
                came = SQL("id > %s", highest) if highest is not None else SQL(
                    "xmin::text::bigint >= %s", cls.began
                )
                cr.execute(SQL("DELETE FROM %s WHERE %s", SQL.identifier(table), came))

    @contextmanager
    def connection(self, user=None):
        """An environment on a connection of its own; what is not committed is undone."""
        cr = self.registry.cursor()
        try:
            # A missing lock fails then, instead of waiting for the other connection forever.
            cr.execute("SET LOCAL lock_timeout = '20s'")
            yield api.Environment(cr, user.id if user else SUPERUSER_ID, dict(self.env.context))
        finally:
            cr.rollback()
            cr.close()
