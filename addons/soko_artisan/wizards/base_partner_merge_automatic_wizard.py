from odoo import models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Refuse to make one contact of two artisans: pieces, prices and debts would mix.

        Odoo resolves such a clash by deleting one of the two rows, without a word.
        """
        # sudo: whoever merges contacts may not see artisans, but must not lose one
        artisans = (
            self.env["soko.artisan"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", partner_ids)])
        )
        for company, group in artisans.grouped("company_id").items():
            if len(group) > 1:
                raise UserError(
                    self.env._(
                        "%(artisans)s are different artisans of %(company)s, each with pieces and "
                        "money of their own. Their contacts can't become one. Archive the artisan "
                        "that is not needed, after its pieces are returned and its money is paid.",
                        artisans=", ".join(group.mapped("display_name")),
                        company=company.name,
                    )
                )
        return super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
