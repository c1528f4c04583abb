import os
import time
from datetime import UTC, datetime

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..const import (
    BASE_URL_VARIABLE,
    KEY_FILE_OPTION,
    KEY_FILE_VARIABLE,
    LOCK_TIMEOUT_MS,
    TOKEN_MARGIN,
)
from ..tools import client
from ..tools.box import Box, KeyFileError

# Minutes until the token endpoint is asked again after the first, second ... failure.
TOKEN_RETRIES = (1, 2, 5, 15)
# The consumer key or secret is wrong; asking on and on would lock the app.
TOKEN_REFUSALS = ("HTTP 400", "HTTP 401")
MAX_TOKEN_REFUSALS = 2


class SokoMpesaSecret(models.Model):
    """Ciphertexts of an account. No role has any right here, not even the administrator."""

    _name = "soko.mpesa.secret"
    _description = "M-Pesa secret"
    _inherit = ["soko.mpesa.export.mixin"]
    _rec_name = "kind"
    _allow_sudo_commands = False

    account_id = fields.Many2one(
        "soko.mpesa.account", required=True, index=True, ondelete="cascade",
    )
    kind = fields.Char(required=True)
    cipher = fields.Char()
    expires_at = fields.Float(
        help="Unix time after which an access token is not used any more.",
    )
    error = fields.Char(help="Why there was no access token when one was asked for last.")
    failures = fields.Integer(help="How often in a row there was none.")
    refusals = fields.Integer(help="How often in a row the consumer key was refused.")
    retry_at = fields.Float(help="Unix time before which no access token is asked for.")

    _kind_uniq = models.Constraint(
        "UNIQUE(account_id, kind)", "An account has one secret of each kind."
    )

    # === KEY === #

    def _box(self):
        """Return the Box of the key file.

        :raise UserError: there is no usable key; it says what to do
        """
        path = os.environ.get(KEY_FILE_VARIABLE) or config.get(KEY_FILE_OPTION)
        try:
            return Box(path)
        except KeyFileError as error:
            raise UserError(self._explain_key_error(str(error))) from None

    def _explain_key_error(self, what):
        texts = {
            "missing": self.env._(
                "There is no key to protect the M-Pesa credentials with, so they can neither be "
                "stored nor used. Make a file with a long random text, readable by Odoo only and "
                "kept outside the database, and name it in the environment variable "
                "SOKO_MPESA_KEY_FILE."
            ),
            "unreadable": self.env._(
                "The key file named by SOKO_MPESA_KEY_FILE can't be read. Check its owner and "
                "rights."
            ),
            "short": self.env._(
                "The key file named by SOKO_MPESA_KEY_FILE is empty or has a key of less than 32 "
                "characters. Put one long random text in it."
            ),
        }
        return texts[what]

    # === STORE === #

    def _put(self, account, kind, text):
        """Encrypt `text` and keep it; an empty text removes the secret."""
        row = self._row(account, kind)
        if not text:
            row.unlink()
            return
        values = {"cipher": self._box().encrypt(text), "expires_at": 0}
        if row:
            row.write(values)
        else:
            # sudo: no role can write secrets; callers are private methods of the account
            self.sudo().create({"account_id": account.id, "kind": kind, **values})

    def _get(self, account, kind):
        """Return the clear text; empty when there is none or it was made with another key."""
        row = self._row(account, kind)
        return (self._box().decrypt(row.cipher) or "") if row.cipher else ""

    def _has(self, account, kind):
        return bool(self._row(account, kind).cipher)

    def _row(self, account, kind):
        # sudo: no role can see secrets; callers are private methods of the account
        return self.sudo().search([("account_id", "=", account.id), ("kind", "=", kind)])

    # === KEYS === #

    def _rotate_all(self):
        """Encrypt everything that the key file can open with its first key; arm the fences anew.

        :return: how many secrets that were
        :rtype: int
        """
        box, count = self._box(), 0
        # sudo: no role can see secrets; the caller has checked the right, nothing is shown
        rows = self.sudo().search([("cipher", "!=", False)])
        accounts = rows.account_id.filtered(lambda account: account._fence_holds())
        for row in rows:
            if cipher := box.rotate(row.cipher):
                row.cipher = cipher
                count += 1
        for account in accounts:
            account._arm_fence()
        return count

    # === ACCESS TOKEN === #

    def _token(self, account):
        """Return (access token, error text), asking Daraja for one when none is valid.

        Each new token makes the earlier one invalid, so all workers share one row and only the
        holder of its lock asks. After a failure nobody asks for 1, 2, 5, then 15 minutes. To be
        called at the start of a transaction; the caller commits.
        """
        row = self._row(account, "token")
        if not row:
            # sudo: as in `_put`
            row = self.sudo().create({"account_id": account.id, "kind": "token"})
        row.flush_recordset()
        self.env.cr.execute(
            "SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        self.env.cr.execute(
            "SELECT cipher, expires_at, retry_at FROM soko_mpesa_secret WHERE id = %s FOR UPDATE",
            [row.id],
        )
        cipher, expires_at, retry_at = self.env.cr.fetchone()
        row.invalidate_recordset()
        if cipher and (expires_at or 0) > time.time():
            return self._box().decrypt(cipher) or "", ""
        if (retry_at or 0) > time.time():
            return "", row.error or ""
        token, life, error = client.fetch_token(
            account._get_base_url(), self._get(account, "consumer_key"),
            self._get(account, "consumer_secret"),
            public=account._needs_public_address(BASE_URL_VARIABLE),
        )
        if token:
            row.write({
                "cipher": self._box().encrypt(token),
                "expires_at": time.time() + max(life - TOKEN_MARGIN, 0),
                "error": False, "failures": 0, "refusals": 0, "retry_at": 0,
            })
        else:
            row._note_token_failure(account, error)
        return token, error

    def _note_token_failure(self, account, error):
        """Ask less and less often; a consumer key that is refused twice stops the line."""
        minutes = TOKEN_RETRIES[min(self.failures, len(TOKEN_RETRIES) - 1)]
        refusals = self.refusals + 1 if error in TOKEN_REFUSALS else 0
        self.write({
            "error": error, "failures": self.failures + 1, "refusals": refusals,
            "retry_at": time.time() + 60 * minutes,
        })
        if refusals >= MAX_TOKEN_REFUSALS:
            account._stop(self.env._(
                "M-Pesa refused the consumer key and secret twice (%s). Store them again, press "
                "Check set-up, then resume.", error,
            ))

    def _get_token_retry(self, account):
        """Return when a token may be asked for again, as a moment in UTC."""
        retry_at = self._row(account, "token").retry_at or time.time() + 60
        return datetime.fromtimestamp(int(retry_at) + 1, UTC).replace(tzinfo=None)

    def _forgive_failures(self, account):
        """Don't let a person who checks the set-up wait, unless it is the key that is refused."""
        row = self._row(account, "token")
        if row.retry_at and not row.refusals:
            row.retry_at = 0

    def _forgive_token(self, account):
        """Let the next one who needs a token ask at once: a person has mended something."""
        self._row(account, "token").write({"failures": 0, "refusals": 0, "retry_at": 0})

    def _drop_token(self, account, token):
        """Forget `token`, unless another worker has replaced it already."""
        row = self._row(account, "token")
        if row.cipher and self._box().decrypt(row.cipher) == token:
            row.write({"cipher": False, "expires_at": 0})
