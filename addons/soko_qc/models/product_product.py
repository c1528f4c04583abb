from odoo import models
from odoo.fields import Domain

from .soko_qc_limit import ORIGIN


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _soko_qc_get_claims(self, lot=None):
        """What the register proves today about this product, and about a lot of it.

        A claim counts when it is approved, within its dates and not withdrawn, and when what it
        stands on still holds: a laboratory report that expired or was withdrawn takes its claim
        with it. Claims about all pieces of the product count; claims about a lot only for that lot.
        The origin of horn and bone is also taken from the raw lot that a plated lot was made of.

        For add-ons that show claims (a shop, a label). Override to add claims; call ``super()``.

        :param lot: stock.lot of this product, may be empty
        :return: for each claim a dict with ``kind`` (``nickel``, ``lead``, ``cadmium``,
            ``plated``, ``heavy``, ``vermeil``, ``karat``, ``horn``, ``bone``), ``label``,
            ``statement``, ``lot`` (name, empty for all pieces), ``karat``, ``thickness_um``
            (micrometres), ``base_metal``, ``layer_between``, ``origin``, ``valid_until`` (date or
            False) and ``tests``: dicts with ``report``, ``laboratory``, ``date``,
            ``valid_until``, ``part``, ``value``, ``unit``, ``bound``, ``limit``, ``source``
        :rtype: list[dict]
        """
        self.ensure_one()
        # sudo: answers approved claims as plain values, which are made to be told to anybody, also
        # to a visitor who may read no product.
        claims = self.env["soko.qc.claim"].sudo()
        lot = claims.lot_id.browse(lot.ids if lot else [])
        scope = Domain("product_tmpl_id", "=", self.sudo().product_tmpl_id.id) & Domain(
            "lot_id", "in", [False, *lot.ids]
        )
        if lot.soko_origin_lot_id:
            raw = Domain("lot_id", "=", lot.soko_origin_lot_id.id)
            scope |= raw & Domain("kind", "in", ORIGIN)
        company = Domain("company_id", "=", self.env.company.id)
        found = claims.search(scope & company & Domain("state", "=", "valid"))
        return [claim._prepare_proof() for claim in found if not claim._get_problem()]
