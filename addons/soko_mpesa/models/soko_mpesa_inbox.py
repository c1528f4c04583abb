import base64
import hashlib
import logging
import time

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..const import PASS_BUDGET
from ..tools.redact import redact
from .soko_mpesa_callback import KINDS
from .soko_mpesa_heartbeat import beats

_logger = logging.getLogger(__name__)

# Letters of strangers are kept to be looked at, but they can't fill the disk.
MAX_QUARANTINED = 1000
MAX_SOURCE = 64  # an address is shorter; a proxy that is set up wrongly passes on any text
APPLY_TRIES = 5
# Letters that are applied in one transaction when all goes well.
TOGETHER = 25
# Keeps a letter; see `SokoMpesaInbox.init`.
TAKE = """
    CREATE OR REPLACE FUNCTION soko_mpesa_inbox_take(
        digest varchar, wanted varchar, address_word varchar, body bytea,
        body_sha256 varchar, sender varchar, uid integer, full_at integer, job integer,
        OUT known boolean, OUT wakes boolean) AS $$
    DECLARE
        address integer;
        company integer;
        stored integer := 0;
    BEGIN
        SELECT c.id, c.company_id INTO address, company FROM soko_mpesa_callback c
         WHERE c.token_sha256 = digest AND c.kind = wanted;
        known := FOUND;
        wakes := FALSE;
        IF NOT known AND full_at <= (SELECT count(*) FROM (
                SELECT FROM soko_mpesa_inbox i
                 WHERE i.state = 'quarantined' LIMIT full_at) AS kept) THEN
            RETURN;
        END IF;
        BEGIN
            INSERT INTO soko_mpesa_inbox (callback_id, company_id, word, state, raw, sha256,
                                          source_address, create_uid, create_date)
                 VALUES (address, company, address_word,
                         CASE WHEN known THEN 'new' ELSE 'quarantined' END, body,
                         body_sha256, sender, uid, now() AT TIME ZONE 'UTC')
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS stored = ROW_COUNT;
        EXCEPTION WHEN serialization_failure THEN
            stored := 0;
        END;
        IF known AND stored > 0 THEN
            BEGIN
                PERFORM FROM ir_cron_trigger t
                  WHERE t.cron_id = job AND t.call_at <= clock_timestamp() AT TIME ZONE 'UTC'
                  LIMIT 1 FOR KEY SHARE SKIP LOCKED;
                wakes := NOT FOUND;
            EXCEPTION WHEN serialization_failure THEN
                wakes := TRUE;
            END;
        END IF;
    END $$ LANGUAGE plpgsql;
"""


