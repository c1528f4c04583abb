from odoo import models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Keep one artisan a contact: two are never merged by merging their contacts.

        Two artisans have two histories of pieces and money; which of both is paid for what is
        nothing that a merge of addresses may decide.

        :raise UserError: two of the contacts are artisans of one company
        """
        # sudo: whoever may merge contacts must not join artisans that she can't see
        artisans = self.env["soko.artisan"].sudo().with_context(active_test=False).search(
            [("partner_id", "in", list(partner_ids))]
        )
        for company, found in artisans.grouped("company_id").items():
            if len(found) > 1:
                raise UserError(
                    self.env._(
                        "%(names)s are %(count)s artisans of %(company)s, each with pieces and "
                        "money of her own, so their contacts can't be merged. Keep the one who "
                        "delivers; return the other's pieces and pay what she is owed, then set "
                        "her to Left and archive her.",
                        names=", ".join(f"{a.name} ({a.ref})" for a in found),
                        count=len(found),
                        company=company.name,
                    )
                )
        res = super()._merge(partner_ids, dst_partner, extra_checks)
        # The contact was exchanged in the database, past the ORM: read its name anew.
        artisans.invalidate_recordset()
        self.env.add_to_compute(artisans._fields["name"], artisans)
        return res
