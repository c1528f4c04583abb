import os
import tempfile
import threading
from unittest.mock import patch

from psycopg2 import OperationalError

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools import client
from .fake_daraja import FakeDaraja

WORKERS = 4


@tagged("post_install", "-at_install", "mpesa")
class TestTokenRace(BaseCase):
    """Real connections: several workers need a token at the same moment."""

    def setUp(self):
        super().setUp()
        handle, key_file = tempfile.mkstemp()
        self.addCleanup(os.unlink, key_file)
        with os.fdopen(handle, "w") as stream:
            stream.write("a long random text that only this test knows\n")
        self.daraja = FakeDaraja()
        self.addCleanup(self.daraja.stop)
        self.startPatcher(patch.dict(os.environ, {
            "SOKO_MPESA_KEY_FILE": key_file, "SOKO_MPESA_BASE_URL": self.daraja.url}))
        # whoever loads the registry runs these tests and has its lock
        self.startPatcher(patch.object(Registry, "_lock", DummyRLock()))
        self.registry = Registry(odoo.tests.common.get_db_name())
        self.account_id = self.make_account()
        self.addCleanup(self.remove_account)

    def make_account(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {
                "tracking_disable": True, "mail_create_nolog": True, "mail_notrack": True})
            return env["soko.mpesa.account"].create({
                "name": "Race", "shortcode": "600099", "consumer_key": "k",
                "consumer_secret": "s", "security_credential": "c", "initiator_name": "i",
            }).id

    def remove_account(self):
        with self.registry.cursor() as cr:
            for query in ("DELETE FROM soko_mpesa_secret WHERE account_id = %s",
                          "DELETE FROM mail_message WHERE model = 'soko.mpesa.account' "
                          "AND res_id = %s",
                          "DELETE FROM mail_followers WHERE res_model = 'soko.mpesa.account' "
                          "AND res_id = %s", "DELETE FROM soko_mpesa_account WHERE id = %s"):
                cr.execute(query, [self.account_id])

    def work(self, start, got):
        try:
            self.want_token(start, got)
        except Exception as error:  # noqa: BLE001  it is shown by the comparison
            got.append(repr(error))

    def want_token(self, start, got):
        """Do what a worker does: ask, and ask again in a new transaction after a collision."""
        start.wait(10)
        for _try in range(20):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                account = env["soko.mpesa.account"].browse(self.account_id)
                try:
                    token = env["soko.mpesa.secret"]._token(account)[0]
                except OperationalError:
                    cr.rollback()
                    continue
            got.append(token)  # committed
            return

    def race(self):
        start, got = threading.Barrier(WORKERS), []
        threads = [threading.Thread(target=self.work, args=(start, got))
                   for _worker in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return got

    def test_one_flight(self):
        """F27: each token makes the one before invalid, so only one may be fetched."""
        fetch, row = client.fetch_token, self.registry["soko.mpesa.secret"]._row
        everybody, here = threading.Event(), []

        def found(*args):
            if args[-1] == "token":
                here.append(threading.get_ident())
                if len(set(here)) == WORKERS:
                    everybody.set()  # each of them is about to ask for the lock
            return row(*args)

        def slow(*args, **kwargs):
            everybody.wait(30)  # the others ask while this one is on its way
            return fetch(*args, **kwargs)
        with self.registry.cursor() as cr:  # the row is there, as it is from the first token on
            api.Environment(cr, SUPERUSER_ID, {})["soko.mpesa.secret"].create(
                {"account_id": self.account_id, "kind": "token"})
        with patch.object(client, "fetch_token", slow), \
                patch.object(self.registry["soko.mpesa.secret"], "_row", found), \
                mute_logger("odoo.sql_db"):
            got = self.race()
        self.assertEqual(got, ["token1"] * WORKERS)
        self.assertEqual(self.daraja.tokens, 1)
