from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, LockError, UserError

from ..const import OFFICER

RECEIVED_VIA = [
    ("shopper", "The shopper said so"),
    ("staff", "Staff"),
    ("carrier", "The carrier"),
    ("timeout", "Time has passed"),
]


class StockPicking(models.Model):
    _inherit = "stock.picking"

    soko_artisan_id = fields.Many2one(
        "soko.artisan",
        string="Artisan",
        index="btree_not_null",
        check_company=True,
        help="Who dropped these pieces off.",
    )
    soko_received_date = fields.Datetime(
        string="Received by the shopper on", readonly=True, copy=False
    )
    soko_received_via = fields.Selection(
        RECEIVED_VIA, string="Known from", readonly=True, copy=False
    )

    soko_return_reason = fields.Char(
        string="Why they go back", readonly=True, copy=False, help="Said to the owner."
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._soko_check_received_vals(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._soko_check_received_vals(vals)
        other_owner = self.filtered(
            lambda p: "owner_id" in vals
            and p.owner_id.id != vals["owner_id"]
            and p.location_id._soko_is_house()
        )
        res = super().write(vals)
        other_owner._soko_reserve_again()
        return res

    def _soko_reserve_again(self):
        """The owner was changed: what is reserved of others is given back, and theirs taken.

        Pieces that somebody picked already stay as they are; validating them is refused when the
        new owner hasn't got them.
        """
        moves = self.move_ids.filtered(
            lambda m: m.state in ("assigned", "partially_available") and not m.picked
        )
        if moves:
            moves._do_unreserve()
            moves._action_assign()

    @api.model
    def _soko_check_received_vals(self, vals):
        """`readonly` keeps no RPC call away: a date alone would leave the artisans unpaid."""
        if not self.env.su and ("soko_received_date" in vals or "soko_received_via" in vals):
            raise AccessError(self.env._('Press "Shopper has received it" on the delivery.'))

    def action_soko_mark_received(self):
        """Staff know that the shopper has the parcel."""
        if not self.env.user.has_group(OFFICER):
            raise AccessError(
                self.env._("Only artisan officers can say that a shopper has received a parcel.")
            )
        self.check_access("write")
        if not self._soko_mark_received("staff"):
            raise UserError(
                self.env._("Nothing to note: not sent yet, or noted as received before.")
            )

    def action_soko_print_labels(self):
        """Print one label for each lot of these drop-offs."""
        return self.env.ref("soko_artisan.action_report_drop_off_label").report_action(
            self.move_line_ids.lot_id, config=False
        )

    def action_soko_print_return(self):
        """Print what the owner signs for pieces that are handed back."""
        return self.env.ref("soko_artisan.action_report_return_receipt").report_action(
            self, config=False
        )

    @api.model
    def _soko_get_received_domain(self):
        return [
            ("state", "=", "done"),
            ("picking_type_code", "=", "outgoing"),
            ("location_dest_id.usage", "=", "customer"),
            ("soko_received_date", "=", False),
        ]

    def _soko_mark_received(self, via):
        """Note that the shopper has these parcels, and make what depends on it due.

        Idempotent: a parcel counts once, whoever says it and how often. Deliveries only that are
        done; anything else is passed over.

        :param str via: one of "shopper", "staff", "carrier", "timeout"
        :return: the pickings that were not noted as received before
        """
        # sudo: the shopper's link and the carrier have no account; the ledger has no writers
        pickings = self.sudo()
        try:
            pickings.lock_for_update(allow_referencing=True)
        except LockError as error:
            # Two taps at once: Odoo runs the later one again, which then finds it noted.
            raise ConcurrencyError(str(error)) from error
        todo = pickings.filtered_domain(self._soko_get_received_domain())
        todo.write({"soko_received_date": fields.Datetime.now(), "soko_received_via": via})
        label = dict(self._fields["soko_received_via"]._description_selection(self.env))[via]
        for picking in todo:
            picking._message_log(
                body=self.env._("The shopper has the parcel. Known from: %(via)s", via=label)
            )
        lines = self.env["soko.settlement.line"].sudo().search([("picking_id", "in", todo.ids)])
        lines._make_due()
        return self.browse(todo.ids)
