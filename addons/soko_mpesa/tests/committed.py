import threading
from contextlib import contextmanager
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import DummyRLock, Registry
from odoo.tools import SQL

from .common import MpesaCase

TABLES = """
    SELECT c.relname, EXISTS (SELECT FROM pg_attribute a
                               WHERE a.attrelid = c.oid AND a.attname = 'id' AND a.attnum > 0)
      FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  ORDER BY c.relname
"""
WAIT = 60  # seconds after which a thread that hangs is given up


class CommittedCase(MpesaCase):
    """The house of `MpesaCase`, really stored, so that other connections see it.

    At the end all rows that came since are taken out again.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.flush_all()
        # Odoo would load the country's chart of accounts now, in place of the one that is used
        cls.cr.precommit.clear()
        # past the test's guard, on purpose: see the class
        sql_db.Cursor.commit(cls.cr)

    def setUp(self):
        super().setUp()
        # whoever loads the registry runs these tests and has its lock
        self.startPatcher(patch.object(Registry, "_lock", DummyRLock()))

    @classmethod
    def _make_key_file(cls):
        done = super()._make_key_file()  # the first step of `MpesaCase.setUpClass`
        cls._remember()
        cls.addClassCleanup(cls._purge)
        return done

    @classmethod
    def _remember(cls):
        """Note the highest id of each table, the number of a transaction, and the jobs' times."""
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
            cr.execute("SELECT id, lastcall, nextcall FROM ir_cron")
            cls.jobs = cr.fetchall()

    @classmethod
    def _purge(cls):
        """Delete what came since `_remember`, past all guards."""
        with cls.registry.cursor() as cr:
            cr.execute("SET LOCAL session_replication_role = replica")
            cr.execute("SELECT id FROM ir_sequence WHERE id > %s", [cls.highest["ir_sequence"]])
            for (number,) in cr.fetchall():
                cr.execute(SQL("DROP SEQUENCE IF EXISTS %s CASCADE",
                               SQL.identifier(f"ir_sequence_{number:03d}")))
            for table, highest in cls.highest.items():
                came = SQL("id > %s", highest) if highest is not None else SQL(
                    "xmin::text::bigint >= %s", cls.began)
                cr.execute(SQL("DELETE FROM %s WHERE %s", SQL.identifier(table), came))
            for number, lastcall, nextcall in cls.jobs:
                cr.execute("UPDATE ir_cron SET lastcall = %s, nextcall = %s WHERE id = %s",
                           [lastcall, nextcall, number])

    def forget_claims(self):
        """The database doesn't forget here, so the list of what was sent doesn't either."""

    # === HELPERS === #

    @contextmanager
    def outside(self):
        """Have ``self.env`` on a connection of its own, stored at the end."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, dict(self.env.context))
            with patch.object(self, "env", env):
                yield env

    def query(self, text, *values):
        """:return: the rows, as another connection sees them now"""
        with self.registry.cursor() as cr:
            cr.execute(text, values)
            return cr.fetchall()

    def at_once(self, work, count):
        """Run `work` in threads that begin together, each with an environment of its own.

        :return: what each of them returned or raised, in no order
        """
        start, got = threading.Barrier(count), []

        def worker():
            try:
                start.wait(WAIT)
                with self.registry.cursor() as cr:
                    result = work(api.Environment(cr, SUPERUSER_ID, {}))
                got.append(result)  # stored
            except Exception as error:  # noqa: BLE001  the test compares it
                got.append(error)
        threads = [threading.Thread(target=worker) for _number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        return got
