from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.receipt import cut_evidence
from .stock_picking import RECEIVED_VIA

REFUSALS = [
    ("future", "The time lies in the future"),
    ("before_shipped", "Before the day on which it was sent"),
    ("cancelled", "The delivery or its order was cancelled"),
    ("returned", "All pieces came back"),
]


class SokoReceiptEvent(models.Model):
    """Somebody says that a shopper has a parcel: written once, kept as it is.

    The first event that counts sets the receipt of its delivery; what others say later is kept as
    evidence and has no effect.
    """

    _name = "soko.receipt.event"
    _description = "Receipt by the Shopper"
    _order = "id desc"
    _rec_name = "picking_id"
    _allow_sudo_commands = False

    picking_id = fields.Many2one(
        "stock.picking",
        string="Delivery",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        related="picking_id.company_id", store=True, index=True, string="Company"
    )
    source = fields.Selection(RECEIVED_VIA, string="Known from", required=True, readonly=True)
    date = fields.Datetime(
        string="Received on",
        required=True,
        readonly=True,
        help="When the shopper had the parcel, by the word of the source.",
    )
    create_date = fields.Datetime(string="Told on", readonly=True)
    outcome = fields.Selection(
        [
            ("counted", "Counted"),
            ("known", "Known already"),
            ("refused", "Refused"),
        ],
        required=True,
        readonly=True,
        help="Counted: made the receipt. Known already: evidence only. Refused: could not be true.",
    )
    refusal = fields.Selection(REFUSALS, string="Refused because", readonly=True)
    reference = fields.Char(
        readonly=True, help="Number of the event at its source; a carrier may repeat itself."
    )
    tracking_ref = fields.Char(string="Tracking number", readonly=True)
    token_id = fields.Many2one(
        "soko.receipt.token",
        string="Carrier",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    user_id = fields.Many2one("res.users", string="Noted by", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Shopper", readonly=True)
    address = fields.Char(
        string="Network address",
        readonly=True,
        groups="soko_artisan.soko_artisan_group_manager",
    )
    evidence = fields.Text(readonly=True, help="What was said, word for word; long texts are cut.")

    _once = models.UniqueIndex(
        "(picking_id, source, COALESCE(reference, ''))",
        "This event of the delivery is written down already.",
    )
    _refusal_said = models.Constraint(
        "CHECK ((outcome = 'refused') = (refusal IS NOT NULL))",
        "A refused event says why, and no other does.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals["evidence"] = cut_evidence(vals.get("evidence") or "") or False
        return super().create(vals_list)

    def write(self, vals):  # pylint: disable=method-required-super  # nothing is written
        """Nobody changes what was said, whatever the rights."""
        raise AccessError(self.env._("What was said about a receipt is evidence and stays."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What was said about a receipt is evidence and is kept."))

    # === BUSINESS METHODS === #

    def _log_in_chatter(self):
        """Tell the followers of each delivery what was noted, or refused."""
        refusals = dict(self._fields["refusal"]._description_selection(self.env))
        for event in self.filtered(lambda e: e.outcome != "known"):
            via = event.picking_id._soko_get_via_label(event.source)
            if event.outcome == "counted":
                body = self.env._("The shopper has the parcel. Known from: %(via)s", via=via)
            else:
                body = self.env._(
                    "Not noted as received, though %(via)s said so: %(reason)s",
                    via=event.token_id.name or via,
                    reason=refusals[event.refusal],
                )
            event.picking_id._message_log(body=body)
