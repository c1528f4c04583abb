from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, models
from odoo.tools import hash_sign, verify_hash_signed

from ..tools.received_token import read_expiry

RECEIVED_SCOPE = "soko_shop.received"
LINK_DAYS = 60


class StockPicking(models.Model):
    _inherit = "stock.picking"

    # === BUSINESS METHODS === #

    def _send_confirmation_email(self):
        """Send the shopper the link to tell us that the pieces arrived, once they are shipped."""
        result = super()._send_confirmation_email()
        self.filtered(lambda p: p._soko_is_receivable() and p.website_id)._soko_send_received_link()
        return result

    def _soko_send_received_link(self):
        """Queue one e-mail with the link a delivery, to the shopper, in her language."""
        # sudo: that a shopper hears of her parcel must not depend on the rights of who packs it
        template = self.env.ref("soko_shop.mail_template_received").sudo()
        addressed = self.sudo().filtered(lambda p: p._soko_get_shopper().email)
        for picking in addressed:
            template.send_mail(picking.id, email_layout_xmlid="mail.mail_notification_light")
        if addressed:
            self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()

    def _soko_get_shopper(self):
        """Return the contact who ordered: the parcel may be a present for somebody else."""
        self.ensure_one()
        return self.sale_id.partner_id or self.partner_id

    def _soko_is_receivable(self):
        """Tell whether this is a delivery of makers' pieces that a shopper can have received."""
        self.ensure_one()
        return (
            self.state == "done"
            and self.picking_type_code == "outgoing"
            and self.location_dest_id.usage == "customer"
            and bool(self._soko_get_maker_quantities())
        )

    def _soko_get_maker_quantities(self):
        """Return {(product, maker): quantity} of the makers' pieces that were shipped."""
        self.ensure_one()
        quantities = defaultdict(float)
        for line in self.move_line_ids.filtered(lambda ml: ml.lot_id.soko_artisan_id):
            quantities[line.product_id, line.lot_id.soko_artisan_id] += line.quantity
        return quantities

    def _soko_get_received_pieces(self):
        """Return the pieces of a delivery and their makers, as a shopper may see them.

        :return: dictionaries with `name`, `quantity`, `image_url` and `maker` (see
            `soko.artisan._soko_get_public_vals`)
        :rtype: list[dict]
        """
        self.ensure_one()
        return [
            {
                "name": product.name,
                "quantity": int(quantity) if quantity == int(quantity) else quantity,
                "image_url": self.env["website"].image_url(product, "image_256"),
                "maker": maker._soko_get_public_vals(self.website_id)[0],
            }
            for (product, maker), quantity in self._soko_get_maker_quantities().items()
        ]

    def _soko_get_received_promises(self):
        """Return what happens to each maker when the shopper says that the pieces arrived.

        What was agreed on the pieces decides: paid now, after the hold days, or since the shipment.

        :return: dictionaries with `maker` (see `soko.artisan._soko_get_public_vals`) and `days`:
            days to wait, 0 for "now", None when the tap changes nothing for her
        :rtype: list[dict]
        """
        self.ensure_one()
        promises = {}
        for line in self.move_line_ids.filtered(lambda ml: ml.lot_id.soko_artisan_id):
            lot = line.lot_id
            days = None if lot.soko_debt_trigger in ("shipped", "used") else lot.soko_hold_days
            known = promises.get(line.lot_id.soko_artisan_id)
            promises[line.lot_id.soko_artisan_id] = max(
                (d for d in (known, days) if d is not None), default=None
            )
        return [
            {"maker": maker._soko_get_public_vals(self.website_id)[0], "days": days}
            for maker, days in promises.items()
        ]

    def _soko_get_received_url(self):
        """Return the shopper's link, good for LINK_DAYS days from now and for this delivery only.

        Whoever holds the link can say that this delivery arrived, and nothing else: it opens no
        account and shows no address and no amount.
        """
        self.ensure_one()
        # sudo: the key of the database is for administrators; only the signature leaves this
        token = hash_sign(
            self.sudo().env, RECEIVED_SCOPE, self.id, expiration=timedelta(days=LINK_DAYS)
        )
        website = self.website_id or self.env["website"]
        base_url = website.get_base_url() if website else self.get_base_url()
        return f"{base_url}/shop/received/{token}"

    @api.model
    def _soko_find_by_received_token(self, token):
        """Return the delivery that a shopper's link stands for, and what is wrong if none.

        :param str token: the last part of the link
        :return: (delivery as superuser or empty, "" or "expired" or "unknown")
        :rtype: tuple
        """
        # sudo: the signature in the link is the shopper's right to this one delivery
        pickings = self.sudo()
        try:
            picking_id = verify_hash_signed(pickings.env, RECEIVED_SCOPE, token)
        except ValueError:
            return pickings.browse(), "unknown"
        if not picking_id:
            expiry = read_expiry(token)
            expired = expiry is not None and expiry <= datetime.now()
            return pickings.browse(), "expired" if expired else "unknown"
        picking = pickings.browse(picking_id).exists()
        if not picking or not picking._soko_is_receivable():
            return pickings.browse(), "unknown"
        return picking, ""
