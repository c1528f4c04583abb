import os
import tempfile
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..models.soko_mpesa_anchor import RULE
from ..tools import anchors, claims
from .common import MpesaCase
from .fake_daraja import payment_result

OTHER = "f" * 16


def anchor(last_id, database="0" * 16):
    return anchors.Anchor("2026-11-25T08:00:00Z", database, last_id, last_id, "a" * 64)


@tagged("post_install", "-at_install", "mpesa")
class TestAnchorFile(BaseCase):
    def test_newest_of_this_database(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "anchors")
            self.assertIsNone(anchors.last(path, "0" * 16))
            for number in (1, 2):
                anchors.append(path, anchor(number))
            anchors.append(path, anchor(9, OTHER))
            with open(path, "ab") as stream:
                stream.write(b"2026-11-26T08:00:00Z\tanchor\t0000")
            self.assertEqual(anchors.last(path, "0" * 16), anchor(2))
            self.assertEqual(anchors.last(path, OTHER), anchor(9, OTHER))
            with self.assertRaises(claims.ClaimsFileError):
                anchors.append(folder, anchor(3))

    def test_rubbish_is_no_anchor(self):
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(b"\n\xff\t\nx\tanchor\t" + b"0" * 16 + b"\tten\t5\ta\n")
            stream.flush()
            self.assertIsNone(anchors.last(stream.name, "0" * 16))


