from contextlib import closing
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api, sql_db
from odoo.exceptions import LockError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MpesaCase


@tagged("post_install", "-at_install", "mpesa")
class TestPayeeRace(MpesaCase):
    """Approval and a change of the number at the same instant (S11), on connections of their own.

    A number outside this test's transaction is used: the other connection sees only that.
    """

    def setUp(self):
        super().setUp()
        self.database = sql_db.db_connect(self.env.cr.dbname)
        [[self.bank_id]] = self.run_outside(
            "INSERT INTO res_partner_bank (acc_number, sanitized_acc_number, acc_type, "
            "partner_id, active) VALUES ('254700000099', '254700000099', 'mpesa', %s, true) "
            "RETURNING id", self.env.ref("base.main_partner").id)
        self.addCleanup(
            self.run_outside, "DELETE FROM res_partner_bank WHERE id = %s RETURNING id",
            self.bank_id)

    def run_outside(self, query, *values):
        with closing(self.database.cursor()) as cr:
            cr.execute(query, values)
            rows = cr.fetchall()
            # a connection of its own
            cr.commit()  # pylint: disable=invalid-commit
        return rows

    def open(self):
        """:return: the number on a connection of its own, with a snapshot taken now"""
        cr = self.database.cursor()
        self.addCleanup(cr.close)
        cr.execute("SET LOCAL lock_timeout = '200ms'")
        cr.execute("SELECT 1")
        return api.Environment(cr, SUPERUSER_ID, {})["res.partner.bank"].browse(self.bank_id)

    def change(self, bank, number):
        bank.env.cr.execute("UPDATE res_partner_bank SET acc_number = %s WHERE id = %s",
                            [number, bank.id])

    def test_the_checks_take_the_lock(self):
        payout = self.make_payout()[2]
        model = self.registry["res.partner.bank"]
        with patch.object(model, "lock_for_update", autospec=True) as lock:
            payout._get_payee_objection()
        self.assertEqual(lock.call_args.args[0], self.bank)

    def test_a_change_waits_for_the_approval(self):
        approving, changing = self.open(), self.open()
        approving.lock_for_update(allow_referencing=True)
        with mute_logger("odoo.sql_db"), self.assertRaises(LockNotAvailable):
            self.change(changing, "254711111111")

    def test_an_approval_that_began_before_a_change_fails(self):
        """It may not go on with the number that it has read: Odoo runs it anew."""
        approving, changing = self.open(), self.open()
        self.assertEqual(approving.acc_number, "254700000099")
        self.change(changing, "254711111111")
        with self.assertRaises(LockError):
            approving.lock_for_update(allow_referencing=True)
        changing.env.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
            approving.lock_for_update(allow_referencing=True)

    def test_two_claims_to_an_unproven_number(self):
        """The second one that has not seen the first fails, so that the cap counts both."""
        first, second = self.open(), self.open()
        first.lock_for_update(allow_referencing=True)
        first._soko_mpesa_touch()
        first.env.cr.commit()
        with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
            second.lock_for_update(allow_referencing=True)