class SokoMpesaInbox(models.Model):
    """What Safaricom posted, stored before anything is thought about it."""

    _name = "soko.mpesa.inbox"
    _description = "M-Pesa inbox"
    _inherit = ["soko.mpesa.export.mixin"]
    _order = "id desc"
    _allow_sudo_commands = False

    callback_id = fields.Many2one("soko.mpesa.callback", index=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", index=True)
    word = fields.Char(required=True, string="Address used")
    state = fields.Selection(
        [
            ("new", "Waiting"),
            ("applied", "Applied"),
            ("quarantined", "Quarantined"),
            ("failed", "Could not be applied"),
        ],
        required=True, default="new", index=True,
        help="Quarantined: nobody was given this address, so nothing was done with it.",
    )
    raw = fields.Binary(attachment=False)
    sha256 = fields.Char(required=True)
    source_address = fields.Char()
    error = fields.Char()

    _once = models.UniqueIndex("(callback_id, sha256) WHERE callback_id IS NOT NULL")

    def init(self):
        """Make the function that keeps a letter: one statement, whatever becomes of the letter.

        Its blocks with an exception are savepoints inside the database. A copy that another
        request has stored since this one began can't be seen here, and PostgreSQL says so by a
        serialization failure: then the letter is kept, which is all that counts. To try again
        would keep the sender waiting, and many copies come at once.

        A burst needs one trigger of the job. A pending one is counted on only under a lock: the
        job removes triggers before it reads the inbox, so its removal either waits until this
        letter is there to be read, or makes this pass over that trigger and ask for another.
        """
        self.env.cr.execute(TAKE)

    @api.model
    def _store(self, word, token, raw, source_address):
        """Keep a letter, and have it applied soon. A repeated one is dropped.

        :param str word: the kind of address that was called
        :param str token: the secret part of the address
        :param bytes raw: the body; credentials are taken out before it is stored
        :return: whether the address is one of ours
        :rtype: bool
        """
        # sudo: a letter comes from outside, without a user; nothing is shown to the sender
        inbox = self.sudo()
        callbacks = self.env["soko.mpesa.callback"]
        inbox.flush_model()
        callbacks.flush_model()
        raw = redact(raw)
        job = self.env["ir.model.data"]._xmlid_to_res_id("soko_mpesa.ir_cron_apply")
        self.env.cr.execute(
            "SELECT known, wakes FROM soko_mpesa_inbox_take(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                callbacks._digest(token), KINDS.get(word, ""), word[:20], base64.b64encode(raw),
                hashlib.sha256(raw).hexdigest(), (source_address or "")[:MAX_SOURCE],
                self.env.uid or None, MAX_QUARANTINED, job or None,
            ])
        [(known, wakes)] = self.env.cr.fetchall()
        inbox.invalidate_model()
        if wakes:
            # sudo: a cron is triggered, not edited
            self.env.ref("soko_mpesa.ir_cron_apply").sudo()._trigger()
        return known

    # === APPLYING === #

    @api.model
    @beats("ir_cron_apply")
    def _cron_apply(self):
        """Apply what waits: plain successes some at once, else each in its own transaction."""
        stop_at = time.monotonic() + PASS_BUDGET
        letters = self.search([("state", "=", "new")], order="id")
        for start in range(0, len(letters), TOGETHER):
            if not letters[start:start + TOGETHER]._apply_some(stop_at):
                self.env.ref("soko_mpesa.ir_cron_apply")._trigger()
                break
        self.env["soko.mpesa.balance"]._note_pass(letters)

    def _apply_some(self, stop_at):
        """Apply these letters and commit.

        :param float stop_at: monotonic time after which no more is begun
        :return: whether all of them had their turn
        :rtype: bool
        """
        if time.monotonic() > stop_at:
            return False
        done = self._apply_together()
        for letter in self - done:
            if time.monotonic() > stop_at:
                return False
            letter._apply_with_retry()
        return True

    def _apply_together(self):
        """Apply the plain successes among these letters in one transaction, or none of them.

        At the first trouble of any kind all of it is rolled back: what one letter suffers from
        must not hold the others, and alone it gets its own answer.

        :return: the letters that were applied and committed
        """
        results = self.filtered(lambda letter: letter.callback_id.kind == "result")
        by_attempt = results.grouped(lambda letter: letter.callback_id.attempt_id)
        busy = (self - results).callback_id.attempt_id
        alone = self.browse().union(*(
            letters for attempt, letters in by_attempt.items()
            if len(letters) == 1 and attempt not in busy))
        if len(alone) < 2:
            return self.browse()
        try:
            letters = alone.try_lock_for_update(allow_referencing=True)
            letters = letters.filtered(lambda letter: letter.state == "new")
            done = self.env["soko.mpesa.payout"]._hear_together(letters) if letters else letters
            done.state = "applied"
            self.env.flush_all()
            self.env["ir.cron"]._commit_progress(len(done))
            return done
        except Exception:  # noqa: BLE001  each is applied alone then, where it is told what it was
            self.env.cr.rollback()
            _logger.info("M-Pesa letters are applied one by one", exc_info=True)
            return self.browse()

    def _apply_with_retry(self):
        for _try in range(APPLY_TRIES):
            try:
                self._apply()
                self.env["ir.cron"]._commit_progress(1)
                return
            except OperationalError:
                self.env.cr.rollback()  # somebody else holds or changed the rows: read again
            except Exception as error:  # noqa: BLE001  one bad letter must not stop the others
                self.env.cr.rollback()
                _logger.warning("M-Pesa letter %s can't be applied", self.id, exc_info=True)
                self.write({"state": "failed", "error": f"{type(error).__name__}: {error}"})
                self.env["ir.cron"]._commit_progress(1)
                return

    def _apply(self):
        """Apply one letter under the locks of its payout and attempt. Doesn't commit."""
        locked = self.try_lock_for_update(allow_referencing=True)
        if locked.state != "new":
            return
        owner = self.callback_id.attempt_id or self.callback_id.account_id
        if self.callback_id.attempt_id:
            owner._lock()
        hear = getattr(owner, f"_hear_{self.callback_id.kind}")
        hear(
            base64.b64decode(self.with_context(bin_size=False).raw or b""),
            callback_id=self.callback_id.id, source_address=self.source_address,
        )
        self.state = "applied"
