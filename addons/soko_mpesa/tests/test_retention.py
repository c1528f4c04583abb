import base64
import hashlib

from dateutil.relativedelta import relativedelta
from psycopg2 import DatabaseError, IntegrityError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.soko_mpesa_retention import STRANGER_DAYS
from .common import MpesaCase
from .fake_daraja import payment_result

RAW = b'{"Result": {"ReceiverPartyPublicName": "254700000041 - Amina Mfano"}}'


@tagged("post_install", "-at_install", "mpesa")
class TestRetention(MpesaCase):
    def setUp(self):
        super().setUp()
        _bill, self.payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        self.old = self.hear(years=7, days=1)
        self.young = self.hear(years=6, days=364)

    def hear(self, raw=RAW, **age):
        """:return: evidence about the payment, heard so long ago"""
        evidence = self.env["soko.mpesa.evidence"]
        vals = evidence._prepare(self.payout.attempt_ids, "query", "sync", "neutral", raw)
        vals["received_at"] = fields.Datetime.now() - relativedelta(**age)
        heard = evidence._add_all([vals])
        self.env.flush_all()
        return heard

    def retain(self):
        self.run_cron("soko.mpesa.retention", "_cron_retain")
        self.env.invalidate_all()

    def text(self, evidence):
        return base64.b64decode(evidence.with_context(bin_size=False).raw or b"")

    def refused(self, statement, evidence):
        with self.subTest(statement=statement), self.assertRaisesRegex(
                DatabaseError, "append-only"), self.cr.savepoint(), mute_logger("odoo.sql_db"):
            self.cr.execute(statement, [evidence.id])

    def test_old_texts_are_erased_and_the_chain_holds(self):
        keeper = self.env["soko.mpesa.anchor"]
        before = keeper._look(self.young.id)
        self.retain()
        self.assertEqual(self.text(self.old), b"")
        self.assertEqual(self.text(self.young), RAW)
        self.assertEqual(self.old.sha256, hashlib.sha256(RAW).hexdigest())
        self.assertRegex(self.old.with_user(self.approver).body, "Erased")
        self.assertIn("Amina Mfano", self.young.with_user(self.approver).body)
        self.assertNoViolation()
        self.assertTrue(keeper._look(self.young.id).agrees(before))

    def test_what_was_never_there_is_not_called_erased(self):
        empty = self.hear(b"", years=9)
        self.assertNotIn("Erased", empty.with_user(self.approver).body or "")

    def test_younger_ones_can_not_be_erased_even_by_sql(self):
        self.refused("UPDATE soko_mpesa_evidence SET raw = NULL WHERE id = %s", self.young)
        for change in ("raw = ''", "raw = 'bmV3'", "raw = NULL, code = 'x'",
                       "raw = NULL, received_at = received_at - interval '1 day'",
                       "raw = NULL, sha256 = 'x'", "raw = NULL, write_date = '2000-01-01'",
                       "code = 'x'"):
            self.refused(f"UPDATE soko_mpesa_evidence SET {change} WHERE id = %s", self.old)
        self.cr.execute("UPDATE soko_mpesa_evidence SET raw = NULL WHERE id = %s", [self.old.id])
        self.refused("UPDATE soko_mpesa_evidence SET raw = 'bmV3' WHERE id = %s", self.old)
        self.refused("DELETE FROM soko_mpesa_evidence WHERE id = %s", self.old)

    def test_zero_keeps_for_ever(self):
        self.company.soko_mpesa_keep_years = 0
        self.env.flush_all()
        self.refused("UPDATE soko_mpesa_evidence SET raw = NULL WHERE id = %s", self.old)
        self.retain()
        self.assertEqual(self.text(self.old), RAW)

    def test_nobody_keeps_less_than_the_law_wants(self):
        with self.assertRaises(IntegrityError), self.cr.savepoint(), mute_logger("odoo.sql_db"):
            self.company.soko_mpesa_keep_years = 4
            self.env.flush_all()
        self.company.soko_mpesa_keep_years = 5
        kept = self.hear(years=4, days=360)
        self.retain()
        self.assertEqual((self.text(kept), self.text(self.young)), (RAW, b""))
        self.cr.execute("ALTER TABLE res_company DROP CONSTRAINT res_company_soko_mpesa_keep")
        self.cr.execute("UPDATE res_company SET soko_mpesa_keep_years = 1 WHERE id = %s",
                        [self.company.id])
        self.refused("UPDATE soko_mpesa_evidence SET raw = NULL WHERE id = %s", kept)

    def test_a_younger_one_that_is_erased_all_the_same_is_noticed(self):
        self.cr.execute("ALTER TABLE soko_mpesa_evidence DISABLE TRIGGER USER")
        kept = self.payout.evidence_ids.filtered("raw").sorted("id")[0]
        self.cr.execute("UPDATE soko_mpesa_evidence SET raw = NULL WHERE id = %s", [kept.id])
        self.cr.execute("ALTER TABLE soko_mpesa_evidence ENABLE TRIGGER USER")
        self.env.invalidate_all()
        found = self.env["soko.mpesa.payout"]._invariant_violations()
        self.assertEqual(found["I-15 evidence is as it was written"], [(kept.id,)])

    # === LETTERS === #

    def letter(self, state, **age):
        """:return: a letter of so long ago"""
        inbox, born = self.env["soko.mpesa.inbox"], fields.Datetime.now() - relativedelta(**age)
        letter = inbox.create({
            "word": "payout", "sha256": f"{state}{age}", "state": state,
            "raw": base64.b64encode(RAW),
            "company_id": state != "quarantined" and self.company.id,
        })
        self.env.flush_all()
        self.cr.execute("UPDATE soko_mpesa_inbox SET create_date = %s WHERE id = %s",
                        [born, letter.id])
        letter.invalidate_recordset()
        return letter

    def test_letters(self):
        old = self.letter("applied", years=7, days=1)
        young = self.letter("applied", years=6, days=364)
        waiting = self.letter("new", years=8)
        self.retain()
        self.assertEqual(self.text(old), b"")
        self.assertEqual(old.state, "applied")
        self.assertEqual(self.text(young), RAW)
        self.assertEqual(self.text(waiting), RAW, "nobody has read it yet")

    def test_letters_of_strangers(self):
        old = self.letter("quarantined", days=STRANGER_DAYS + 1)
        young = self.letter("quarantined", days=STRANGER_DAYS - 1)
        known = self.letter("applied", days=STRANGER_DAYS + 1)
        self.retain()
        self.assertFalse(old.exists())
        self.assertEqual((young | known).exists(), young | known)

    def test_each_company_keeps_as_it_says(self):
        other = self.env["res.company"].create({"name": "Elsewhere", "soko_mpesa_keep_years": 9})
        letter = self.letter("applied", years=8)
        self.cr.execute("UPDATE soko_mpesa_inbox SET company_id = %s WHERE id = %s",
                        [other.id, letter.id])
        self.retain()
        self.assertEqual(self.text(letter), RAW)
        other.soko_mpesa_keep_years = 7
        self.retain()
        self.assertEqual(self.text(letter), b"")
