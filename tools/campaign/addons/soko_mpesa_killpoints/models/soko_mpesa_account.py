from odoo import models

from .. import points


class SokoMpesaAccount(models.Model):
    _inherit = "soko.mpesa.account"

    def _remembers_its_claims(self):
        """The list outside the database would notice the missing commit, too: leave it out."""
        return points.SABOTAGE == "no-claim-commit" or super()._remembers_its_claims()
