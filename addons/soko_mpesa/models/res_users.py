import re
import time

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.http import request

# As long as Odoo's own check of the identity (odoo/addons/base/models/res_users.py).
IDENTITY_SECONDS = 10 * 60
# The form of Odoo's API keys: 20 random bytes in hexadecimal (res.users.apikeys).
API_KEY = re.compile(r"[0-9a-f]{40}")
SHOWN = "soko_mpesa_identity_shown"


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model
    def _check_uid_passwd(self, uid, passwd):
        """Note that a call from outside carried the password itself, not an API key."""
        res = super()._check_uid_passwd(uid, passwd)
        if request and not API_KEY.fullmatch(passwd):
            setattr(request, SHOWN, uid)
        return res

    @api.model
    def _soko_mpesa_identity(self):
        """Return how sure it is that the user herself is acting: fresh, stale or foreign.

        Fresh: she entered the password within ten minutes (Odoo's dialog), or the call carries
        the password (XML-RPC, JSON-RPC), or no request is being served (jobs, shell). Stale: she
        can be asked. Foreign: an API key acts, which is no person.
        """
        if not request:
            return "fresh"
        if getattr(request, SHOWN, None) == self.env.uid:
            return "fresh"
        # a session of somebody else proves nothing about the one whose API key acts
        if request.session.uid != self.env.uid:
            return "foreign"
        asked = request.session.get("identity-check-last", 0)
        return "fresh" if asked > time.time() - IDENTITY_SECONDS else "stale"

    @api.model
    def _soko_mpesa_require_identity(self):
        """:raise AccessError: it isn't sure enough that a person acts"""
        identity = self._soko_mpesa_identity()
        if identity == "foreign":
            raise AccessError(self.env._(
                "Payouts are approved by a person: in Odoo's own windows, where the password is "
                "asked for. An API key can't approve."
            ))
        if identity == "stale":
            raise AccessError(self.env._(
                "Confirm your password first: open the payouts in Odoo and press Approve."
            ))
