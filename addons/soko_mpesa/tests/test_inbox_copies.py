from odoo import fields
from odoo.tests import tagged

from .common import MpesaCase
from .fake_daraja import payment_result

# Stands for the database, which finds a copy that this transaction can't see.
FASTER = """
    CREATE FUNCTION soko_mpesa_test_faster() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION 'another was faster' USING ERRCODE = 'serialization_failure';
    END $$ LANGUAGE plpgsql;
    CREATE TRIGGER soko_mpesa_test_faster BEFORE INSERT ON soko_mpesa_inbox
        FOR EACH ROW EXECUTE FUNCTION soko_mpesa_test_faster();
"""


@tagged("post_install", "-at_install", "mpesa")
class TestInboxCopies(MpesaCase):
    """Many copies of a letter at one moment; the campaign does it with real processes."""

    def setUp(self):
        super().setUp()
        self.make_payout()
        self.send()
        self.request = self.daraja.payments[0]
        self.job = self.env.ref("soko_mpesa.ir_cron_apply")
        self.triggers = self.env["ir.cron.trigger"]
        self.triggers.search([("cron_id", "=", self.job.id)]).unlink()
        self.env.flush_all()

    def store(self, raw=None):
        word, token = self.request["ResultURL"].split("/")[-2:]
        return self.env["soko.mpesa.inbox"]._store(
            word, token, raw or payment_result(self.request), "127.0.0.1")

    def letters(self):
        return self.env["soko.mpesa.inbox"].search(
            [("callback_id.attempt_id.payout_id.account_id", "=", self.account.id)])

    def count_triggers(self):
        return self.triggers.search_count([("cron_id", "=", self.job.id)])

    def test_copy_that_another_request_has_just_stored(self):
        self.env.cr.execute(FASTER)
        self.assertTrue(self.store(), "the letter is kept, by the other request")
        self.assertFalse(self.letters(), "and isn't tried again")
        self.env.cr.execute("DROP TRIGGER soko_mpesa_test_faster ON soko_mpesa_inbox")
        self.assertTrue(self.store())
        self.assertTrue(self.store())
        self.assertEqual(len(self.letters()), 1)

    def test_statements(self):
        """Goals G13, G14: one statement beside Odoo's own for a request; the first wakes a job."""
        self.store(b"{}")  # wakes the job
        with self.assertQueryCount(1):
            self.assertTrue(self.store())
        with self.assertQueryCount(1):
            self.assertTrue(self.store())
        self.assertEqual(len(self.letters()), 2)

    def test_one_trigger_for_a_burst(self):
        for number in range(5):
            self.store(b"{}" + b" " * number)
        self.assertEqual(self.count_triggers(), 1)
        self.triggers.search([("cron_id", "=", self.job.id)]).unlink()
        self.store(b"{}")
        self.assertEqual(self.count_triggers(), 0, "a copy needs no pass of its own")
        self.store(b"[]")
        self.assertEqual(self.count_triggers(), 1, "a new letter after the job began needs one")

    def test_a_trigger_of_later_does_not_count(self):
        self.job._trigger(at=fields.Datetime.add(fields.Datetime.now(), hours=1))
        self.store()
        self.assertEqual(self.count_triggers(), 2)
