from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..const import MANAGER
from ..tools.receipt import (
    DELIVERED,
    is_token,
    new_token,
    token_digest,
    token_prefix,
)


class SokoReceiptToken(models.Model):
    """A carrier that may report which parcels arrived, and the digest of its token."""

    _name = "soko.receipt.token"
    _description = "Carrier's Access"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(string="Carrier", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    active = fields.Boolean(default=True, help="Off: its token opens nothing.")
    prefix = fields.Char(
        string="Token begins with",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The rest was shown once and is not kept.",
    )
    digest = fields.Char(readonly=True, copy=False, groups=fields.NO_ACCESS)
    rotated_date = fields.Datetime(string="Token made on", readonly=True, copy=False)
    rotated_by_id = fields.Many2one(
        "res.users", string="Token made by", readonly=True, copy=False
    )
    event_ids = fields.One2many("soko.receipt.event", "token_id", string="Reports", readonly=True)

    _digest_uniq = models.UniqueIndex(
        "(digest) WHERE digest IS NOT NULL", "This token belongs to another carrier."
    )

    # === ACTION METHODS === #

    def action_rotate(self):
        """Make a new token and show it once; the one before opens nothing from now on."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only an artisan manager can give a carrier access."))
        self.check_access("write")
        token = new_token()
        # sudo: nobody may read or write a digest by hand; the rights are checked above
        self.sudo().write(
            {
                "prefix": token_prefix(token),
                "digest": token_digest(token),
                "rotated_date": fields.Datetime.now(),
                "rotated_by_id": self.env.uid,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Token of %s", self.name),
            "res_model": "soko.receipt.token.show",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": token},
        }

    # === BUSINESS METHODS === #

    @api.model
    def _find_by_token(self, token):
        """Return the carrier whose token this is, or none.

        :param str token: as sent, whoever sent it
        """
        # sudo: the token itself is the right that is checked here
        found = self.sudo().search([("prefix", "=", token_prefix(token))]) if token else self
        matching = found.filtered(lambda t: is_token(token, t.digest))
        if not found:
            is_token(token, "")  # as much work as with one
        return matching[:1]

    def _receive(self, report, raw, address):
        """Take a carrier's report on a parcel.

        :param dict report: see :func:`..tools.receipt.parse_report`
        :param str raw: the report as it came
        :param str address: where it came from
        :return: (HTTP status, {"result": word, "message": sentence for the carrier's engineer})
        """
        self.ensure_one()
        pickings = self._find_deliveries(report["tracking_ref"])
        problem = self._find_problem(report, pickings)
        if problem:
            return problem
        before = self._get_events(report, pickings)
        pickings._soko_mark_received(
            "carrier",
            date=report["delivered_at"],
            reference=report["event_id"],
            tracking_ref=report["tracking_ref"],
            token_id=self.id,
            address=address,
            evidence=raw,
        )
        return self._answer(self._get_events(report, pickings), before)

    def _find_deliveries(self, tracking_ref):
        """Return this company's deliveries to shoppers with a tracking number."""
        self.ensure_one()
        domain = Domain(self._get_delivery_domain())
        domain &= Domain(self.env["stock.picking"]._soko_get_tracking_domain(tracking_ref))
        return self.env["stock.picking"].search(domain)

    def _get_delivery_domain(self):
        """Return the deliveries that this carrier may report on. Hook: bridges narrow it."""
        self.ensure_one()
        return [
            ("company_id", "=", self.company_id.id),
            ("picking_type_code", "=", "outgoing"),
            ("location_dest_id.usage", "=", "customer"),
        ]

    def _find_problem(self, report, pickings):
        """Return the answer to a report that leaves nothing behind, or None."""
        if not pickings:
            return 404, self._say("unknown", "No delivery of yours has this tracking_ref.")
        if report["status"] not in DELIVERED:
            return 200, self._say("ignored", "Only the status 'delivered' has an effect.")
        if report["order"] and not pickings._soko_filtered_order(report["order"]):
            return 409, self._say("other_order", "This tracking_ref is another order's.")
        elsewhere = [
            ("token_id", "=", self.id),
            ("reference", "=", report["event_id"]),
            ("picking_id", "not in", pickings.ids),
        ]
        if self.env["soko.receipt.event"].search_count(elsewhere, limit=1):
            return 409, self._say("other_delivery", "This event_id told of another delivery.")
        if any(p.state not in ("done", "cancel") for p in pickings):
            return 409, self._say("not_shipped", "Not sent yet by our books. Report it again.")
        return None

    def _get_events(self, report, pickings):
        return self.env["soko.receipt.event"].search(
            [
                ("picking_id", "in", pickings.ids),
                ("source", "=", "carrier"),
                ("reference", "=", report["event_id"]),
            ]
        )

    def _answer(self, events, before):
        """Return the answer to a report that is written down in `events`."""
        refused = events.filtered(lambda e: e.outcome == "refused")
        if events and refused == events:
            labels = dict(events._fields["refusal"]._description_selection(self.env))
            return 422, self._say(refused[0].refusal, f"{labels[refused[0].refusal]}.")
        if (events - before).filtered(lambda e: e.outcome == "counted"):
            return 200, self._say("noted", "The receipt is noted.")
        return 200, self._say("already", "This receipt was noted before. Nothing was changed.")

    def _say(self, result, message):
        return {"result": result, "message": message}
