import os
import time

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..const import LOCK_TIMEOUT_MS, TOKEN_MARGIN
from ..tools import client
from ..tools.box import Box, KeyFileError
from .soko_mpesa_account import BASE_URL_VARIABLE

# Odoo reads this file's name from the environment first, then from odoo.conf.
KEY_FILE_VARIABLE = "SOKO_MPESA_KEY_FILE"
KEY_FILE_OPTION = "soko_mpesa_key_file"


class SokoMpesaSecret(models.Model):
    """Ciphertexts of an account. No role has any right here, not even the administrator."""

    _name = "soko.mpesa.secret"
    _description = "M-Pesa secret"
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

    # === ACCESS TOKEN === #

    def _token(self, account):
        """Return (access token, error text), asking Daraja for one when none is valid.

        Each new token makes the earlier one invalid, so all workers share one row and only the
        holder of its lock asks. To be called at the start of a transaction; the caller commits.
        """
        row = self._row(account, "token")
        if not row:
            # sudo: as in `_put`
            row = self.sudo().create({"account_id": account.id, "kind": "token"})
            row.flush_recordset()
        self.env.cr.execute(
            "SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])
        self.env.cr.execute(
            "SELECT cipher, expires_at FROM soko_mpesa_secret WHERE id = %s FOR UPDATE", [row.id]
        )
        cipher, expires_at = self.env.cr.fetchone()
        if cipher and (expires_at or 0) > time.time():
            return self._box().decrypt(cipher) or "", ""
        token, life, error = client.fetch_token(
            account._get_base_url(), self._get(account, "consumer_key"),
            self._get(account, "consumer_secret"),
            public=account._needs_public_address(BASE_URL_VARIABLE),
        )
        if token:
            row.write({
                "cipher": self._box().encrypt(token),
                "expires_at": time.time() + max(life - TOKEN_MARGIN, 0),
            })
        return token, error

    def _drop_token(self, account, token):
        """Forget `token`, unless another worker has replaced it already."""
        row = self._row(account, "token")
        if row.cipher and self._box().decrypt(row.cipher) == token:
            row.write({"cipher": False, "expires_at": 0})
