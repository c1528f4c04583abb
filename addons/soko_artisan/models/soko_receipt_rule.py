import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


class SokoReceiptRule(models.Model):
    """After how many days a parcel that nobody reports counts as received."""

    _name = "soko.receipt.rule"
    _description = "Receipt by Time"
    _order = "sequence, id"
    _check_company_auto = True

    sequence = fields.Integer(default=10, help="Of two rules that say as much, the upper counts.")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    active = fields.Boolean(default=True)
    country_id = fields.Many2one(
        "res.country", string="To country", help="Empty: to anywhere, or to the group beside it."
    )
    country_group_id = fields.Many2one("res.country.group", string="To group of countries")
    never = fields.Boolean(help="These parcels wait until somebody says that they arrived.")
    days = fields.Integer(
        string="Days after shipping",
        default=30,
        help="From the day on which the delivery was validated, where the company is.",
    )

    _days_positive = models.Constraint(
        "CHECK (never IS TRUE OR days > 0)", "At least one day must pass after shipping."
    )
    _one_place = models.Constraint(
        "CHECK (country_id IS NULL OR country_group_id IS NULL)",
        "Choose a country or a group of countries, not both.",
    )

    # === COMPUTE METHODS === #

    @api.depends("country_id", "country_group_id", "never", "days")
    def _compute_display_name(self):
        for rule in self:
            place = " ".join(rule._get_conditions()) or self.env._("Everywhere")
            days = self.env._("never") if rule.never else self.env._("%s days", rule.days)
            rule.display_name = f"{place}: {days}"

    def _get_conditions(self):
        """Return the names of what the rule is limited to. Hook: bridges add theirs."""
        self.ensure_one()
        return [r.display_name for r in (self.country_id, self.country_group_id) if r]

    # === CONSTRAINTS === #

    @api.constrains("active", "company_id", "country_id", "country_group_id")
    def _check_no_twin(self):
        for rule in self.filtered("active"):
            if self.search_count(rule._get_twin_domain(), limit=1):
                raise ValidationError(
                    self.env._(
                        "%(rule)s: there is another rule for the same parcels. Change that one.",
                        rule=rule.display_name,
                    )
                )

    def _get_twin_domain(self):
        """Return the domain of other rules with the same conditions. Hook: bridges add theirs."""
        self.ensure_one()
        return [
            ("id", "!=", self.id),
            ("company_id", "=", self.company_id.id),
            ("country_id", "=", self.country_id.id),
            ("country_group_id", "=", self.country_group_id.id),
        ]

    # === BUSINESS METHODS === #

    def _matches(self, picking):
        """Tell whether the rule is about this delivery.

        Hook. Contract: read only; call `super()` and narrow its answer.
        """
        self.ensure_one()
        country = picking.partner_id.country_id
        if self.country_id and self.country_id != country:
            return False
        return not self.country_group_id or country in self.country_group_id.country_ids

    def _get_weight(self):
        """Return how much the rule says about a parcel: of those that match, the heaviest counts.

        A country weighs 2, a group of countries 1. Hook: bridges add more than 2 for a condition
        that goes before the place.

        :rtype: int
        """
        self.ensure_one()
        return 2 if self.country_id else 1 if self.country_group_id else 0

    def _find_for(self, picking):
        """Return the rule out of these that counts for a delivery, or none."""
        matching = self.filtered(
            lambda r: r.company_id == picking.company_id and r._matches(picking)
        )
        return matching.sorted(lambda r: (-r._get_weight(), r.sequence, r.id))[:1]

    def _is_over(self, picking):
        """Tell whether the time of this rule is over for a delivery."""
        over = picking._soko_get_shipped_day() + timedelta(days=self.days)
        return picking.company_id._soko_today() >= over

    # === CRON === #

    @api.model
    def _cron_receive_by_time(self):
        """Note the receipt of parcels whose time is over, each committed by itself."""
        cron = self.env["ir.cron"]
        overdue = self._get_overdue()
        cron._commit_progress(remaining=len(overdue))
        for picking, rule in overdue:
            rule._receive(picking)
            if not cron._commit_progress(1):
                return

    @api.model
    def _get_overdue(self):
        """Return (delivery, rule) of parcels that makers wait for and whose time is over."""
        overdue = []
        timed = self._read_group([("never", "=", False)], ["company_id"], ["days:min"])
        for company, days in timed:
            rules = self.search([("company_id", "=", company.id)])
            last = company._soko_today() - timedelta(days=days)
            waiting = self.env["soko.settlement.line"]._read_group(
                [
                    ("state", "=", "awaiting_receipt"),
                    ("company_id", "=", company.id),
                    ("date", "<=", last + timedelta(days=1)),  # its day may be another zone's
                    ("picking_id", "any", self.env["stock.picking"]._soko_get_received_domain()),
                ],
                ["picking_id"],
            )
            for (picking,) in waiting:
                rule = rules._find_for(picking)
                if rule and not rule.never and rule._is_over(picking):
                    overdue.append((picking, rule))
        return overdue

    def _receive(self, picking):
        """Note one receipt; what goes wrong there stops no other."""
        evidence = self.env._(
            "Nobody said that it arrived. Sent on %(shipped)s; rule: %(rule)s.",
            shipped=picking._soko_get_shipped_day(),
            rule=self.display_name,
        )
        try:
            with self.env.cr.savepoint():
                picking._soko_mark_received("timeout", evidence=evidence)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise  # not the parcel's fault: the whole step is run again
        except Exception:
            # A warning on purpose: the others go on, and this one is tried again tomorrow.
            _logger.warning("Receipt of delivery %s was not noted", picking.id, exc_info=True)