@tagged("post_install", "-at_install", "mpesa")
class TestAnchor(MpesaCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(anchors, "SETTLE_MINUTES", -5))
        self.path = self.claims_file + anchors.SUFFIX
        self.addCleanup(self.forget_anchors)
        _bill, self.payout, request = self.fly()
        self.post(request["ResultURL"], payment_result(request))
        self.keeper = self.env["soko.mpesa.anchor"]

    def forget_anchors(self):
        if os.path.exists(self.path):
            os.unlink(self.path)

    def anchor(self):
        """Let the job run. :return: the lines of the file"""
        self.run_cron("soko.mpesa.anchor", "_cron_anchor")
        self.env.invalidate_all()
        if not os.path.exists(self.path):
            return []
        with open(self.path, encoding="ascii") as stream:
            return stream.read().splitlines()

    def audit(self):
        self.env["soko.mpesa.heartbeat"].search([("job", "in", ("guard", "audit"))]).unlink()
        self.run_cron("soko.mpesa.watch", "_cron_watch")
        self.env.invalidate_all()
        return self.env["soko.mpesa.attention"].search([("kind", "=", "invariant")])

    def rewrite(self):
        """Rewrite the evidence as who owns the database can: guards off, the chain made anew."""
        self.env.flush_all()
        self.cr.execute("ALTER TABLE soko_mpesa_evidence DISABLE TRIGGER USER")
        self.cr.execute("ALTER TABLE soko_mpesa_attempt DISABLE TRIGGER USER")
        self.cr.execute("UPDATE soko_mpesa_evidence SET source_address = '192.0.2.1' WHERE id = %s",
                        [min(self.payout.evidence_ids.ids)])
        for evidence_id in sorted(self.payout.evidence_ids.ids):
            self.cr.execute("""
                UPDATE soko_mpesa_evidence e SET chain = soko_mpesa_evidence_chain((
                    SELECT b.chain FROM soko_mpesa_evidence b
                     WHERE b.attempt_id = e.attempt_id AND b.id < e.id
                     ORDER BY b.id DESC LIMIT 1), e) WHERE id = %s RETURNING attempt_id, chain
            """, [evidence_id])
            attempt_id, chain = self.cr.fetchone()
            self.cr.execute("UPDATE soko_mpesa_attempt SET evidence_chain = %s WHERE id = %s",
                            [chain, attempt_id])
        self.cr.execute("ALTER TABLE soko_mpesa_attempt ENABLE TRIGGER USER")
        self.cr.execute("ALTER TABLE soko_mpesa_evidence ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def test_unchanged_evidence_passes(self):
        [line] = self.anchor()
        words = line.split("\t")
        self.assertEqual(int(words[3]), self.env["soko.mpesa.evidence"].search_count([]))
        self.assertEqual(int(words[4]), max(self.payout.evidence_ids.ids))
        self.fly(300)  # what comes after the anchor isn't held against it
        self.assertFalse(self.audit())
        self.assertFalse(self.company.soko_mpesa_frozen)
        self.assertEqual(len(self.anchor()), 2)
        self.assertEqual(self.keeper._get_differences(), {})

    def test_managers_are_told(self):
        [line] = self.anchor()
        digest = line.split("\t")[-1]
        message = self.account.message_ids.filtered(lambda one: digest in one.body)
        self.assertEqual(len(message), 1)
        self.assertIn(self.manager.partner_id, message.notified_partner_ids)
        self.assertNotIn(self.maker.partner_id, message.notified_partner_ids)

    def test_rewritten_evidence_is_noticed(self):
        """With the guards off and the whole chain made anew, only the anchor speaks."""
        self.anchor()
        self.rewrite()
        self.assertNoViolation()
        row = self.audit()
        self.assertEqual(row.subject, RULE)
        self.assertEqual(row.activity_ids.user_id, self.env["soko.mpesa.account"].search(
            [("active", "=", True)], order="id", limit=1).responsible_id)
        self.assertTrue(self.company.soko_mpesa_frozen)
        self.assertEqual(self.company.sudo().soko_mpesa_frozen_reason, RULE)

    def test_what_differs_does_not_become_the_measure(self):
        self.anchor()
        self.rewrite()
        heart = self.env["soko.mpesa.heartbeat"]
        heart.search([("job", "=", "ir_cron_anchor")]).unlink()
        self.assertEqual(len(self.anchor()), 1, "nothing is written")
        self.assertIsNone(heart._get_age("ir_cron_anchor"), "the job stands still")
        self.assertTrue(self.company.soko_mpesa_frozen, "at once, not at the next audit")
        row = self.env["soko.mpesa.attention"].search([("subject", "=", RULE)])
        triggers = self.env["ir.cron.trigger"].search_count([])
        row.with_user(self.approver).action_accept()
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), triggers + 1)
        self.assertEqual(len(self.anchor()), 2, "understood, so it is written down as it is now")
        self.assertFalse(self.audit())

    def test_evidence_that_is_missing_is_noticed(self):
        self.anchor()
        self.env.flush_all()
        self.cr.execute("ALTER TABLE soko_mpesa_evidence DISABLE TRIGGER USER")
        self.cr.execute("DELETE FROM soko_mpesa_evidence WHERE id = %s",
                        [max(self.payout.evidence_ids.ids)])
        self.cr.execute("ALTER TABLE soko_mpesa_evidence ENABLE TRIGGER USER")
        self.env.invalidate_all()
        self.assertIn(RULE, self.audit().mapped("subject"))

    def test_young_rows_wait(self):
        """A transaction may still hold a lower number than the last one that can be seen."""
        with patch.object(anchors, "SETTLE_MINUTES", 60):
            self.env.flush_all()
            self.cr.execute("SELECT count(*) FROM soko_mpesa_evidence WHERE create_date <= %s",
                            [self.cr.now() - timedelta(minutes=60)])
            [settled] = self.cr.fetchone()
            lines = self.anchor()
            self.assertEqual([int(line.split("\t")[3]) for line in lines],
                             [settled] if settled else [])

    def test_copy_of_another_name_has_its_own_anchors(self):
        mine = self.keeper._get_database()
        with patch.object(self.env.cr, "dbname", "a-copy"):
            self.assertNotEqual(self.keeper._get_database(), mine)

    # === SET-UP CHECK === #

    def look(self):
        check = self.env["soko.mpesa.check"].create(
            {"account_id": self.account.id, "user_id": self.manager.id})
        return check._look_at_anchor()

    def test_check(self):
        self.anchor()
        status, _tried, meaning, _advice = self.look()
        self.assertEqual(status, "ok")
        self.assertIn(str(fields.Date.today()), meaning)

    def test_check_tells_an_old_line(self):
        found = self.keeper._look(max(self.payout.evidence_ids.ids))
        anchors.append(self.path, anchors.Anchor(
            "2026-01-02T08:00:00Z", found.database, found.count, found.last_id, found.digest))
        status, _tried, meaning, _advice = self.look()
        self.assertEqual(status, "problem")
        self.assertIn("2026-01-02", meaning)

    def test_check_tells_a_missing_file(self):
        self.anchor()
        self.forget_anchors()
        with patch.object(fields.Datetime, "now",
                          lambda *_args: self.cr.now() + timedelta(days=3)):
            status, _tried, meaning, _advice = self.look()
        self.assertEqual(status, "problem")
        self.assertIn("isn't there", meaning)

    def test_file_that_can_not_be_written(self):
        os.mkdir(self.path)
        self.addCleanup(os.rmdir, self.path)
        status, _tried, meaning, _advice = self.look()
        self.assertEqual(status, "problem")
        self.assertIn("plain file", meaning)
        heart = self.env["soko.mpesa.heartbeat"]
        heart.search([("job", "=", "ir_cron_anchor")]).unlink()
        with mute_logger("odoo.addons.soko_mpesa.models.soko_mpesa_anchor"):
            self.run_cron("soko.mpesa.anchor", "_cron_anchor")
        self.assertIsNone(heart._get_age("ir_cron_anchor"))
        self.assertFalse(self.company.soko_mpesa_frozen, "a full disk is no rewritten evidence")
